"""The far cheek of a turned face, from the near one.

What a picture shows of it in few pixels would be stretched when the head turns to the viewer. Faces are
nearly symmetric: the near cheek takes its place, mirrored at the head's middle plane and in the far one's
light.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, rotation, transform
from gohd_core.measures.face_points import CORNERS
from gohd_core.mesh.contours import N_FACE
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.frame import EDGE, LEFT_EYE, LIPS, RIGHT_EYE, Window
from gohd_core.mesh.geometry.contour_warp import ContourFlow
from gohd_core.mesh.geometry.head import HeadWarp
from gohd_core.mesh.geometry.warping import cut
from gohd_core.mesh.picture.photometry import LUMA, blur, fill_polygon, inpaint, smooth, smoothstep
from gohd_core.mesh.sampling import flow_at, margin, sample

_OWN_YAW = (12 * torch.pi / 180, 17 * torch.pi / 180)
"""Turns of the portrait up to which its own cheek is good enough, and from which on it is not, radians."""
_SHORTER = (1.15, 1.6)
"""How much more of a place the near side shows, from and at which it is taken."""
_TURNED = 12 * torch.pi / 180
"""Turn towards the viewer at which it has taken the far side's place, radians."""
_SIDE = (0.02, 0.06)
"""Distances from the head's middle plane between which the far side begins, model units."""
_EYES = (0.05, 0.15)
"""Depths below the eyes between which cheeks begin: beside brows hair may lie. Model units."""
_RIM, _MARGIN, _SOFT = 0.05, 0.02, 0.02
"""Widths along the face's outline and around mouth and eyes that stay, and softness of the cheek's edge;
model units."""
_HIDDEN = (1.2, 1.6)
"""How much more of a place the near side shows, from and at which the picture's outline gives way to it."""
_SHARP = 0.006
"""Softness of its edge there; model units."""
_BLEED = 0.03
"""Width along the outline in which background shines through; model units."""
_LIGHT, _SHADE = 0.10, 0.03
"""Sizes of what counts as light rather than as skin: of a cheek, and of a near one in shade, whose patches
of light would glare on a lit far one; model units."""
_IN_SHADE = (0.1, 0.3)
"""Change of light (log) up to which the near side is not in shade, and from which on it is."""
_DARKER, _LIGHTER = (0.9, 1.3), (0.35, 0.5)
"""Changes of light (log) up to which the near side is believed, and from which on it is not: to be skin too,
and to be more than a shade's noise."""
_BEYOND = 16
"""Of a picture's side, the part by which expressions may move the cheek beyond its place at rest."""
_LEAST = 0.3
"""Weight that some of a cheek must have to be worth drawing."""


@dataclass(frozen=True)
class FarSide:
    """The far cheek.

    Attributes:
        texture: [h,w,4] its colours in [-1, 1] times its weight, and its weight, 0 along the sides; a part of
            the portrait's texture (`sampling.doubled`).
        corner: [2] column and row of its first texel there.
        points: [N,3] where it lies in the head.
        yaw: the portrait's own, radians.
    """

    texture: Tensor
    corner: Tensor
    points: Tensor
    yaw: float

    @classmethod
    def of(cls, face: OwnFace, warp: HeadWarp) -> FarSide | None:
        """None of faces that show both cheeks alike."""
        found = _parts(face, warp)
        if found is None:
            return None
        row, column = (np.flatnonzero((np.maximum(*found[2:]) > 0.01).any(axis)) for axis in (1, 0))
        x, y = max(column[0] - 2, 0), max(row[0] - 2, 0)
        window = np.s_[y : row[-1] + 3, x : column[-1] + 3]
        texture = _texture(face, window, *(each[window] for each in found))
        like = face.image
        corner = 2 * (torch.tensor([x, y], dtype=like.dtype, device=like.device) + margin(warp.size))
        there = torch.from_numpy(_inside(warp, window)).to(like.device)
        texture = torch.from_numpy(np.ascontiguousarray(texture, np.float32)).to(like.device)
        return cls(texture, corner, warp.points.mT[there], face.pose[0, 1].item())

    def draw(self, frames: Tensor, skin: Tensor, lips: ContourFlow, descriptors: Tensor) -> None:
        """Draws it into frames [B,3,S,S] in place.

        Args:
            skin: [B,2,n,n] backward flow of their heads, pixels.
            lips: how the skin around their mouths moves.
            descriptors: [B,72].
        """
        size = frames.shape[-1]
        shares = smooth(0.0, _TURNED, (descriptors[:, 65] - self.yaw) * (-1.0 if self.yaw > 0 else 1.0))
        for k in shares.nonzero()[:, 0].tolist():
            points = Camera.of_size(size).pixels(transform(self.points, descriptors[k, 64:70]))
            low, high = points.amin(0) - size // _BEYOND, points.amax(0) + size // _BEYOND
            low, high = (each.clamp(0, size - 1).long() for each in (low, high))
            window = Window(low[:1], low[1:], *(high - low + 1).tolist(), size)
            pixels = window.pixels()
            places = pixels + flow_at(skin[k : k + 1], pixels, size)
            lips.blend_into(places[0], window, k)
            at = 2 * (places + margin(size)) - self.corner
            colours, weight = sample(self.texture, at, reflected=False)[0].mul_(shares[k]).split((3, 1))
            drawn = cut(frames[k].permute(1, 2, 0), window, 0).permute(2, 0, 1)
            drawn.mul_(1 - weight).add_(colours)


