"""The whole animator as one module: encode a source, map windows to magnitudes, decode latents (§3.3)."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from gohd_core.animator.composite import CompositeDecoder
from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.decoder import Decoded, PyramidDecoder
from gohd_core.animator.encoder import AppearanceEncoder, Source
from gohd_core.animator.frame_motion import FrameMotion
from gohd_core.animator.layers import EqualLinear, Freezable
from gohd_core.animator.motion import MotionDirections, WindowMotion
from gohd_core.animator.planes import BACKGROUND, owned
from gohd_core.animator.plate import plate_and_wall


class AnimatorNetwork(nn.Module):
    """z_D = z_R + sum of xi_i m_i (eq. 9), and the decoder that draws z_D with the source's features."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = AppearanceEncoder(config)
        self.motion = WindowMotion(config) if config.motion == "window" else FrameMotion(config)
        self.directions = MotionDirections(config)
        pyramid = config.decoder == "pyramid"
        self.decoder = PyramidDecoder(config) if pyramid else CompositeDecoder(config)

    def encode(self, image: Tensor, descriptor: Tensor | None = None, *, exact: bool = False) -> Source:
        """image [B,3,S,S] in [-1,1] (and its descriptor [B,72], where known) -> Source.

        `exact` computes in float64, once a clip: what the encoder rounds, every warp magnifies.
        """
        if exact:
            identity_code, features = copy.deepcopy(self.encoder).double()(image.double())
            features = tuple(feature.float() for feature in features)
        else:
            identity_code, features = self.encoder(image)
        if self.config.decoder == "composite":
            features = (*features, image)
        if isinstance(self.motion, FrameMotion):
            identity_code = self.motion.normalise(identity_code)
            if descriptor is None:
                descriptor = self.motion.estimate(identity_code)
        return Source(identity_code, features, descriptor)

    def with_own_planes(self, source: Source) -> Source:
        """The source with the planes it shows itself, and with the wall behind them; once a clip.

        For decoders that tell planes apart; for others the source as it is.
        """
        if self.config.decoder != "composite":
            return source
        windows = source.descriptor[:, :, None].expand(-1, -1, self.config.window)
        latent = self.latent(source, self.motion(source, windows))
        shares = self.decoder.own_shares(latent, source.features)
        own, wall = owned(shares), slice(BACKGROUND, BACKGROUND + 1)
        plate = plate_and_wall(source.features[-1], own[:, wall], shares[:, wall])
        return replace(source, features=(*source.features, own, plate))

    def latent(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Target latents z_D [T, D] from magnitudes [T, n]; `strength` (one, or [T, 1]) scales the way."""
        return source.identity_code + strength * self.directions(magnitudes)

    def forward(self, image: Tensor, windows: Tensor, descriptor: Tensor | None = None) -> Decoded:
        """One source and one window each: image [B,3,S,S], windows [B,72,27] -> Decoded."""
        source = self.encode(image, descriptor)
        latent = self.latent(source, self.motion(source, windows))
        return self.decoder(latent, source.features)

    def freeze(self, dtype: torch.dtype = torch.float32) -> AnimatorNetwork:
        """Computes what depends on weights alone once, for inference; `train()` undoes it."""
        self.eval()
        for part in self.encoder.modules():
            if isinstance(part, Freezable):
                part.freeze(torch.float32, torch.contiguous_format)
        for part in self.modules():
            if isinstance(part, EqualLinear):
                part.freeze()
        self.decoder.freeze(dtype)
        self.motion.freeze()
        self.directions.freeze()
        return self
