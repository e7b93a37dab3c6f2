"""Faces: found, cropped and read; names load lazily.

    crop picking portrait    the square around a face, the choice of one, a picture with its own motion
    geometry/                the morphable model (eq. 10), its camera and eye-motion feature
    mediapipe/               networks that find any face and read its mesh, its irises and a person mask
    reading/                 the 3DMM extractor and the gaze estimator, and how pictures are aligned for them
    segmentation/            face parsing and masks of people
    detection/               S3FD and FAN of face-alignment; one face followed through frames

Folders import those above them alone (`tests/test_architecture.py`).
"""

from __future__ import annotations

from gohd_core.lazy import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "AlignedFace": "reading.alignment",
        "align_face": "reading.alignment",
        "Box": "crop",
        "Camera": "geometry.camera",
        "Coefficients": "reading.coefficients",
        "CoefficientExtractor": "reading.extractor",
        "Extraction": "reading.extractor",
        "Face": "detection.detector",
        "FaceChoice": "picking",
        "FaceDetector": "detection.detector",
        "FaceTracker": "detection.tracking",
        "ExtractorConfig": "reading.extractor_network",
        "FaceLandmarks": "mediapipe.landmarks",
        "FaceParser": "segmentation.face_parser",
        "FaceReader": "mediapipe.reader",
        "GazeConfig": "reading.gaze_estimator",
        "GazeEstimator": "reading.gaze_estimator",
        "GlimpseConfig": "reading.glimpses",
        "HeadTrack": "detection.head_track",
        "MorphableModel": "geometry.morphable",
        "ParsingConfig": "segmentation.parsing_network",
        "Portrait": "portrait",
        "ResNetConfig": "reading.resnet",
        "prepare_portrait": "portrait",
    },
)
