"""A picture with a face becomes a portrait by its face mesh: square, own motion, person mask."""

from __future__ import annotations

import math
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import N_DESCRIPTOR, N_GAZE, STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.portrait import Portrait
from gohd_core.images import Image
from gohd_core.mesh.animator import SIZES
from gohd_core.mesh.geometry.shape import own_expression
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.mesh.reading.fit import face_box, fit_face, into_box
from gohd_core.mesh.reading.gaze import eyes_in_head, from_head
from gohd_core.motion import Motion

SMALLEST_FACE = 48
"""A face whose box is smaller shows too little to be drawn, in pixels."""


MOST_YAW = 60.0
"""A head that is turned further shows too little of one side to be drawn, degrees."""
_MUST_SHOW = (*range(468, 478), 33, 263, 61, 291, 0, 17)
"""Points of the mesh without which a face is no portrait: irises, outer corners of eyes and mouth, lips."""
_CUT, _LARGER = 0.05, 1.2
"""Share of the crop's upper side that hair or a hat crosses, from which it is enlarged upwards, and most by
which."""


class PersonMasks(Protocol):
    """Person segmentation (`FaceReader`)."""

    def person_mask(self, image: Image) -> np.ndarray:
        """float32 [H, W] in 0..1."""


def mesh_portrait(
    picture: Image, face: FaceLandmarks, reader: PersonMasks, *, size: int | None = None
) -> Portrait:
    """A face of a picture as a portrait in the stylised space.

    Args:
        picture: uint8 or float [H, W, 3].
        face: as it was read in that picture.
        reader: tells the person from what is behind.
        size: side of the crop in pixels, one of `SIZES`; None takes the face's own, to the next step.

    Raises:
        BadInput: the face is too small, cut off or turned too far, or the size can't be drawn.
    """
    height, width = picture.shape[:2]
    _check_face(face, height, width)
    mesh = torch.from_numpy(face.points)
    left, top, side = (round(each) for each in face_box(mesh, height, width))
    box = _inside(left, top, min(side, height, width), height, width)
    crop = _cut_out(picture, box, size)
    mask = reader.person_mask((crop * 255).round().astype(np.uint8))
    if box[1] > 0 and mask[0].mean() > _CUT:
        # What a side of the crop cuts stays behind when the head moves.
        side = min(round(_LARGER * side), height, width, box[3])
        box = _inside((box[0] + box[2] - side) // 2, box[3] - side, side, height, width)
        crop = _cut_out(picture, box, size)
        mask = reader.person_mask((crop * 255).round().astype(np.uint8))
    side = box[3] - box[1]
    motion = own_motion(into_box(mesh, (*box[:2], side), len(crop)), len(crop))
    _check_turn(motion)
    return Portrait(
        frame=torch.from_numpy(_floats(picture)),
        box=box,
        crop=torch.from_numpy(crop),
        landmarks=torch.tensor(face.landmarks68, dtype=torch.float32, device="cpu"),
        pose=motion.pose,
        expression=motion.expression,
        gaze=motion.gaze,
        mesh=mesh,
        person_mask=torch.from_numpy(mask),
    )


def _inside(left: int, top: int, side: int, height: int, width: int) -> tuple[int, int, int, int]:
    """A square as (left, top, right, bottom), moved into the picture."""
    left, top = max(0, min(left, width - side)), max(0, min(top, height - side))
    return left, top, left + side, top + side


def _cut_out(picture: Image, box: tuple[int, int, int, int], size: int | None) -> np.ndarray:
    """A square of a picture [S,S,3] in 0..1, drawn at `size` or at its own."""
    left, top, right, bottom = box
    size = own_size(right - left) if size is None else check_size(size)
    return _resized(picture[top:bottom, left:right], size)


def _check_face(face: FaceLandmarks, height: int, width: int) -> None:
    """`BadInput` for a face that is too small, or whose eyes or mouth lie beyond the picture's edge."""
    if face.size < SMALLEST_FACE:
        raise BadInput(
            f"The face is {face.size:.0f} pixels high and wide; at least {SMALLEST_FACE} are needed to draw "
            "it. Give a larger picture, or enlarge this one first."
        )
    x, y = face.points[list(_MUST_SHOW), :2].T
    beyond = {"left": -x.min(), "right": x.max() - width + 1, "top": -y.min(), "bottom": y.max() - height + 1}
    side = max(beyond, key=lambda name: beyond[name])
    if beyond[side] > 0.5:
        raise BadInput(
            f"The face is cut off by the picture's {side} edge: eyes and mouth must be seen whole. Give a "
            "picture that shows the whole face, or another face of this one."
        )


def _check_turn(motion: Motion) -> None:
    """`BadInput` for a head that is nearly seen from the side."""
    yaw = math.degrees(motion.pose.values[0, 1].item())
    if abs(yaw) > MOST_YAW:
        raise BadInput(
            f"The head is turned {abs(yaw):.0f} degrees to the side; up to {MOST_YAW:.0f} can be drawn. Give "
            "a picture in which both eyes and the whole mouth are seen."
        )


def own_motion(mesh: Tensor, size: int) -> Motion:
    """A face's own motion, one frame: from its mesh [478,3] in pixels of a square picture of `size`."""
    fitted = fit_face(mesh[None], size)
    descriptor = torch.zeros(1, N_DESCRIPTOR, dtype=torch.float32, device=mesh.device)
    descriptor[:, list(DRAWN)] = own_expression(fitted.points_in_head[0]).to(mesh.device)
    descriptor[:, 64:70] = fitted.pose
    gaze = from_head(fitted.pose, eyes_in_head(fitted.points_in_head).mean(1))
    descriptor[:, -N_GAZE:] = gaze.flip(-1)  # (horizontal, vertical) -> (pitch, yaw)
    return Motion.from_descriptors(descriptor, STYLISED)


def own_size(side: int) -> int:
    """The side of frames for a crop of so many pixels: its own, to the next of `SIZES`."""
    steps = round(side / SIZES.step)
    return min(max(steps * SIZES.step, SIZES.start), SIZES[-1])


def check_size(size: int) -> int:
    """The size, if frames can be drawn at it; else `BadInput`."""
    if size not in SIZES:
        raise BadInput(
            f"Faces are drawn at {SIZES.start} to {SIZES[-1]} pixels in steps of {SIZES.step}; {size} is "
            "none of these. 0 takes the face's own size."
        )
    return size


def _floats(picture: Image) -> np.ndarray:
    return np.array(picture, np.float32) / 255 if picture.dtype == np.uint8 else np.array(picture, np.float32)


def _resized(picture: Image, size: int) -> np.ndarray:
    """[size, size, 3] in 0..1: area-averaged when shrinking, bicubic when growing."""
    shrinks = picture.shape[0] > size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(_floats(picture), (size, size), interpolation=method).clip(0, 1)
