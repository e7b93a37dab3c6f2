"""Planes of a portrait that move on their own, so that each has a smooth flow and what parts them is a mask.

An iris slides behind a lid, teeth lie behind lips, a head turns before a still background: one flow would
have to jump there by several pixels, and a network that predicts it smears the iris and drags the wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from gohd_core.animator.config import BACKGROUND, FACE, INNER
from gohd_core.kernels.policy import uses_cpu_kernels
from gohd_core.kernels.resize import sized
from gohd_core.kernels.warp import centres, gathered, warp

COUNT = 3
_OWNED_FROM, _OWNED_AT = (0.1, 0.25, 0.5), (0.5, 0.6, 0.9)
"""Share of a plane from which, and at which wholly, a source pixel can be taken for it; the background's
are higher, or what is left of a head's edge stays on the wall when the head moves on."""


@dataclass(frozen=True)
class Planes:
    """Where each plane's pixels come from, and what each target pixel shows.

    Attributes:
        face, inner: backward flows [B,2,S,S] (x, y) in half images; the background's is zero.
        logits: [B,3,S,S] of the plane that is seen, in the order face, inner, background.
    """

    face: Tensor
    inner: Tensor
    logits: Tensor

    @property
    def shares(self) -> Tensor:
        """How much of each plane a pixel shows, [B,3,S,S] float32."""
        return torch.softmax(self.logits.float(), dim=1)

    def flow(self) -> Tensor:
        """The flow of what is seen, [B,2,S,S]: the planes' flows by their shares."""
        shares = self.shares
        return self.face * shares[:, FACE, None] + self.inner * shares[:, INNER, None]

    def sized(self, side: int) -> Planes:
        """Averaged down or interpolated up to `side`."""
        return Planes(*(sized(field, side) for field in (self.face, self.inner, self.logits)))

    def samples(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Source features [1 or B,C,S,S] as each plane shows them."""
        return warped(features, self.face), warped(features, self.inner), features

    def warp(self, features: Tensor) -> Tensor:
        """Source features [1 or B,C,S,S] as the target shows them: each plane's, by its share."""
        if len(features) == 1 and uses_cpu_kernels(features):
            shares = self.shares
            return gathered(
                features,
                torch.stack([self.face, self.inner], 1).float(),
                shares[:, :BACKGROUND],
                shares[:, BACKGROUND],
            )
        return blend(self.samples(features), self.shares)


def blend(samples: tuple[Tensor, Tensor, Tensor], shares: Tensor) -> Tensor:
    """Samples of the planes [B,C,S,S] by their shares [B,3,S,S]."""
    shares = shares.to(samples[0].dtype)
    first, *others = (shares[:, k, None] for k in range(len(samples)))
    made = samples[0] * first
    for sample, share in zip(samples[1:], others, strict=True):
        made = torch.addcmul(made, sample, share)
    return made


def warped(features: Tensor, flow: Tensor) -> Tensor:
    """Source features where a backward flow [B,2,S,S] says, borders repeated."""
    places = centres(flow.shape[-1], flow.device) + flow
    return warp(features, rearrange(places, "b xy h w -> b h w xy"), border=True)


def owned(shares: Tensor) -> Tensor:
    """What of each plane can be taken from a picture with these shares, [B,3,S,S] in 0..1.

    A pixel counts as a plane's once it shows a good part of it: at an edge it is both planes'.
    """
    low, high = (shares.new_tensor(share)[:, None, None] for share in (_OWNED_FROM, _OWNED_AT))
    return ((shares - low) / (high - low)).clamp(0, 1)
