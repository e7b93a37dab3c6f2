"""Upper lids: what a shutting lid shows, its lashes and its shadow on the eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.contours import angles
from gohd_core.mesh.encoding.glasses import bridge_darkness
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.eyes.closed_lid import BROW, closed_lid, spread
from gohd_core.mesh.eyes.lash_line import LASH_ENDS, LASH_REACH, lash_dip, lash_texture
from gohd_core.mesh.eyes.lid_following import LOWER_FOLLOWS
from gohd_core.mesh.frame import EDGE, LEFT_EYE, POINTS, EyeFrame
from gohd_core.mesh.picture.photometry import as_map, as_picture, skin_colour, smooth
from gohd_core.mesh.reading.gaze import RADIUS

PAINTED = (0.12, 0.45)
"""From which blink on lashes and fold of the open lid are painted out, and from which on they are gone."""
_LOWER_PAINTED = (0.5, 0.95)
"""The same of the lower lid, which a half-shut eye still shows."""
_DIPS = (0.4, 1.0)
"""Blinks between which lashes go over to the line that they have along a shut lid, in its shadow."""
_GAP = 0.06
"""Height of what is open from which on an eye shows its lower lid, in eye widths."""
_GRAIN = 0.6
"""Of the cheek's grain, how much a lid has."""
_FOLLOW_DOWN, _FOLLOW_UP = 1.25, 0.9
"""Blink of a lid that follows the gaze: per radian down, and per radian up."""
_FOLLOW_LIMITS = (-0.14, 0.5)
"""Least and greatest blink of that kind."""
_LOWER_FALL = (1.0, 1.0, 0.85, 0.5, 0.15, 0.0, 0.0)
"""Weights of an eye's contours in the motion of its lower lid with the gaze."""


def lids_follow_gaze(blink: Tensor, pitch: Tensor) -> Tensor:
    """Blinks of lids that go with a gaze: lowered by what looks down, a little raised by what looks up.

    Args:
        blink: [...,2] as told, 0..1.
        pitch: [...] how far the gaze in the head is above the portrait's own, radians.

    Returns:
        [...,2]; below 0 where the eye opens wider than in the picture.
    """
    return blink + lid_shift(pitch)[..., None] * (1 - blink.clamp(0, 1))


def lid_shift(pitch: Tensor) -> Tensor:
    """Blink that open lids add for a gaze `pitch` above the portrait's own, radians; negative opens them."""
    return torch.where(pitch < 0, -_FOLLOW_DOWN * pitch, -_FOLLOW_UP * pitch).clamp(*_FOLLOW_LIMITS)


def lower_lids_follow(contours: Tensor, pitch: Tensor, blink: Tensor) -> Tensor:
    """Contours of eyes whose lower lids go along with irises, up and down; shut ones stay.

    Args:
        contours: [B,2,7,48,2] pixels of the frames.
        pitch: [B] how far the gaze in the head is above the portrait's own, radians.
        blink: [B,2] of the motion, before lids follow the gaze, 0..1.
    """
    half = POINTS // 2
    across = contours[:, :, EDGE, 0] - contours[:, :, EDGE, half]  # [B,2,2]
    up = torch.stack([across[..., 1], -across[..., 0]], -1)
    share = torch.where(pitch < 0, LOWER_FOLLOWS[1], LOWER_FOLLOWS[0]) * RADIUS * pitch.sin()
    way = up * (share[:, None] * (1 - blink.clamp(0, 1)))[..., None]  # [B,2,2]
    fall = contours.new_tensor(_LOWER_FALL)[:, None] * angles(contours.device, contours.dtype).sin().clamp(
        max=0
    )
    return contours - fall[..., None] * way[:, :, None, None]


