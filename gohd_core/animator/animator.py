"""The animator at run time: a portrait is encoded once, then any number of frames is drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gohd_core.animator.base import ClipAnimator, check_values
from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.encoder import Source
from gohd_core.animator.geometry.face_parts import FaceParts
from gohd_core.animator.network import AnimatorNetwork
from gohd_core.animator.windows import network_descriptors, windows_at
from gohd_core.checkpoints.loading import load_network
from gohd_core.checkpoints.runtime import Runtime
from gohd_core.components import BUILTIN
from gohd_core.errors import BadInput
from gohd_core.kernels.passes import PassPlan
from gohd_core.kernels.policy import exact_dtype
from gohd_core.motion import Motion


class Animator(Runtime, ClipAnimator):
    """Draws frames of a portrait from motion (§3.3, eq. 9).

    Attributes: see `Runtime`; and `dtype`, the decoder's precision; positions and codes stay float32.
    """

    components = ("animator",)
    network: AnimatorNetwork
    config: AnimatorConfig
    _other_space = "these animator weights are in {space!r}; use weights and motion of one space."

    def __init__(
        self,
        network: AnimatorNetwork,
        config: AnimatorConfig,
        space: str,
        info: Mapping[str, Any] | None = None,
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if dtype not in (torch.float32, torch.bfloat16, torch.float16):
            raise BadInput(f"The animator computes in float32, bfloat16 or float16, not {dtype}.")
        super().__init__(network.requires_grad_(False).freeze(dtype), config, space, info)
        self.dtype = dtype
        decoder = self.network.decoder
        self._draw = decoder.frames
        self.passes = PassPlan(decoder.cpu_pass, parallel=decoder.cpu_side_by_side)

    @classmethod
    def load(
        cls,
        path: str | Path = BUILTIN,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Animator:
        """Loads weights: a path (official or converted) or "builtin"; `dtype` is the decoder's."""
        loaded = load_network(path, "animator", device=device)
        return cls(loaded.network, loaded.config, loaded.space, loaded.info, dtype=dtype)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.network.directions.weight.device

    @torch.inference_mode()
    def encode_source(self, image: Tensor, reference: Motion | None = None) -> Source:
        """Encodes a portrait once.

        Args:
            image: [B, 3, size, size] in [-1, 1], usually B = 1.
            reference: the portrait's own coefficients, one frame. The official network does not need
                them; the built-in one reads them off the picture where they are not given.

        Raises:
            BadInput: wrong shape, values that are not finite or not in [-1, 1], wrong space.
        """
        self._check_image(image)
        descriptor = None
        if reference is not None:
            descriptor = self._own_descriptor(reference).expand(len(image), -1)
        dtype = exact_dtype(self.device, self.dtype) if self.config.motion == "window" else torch.float32
        exact = dtype == torch.float64
        source = self.network.encode(image.to(self.device, torch.float32), descriptor, exact=exact)
        source = self.network.with_source_layers(source)
        layout = torch.channels_last
        features = [f.to(self.dtype).contiguous(memory_format=layout) for f in source.features]
        return replace(source, features=tuple(features))

    @torch.inference_mode()
    def magnitudes(self, source: Source, windows: Tensor) -> Tensor:
        """Magnitudes xi [T, n] along the motion directions; where the weights draw parts by geometry, what
        moves those follows (`config.n_magnitudes` in all).

        `windows` [T, 72, 27] is in the network's own order, gaze as (horizontal, vertical), as in
        the official implementation. `animate` makes such windows from a `Motion`.
        """
        wanted = (self.config.n_descriptor, self.config.window)
        if windows.ndim != 3 or tuple(windows.shape[1:]) != wanted or not len(windows):
            raise BadInput(f"Windows must be [T, {wanted[0]}, {wanted[1]}]; got {list(windows.shape)}.")
        if not windows.is_floating_point() or not torch.isfinite(windows).all():
            raise BadInput("Windows must be finite floating-point numbers; check the motion.")
        return self.network.magnitudes(source, windows.to(self.device, torch.float32))

    @torch.inference_mode()
    def decode(self, source: Source, magnitudes: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Frames [T, 3, size, size] float32 in [-1, 1] from magnitudes.

        Args:
            source: from `encode_source`; one source for all frames, or one for each.
            magnitudes: [T, n_magnitudes] as `magnitudes` gives them.
            strength: factor on the navigation vector (Fig. 8), one number or one for each frame [T].
        """
        wanted = self.config.n_magnitudes
        if magnitudes.ndim != 2 or magnitudes.shape[1] != wanted or not len(magnitudes):
            raise BadInput(f"Magnitudes must be [T, {wanted}]; got {list(magnitudes.shape)}.")
        count = len(magnitudes)
        strength = torch.as_tensor(strength, dtype=torch.float32, device=self.device)
        if strength.ndim > 1 or strength.numel() not in (1, count) or not torch.isfinite(strength).all():
            raise BadInput("Strength must be one finite number, or one for each frame.")
        sources = len(source.identity_code)
        if sources not in (1, count):
            raise BadInput(f"{sources} sources can't be paired with {count} frames; give one, or as many.")
        magnitudes = magnitudes.to(self.device, torch.float32)
        strength = strength.reshape(-1, 1)  # [1 or T,1]
        latents = self.network.latent(source, magnitudes, strength)
        descriptors = self.network.descriptors(source, magnitudes, strength)
        return self.passes.draw(
            self._pass, (latents, descriptors), (source.features, source.parts), count=count
        )

    def _pass(
        self, frames: tuple[Tensor, Tensor], source: tuple[tuple[Tensor, ...], FaceParts | None]
    ) -> Tensor:
        """Frames from their latents and descriptors, and the source's features and parts."""
        (latents, descriptors), (features, parts) = frames, source
        # The official network is not bounded; values outside [-1, 1] are clipped where pictures are made.
        return self._draw(latents, features, self.network.in_frame(parts, descriptors)).float()

    def compile(self, batch_size: int, **options: object) -> Animator:
        """Compiles the decoder for one batch size (`torch.compile`); for GPUs.

        `mode="reduce-overhead"` among the options uses CUDA graphs.
        """
        if batch_size < 1:
            raise BadInput(f"The batch size must be at least 1; got {batch_size}.")
        self._draw = torch.compile(self.network.decoder.frames, **options)
        self.passes = PassPlan(batch_size, parallel=False, fixed=batch_size)
        return self

    def animate(self, source: Source, motion: Motion, **options: Any) -> Iterator[Tensor]:
        """The clip in batches, see `ClipAnimator.animate`."""
        if len(source.identity_code) != 1:
            raise BadInput("A clip is animated from one portrait; encode a batch of one.")
        return super().animate(source, motion, **options)

    def _drawing(self, source: Source, motion: Motion, strength: float) -> Callable[[range], Tensor]:
        descriptors = network_descriptors(motion)

        def draw(frames: range) -> Tensor:
            windows = windows_at(descriptors, frames, self.config.window, motion.pose.fps)
            return self.decode(source, self.magnitudes(source, windows), strength)

        return draw

    def _check_image(self, image: Tensor) -> None:
        size = self.config.size
        if image.ndim != 4 or not len(image) or tuple(image.shape[1:]) != (3, size, size):
            raise BadInput(
                f"The source must be [B, 3, {size}, {size}] (RGB); got {list(image.shape)}. "
                "prepare_portrait crops and resizes any picture."
            )
        check_values(image)
