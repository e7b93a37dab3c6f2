"""Face reader's readings of drawn frames: faces found, and their openings and gaze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.measures.face_points import eye_aspect_ratios, lid_heights, lips_gap
from gohd_core.mesh.contours import inner_gap
from gohd_core.mesh.reading.fit import fit_face
from gohd_core.mesh.reading.gaze import eyes_in_head, from_head


@dataclass(frozen=True)
class FaceReadings:
    """Faces of T square frames; nan where none was seen.

    Attributes:
        seen: bool [T].
        points: [T,478,3] in pixels of the frames.
        gap: [T] between the inner lips in model units, in the head.
        share: [T] the same gap in distances of the eyes' outer corners.
        lids: [T,2] height of the left and the right eye's opening in its width, a length in space.
        aspect: [T,2] the same across the eye, in the picture.
        angles: [T,3] of the head, in radians.
    """

    seen: np.ndarray
    points: np.ndarray
    gap: np.ndarray
    share: np.ndarray
    lids: np.ndarray
    aspect: np.ndarray
    angles: np.ndarray


def read_frames(
    reader: FaceReader, frames: np.ndarray, *, start: FaceLandmarks | None = None
) -> FaceReadings:
    """Reads frames u8 [T,S,S,3].

    start: where the face is looked for first in each frame, which takes half as long. Without it each frame
    is searched for its largest face independently of the other frames.
    """
    count, size = len(frames), frames.shape[1]
    seen = np.zeros(count, bool)
    points = np.full((count, 478, 3), np.nan)
    for k, frame in enumerate(frames):
        face = _largest(reader, frame) if start is None else reader.track([frame], start)[0]
        if face is not None:
            seen[k], points[k] = True, face.points
    values = {"gap": (), "share": (), "lids": (2,), "aspect": (2,), "angles": (3,)}
    measured = {name: np.full((count, *shape), np.nan) for name, shape in values.items()}
    if seen.any():
        fitted = fit_face(torch.from_numpy(points[seen]).float(), size)
        measured["gap"][seen] = inner_gap(fitted.points_in_head).numpy()
        measured["share"][seen] = lips_gap(points[seen])
        measured["lids"][seen] = lid_heights(points[seen])
        measured["aspect"][seen] = eye_aspect_ratios(points[seen])
        measured["angles"][seen] = fitted.pose[:, :3].numpy()
    return FaceReadings(seen, points, **measured)


def gaze_of(points: np.ndarray, size: int) -> np.ndarray:
    """Gaze (horizontal, vertical) of meshes [T,478,3] in pixels of frames of `size`, [T,2] in radians."""
    fitted = fit_face(torch.from_numpy(points).float(), size)
    return from_head(fitted.pose, eyes_in_head(fitted.points_in_head).mean(1)).numpy()


def _largest(reader: FaceReader, frame: np.ndarray) -> FaceLandmarks | None:
    return next(iter(reader.read(frame)), None)
