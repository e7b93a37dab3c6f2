"""GoHD's method as a library: everything public is here by name and is imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gohd_core.components import COMPONENTS

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
    "prepare_portrait": "gohd_core.portraits",
    "FaceChoice": "gohd_core.face",
    "FaceDetector": "gohd_core.face",
    "VideoReader": "gohd_core.video.reader",
    "extract_motion": "gohd_core.driving",
    "driven_motion": "gohd_core.driving",
    "BuiltinAnimator": "gohd_core.mesh.builtin",
    "MeshAnimator": "gohd_core.mesh.animator",
    "FaceReader": "gohd_core.face.mediapipe.reader",
    "load_animator": "gohd_core.mesh.builtin",
    "Source": "gohd_core.animator",
    "Models": "gohd_core.models",
    "TalkOptions": "gohd_core.talk_options",
    "motion_from_audio": "gohd_core.pipeline",
    "talk": "gohd_core.pipeline",
    "finish": "gohd_core.pipeline",
    "render_video": "gohd_core.render",
    "paste_back": "gohd_core.render",
    "paste_mask": "gohd_core.render",
    "Mark": "gohd_core.render",
    "marked": "gohd_core.render",
    "read_watermark": "gohd_core.render",
    "GohdError": "gohd_core.errors",
} | {item.runtime: item.module for item in COMPONENTS.values()}

_LOADERS = {item.loader: item.runtime for item in COMPONENTS.values() if item.loader not in _PUBLIC}

__all__ = sorted([*_PUBLIC, *_LOADERS, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _LOADERS:
        return __getattr__(_LOADERS[name]).load
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
