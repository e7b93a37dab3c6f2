"""The inside of a mouth that is open in its picture: own teeth, to be kept and carried."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.frame import EDGE, LIPS, POINTS
from gohd_core.mesh.mouth.teeth import UPPER_LENGTH
from gohd_core.mesh.picture.photometry import (
    LUMA,
    as_map,
    as_picture,
    blur,
    fill_polygon,
    lip_colour,
    skin_colour,
    smooth,
    smoothstep,
)

_TOOTH = 0.035
"""Half a tooth's width, model units."""
_FEWEST = 20
"""Pixels between the lips up to which there are too few for colours."""
_BRIGHT = 0.6
"""Light of own teeth, as a share of their brightest parts', from which on a pixel is theirs."""
_SURE = 0.9
"""Least share of the inside, without lip, in a pixel whose colour is extrapolated."""
_LIPS_END = (0.012, 0.024)
"""Depths behind the lips' edge between which redness ceases to tell of lips, model units."""
_PENUMBRA = (0.35, 0.85)
"""Light beside the lips, as a share of that of teeth, that is neither theirs nor darkness."""
_CORE = 0.25
"""Least share of own teeth that must remain after erosion; otherwise their border counts too."""
_MIDDLE = 0.25
"""Share of half a mouth, from its middle on, in which the teeth's tips are searched."""


@dataclass(frozen=True)
class OwnInside:
    """The inside of a mouth that is open in the picture, in a window of the crop.

    Attributes:
        picture: [1,8,h,w] colours, grown over the lips, and how far they may be shown: of all that lies
            there, while the mouth opens no wider than in the picture; and of the teeth alone, while it does.
        corner: [2] (column, row) of the window's first pixel.
        tips: height of the upper teeth's tips in the head, model units, if it shows teeth.
    """

    picture: Tensor
    corner: Tensor
    tips: float | None

    @property
    def shows_teeth(self) -> bool:
        return self.tips is not None

    def at(self, pixels: Tensor, wider: Tensor) -> Tensor:
        """Colours and share [B,4,h,w] at pixels [B,h,w,2] of the crop, in mouths that are open wider than in
        the picture by so much [B,1,1,1], model units."""
        size = self.picture.new_tensor(self.picture.shape[:1:-1])
        grid = (2 * (pixels - self.corner) + 1) / size - 1
        picture = self.picture.expand(len(grid), -1, -1, -1)
        found = F.grid_sample(picture, grid, "bilinear", "border", align_corners=False)
        return torch.lerp(found[:, :4], found[:, 4:], smooth(0.0, 0.022, wider))


