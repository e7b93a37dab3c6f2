"""Expressions from sound: stage 1 (lips), stage 2 (eye motion), and the lip-sync expert."""

from __future__ import annotations

from gohd_core.expression.config import ExpressionConfig
from gohd_core.expression.eye_motion import EyeMotionState
from gohd_core.expression.lip_sync import LipSync, LipSyncConfig, LipSyncNetwork
from gohd_core.expression.network import ExpressionNetwork
from gohd_core.expression.noise import frame_noise
from gohd_core.expression.predictor import ExpressionPredictor

__all__ = [
    "ExpressionConfig",
    "ExpressionNetwork",
    "ExpressionPredictor",
    "EyeMotionState",
    "LipSync",
    "LipSyncConfig",
    "LipSyncNetwork",
    "frame_noise",
]
