"""A drawn head in the framing that models which are driven by a face's video take.

LivePortrait (J. Guo et al. 2024) crops its driving video once, to a square 2.2 times the landmarks' box whose
middle is raised by a tenth, and takes the first frame as the neutral one. Wan-Animate (Wan team 2025) crops
the face in each frame: the landmarks' box grown to 1.3 times its area, three quarters of it upwards,
stretched to a square. Both take 512 x 512 pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from gohd_core.choices import FRAMINGS
from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.face.mediapipe.points import landmarks_68
from gohd_core.face.portrait import Portrait
from gohd_core.mesh.reading.fit import fit_face
from gohd_core.motion import Motion
from gohd_core.motion.editing import eased
from gohd_core.motion.idle import without_speech

SIZE = 512
"""Side of a driving frame in pixels."""
_SIDE, _RAISE = 2.2, 0.1
_AREA, _UPWARDS = 1.3, 0.75


def from_rest(motion: Motion, portrait: Portrait, seconds: float) -> Motion:
    """The motion, beginning from the portrait at rest with its mouth shut over so many seconds."""
    own = portrait.motion
    rest = (own.pose.values[0], without_speech(own).expression.values[0], own.gaze.values[0])
    parts = zip((motion.pose, motion.expression, motion.gaze), rest, strict=True)
    return Motion(*(eased(track, still, begin=seconds) for track, still in parts))


def driver_boxes(portrait: Portrait, motion: Motion, framing: str) -> Tensor:
    """Left, top, right and bottom [T,4] of each frame's crop in pixels of the whole picture.

    The head's turns move the box for faces that were read by their mesh; of others it stays.

    Raises:
        BadInput: an unknown framing, or a portrait without landmarks.
    """
    if framing not in FRAMINGS:
        raise BadInput(f"{framing!r} is no framing; use one of {', '.join(FRAMINGS)}.")
    points = _landmarks(portrait, motion)  # [T,68,2]
    low, high = points.amin(1), points.amax(1)
    if framing == FRAMINGS[0]:
        low, high = low.mean(0, keepdim=True), high.mean(0, keepdim=True)
        half = _SIDE * (high - low).amax(1, keepdim=True) / 2
        middle = (low + high) / 2 - torch.cat([torch.zeros_like(half), 2 * half * _RAISE], 1)
        return torch.cat([middle - half, middle + half], 1).expand(len(motion), 4)
    grown = (_AREA**0.5 - 1) * (high - low)
    share = grown.new_tensor([0.5, _UPWARDS])
    return torch.cat([low - share * grown, high + (1 - share) * grown], 1)


def framed(frames: Iterable[Tensor], boxes: Tensor) -> Iterator[Tensor]:
    """Whole pictures [b,3,H,W] -> [b,3,512,512]; the picture's edge is repeated beyond it."""
    done = 0
    for batch in frames:
        yield torch.cat(
            [_crop(frame[None], boxes[done + k].round().long().tolist()) for k, frame in enumerate(batch)]
        )
        done += len(batch)


def _landmarks(portrait: Portrait, motion: Motion) -> Tensor:
    if portrait.mesh is None:
        if portrait.landmarks is None:
            raise BadInput("This portrait has no landmarks; prepare it with a face reader or landmarks.")
        return portrait.landmarks.expand(len(motion), -1, -1)
    head = fit_face(portrait.mesh_in_crop[None], portrait.size).points_in_head[0]
    own = torch.from_numpy(landmarks_68(head)).float()  # [68,3]
    placed = transform(own.expand(len(motion), -1, -1), motion.pose.values)
    return portrait.to_frame(Camera.of_size(portrait.size).pixels(placed))


def _crop(frame: Tensor, box: list[int]) -> Tensor:
    left, top, right, bottom = box
    height, width = frame.shape[2:]
    beyond = (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0))
    if any(beyond):
        frame = functional.pad(frame, beyond, mode="replicate")
    part = frame[..., top + beyond[2] : bottom + beyond[2], left + beyond[0] : right + beyond[0]]
    size = (SIZE, SIZE)
    return functional.interpolate(part, size, mode="bicubic", antialias=True).clamp(frame.min(), frame.max())
