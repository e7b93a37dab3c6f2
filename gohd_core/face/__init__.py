"""Faces: the morphable model, alignment and crop, and the networks that read faces; names load lazily."""

from __future__ import annotations

from gohd_core.lazy import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
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
        "prepare_portrait": "portrait",
    },
)