def _parts(face: OwnFace, warp: HeadWarp) -> tuple[np.ndarray, ...] | None:
    """Where the near side lies for each pixel [S,S,2], and weights [S,S]: of the far cheek where the picture
    shows its light, of all that is mirrored, and of what lies beside lips that an outline cuts.

    None of faces that show both cheeks alike."""
    size, side = warp.size, warp.side
    weight, shorter = _weight(face, warp)
    weight = weight * smooth(*_OWN_YAW, face.pose[0, 1].abs())
    if weight.max() < _LEAST:
        return None
    mirrored = warp.points * warp.points.new_tensor([-1.0, 1.0, 1.0])[:, None]  # [3,N]
    pixels = Camera.of_size(size).pixels(transform(mirrored.mT, face.pose[0]))  # [N,2]
    at = _full(pixels.mT.view(1, 2, side, side), size).transpose(1, 2, 0)
    weight, shorter = _full(torch.stack([weight, shorter]).view(1, 2, side, side), size)
    hidden = weight * smoothstep(*_HIDDEN, shorter)
    seen, whole, eyes, mouth, inner = _masks(face, size)
    # Neither the near side's lips are mirrored nor what lies beyond its outline.
    lips, face_there = (cv2.remap(each, at, None, cv2.INTER_LINEAR) for each in (mouth, inner))
    mouth = np.maximum(mouth, lips)
    own = blur(weight * seen, _SOFT * face.unit)
    cheek = hidden * face_there * (1 - eyes) * (1 - mouth)
    cheek = np.maximum(own, blur(cheek, _SHARP * face.unit) * whole)
    return None if cheek.max() < _LEAST else (at, own, cheek, hidden * mouth * whole * (1 - inner))


