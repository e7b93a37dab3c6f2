"""GoHD's method as a library: everything public is here by name and is imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AudioFeatures": "gohd_core.audio",
    "audio_features": "gohd_core.audio",
    "load_audio": "gohd_core.audio",
    "Pose": "gohd_core.motion",
    "Expression": "gohd_core.motion",
    "Gaze": "gohd_core.motion",
    "Motion": "gohd_core.motion",
    "save_motion": "gohd_core.motion.file",
    "load_motion": "gohd_core.motion.file",
    "spliced": "gohd_core.motion.splicing",
    "MorphableModel": "gohd_core.face",
    "Portrait": "gohd_core.face",
    "prepare_portrait": "gohd_core.face",
    "FaceChoice": "gohd_core.face",
    "FaceDetector": "gohd_core.face",
    "Film": "gohd_core.video.reader",
    "extract_motion": "gohd_core.driving",
    "driven_motion": "gohd_core.driving",
    "Animator": "gohd_core.animator",
    "Source": "gohd_core.animator",
    "GazeDiffusion": "gohd_core.pose",
    "PoseDiffusion": "gohd_core.pose",
    "ExpressionPredictor": "gohd_core.expression",
    "LipSync": "gohd_core.expression",
    "CoefficientExtractor": "gohd_core.face",
    "GazeEstimator": "gohd_core.face",
    "FaceParser": "gohd_core.face",
    "Models": "gohd_core.pipeline",
    "TalkOptions": "gohd_core.pipeline",
    "motion_from_audio": "gohd_core.pipeline",
    "talk": "gohd_core.pipeline",
    "render_video": "gohd_core.render",
    "paste_back": "gohd_core.render",
    "paste_mask": "gohd_core.render",
    "Mark": "gohd_core.render",
    "marked": "gohd_core.render",
    "read_watermark": "gohd_core.render",
    "GohdError": "gohd_core.errors",
}

_LOADERS = {
    "load_animator": "Animator",
    "load_pose_model": "PoseDiffusion",
    "load_gaze_model": "GazeDiffusion",
    "load_expression_model": "ExpressionPredictor",
    "load_extractor": "CoefficientExtractor",
    "load_gaze_estimator": "GazeEstimator",
    "load_face_parser": "FaceParser",
    "load_lip_sync": "LipSync",
}

__all__ = sorted([*_PUBLIC, *_LOADERS, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _LOADERS:
        return __getattr__(_LOADERS[name]).load
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