def own_inside(face: OwnFace) -> tuple[OwnInside | None, np.ndarray | None]:
    """The inside of a mouth that the picture shows open, and its pixels' colours [N,3]; else None."""
    if face.jaw <= 0:
        return None, None
    picture, sigma, unit = face.picture, face.sigma, face.unit
    size = len(picture)
    edge = transform(face.contours[LIPS, EDGE], face.pose[0])
    edge = Camera.of_size(size).pixels(edge).cpu().numpy()
    room = size // 12
    x0, y0 = np.maximum(edge.min(0).astype(int) - room, 0)
    x1, y1 = np.minimum(edge.max(0).astype(int) + room, size)
    part, edge = picture[y0:y1, x0:x1], edge - (x0, y0)
    mask = fill_polygon(edge, part.shape[:2])
    within = cv2.erode(mask, np.ones((3, 3)))
    colours = part[within > 0.9]
    tooth = brightest_teeth(colours, skin_colour(picture, face.mesh))
    # Lips are not believed: landmarks lie beside their edge by a little.
    rim = 2 * max(1, round(min(0.006 * unit + 0.7 * sigma, 0.14 * face.gap * unit))) + 1
    known = cv2.erode(mask, np.ones((rim, 3)))
    unlike = _unlike_lips(part, colours, lip_colour(picture, face.mesh))
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    unlike = np.maximum(unlike, smoothstep(_LIPS_END[0] * unit, _LIPS_END[1] * unit, depth))
    unmixed, known = known * (unlike > _SURE), known * unlike
    if tooth is not None:
        unmixed = unmixed * ~_penumbra(known, part @ LUMA / (tooth @ LUMA), sigma)
    # Teeth alone stay where they are while the mouth opens wider; gaps between them are as red as lips.
    teeth = known if tooth is None else known * (part @ LUMA > _BRIGHT * (tooth @ LUMA))
    between = np.ones((1, 2 * max(1, int(_TOOTH * unit)) + 1), np.uint8)
    whole = np.minimum(cv2.morphologyEx(teeth, cv2.MORPH_CLOSE, between), within)
    # Upwards teeth are grown to their whole length, downwards a little as long as the mouth opens no wider.
    hidden = round(UPPER_LENGTH * unit - _median_height(whole))
    wider = _stretched(whole, max(2, int(0.012 * unit), hidden), True)
    closer = np.maximum(known, whole)
    closer = np.maximum(_stretched(closer, max(2, int(0.022 * unit)), False), wider)
    sideways = np.ones((1, 2 * int(0.03 * unit) + 1), np.uint8)
    soft = max(size / 300, 1.2 * sigma)
    # Teeth are of one hue: what is red between them is the mouth behind.
    white = part if tooth is None else (part @ LUMA)[..., None] * tooth / (tooth @ LUMA)
    core = _within_border(np.minimum(cv2.erode(whole, np.ones((3, 3))), teeth), max(1, 1.5 * sigma))
    layers = [
        torch.cat([as_picture(colours, face.image), as_map(blur(share, soft), face.image)], 1)
        for colours, share in (
            (_carried_on(part, unmixed, soft), cv2.dilate(closer, sideways)),
            (_carried_on(white, core, soft), wider),
        )
    ]
    texture = torch.cat(layers, 1)
    corner = torch.tensor([x0, y0], dtype=torch.float32, device=face.image.device)
    tips = None
    if tooth is not None:
        heights = face.contours[LIPS, EDGE, [POINTS // 4, 3 * POINTS // 4], 1]
        tips = torch.lerp(*heights, _lowest(teeth, edge)).item()
    return OwnInside(texture, corner, tips), colours if len(colours) > _FEWEST else None


def brightest_teeth(inside: np.ndarray, skin: np.ndarray) -> np.ndarray | None:
    """Colour of the teeth among an open mouth's pixels [N,3]; None if it shows none."""
    if len(inside) <= _FEWEST:
        return None
    luma = inside @ LUMA
    bright = inside[luma >= np.percentile(luma, 88)].mean(0)
    return bright if bright @ LUMA > 0.55 * (skin @ LUMA) and np.ptp(bright) / bright.max() < 0.40 else None


def _carried_on(part: np.ndarray, seen: np.ndarray, soft: float) -> np.ndarray:
    """A picture [h,w,3] whose colours that are `seen` [h,w] (0..1) are carried on over the rest: each place
    has those nearest to it, so that dark corners stay dark beside teeth; softened over so many pixels."""
    sure = seen > 0.5
    if not sure.any():
        return part
    _, label = cv2.distanceTransformWithLabels(
        (~sure).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((label.max() + 1, 3), part.dtype)
    nearest[label[sure]] = part[sure]
    grown = blur(nearest[label], soft)
    return grown + (part - grown) * seen[..., None]


def _penumbra(known: np.ndarray, light: np.ndarray, sigma: float) -> np.ndarray:
    """Mask [h,w] of pixels of the inside `known` [h,w] that blur mixes with lips; light relative to teeth."""
    border = cv2.erode(known, np.ones((2 * max(1, round(1.5 * sigma)) + 1,) * 2)) < _SURE
    return border & (light > _PENUMBRA[0]) & (light < _PENUMBRA[1])


def _within_border(seen: np.ndarray, border: float) -> np.ndarray:
    """Mask of visible teeth [h,w] (0..1) eroded by `border` pixels, which blur mixes with lips; not eroded if
    little would be left."""
    sure = (seen > _SURE).astype(np.float32)
    core = cv2.erode(sure, np.ones((2 * round(border) + 1,) * 2, np.uint8))
    return core if core.sum() > _CORE * sure.sum() else seen


def _stretched(mask: np.ndarray, rows: int, above: bool) -> np.ndarray:
    """A mask [h,w] dilated by `rows` upwards, or downwards."""
    anchor = (0, 0 if above else rows - 1)
    return cv2.dilate(mask, np.ones((rows, 1), np.uint8), anchor=anchor)


def _median_height(teeth: np.ndarray) -> float:
    """Median height of teeth [h,w], in rows, over the columns that show some."""
    rows = (teeth > 0.5).sum(0)
    return float(np.median(rows[rows > 0])) if rows.any() else 0.0


def _lowest(teeth: np.ndarray, edge: np.ndarray) -> float:
    """Reach of teeth [h,w] from the upper lip (0) to the lower one (1) in the mouth's middle; edge [48,2] of
    the lips in pixels."""
    right, top, left, bottom = edge[:: POINTS // 4]
    row, column = np.nonzero(teeth > 0.5)
    place = np.stack([column, row], -1)
    across, way = (right - left) / 2, bottom - top
    along = (place - (left + right) / 2) @ across / (across @ across)
    down = (place - top) @ way / max(way @ way, 1e-3)
    down = down[np.abs(along) < _MIDDLE]
    return float(np.clip(np.percentile(down, 98), 0, 1)) if len(down) else 1.0


def _unlike_lips(part: np.ndarray, inside: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """0 where pixels [h,w,3] are rather as red as lips than as an open mouth's brighter pixels [N,3], else 1.

    1 in pictures without colour.
    """

    def redness(colour: np.ndarray) -> np.ndarray:
        return (colour[..., 0] - colour[..., 1:].mean(-1)) / np.maximum(colour @ LUMA, 0.1)

    if len(inside) <= _FEWEST:
        return np.ones(part.shape[:2], np.float32)
    luma = inside @ LUMA
    white, red = float(np.median(redness(inside[luma >= np.percentile(luma, 70)]))), float(redness(lips))
    if red - white < 0.15:
        return np.ones(part.shape[:2], np.float32)
    bright = smoothstep(0.25, 0.45, (part @ LUMA) / max(float(lips @ LUMA), 1e-3))
    return 1 - bright * smoothstep(white + 0.4 * (red - white), white + 0.7 * (red - white), redness(part))
