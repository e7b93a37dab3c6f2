"""The whole animator as one module: encode a source, map windows to magnitudes, decode latents (§3.3)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gohd_core.animator.composite import CompositeDecoder
from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.decoder import Decoded, PyramidDecoder
from gohd_core.animator.encoder import AppearanceEncoder, Source
from gohd_core.animator.eye_charts import look
from gohd_core.animator.eye_reader import EyeReader
from gohd_core.animator.frame_motion import FrameMotion
from gohd_core.animator.layers import EqualLinear, Freezable
from gohd_core.animator.motion import MotionDirections, WindowMotion
from gohd_core.animator.planes import BACKGROUND, INNER, owned
from gohd_core.animator.plate import plate_and_wall

if TYPE_CHECKING:
    from gohd_core.animator.eyeballs import Eyeballs


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
        self.eyes = EyeReader() if config.eyeballs else None

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
        """The source with the planes it shows itself, the wall behind them and the eyeballs; once a clip.

        For decoders that tell planes apart; for others the source as it is.
        """
        if self.config.decoder != "composite":
            return source
        windows = source.descriptor[:, :, None].expand(-1, -1, self.config.window)
        latent = self.latent(source, self.motion(source, windows))
        shares = self.decoder.own_shares(latent, source.features)
        own, wall = owned(shares), slice(BACKGROUND, BACKGROUND + 1)
        plate = plate_and_wall(source.features[-1], own[:, wall], shares[:, wall])
        eyeballs = None
        if self.eyes is not None:
            eyeballs = self.eyes(source.features[-1], own[:, INNER : INNER + 1], source.descriptor)
        return replace(source, features=(*source.features, own, plate), eyeballs=eyeballs)

    def magnitudes(self, source: Source, windows: Tensor) -> Tensor:
        """windows [T,72,W] -> what drives the frames, [T,n_magnitudes].

        After the magnitudes xi of the directions comes, where eyeballs are drawn as balls, by how much pose
        and gaze differ from the source's own.
        """
        magnitudes = self.motion(source, windows)
        if self.eyes is None:
            return magnitudes
        change = look(windows[:, :, windows.shape[2] // 2]) - look(source.descriptor)
        return torch.cat([magnitudes, change], dim=1)

    def looks(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Tensor | None:
        """Pose and gaze [T,8] that eyeballs are drawn with; None where they are not."""
        if self.eyes is None:
            return None
        return look(source.descriptor) + strength * magnitudes[:, self.config.n_directions :]

    def latent(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Target latents z_D [T, D] from magnitudes; `strength` (one, or [T, 1]) scales the way."""
        return source.identity_code + strength * self.directions(magnitudes[:, : self.config.n_directions])

    def with_eyes(self, decoded: Decoded, eyeballs: Eyeballs | None, looks: Tensor | None) -> Decoded:
        """The frame with the eyeballs drawn into it, where it shows what lies behind lids."""
        if eyeballs is None or not decoded.pyramid:
            return decoded
        count = len(looks)  # a compiled decoder's last pass may hold more
        share = decoded.planes[-1].shares[:count, INNER : INNER + 1]
        # Detached: lids are taught by what is there, not by what is easily drawn behind them.
        frame = eyeballs.laid(decoded.pyramid[0][:count].float(), share.detach(), looks)
        return replace(decoded, pyramid=[frame])

    def draw(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Decoded:
        """All of a frame's parts, for one source or as many as there are magnitudes [T,n_magnitudes]."""
        decoded = self.decoder(self.latent(source, magnitudes, strength), source.features)
        return self.with_eyes(decoded, source.eyeballs, self.looks(source, magnitudes, strength))

    def forward(self, image: Tensor, windows: Tensor, descriptor: Tensor | None = None) -> Decoded:
        """One source and one window each: image [B,3,S,S], windows [B,72,27] -> Decoded."""
        source = self.encode(image, descriptor)
        return self.draw(source, self.magnitudes(source, windows))

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
