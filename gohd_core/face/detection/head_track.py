"""The square around a head in each frame of a film: where it lies, found from landmarks, steadied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import rotation
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.landmarks68 import RIGID
from gohd_core.motion import Pose, Sequence

BLINK = 0.4
"""A face unseen for less than this is taken to be there, in seconds: detectors miss single frames."""
FADE = 0.2
"""Seconds of the fade in and out of a face that is unseen for longer."""


@dataclass(frozen=True, eq=False)
class HeadTrack(Sequence):
    """Squares `[T, 3]`: centre x, centre y and side, in pixels of the film; they may reach past its edges.

    Attributes:
        space: of the poses, which refer to these squares.
        valid: where a face was seen.
        picture: (height, width) of the film's frames.
        poses: of the head in each square, as many; None where they are not known.
    """

    picture: tuple[int, int] = (0, 0)
    poses: Pose | None = None

    width: ClassVar[int] = 3

    def resampled(self, fps: Fraction | int | float, *, frames: int | None = None) -> HeadTrack:
        made = super().resampled(fps, frames=frames)
        return made if self.poses is None else replace(made, poses=self.poses.resampled(fps, frames=frames))

    def squares_in(self, height: int, width: int) -> Tensor:
        """The squares [T, 3] in frames of another size; `BadInput` where their shape is another as well."""
        ratio = width / self.picture[1]
        if abs(self.picture[0] * ratio - height) > 1 + ratio:
            raise BadInput(
                f"The head was followed in frames of {self.picture[1]} x {self.picture[0]}, and these are "
                f"{width} x {height}; give frames of the same shape."
            )
        return self.values * ratio

    def visibility(self) -> Tensor:
        """Opacity of the face over time, 0..1 [T]: short gaps are bridged, at longer ones it fades."""
        reach = max(1, round(BLINK * float(self.fps) / 2))
        seen = self.valid.float()[None, None]
        near = F.max_pool1d(seen, 2 * reach + 1, 1, reach)
        bridged = -F.max_pool1d(F.pad(-near, (reach, reach), mode="replicate"), 2 * reach + 1, 1)
        half = max(1, round(FADE * float(self.fps) / 2))
        faded = F.avg_pool1d(F.pad(bridged, (half, half), mode="replicate"), 2 * half + 1, 1)[0, 0]
        # Gone by the time that nothing is seen, not half a fade later.
        return (2 * faded - 1).clamp(0, 1)


def head_places(landmarks: Tensor, angles: Tensor) -> Tensor:
    """A head's origin and scale in the picture, [T, 3]: x, y in pixels and pixels a model unit.

    The average head's nose and eye corners, turned by the head's own angles, are laid onto the landmarks by
    least squares, so that neither a turn of the head nor a talking mouth moves or shrinks the place.

    Args:
        landmarks: [T, 68, 2] in pixels. angles: [T, 3], Euler angles in radians.
    """
    model = MorphableModel.stylised_landmarks().landmarks().double()[list(RIGID)]
    seen = landmarks.double()[:, list(RIGID)]
    turned = (model @ rotation(angles.double()))[..., :2] * torch.tensor(
        [1.0, -1.0], dtype=torch.float32, device="cpu"
    )
    middle, centre = turned.mean(1, keepdim=True), seen.mean(1, keepdim=True)
    scale = ((turned - middle) * (seen - centre)).sum((1, 2)) / (turned - middle).square().sum((1, 2))
    return torch.cat([centre[:, 0] - scale[:, None] * middle[:, 0], scale[:, None]], 1)


def fill_gaps(places: Tensor, valid: Tensor) -> Tensor:
    """Places [T, C] with those that are not valid on a straight line between their neighbours."""
    known = np.flatnonzero(valid.numpy())
    columns = [np.interp(np.arange(len(places)), known, column.numpy()[known]) for column in places.T]
    return torch.from_numpy(np.stack(columns, 1))


def still_track(like: Sequence, square: tuple[float, float, float], picture: tuple[int, int]) -> HeadTrack:
    """A track as long as a sequence, whose square stays at (x, y, side)."""
    values = torch.tensor([square], dtype=torch.float32, device="cpu").expand(len(like), -1)
    return HeadTrack(values, like.space, like.fps, like.valid, picture)


def along(places: Tensor, track: HeadTrack) -> HeadTrack:
    """A still track, moved and scaled as places [T, 3] move from their first valid frame on."""
    first = int(torch.nonzero(track.valid)[0])
    origin, square = places[first], track.values[first].double()
    grown = (places[:, 2:] / origin[2]).clamp(0.1, 10)
    centre = places[:, :2] + (square[:2] - origin[:2]) * grown
    return replace(track, values=torch.cat([centre, square[2] * grown], 1))