def _texture(
    face: OwnFace,
    window: tuple[slice, slice],
    at: np.ndarray,
    own: np.ndarray,
    cheek: np.ndarray,
    lips: np.ndarray,
) -> np.ndarray:
    """Colours in [-1, 1] times weight, and weight, [2h-1,2w-1,4] of a window's parts: the near cheek in the
    far one's light; beside lips, the cheek grown."""
    picture = face.picture
    near = cv2.remap(picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light, light_near = (_light(each, own, _LIGHT * face.unit) for each in (picture[window], near))
    lighter = np.log(light @ LUMA / (light_near @ LUMA))
    shade = smoothstep(*_IN_SHADE, lighter)[..., None]
    gain = light / (light_near + shade * (_light(near, cheek, _SHADE * face.unit) - light_near))
    cheek = cheek * (1 - smoothstep(*_DARKER, -lighter)) * (1 - smoothstep(*_LIGHTER, lighter))
    grown = inpaint(near * gain, (cheek > 0.5).astype(np.float32))
    weight = np.maximum(cheek, lips)
    weight[[0, -1]], weight[:, [0, -1]] = 0, 0
    double = tuple(2 * length - 1 for length in weight.shape[::-1])
    at, gain, weight, lips, grown = (_doubled(each, double) for each in (at, gain, weight, lips, grown))
    near = cv2.remap(picture, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    colours = near * gain
    colours = (colours + lips[..., None] * (grown - colours)).clip(0, 1) * 2 - 1
    return np.concatenate([colours, np.ones_like(weight)[..., None]], -1) * weight[..., None]


def _weight(face: OwnFace, warp: HeadWarp) -> tuple[Tensor, Tensor]:
    """How far places of the picture [N] lie on a cheek of which the other side shows more, 0..1, and how many
    times as much it shows."""
    turn, side = rotation(face.pose[0, :3]), warp.side
    placed = (warp.points.mT @ turn).mT.view(1, 3, side, side)
    placed = F.avg_pool2d(F.pad(placed, (2,) * 4, mode="replicate"), 5, 1)[0]
    across, down = torch.gradient(placed, dim=2)[0], torch.gradient(placed, dim=1)[0]
    normal = F.normalize(torch.linalg.cross(down, across, dim=0), dim=0)
    normal = (normal * normal[2:].sign()).flatten(1)  # [3,N] in the camera's axes
    other = (turn @ normal) * normal.new_tensor([-1.0, 1.0, 1.0])[:, None]
    shorter = (turn[:, 2] @ other) / normal[2].clamp_min(0.05)
    outwards = warp.points[0] * (1.0 if face.pose[0, 1] > 0 else -1.0)
    below = face.points_in_head[[*CORNERS[0], *CORNERS[1]], 1].mean() - warp.points[1]
    return smooth(*_SHORTER, shorter) * smooth(*_SIDE, outwards) * smooth(*_EYES, below), shorter


def _masks(face: OwnFace, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Parts of the picture, each [S,S] in 0..1.

    Returns:
        The face without its outline, mouth and eyes; the face without its eyes; the mouth and what goes with
        it; the face without the rim in which background shines through.
    """
    unit = face.unit
    outline = cv2.convexHull(face.mesh[:N_FACE].astype(np.float32))[:, 0]
    contours = transform(face.contours.flatten(0, 2), face.pose[0])
    contours = Camera.of_size(size).pixels(contours).view(3, 7, -1, 2).cpu().numpy()

    def widened(part: int, contour: int) -> np.ndarray:
        return _grown(fill_polygon(contours[part, contour], (size, size)), _MARGIN / 2 * unit)

    # Lips reach a little beyond the outline that a mesh knows of.
    whole = np.maximum(
        fill_polygon(outline, (size, size)), fill_polygon(contours[LIPS, EDGE + 4], (size, size))
    )
    # Around lips also what goes with them: a mirrored corner would lie beside the one that moves.
    eyes = np.maximum(widened(LEFT_EYE, EDGE + 3), widened(RIGHT_EYE, EDGE + 3))
    around, mouth = widened(LIPS, EDGE + 4), widened(LIPS, EDGE + 3)
    rim = 1 - _grown(1 - whole, _RIM * unit)
    return rim * (1 - eyes) * (1 - around), whole, eyes, mouth, 1 - _grown(1 - whole, _BLEED * unit)


def _grown(mask: np.ndarray, width: float) -> np.ndarray:
    """A mask [S,S] grown by so many pixels on all sides."""
    side = 2 * max(1, round(width)) + 1
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _full(maps: Tensor, size: int) -> np.ndarray:
    """Maps [1,C,n,n] at full size [C,S,S]."""
    maps = F.interpolate(maps.float(), size=(size, size), mode="bilinear", align_corners=False)
    return maps[0].cpu().numpy()


def _light(picture: np.ndarray, weight: np.ndarray, size: float) -> np.ndarray:
    """A picture [h,w,3] without what is smaller than light's changes, as far as weights [h,w] know it."""
    known = (weight > 0.02).astype(np.float32)
    total = np.maximum(blur(known, size), 1e-3)[..., None]
    return np.maximum(blur(picture * known[..., None], size) / total, 0.02)


def _doubled(array: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """An array [h,w] or [h,w,C] at the texels of twice its size, [2h-1,2w-1]: even ones are its own."""
    column, row = np.meshgrid(*(np.arange(length, dtype=np.float32) / 2 for length in sides))
    return cv2.remap(np.ascontiguousarray(array, np.float32), column, row, cv2.INTER_LINEAR)


def _inside(warp: HeadWarp, window: tuple[slice, slice]) -> np.ndarray:
    """Which places [N] of a warp lie in a window of the picture."""
    x, y = warp.at.cpu().numpy()
    rows, columns = window
    return (x >= columns.start) & (x < columns.stop) & (y >= rows.start) & (y < rows.stop)