@dataclass(frozen=True)
class Lid:
    """An upper lid of a portrait.

    Attributes:
        width: from corner to corner of the eye, pixels of the crop.
        softness: the picture's blur, as a share of that.
        corner: [2] (column, row) of the texture's first pixel in the crop.
        skin: [1,3,h,w] the picture with the eye shut, without lashes and liner.
        painted: [1,1,h,w] how far it takes the picture's place while the lid is down.
        down: [2] direction from brow to cheek in the crop.
        glasses: [1,4,h,w] the picture, and where it shows frames of glasses; None if it does not.
        lash: [1,2,h,w] opacities of the lash line with its lashes, and of the shadow where lids meet; along
            and down from the lid's edge.
        dip: [1,1,1,n] what they lie below it while it is shut, see `lash_line.lash_dip`.
        colour: [1,3,1,1] of the lashes, in [-1, 1].
    """

    width: float
    softness: float
    corner: Tensor
    skin: Tensor
    painted: Tensor
    down: Tensor
    glasses: Tensor | None
    lash: Tensor
    dip: Tensor
    colour: Tensor

    @classmethod
    def of(cls, face: OwnFace, eye: int) -> Lid:
        picture, points, sigma, size = face.picture, face.mesh, face.sigma, len(face.picture)
        contours = transform(face.contours[eye].flatten(0, 1), face.pose[0])  # [7 * 48,3]
        contours = Camera.of_size(size).pixels(contours).unflatten(0, (-1, POINTS)).cpu().numpy()  # [7,48,2]
        across = contours[EDGE, 0] - contours[EDGE, POINTS // 2]
        width = float(np.linalg.norm(across))
        pad = 0.45 * width
        low = np.minimum(contours[BROW].min(0), contours[EDGE].min(0) - pad)
        x0, y0 = np.clip(low.astype(int), 0, size - 8)
        x1, y1 = np.clip((contours[BROW].max(0) + pad / 2).astype(int), 8, size)
        part = picture[y0:y1, x0:x1]
        outer = 1 if eye == LEFT_EYE else -1  # the left eye's outer corner is at the image's right
        skin, bridge = skin_colour(picture, points), bridge_darkness(picture, points)
        painted, maps, lash = closed_lid(part, contours - (x0, y0), width, outer, skin, bridge)
        grain = spread(face.grain, part.shape[:2], eye)
        painted = painted * (1 + _GRAIN * grain[..., None])
        like = face.image
        return cls(
            width,
            sigma / width,
            torch.tensor([x0, y0], dtype=torch.float32, device=like.device),
            as_picture(painted, like),
            as_map(maps[..., :1], like),
            torch.tensor([-across[1], across[0]], dtype=torch.float32, device=like.device) / width,
            torch.cat([as_picture(part, like), as_map(maps[..., 1:], like)], 1)
            if maps[..., 1].any()
            else None,
            as_map(lash_texture(lash, outer, width, sigma), like),
            as_map(lash_dip(lash, outer), like),
            as_picture(lash.colour[None, None], like),
        )

    def cover(self, frame: EyeFrame) -> Tensor:
        """The window's skin, with eye, lashes and fold painted out as far as the lid is down, [B,3,h,w]."""
        share = smooth(*PAINTED, frame.blink)[:, None, None, None]
        middle = frame.rigid_at - self.corner  # what lies around the lid does not go with it
        # The lid's own skin comes from under the fold: it goes with the edge.
        unrolled = frame.opening.height * (frame.opening.above < 0)
        lid = self._sample(self.skin, middle + unrolled.movedim(1, -1) * self.down, "border")
        later = smooth(*_LOWER_PAINTED, frame.blink)[:, None, None, None] - share
        lower = (frame.opening.height / (_GAP * self.width)).clamp(max=1) * (frame.opening.above > 0)
        painted = torch.addcmul(share, later, lower) * self._sample(self.painted, middle, "border")
        skin = torch.lerp(frame.skin, lid, painted)
        if self.glasses is None:
            return skin
        worn = self._sample(self.glasses, middle, "border")  # rigid, whatever the lid does
        return torch.lerp(skin, worn[:, :3], share * worn[:, 3:])

    def opened(self, frame: EyeFrame) -> Tensor:
        """Share [B,1,h,w] of a pixel between the lids, their edges as soft as the picture."""
        soft = max(1.0, 1.6 * self.softness * self.width)
        above, below, along = frame.opening.above, frame.opening.below, frame.opening.along
        share = smooth(-soft / 2, soft / 2, above) * smooth(-soft / 2, soft / 2, below)
        return share * ((above + below) / soft).clamp(0, 1) * (along.abs() < 1)

    def shade(self, eyeball: Tensor, frame: EyeFrame) -> Tensor:
        """The eyeball [B,3,h,w] in the shadow of a lowered lid."""
        share = 0.40 * smooth(*PAINTED, frame.blink)[:, None, None, None]
        dark = share * torch.exp(-frame.opening.above.clamp_min(0) / (0.055 * self.width))
        return (eyeball + 1) * (1 - dark) - 1

    def lashes(self, picture: Tensor, frame: EyeFrame) -> Tensor:
        """The window [B,3,h,w] with lashes along the edge of a lowered lid."""
        share = smooth(*PAINTED, frame.blink)[:, None, None, None]
        along = frame.opening.along[:, 0] / LASH_ENDS
        down = frame.opening.above[:, 0] / (self.width * LASH_REACH)
        grid = torch.stack([along, down], -1)
        met = smooth(*_DIPS, frame.blink)[:, None, None]
        dip = F.grid_sample(self.dip.expand(len(grid), -1, -1, -1), grid, "bilinear", "border", False)
        grid[..., 1] += (1 - met) * dip[:, 0]
        opacity = F.grid_sample(self.lash.expand(len(grid), -1, -1, -1), grid, align_corners=False)
        line, shadow = opacity[:, :1] * share, opacity[:, 1:] * met[:, None]
        return torch.lerp(
            picture, self.colour.expand_as(picture), torch.lerp(line, torch.ones_like(line), shadow)
        )

    @staticmethod
    def _sample(texture: Tensor, pixels: Tensor, beyond: str) -> Tensor:
        """A texture [1,C,h,w] at its pixels [B,h,w,2]."""
        size = texture.new_tensor(texture.shape[:1:-1])
        grid = (2 * pixels + 1) / size - 1
        texture = texture.expand(len(grid), -1, -1, -1)
        return F.grid_sample(texture, grid, "bilinear", beyond, align_corners=False)
