"""Photometry of a portrait's skin: colour, light, sharpness and grain."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.animator.geometry.push_pull import push_pull_inpaint
from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS
from gohd_core.mesh.reading.gaze import LEFT_IRIS, RIGHT_IRIS
from gohd_core.motion import curves

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SKIN = (50, 280, 205, 425, 101, 330, 36, 266, 151, 9)
_LIPS = (0, 37, 267, 17, 84, 314, 405, 181, 11, 302, 72, 16, 85, 315)
_GRAIN = (50, 280, 205, 425, 151, 199)
_FEATURES = (33, 133, 362, 263, 159, 386, 145, 374, 61, 291, 0, 17, 70, 300)
"""Mesh points on the skin, on the lips, where skin is smooth, and where pictures have edges."""
_REBLUR = 1.0
"""Pixels that the picture is blurred by once more to tell how blurred it is already."""
_EYES = ((LEFT_LIDS[0], LEFT_IRIS), (RIGHT_LIDS[0], RIGHT_IRIS))
"""Of the mesh, an eye's opening and its iris (centre, then four points of its edge)."""
_LEAST_WHITE = 8
"""Pixels of an eye's white from which on it is believed."""
_COLOURED = 0.06
"""Least spread of the skin's channels (0..1) of a picture in colour."""


def smoothstep(start: float, stop: float, x: np.ndarray | float) -> np.ndarray:
    """`motion.curves.smoothstep` in float32."""
    return curves.smoothstep(start, stop, np.asarray(x, np.float32))


def smooth(start: float | Tensor, stop: float | Tensor, x: Tensor) -> Tensor:
    """`smoothstep` of a tensor."""
    share = ((x - start) * (1 / (stop - start))).clamp_(0, 1)
    slope = torch.rsub(share, 3, alpha=2)
    return share.square_().mul_(slope)


def as_array(image: Tensor) -> np.ndarray:
    """[1,3,S,S] in [-1, 1] -> [S,S,3] float32 in 0..1."""
    return cv2.merge([plane * 0.5 + 0.5 for plane in image[0].cpu().float().numpy()])


def as_picture(array: np.ndarray, like: Tensor) -> Tensor:
    """[h,w,C] in 0..1 -> [1,C,h,w] in [-1, 1], on the device of `like` and in its dtype."""
    return as_map(array, like) * 2 - 1


def as_map(array: np.ndarray, like: Tensor) -> Tensor:
    """[h,w] or [h,w,C] -> [1,C,h,w], on the device of `like` and in its dtype."""
    array = array[..., None] if array.ndim == 2 else array
    return torch.as_tensor(np.ascontiguousarray(array), dtype=like.dtype, device=like.device).movedim(-1, 0)[
        None
    ]


