"""Matting: a person's alpha at full size, the background behind, and the layers of a portrait."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.mesh.encoding.inpaint import grow, inpaint_background, resized
from gohd_core.mesh.picture.photometry import smoothstep

_ALPHA = (0.12, 0.88)
"""Values of the refined mask that become 0 and 1."""
_UNSURE = (0.015, 0.040)
"""Distances from certain pixels of the person, in picture sides, over which the mask loses its weight."""
_SURE = (0.02, 0.90)
"""Mask values up to which a pixel is background, and from which on person, surely; colours decide between."""
_COLOUR_SIDE = 160
"""Side in pixels at which colours are compared."""
_SAMPLES = 400
"""Most pixels of person, and of background, that a pixel is compared with."""
_NEAREST = 5
"""Nearest neighbours, in colour and place, whose distances are averaged (k)."""
_LIGHTNESS, _PLACE = 0.7, 0.12
"""Weights in that distance of lightness, and of a whole side of the picture; of a and b: 1 (Lab of 0..1)."""
_FLOOR = 0.02
"""Least distance, so that noise in equal colours does not count."""
_WEIGHT, _MOST = 4.0, 4.0
"""Weight of the log ratio of distances in the mask's log odds, and the most that it adds to them."""
_REST = 0.10
"""Value of the blurred matte from which on a pixel shows more than background."""
_ALL_PERSON = 0.97
"""Share of the picture from which on there is no background to speak of."""


@dataclass(frozen=True)
class Layers:
    """A portrait as a person before a static background; colours in [-1, 1].

    Attributes:
        alpha: [1,1,S,S] the person's matte.
        person: [1,3,S,S] the person's colours times alpha.
        fringe: [1,3,S,S] what the picture shows beyond `person` and the background: person + fringe +
            (1 - alpha) * background is the picture, exactly.
        background: [1,3,S,S] without the person.
    """

    alpha: Tensor
    person: Tensor
    fringe: Tensor
    background: Tensor


def split(image: Tensor, mask: Tensor | None) -> Layers:
    """Layers of a picture [1,3,S,S] by a person mask [1,1,S,S] in 0..1; without one, all is the person."""
    size = image.shape[-1]
    alone = Layers(image.new_ones(1, 1, size, size), image, torch.zeros_like(image), torch.zeros_like(image))
    if mask is None:
        return alone
    rgb = (image[0].permute(1, 2, 0).float().cpu().numpy() * 0.5 + 0.5).astype(np.float32)
    alpha = refined(rgb, mask[0, 0].float().cpu().numpy())
    fringe = max(2, size // 100)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * fringe + 1,) * 2)
    seen = (cv2.GaussianBlur(alpha, (0, 0), size / 110) > _REST) | (alpha > 0.5)
    hidden = cv2.dilate(seen.astype(np.uint8), kernel) > 0
    if hidden.mean() > _ALL_PERSON:
        return alone
    background = inpaint_background(rgb, hidden)
    person = _unmixed(rgb, alpha, background) * alpha[..., None]
    fringe = rgb - person - (1 - alpha[..., None]) * background

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))[None].to(image)

    # From [0, 1] to [-1, 1]: premultiplied colours shift by their alpha.
    alpha = tensor(alpha[..., None])
    return Layers(alpha, 2 * tensor(person) - alpha, 2 * tensor(fringe), 2 * tensor(background) - 1)


def refined(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A coarse person mask [S,S] as a matte that follows the picture's edges (guided filter, He et al.
    2010)."""
    size = len(rgb)
    mask = by_colours(rgb, mask)
    distance = cv2.distanceTransform((mask < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / size
    guide = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    radius = max(3, size // 64)

    def mean(values: np.ndarray, reach: int = radius) -> np.ndarray:
        return cv2.blur(values, (2 * reach + 1,) * 2)

    guide_mean, mask_mean = mean(guide), mean(mask)
    slope = (mean(guide * mask) - guide_mean * mask_mean) / (mean(guide * guide) - guide_mean**2 + 1e-3)
    filtered = mean(slope) * guide + mean(mask_mean - slope * guide_mean)
    near_edge = np.abs(mean(mask, 2 * radius) - 0.5) < 0.49
    matte = smoothstep(*_ALPHA, np.where(near_edge, filtered.clip(0, 1), mask))
    return (matte * (1 - smoothstep(*_UNSURE, distance))).astype(np.float32)


def by_colours(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A person mask [S,S] in which pixels it is not sure of count to the person or to the background by whose
    nearby pixels have their colour (k nearest neighbours, as Chen et al. 2013 find a matte): locks and
    plaits, earrings and bows go with the head, and the background between them stays."""
    side = min(_COLOUR_SIDE, len(mask))
    lab = cv2.cvtColor(resized(rgb, side), cv2.COLOR_RGB2LAB) / 100
    small = resized(mask, side)
    place = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1) * (_PLACE / side)
    features = np.concatenate([lab * (_LIGHTNESS, 1, 1), place], -1).astype(np.float32)
    background, person = small <= _SURE[0], small >= _SURE[1]
    unsure = ~background & ~person
    near = cv2.dilate(unsure.astype(np.uint8), np.ones((2 * (side // 8) + 1,) * 2)) > 0
    known = [features[near & each] for each in (background, person)]
    if not unsure.any() or min(map(len, known)) < _NEAREST:
        return mask
    to_wall, to_person = (_distance(features[unsure], some) for some in known)
    odds = np.zeros_like(small)
    odds[unsure] = (_WEIGHT * np.log(to_wall / to_person)).clip(-_MOST, _MOST)
    odds = resized(cv2.GaussianBlur(odds, (0, 0), 0.8), len(mask))
    prior = mask.clip(1e-3, 1 - 1e-3)
    return (prior / (prior + (1 - prior) * np.exp(-odds))).astype(np.float32)


def _distance(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Distance of features [N,5] to the nearest of known ones [M,5], [N]."""
    known = known[:: -(-len(known) // _SAMPLES)]
    square = (features**2).sum(1)[:, None] + (known**2).sum(1) - 2 * features @ known.T
    nearest = np.partition(square, _NEAREST - 1, 1)[:, :_NEAREST]
    return np.sqrt(nearest.mean(1).clip(0)) + _FLOOR


def _unmixed(rgb: np.ndarray, alpha: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The person's own colours where the picture mixes them with the background's."""
    share = alpha[..., None]
    alone = (rgb - (1 - share) * background) / np.maximum(share, 0.25)
    inner = grow(rgb, (alpha > 0.97).astype(np.float32))
    tolerance = 20 / 255
    alone = alone.clip(np.minimum(inner, rgb) - tolerance, np.maximum(inner, rgb) + tolerance).clip(0, 1)
    sure = ((share - 0.08) / 0.25).clip(0, 1)
    return np.where(share > 0.985, rgb, alone * sure + inner * (1 - sure)).astype(np.float32)
