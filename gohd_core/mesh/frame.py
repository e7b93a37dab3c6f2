"""Inputs of mouth and eyes: windows of the frames around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gohd_core.face.geometry.camera import Camera
from gohd_core.mesh.sampling import flow_at

LIPS, LEFT_EYE, RIGHT_EYE = range(3)
"""Parts with contours; left and right are the subject's."""
CONTOURS, POINTS = 7, 48
"""Contours of a part from inside outwards, and points of a contour, counter-clockwise in the picture from the
corner at the image's right (y up); 0..24 is the upper half, 24..48 the lower one."""
ROUNDING = 1
"""Column of the expression that rounds the lips, and its place in `columns.DRAWN`."""
JAW_SHIFT_COLUMN = 21
"""Column of the expression that moves the jaw to the subject's left."""
EDGE = 1
"""The contour at the edge of lips and lids. 0 lies on it; outwards follow lips (2, 3), their outer line (4)
and skin (5, 6), or lids (2, 3), their fold (4) and skin up to the brow (5, 6)."""


@dataclass(frozen=True)
class Window:
    """Same-sized windows of a batch's frames.

    Attributes:
        x, y: [B] int64, column and row of the first pixel.
        width, height: pixels.
        size: side S of the frames.
    """

    x: Tensor
    y: Tensor
    width: int
    height: int
    size: int

    def pixels(self) -> Tensor:
        """[B,h,w,2] (column, row) of the window's pixels, float32."""
        shape = (len(self.x), self.height, self.width, 2)
        grid = torch.empty(shape, device=self.x.device, dtype=torch.float32)
        sides = self.width, self.height
        columns, rows = (torch.arange(n, device=self.x.device, dtype=torch.float32) for n in sides)
        grid[..., 0] = (self.x[:, None] + columns)[:, None]
        grid[..., 1] = (self.y[:, None] + rows)[..., None]
        return grid


@dataclass(frozen=True)
class Opening:
    """Opening between two lips or lids in a window.

    Attributes:
        coverage: [B,1,h,w] share of a pixel between them, 0..1.
        above, below: [B,1,h,w] pixels down from the upper edge, and down to the lower edge, across the part's
            axis; negative beyond the edge. Their sum is the opening's height in that column, which is
            negative where the edges overlap.
        along: [B,1,h,w] place along the part's axis, -1 at the corner on the image's left, 1 at the right
            one.
    """

    coverage: Tensor
    above: Tensor
    below: Tensor
    along: Tensor

    @property
    def height(self) -> Tensor:
        """[B,1,h,w] height of the opening in the pixel's column, pixels, at least 0."""
        return (self.above + self.below).clamp_min(0)


@dataclass(frozen=True)
class PartFrame:
    """A window of the frames around the mouth or an eye.

    Attributes:
        window: where it lies.
        skin: [B,3,h,w] the frames there as drawn so far, in [-1, 1]: the picture, warped.
        opening: what lies between the lips or lids.
        rigid: [B,2,n,n] backward flow of a head that moves as one piece, without any expression, in pixels.
        contours: [B,7,48,2] in pixels of the frame.
        descriptor: [B,72] in the network's order, as drawn.
        rotation: [B,3,3] of the head, for row vectors (`camera.rotation` of the descriptor's angles).
    """

    window: Window
    skin: Tensor
    opening: Opening
    rigid: Tensor
    contours: Tensor
    descriptor: Tensor
    rotation: Tensor

    @cached_property
    def rigid_at(self) -> Tensor:
        """[B,h,w,2] pixel (column, row) of the crop that would be here if the head moved as one piece."""
        pixels = self.window.pixels()
        return pixels + flow_at(self.rigid, pixels, self.window.size)

    @property
    def pose(self) -> Tensor:
        """[B,6] rotation angles and translation."""
        return self.descriptor[:, 64:70]

    def pixels(self, points: Tensor) -> Tensor:
        """Pixels [B,N,2] of the frames at which points [N,3] of the head lie."""
        placed = points @ self.rotation + self.descriptor[:, None, 67:70]
        return Camera.of_size(self.window.size).pixels(placed)


@dataclass(frozen=True)
class MouthFrame(PartFrame):
    """The mouth's window.

    Attributes:
        jaw: [B] value of the coefficient that opens the jaw, 0 shut.
    """

    jaw: Tensor

    @property
    def rounding(self) -> Tensor:
        """[B] value of the coefficient that rounds the lips, 0 at rest."""
        return self.descriptor[:, ROUNDING]

    @property
    def jaw_shift(self) -> Tensor:
        """[B] value of the coefficient that moves the jaw to the subject's left, 0 at rest."""
        return self.descriptor[:, JAW_SHIFT_COLUMN]


@dataclass(frozen=True)
class EyeFrame(PartFrame):
    """An eye's window.

    Attributes:
        eye: LEFT_EYE or RIGHT_EYE.
        gaze_in_head: [B,2] this eye's (yaw, pitch) in the head, radians: its own one plus what the motion's
            gaze differs from the portrait's by.
        blink: [B] how far the lid is shut, 0..1.
    """

    eye: int
    gaze_in_head: Tensor
    blink: Tensor
