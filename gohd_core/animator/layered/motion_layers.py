"""Layered motion representation of a portrait: each layer has a smooth flow, and masks part the layers.

An iris slides behind a lid, teeth lie behind lips, a head turns before a still background: one dense flow
would have to jump there by several pixels, and a network that predicts it smears the iris and drags the
background. As in FOMM's dense motion network, softmax masks choose among several motions at each pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.config import FACE, INNER
from gohd_core.kernels.resize import resize
from gohd_core.kernels.warp import warp_layers

N_LAYERS = 3
_CONFIDENT_FROM = {"face": 0.1, "inner": 0.25, "background": 0.5}
"""Mask of a layer above which a source pixel begins to count as that layer's."""
_CONFIDENT_AT = {"face": 0.5, "inner": 0.6, "background": 0.9}
"""Mask at which it counts wholly. The background's are higher, or the fringe of a head stays behind when the
head moves on."""


@dataclass(frozen=True)
class MotionLayers:
    """Backward flow of each layer, and which layer each target pixel shows.

    Attributes:
        face, inner: backward flows [B,2,S,S] (x, y) in half images; the background does not move.
        logits: [B,3,S,S] of the layer masks, in the order face, inner, background.
    """

    face: Tensor
    inner: Tensor
    logits: Tensor

    @property
    def masks(self) -> Tensor:
        """Softmax masks of the layers, [B,3,S,S] float32."""
        return torch.softmax(self.logits.float(), dim=1)

    def flow(self) -> Tensor:
        """The composed flow [B,2,S,S]: the layers' flows weighted by their masks (FOMM's `deformation`)."""
        masks = self.masks
        return self.face * masks[:, FACE, None] + self.inner * masks[:, INNER, None]

    def resized(self, side: int) -> MotionLayers:
        """Averaged down or interpolated up to `side`."""
        return MotionLayers(*(resize(field, side) for field in (self.face, self.inner, self.logits)))

    def warp(self, features: Tensor) -> Tensor:
        """Source features [1 or B,C,S,S] as the target shows them, [B,C,S,S]: warped by each layer,
        blended."""
        flows = torch.stack([self.face, self.inner], 1)  # [B,2,2,S,S]: layer, then (x, y)
        return warp_layers(features, flows, self.masks)


def layer_confidence(masks: Tensor) -> Tensor:
    """Confidence of each source pixel as a sample of each layer, [B,3,S,S] in 0..1, from the source's own
    masks.

    A ramp on the mask: a pixel at an edge, half face and half background, serves both.
    """
    low, high = (
        masks.new_tensor(list(ramp.values()))[:, None, None] for ramp in (_CONFIDENT_FROM, _CONFIDENT_AT)
    )
    return ((masks - low) / (high - low)).clamp(0, 1)
