"""ComfyUI core's FACE_LANDMARKS (MediaPipe's 478 points) as the 68 landmarks of one chosen face.

What "Detect Face Landmarks (MediaPipe)" of ComfyUI 0.23 and newer gives: a dictionary with `frames`, a list
of faces for each picture, and `image_size` (height, width). A face is a dictionary with
`landmarks_xy` [478, 2] in pixels, centres at whole numbers, and `bbox_xyxy`;
`blendshapes`, 52 numbers by ARKit's names, left is the subject's left;
`transformation_matrix` [4, 4], canonical face in centimetres to the camera, y up, which looks along -z.
Loading those models, finding the faces and getting weights are ComfyUI's matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gohd_core.constants import N_LANDMARKS
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box
from gohd_core.face.picking import FaceChoice, overlap

BLENDSHAPES_MISSING = (
    "The face landmarks hold no {what}; make them with ComfyUI's Detect Face Landmarks (MediaPipe)."
)

POINTS: tuple[tuple[int, ...], ...] = (
    # Jaw, from the subject's right ear to the left one. MediaPipe's outline has other steps there.
    *((127,), (234, 93), (93, 132), (132, 58), (58, 172), (136,), (150,), (176,), (152,)),
    *((400,), (379,), (365,), (288, 397), (361, 288), (323, 361), (454, 323), (356,)),
    # Brows, upper edge.
    *((70,), (63,), (105,), (66,), (107,), (336,), (296,), (334,), (293,), (300,)),
    # Bridge and tip of the nose, then its lower edge.
    *((168, 6), (197,), (5,), (4, 1), (98,), (97,), (2,), (326,), (327,)),
    # The subject's right eye, then the left one.
    *((33,), (160,), (158,), (133,), (153,), (144,), (362,), (385,), (387,), (263,), (373,), (380,)),
    # Outer lips, then inner lips.
    *((61,), (40,), (37,), (0,), (267,), (270,), (291,), (321,), (314,), (17,), (84,), (91,)),
    *((78,), (82,), (13,), (312,), (308,), (317,), (14,), (87,)),
)
"""For each of the 68 landmarks the MediaPipe point, or the two points whose middle is taken.

They are those of MediaPipe's canonical face that come nearest to the 68 landmarks of Deep3DFaceRecon's
mean face (`similarity_Lm3D_all.mat`) after a similarity fit on eye corners, nose and lips: seen from the
front they lie 0.016 face widths off on average.
"""

_EVERY, _COUNTS = np.concatenate([list(each) for each in POINTS]), np.array([len(each) for each in POINTS])
_FIRST = np.cumsum(_COUNTS) - _COUNTS
assert len(POINTS) == N_LANDMARKS


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face through a batch.

    Attributes:
        faces: a face dictionary for each picture, None where there is none.
        height, width: of the pictures, in pixels.
    """

    faces: list[Mapping[str, Any] | None]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.faces)

    def landmarks(self) -> list[np.ndarray | None]:
        """The 68 landmarks [68, 2] in pixels, or None, for each picture."""
        return [None if face is None else landmarks_68(face["landmarks_xy"]) for face in self.faces]


def landmarks_68(points: Any) -> np.ndarray:
    """MediaPipe's points [478, 2 or 3] (468 without irises will do) -> the standard 68, [68, 2 or 3]."""
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or len(points) < 468 or points.shape[1] not in (2, 3):
        raise BadInput(f"MediaPipe's landmarks have the shape [478, 2]; these have {list(points.shape)}.")
    return np.add.reduceat(points[_EVERY], _FIRST, axis=0) / _COUNTS[:, None]


def face_track(payload: Any, choice: FaceChoice | None = None) -> FaceTrack:
    """Follows one face of FACE_LANDMARKS: the chosen one, then in each picture the one that overlaps it most.

    Where none overlaps it, the choice decides again, as after a cut.
    """
    choice = choice or FaceChoice()
    try:
        frames, (height, width) = payload["frames"], map(int, payload["image_size"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadInput(
            "These are no face landmarks; connect ComfyUI's Detect Face Landmarks (MediaPipe)."
        ) from error
    faces: list[Mapping[str, Any] | None] = []
    last: Box | None = None
    for found in frames:
        boxes = [Box.around(np.asarray(face["landmarks_xy"], np.float64)) for face in found]
        picked = _nearest(boxes, last)
        picked = choice.pick(boxes, height, width) if picked is None else picked
        faces.append(None if picked is None else found[picked])
        last = last if picked is None else boxes[picked]
    if not faces:
        raise BadInput("The face landmarks hold no pictures; detect faces in at least one.")
    return FaceTrack(faces, height, width)


def _nearest(boxes: list[Box], last: Box | None) -> int | None:
    if last is None or not boxes:
        return None
    shares = [overlap(box, last) for box in boxes]
    return int(np.argmax(shares)) if max(shares) > 0 else None
