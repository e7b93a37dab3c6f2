"""The face animator (§3.3): a portrait and motion to frames."""

from __future__ import annotations

from gohd_core.animator.animator import Animator
from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.encoder import Source
from gohd_core.animator.network import AnimatorNetwork

__all__ = ["Animator", "AnimatorConfig", "AnimatorNetwork", "Source"]