def blur(array: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, pixels; below a quarter of a pixel none."""
    return cv2.GaussianBlur(array, (0, 0), sigma) if sigma > 0.25 else array


def fill_polygon(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Share [h,w] of each pixel inside a closed polygon [N,2] in pixels."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def inpaint(array: np.ndarray, known: np.ndarray) -> np.ndarray:
    """[h,w,C] where `known` [h,w] is 1, smoothly grown over the rest ("push-pull")."""
    image = torch.from_numpy(np.ascontiguousarray(array, np.float32)).movedim(-1, 0)
    weight = torch.from_numpy(np.ascontiguousarray(known, np.float32))
    return push_pull_inpaint(image[None], weight[None, None])[0].movedim(0, -1).numpy()


def colours_at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Pixels [N,3] nearest to points [N,2]."""
    at = np.clip(np.round(points).astype(int), 0, np.array(picture.shape[1::-1]) - 1)
    return picture[at[:, 1], at[:, 0]]


def skin_colour(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Median colour [3] of cheeks and forehead; points [478,2]."""
    return np.median(colours_at(picture, points[list(_SKIN)]), 0)


def lip_colour(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Median colour [3] of the lips."""
    return np.median(colours_at(picture, points[list(_LIPS)]), 0)


def white_hue(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Colour of the portrait's light [3], of luma 1, as white things show it: the whites of the eyes, or the
    skin where those are the more colourful (lids were taken for them)."""
    found = [skin_colour(picture, points)]
    low = np.floor(points[[each for lids, _ in _EYES for each in lids.points]].min(0)).astype(int)
    low = np.clip(low, 0, np.array(picture.shape[1::-1]) - 1)
    high = np.ceil(points[[each for lids, _ in _EYES for each in lids.points]].max(0)).astype(int) + 1
    part = picture[low[1] : high[1], low[0] : high[0]]
    place = np.stack(np.meshgrid(*(np.arange(n) for n in part.shape[1::-1])), -1) + low
    for lids, iris in _EYES:
        centre, edge = points[iris][0], points[iris][1:]
        radius = np.linalg.norm(edge - centre, axis=1).mean()
        white = fill_polygon(points[list(lids.points)] - low, part.shape[:2]) > 0.95
        white &= np.linalg.norm(place - centre, axis=-1) > 1.2 * radius
        colours = part[white]
        if len(colours) >= _LEAST_WHITE:
            luma = colours @ LUMA
            found.append(colours[luma >= np.percentile(luma, 70)].mean(0))
    hues = [colour / max(float(colour @ LUMA), 1e-3) for colour in found]
    if len(hues) > 2:
        hues = [hues[0], (hues[1] + hues[2]) / 2]
    red, green, blue = min(hues, key=np.ptp)
    # Lamps and skies are yellowish or bluish, not pink: at least half of that is the skin's own.
    hue = np.array([red, max(green, (green + (red + blue) / 2) / 2), blue])
    return hue / float(hue @ LUMA)


def has_colour(skin: np.ndarray) -> bool:
    """Whether a picture with skin of this colour is one in colour."""
    return float(np.ptp(skin)) > _COLOURED


def blur_radius(picture: np.ndarray, points: np.ndarray, unit: float) -> float:
    """Blur of the face's sharpest edges, as the sigma of a Gaussian in pixels.

    From the ratio of an edge's gradient before and after it is blurred once more (Zhuo & Sim 2011); points
    [478,2], `unit` pixels of a model unit.
    """
    reach = max(3, int(0.12 * unit))
    room = reach + 4  # what a Gaussian of `_REBLUR` and a gradient look at beyond
    ratios = []
    for x, y in np.round(points[list(_FEATURES)]).astype(int):
        left, top = max(x - room, 0), max(y - room, 0)
        luma = picture[top : max(y + room, 0), left : max(x + room, 0)] @ LUMA
        part = np.s_[
            max(y - reach, 0) - top : max(y + reach - top, 0),
            max(x - reach, 0) - left : max(x + reach - left, 0),
        ]
        if not luma[part].size:
            continue
        before, after = (_gradient(each)[part] for each in (luma, cv2.GaussianBlur(luma, (0, 0), _REBLUR)))
        at = np.unravel_index(before.argmax(), before.shape)
        ratios.append(before[at] / max(after[at], 1e-4))
    ratio = float(np.median(ratios)) if ratios else 1.0
    return float(np.clip(_REBLUR / np.sqrt(max(ratio**2 - 1, 0.04)), 0.3, 5.0))


def _gradient(luma: np.ndarray) -> np.ndarray:
    return np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))


def skin_grain(picture: np.ndarray, points: np.ndarray, unit: float) -> np.ndarray:
    """Grain, brush or canvas of smooth skin: a square [n,n] of relative changes of light, about 0.

    Of several places the second calmest is taken: the calmest may be burnt out, others have beards or folds.
    """
    reach = max(6, int(0.10 * unit))
    fine, coarse = max(1.0, 0.018 * unit), 0.05 * unit
    room = reach + int(4 * max(fine, coarse)) + 1  # what the wider Gaussian looks at beyond
    places = []
    for x, y in np.round(points[list(_GRAIN)]).astype(int):
        left, top = max(x - room, 0), max(y - room, 0)
        luma = picture[top : max(y + room, 0), left : max(x + room, 0)] @ LUMA
        if not luma.size:
            continue
        detail = (luma - blur(luma, fine)) / np.maximum(blur(luma, coarse), 0.08)
        part = detail[max(y - reach, 0) - top :, max(x - reach, 0) - left :][: 2 * reach, : 2 * reach]
        if min(x, y) >= reach and part.shape == (2 * reach, 2 * reach):
            places.append(part)
    if not places:
        return np.zeros((2 * reach, 2 * reach), np.float32)
    places.sort(key=lambda part: float(np.abs(part).mean()))
    part = places[min(1, len(places) - 1)]
    limit = 3 * float(np.median(np.abs(part))) + 1e-4
    return np.clip(part - part.mean(), -limit, limit)
