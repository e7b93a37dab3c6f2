"""The whole animator as one module: encode a source, map windows to magnitudes, decode latents (§3.3)."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from gohd_core.animator.config import BACKGROUND, INNER, AnimatorConfig
from gohd_core.animator.encoder import AppearanceEncoder, Source
from gohd_core.animator.geometry.eye_encoder import EyeEncoder
from gohd_core.animator.geometry.face_parts import (
    FaceParts,
    PartsInFrame,
    agreement,
    parts_in_frame,
    source_contours,
)
from gohd_core.animator.geometry.shape_encoder import ShapeEncoder
from gohd_core.animator.layered.background import inpaint_background
from gohd_core.animator.layered.decoder import LayeredDecoder
from gohd_core.animator.layered.motion_layers import layer_confidence
from gohd_core.animator.layers import EqualLinear, Freezable
from gohd_core.animator.motion import FrameMotion, MotionDirections, WindowMotion
from gohd_core.animator.pyramid_decoder import Decoded, PyramidDecoder

_TRUSTED = 0.37
"""`agreement` from which parts are drawn by geometry: .40 at least on heads held out whose eyes are open, .55
on those that ship, .34 at most on the photographs tried."""


class AnimatorNetwork(nn.Module):
    """z_D = z_R + sum of xi_i m_i (eq. 9), and the decoder that draws z_D with the source's features."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = AppearanceEncoder(config)
        self.motion = WindowMotion(config) if config.motion == "window" else FrameMotion(config)
        self.directions = MotionDirections(config)
        pyramid = config.decoder == "pyramid"
        self.decoder = PyramidDecoder(config) if pyramid else LayeredDecoder(config)
        self.eyes = EyeEncoder() if config.face_parts else None
        self.shape = ShapeEncoder() if config.face_parts else None

    def encode(self, image: Tensor, descriptor: Tensor | None = None, *, exact: bool = False) -> Source:
        """image [B,3,S,S] in [-1,1] (and its descriptor [B,72], where known) -> Source.

        `exact` computes in float64, once a clip: every warp magnifies the encoder's rounding errors.
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

    def with_source_layers(self, source: Source) -> Source:
        """The source with its layer confidence, inpainted background and face parts; once a clip.

        For the layered decoder; for others the source as it is.
        """
        if self.config.decoder != "composite":
            return source
        windows = source.descriptor[:, :, None].expand(-1, -1, self.config.window)
        latent = self.latent(source, self.motion(source, windows))
        masks, parts = self.decoder.source_layer_masks(latent, source.features), None
        if self.shape is not None:
            parts, masks = self._face_parts(source, masks)
        confidence, still = layer_confidence(masks), slice(BACKGROUND, BACKGROUND + 1)
        background = inpaint_background(source.features[-1], confidence[:, still], masks[:, still])
        return replace(source, features=(*source.features, confidence, background), parts=parts)

    def _face_parts(self, source: Source, masks: Tensor) -> tuple[FaceParts | None, Tensor]:
        """A source's face parts, if it shows any, and its layer masks with lips and lids where they are."""
        image = source.features[-1]
        found = self.shape(image, source.descriptor)
        contours = source_contours(self.shape.contours, found, self.config.size)
        trust = (agreement(contours, masks[:, INNER, None]) > _TRUSTED).float()
        if not trust.any():
            return None, masks
        trusted = replace(contours, weight=contours.weight * trust[:, None, None, None])
        masks = trusted.refine_layer_masks(masks)
        eyeballs = self.eyes(image, layer_confidence(masks)[:, INNER, None], source.descriptor)
        return FaceParts(found, eyeballs, trust), masks

    def magnitudes(self, source: Source, windows: Tensor) -> Tensor:
        """windows [T,72,W] -> magnitudes [T,n_magnitudes] that drive the frames.

        Where face parts are drawn by geometry, the magnitudes xi of the directions are concatenated with the
        descriptor delta (target - source).
        """
        magnitudes = self.motion(source, windows)
        if self.shape is None:
            return magnitudes
        return torch.cat([magnitudes, windows[:, :, windows.shape[2] // 2] - source.descriptor], dim=1)

    def descriptors(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Descriptors [T,72] that parts are drawn by; [T,0] where there are none."""
        if self.shape is None:
            return magnitudes[:, self.config.n_directions :]
        return source.descriptor + strength * magnitudes[:, self.config.n_directions :]

    def latent(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Target latents z_D [T, D] from magnitudes; `strength` (one, or [T, 1]) scales the way."""
        return source.identity_code + strength * self.directions(magnitudes[:, : self.config.n_directions])

    def in_frame(self, parts: FaceParts | None, descriptor: Tensor) -> PartsInFrame | None:
        """The parts in frames with descriptors [T,72]; None where they are not drawn by geometry."""
        if parts is None:
            return None
        with torch.autocast(descriptor.device.type, enabled=False):
            models = self.shape.contours, self.shape.mesh
            return parts_in_frame(*models, parts, descriptor.float(), self.config.size)

    def draw(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Decoded:
        """Frames and their components, for one source or as many as there are magnitudes
        [T,n_magnitudes]."""
        latent = self.latent(source, magnitudes, strength)
        parts = self.in_frame(source.parts, self.descriptors(source, magnitudes, strength))
        return self.decoder(latent, source.features, parts)

    def forward(self, image: Tensor, windows: Tensor, descriptor: Tensor | None = None) -> Decoded:
        """One source and one window each: image [B,3,S,S], windows [B,72,27] -> Decoded."""
        source = self.encode(image, descriptor)
        return self.draw(source, self.magnitudes(source, windows))

    def freeze(self, dtype: torch.dtype = torch.float32) -> AnimatorNetwork:
        """Computes what depends on weights alone once, for inference; `train()` undoes it."""
        self.train(False)
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
