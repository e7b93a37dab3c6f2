"""Faces: the morphable model, alignment and crop, and the networks that read faces; names load lazily."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "AlignedFace": "alignment",
    "align_face": "alignment",
    "Box": "crop",
    "Camera": "camera",
    "Coefficients": "coefficients",
    "CoefficientExtractor": "extractor",
    "Extraction": "extractor",
    "Face": "detection",
    "FaceChoice": "picking",
    "FaceDetector": "detection",
    "FaceTracker": "tracking",
    "ExtractorConfig": "extractor_network",
    "FaceLandmarks": "mediapipe.landmarks",
    "FaceParser": "face_parser",
    "FaceReader": "mediapipe.reader",
    "GazeConfig": "gaze_estimator",
    "GazeEstimator": "gaze_estimator",
    "GlimpseConfig": "glimpses",
    "HeadTrack": "head_track",
    "MorphableModel": "morphable",
    "ParsingConfig": "parsing_network",
    "Portrait": "portrait",
    "ResNetConfig": "resnet",
    "photograph_warning": "reprojection",
    "prepare_portrait": "portrait",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
