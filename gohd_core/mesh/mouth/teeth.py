"""Two rows of teeth: their arches in the head, and textures of their albedo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, rotation
from gohd_core.mesh.frame import EDGE, POINTS
from gohd_core.mesh.picture.photometry import smoothstep

LOWER, UPPER = 0, 1
REACH = 1.2
"""Textures go from -REACH to REACH, rows from -1 to 1."""
_JAW_ANGLE, _HINGE = 0.19, (-0.10, -0.10)
"""Radians that a jaw coefficient of 1 turns the lower row by, about which height and depth in the head."""
_JAW_SHIFT = 0.07
"""Model units that a coefficient of 1 for a jaw that moves sideways moves the lower row by."""


@dataclass(frozen=True)
class _Row:
    """A row of teeth, half of it from the middle to the side.

    Attributes:
        width: half the arch's width as a share of the mean of the mouth's and of `_MEAN_MOUTH`.
        top, bottom: of the middle teeth, above the mouth's middle, model units.
        depth: how far behind the foremost point of the lips, model units.
        ends: where teeth end along the arch, the middle at 0.
        lengths: of the teeth, the middle one's at 1.
        shades: brightness of the teeth.
    """

    width: float
    top: float
    bottom: float
    depth: float
    ends: tuple[float, ...]
    lengths: tuple[float, ...]
    shades: tuple[float, ...]


_ROWS = (
    _Row(
        0.86,
        -0.014,
        -0.084,
        0.062,
        (0, 0.206, 0.433, 0.721, 1.01),
        (1.0, 0.985, 1.0, 0.93),
        (1.0, 0.985, 0.95, 0.92),
    ),
    _Row(
        0.95,
        0.078,
        -0.016,
        0.045,
        (0, 0.317, 0.559, 0.839, 1.10),
        (1.0, 0.93, 0.985, 0.90),
        (1.0, 0.98, 0.93, 0.91),
    ),
)
"""Teeth of mean width (incisors, canine and premolar: 8.5, 6.5, 7.5 and 7.0 mm above, 5.0, 5.5, 7.0 and
7.0 mm below; Wheeler's Dental Anatomy) in a mouth that is 48 mm wide."""
UPPER_LENGTH = _ROWS[UPPER].top - _ROWS[UPPER].bottom
"""Length of the upper middle teeth, model units."""
_MEAN_MOUTH = 0.184
"""Half the width of a mouth at rest, model units. Wide mouths have wider arches, but only half as much as
they are wider themselves."""
_TIPS = (-0.08, 0.02)
"""Limits of a portrait's own shift of the upper teeth's tips, model units."""
_CURVE = 0.62
"""Depth of an arch's end behind its middle, in half widths."""


@dataclass(frozen=True)
class Arches:
    """A head's two rows of teeth: parabolas seen from above, lower and upper.

    Attributes:
        middle: [2,3] their foremost points in head space.
        half: [2] half their widths.
        top, bottom: [2] heights above the middle point.
    """

    middle: Tensor
    half: Tensor
    top: Tensor
    bottom: Tensor

    @classmethod
    def of(cls, lips: Tensor) -> Arches:
        """From the contours of shut lips in head space [7,48,3]."""
        edge = lips[EDGE]
        middle, front = edge.mean(0), edge[:, 2].max()
        width = ((edge[0, 0] - edge[POINTS // 2, 0]) / 2 + _MEAN_MOUTH) / 2
        share, top, bottom, depth = (
            lips.new_tensor([getattr(row, name) for row in _ROWS])
            for name in ("width", "top", "bottom", "depth")
        )
        at = torch.stack([middle[0].expand(2), middle[1].expand(2), front - depth], -1)
        return cls(at, width * share, top, bottom)

    def lowered(self, tips: float) -> Arches:
        """The arches with the upper row's tips at a height in the head."""
        shift = (tips - self.middle[UPPER, 1] - self.bottom[UPPER]).clamp(*_TIPS)
        upper = torch.zeros_like(self.top)
        upper[UPPER] = shift
        return replace(self, top=self.top + upper, bottom=self.bottom + upper)

    def places(
        self, pose: Tensor, jaw: Tensor, pixels: Tensor, size: int, shift: Tensor | None = None
    ) -> Tensor:
        """Texture coordinates of the rows behind pixels, [B,2,h,w,2]: along and down, -1..1 on the row.

        Args:
            pose: [B,6].
            jaw: [B] coefficient of the jaw, which turns the lower row.
            pixels: [B,h,w,2] of pictures of `size` pixels.
            shift: [B] coefficient that moves the jaw, and the lower row with it, to the subject's left.
        """
        camera = Camera.of_size(size)
        to_head = rotation(pose[:, :3]).mT  # [B,3,3]
        start = (pose.new_tensor([0, 0, camera.distance]) - pose[:, 3:])[:, None] @ to_head  # [B,1,3]
        way = camera.rays(pixels[..., 0], pixels[..., 1]).flatten(1, 2) @ to_head  # [B,hw,3]
        turn = _about_x(torch.stack([_JAW_ANGLE * jaw, torch.zeros_like(jaw)], 1))  # [B,2,3,3]
        hinge = start.new_tensor([0, *_HINGE])
        start = (start[:, None] - hinge) @ turn + hinge - self.middle[:, None]  # [B,2,1,3]
        if shift is not None:
            start[:, LOWER, :, 0] -= _JAW_SHIFT * shift[:, None]
        way = way[:, None] @ turn  # [B,2,hw,3]
        (x, y, z), (along, up, back) = start.unbind(-1), way.unbind(-1)
        bend = (_CURVE / self.half)[:, None]
        # z = -bend x^2 along the ray: a t^2 + b t + c = 0, of which the nearer root.
        a, b, c = bend * along.square(), 2 * bend * x * along + back, bend * x.square() + z
        far = 2 * c / ((b.square() - 4 * a * c).clamp_min(0).sqrt() - b)
        half, steep = self.half[:, None], 2 * bend
        across = _arc(x + far * along, steep) / _arc(half, steep)
        down = (self.top[:, None] - (y + far * up)) / (self.top - self.bottom)[:, None]
        # pixels [N] -> [h,w]
        return torch.stack([across, 2 * down - 1], -1).unflatten(2, pixels.shape[1:3])


def _about_x(angles: Tensor) -> Tensor:
    """Turns [...,3,3] of row vectors by angles [...] about the head's x axis, what points forward upwards."""
    sine, cosine = angles.sin(), angles.cos()
    none, one = torch.zeros_like(sine), torch.ones_like(sine)
    rows = (one, none, none, none, cosine, -sine, none, sine, cosine)
    return torch.stack(rows, -1).unflatten(-1, (3, 3))  # [...,9] -> [...,3,3]


def _arc(x: Tensor, steep: Tensor) -> Tensor:
    """Length of a parabola of slope `steep` x from its middle to x, close enough for |steep x| < 2."""
    return x * (1 + (steep * x).square() / 6) / (1 + (steep * x).square() / 24)


def draw_rows(width: int, sigma: float, dim: float, phase: float = 0.0) -> np.ndarray:
    """Textures [2,3,h,w] of the lower and the upper row: brightness, opacity, and share of gum.

    Args:
        width: of the texture in pixels; it spans -REACH..REACH of a row.
        sigma: blur, in those pixels.
        dim: how much darker the ends of the upper row are than its middle, 0..1.
        phase: teeth of other phases differ in their lengths, shades and gaps.
    """
    fine = max(1, int(np.ceil(768 / width)))
    height = max(24, width // 4)
    across = _centres(width * fine)
    down = _centres(height * fine)
    across, down = across[None], down[:, None]  # what depends on one of them is worked out once
    pictures = []
    for k, least, darker in ((LOWER, 0.25, 0.75), (UPPER, 0.30, dim)):
        bright, opacity, gum = _row(_ROWS[k], across, down if k == UPPER else -down, phase)
        bright = bright * (1 - darker * smoothstep(0, 1, (np.abs(across) - least) / (0.95 - least)))
        pictures.append(np.stack([bright, opacity, gum], -1))
    smaller = [cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures]
    soft = [cv2.GaussianBlur(p, (0, 0), sigma) if sigma > 0.25 else p for p in smaller]
    return np.stack(soft).transpose(0, 3, 1, 2).astype(np.float32)


def _centres(count: int) -> np.ndarray:
    return ((np.arange(count) * 2 + 1) / count - 1) * REACH


def _row(row: _Row, across: np.ndarray, down: np.ndarray, phase: float) -> tuple[np.ndarray, ...]:
    """Brightness, opacity and gum [h,w] of one row, from places along it [1,w] and down from the gum to the
    tips [h,1]."""
    ends, lengths, shades = (np.array(x) for x in (row.ends, row.lengths, row.shades))
    # Nobody is symmetric: one half is a little wider, its teeth a little longer.
    side = np.where(across < 0, 1.02, 0.985)
    place = np.abs(across + 0.012 + 0.012 * np.sin(phase)) * side
    tooth = np.clip(np.searchsorted(ends, place.ravel(), side="right") - 1, 0, len(lengths) - 1)
    tooth = tooth.reshape(place.shape)
    left = across < 0
    begin, width = ends[tooth], ends[tooth + 1] - ends[tooth]
    within = np.clip((place - begin) / width, 0, 1)  # 0 at the middle's side, 1 at the outer one
    edge = np.minimum(within, 1 - within)  # 0 between teeth, .5 in the middle of one
    wobble = np.sin(tooth * 12.9898 + left * 4.1 + phase) * 0.5
    length = lengths[tooth] + 0.045 * wobble
    slant = 0.05 * np.sin(tooth * 7.31 + left * 2.3 + 1.7 * phase) * (within - 0.5)
    # Tips are rounded, more at the outer corner; necks arch up into the gum.
    round_in, round_out = np.exp(-within / 0.08), np.exp(-(1 - within) / 0.13)
    tip = 2 * length - 1 + slant - 0.05 * round_in - 0.08 * round_out
    neck = -0.93 + 0.17 * (2 * within - 1) ** 2 + 0.05 * wobble
    opacity = smoothstep(0, 1, (tip - down) / 0.07) * smoothstep(0, 1, (1.0 - place) / 0.10)
    gum = 1 - smoothstep(0, 1, (down - neck) / 0.06)
    gap = np.exp(-((edge * width / (0.0105 + 0.003 * np.sin(2.3 * phase))) ** 2))
    bright = shades[tooth] * (1 + 0.05 * wobble)
    bright = bright * (1 - 0.18 * gap * (0.30 + 0.70 * np.clip((down + 1) / 1.6, 0, 1)))
    bright = bright * (0.91 + 0.09 * (4 * within * (1 - within)) ** 0.7)  # a tooth is round
    bright = bright * (0.90 + 0.10 * np.clip((down + 1) / 0.9, 0, 1))  # darker at the neck
    bright = bright * (1 - 0.08 * np.exp(-(((tip - down) / 0.14) ** 2)))  # the tip lets light through
    shine = np.exp(-(((within - 0.42) / 0.16) ** 2) - ((down + 0.05) / 0.35) ** 2)
    bright = bright + 0.05 * shine
    bright = bright * (1 - gum) + gum * 0.55 * (1 - 0.15 * gap)
    return bright, opacity, gum
