"""The animator at run time: a portrait is encoded once, then any number of frames is drawn from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.encoder import Source
from gohd_core.animator.geometry.face_parts import FaceParts
from gohd_core.animator.network import AnimatorNetwork
from gohd_core.animator.windows import network_descriptors, windows_at
from gohd_core.checkpoints.loading import load_network
from gohd_core.checkpoints.runtime import Runtime
from gohd_core.components import BUILTIN
from gohd_core.errors import BadInput, Interrupted
from gohd_core.kernels.threads import Cores
from gohd_core.kernels.tree import mapped
from gohd_core.motion import Motion

Progress = Callable[[int, int], None]
_MOST_CORES = 8
"""Passes that lie side by side at most: each takes about 90 MiB."""


class Animator(Runtime):
    """Draws frames of a portrait from motion (§3.3, eq. 9).

    Attributes: see `Runtime`; and `dtype`, what the decoder computes in: positions and codes stay float32.
    """

    components = ("animator",)
    network: AnimatorNetwork
    config: AnimatorConfig

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
        self._draw = self.network.decoder.frames
        self._fixed_batch = 0
        self._cores: Cores | None = None

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
        """Where the weights are now."""
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
            self.check_motion(reference)
            if len(reference.pose.values) != 1:
                raise BadInput("The reference is the portrait's own motion: give exactly one frame.")
            descriptor = network_descriptors(reference).to(self.device)
            descriptor = descriptor.expand(len(image), -1)
        exact = self.device.type == "cpu" and self.dtype == torch.float32 and self.config.motion == "window"
        source = self.network.encode(image.to(self.device, torch.float32), descriptor, exact=exact)
        source = self.network.with_own_planes(source)
        layout = torch.channels_last
        features = [f.to(self.dtype).contiguous(memory_format=layout) for f in source.features]
        return replace(source, features=tuple(features))

    @torch.inference_mode()
    def magnitudes(self, source: Source, windows: Tensor) -> Tensor:
        """Magnitudes xi [T, n] along the motion directions; where the weights draw parts by geometry, what
        moves those follows (`config.n_magnitudes` in all).

        `windows` [T, 72, 27] is in the network's own order, gaze as (horizontal, vertical): what the
        official implementation feeds. `animate` makes such windows from a `Motion`.
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
        strength = strength.reshape(-1, 1)
        latents = self.network.latent(source, magnitudes, strength)
        descriptors = self.network.descriptors(source, magnitudes, strength)
        step, cores = self._plan(count)

        def drawn(start: int) -> Tensor:
            some = slice(start, min(start + step, count))
            part = some if sources > 1 else slice(None)
            features, parts = mapped((source.features, source.parts), itemgetter(part))
            return self._pass(latents[some], features, parts, descriptors[some])

        starts = range(0, count, step)
        return torch.cat(cores.map(drawn, starts) if cores else list(map(drawn, starts)))

    def _plan(self, count: int) -> tuple[int, Cores | None]:
        """How many frames to draw in one pass, and the cores for passes side by side, on the CPU."""
        if self._fixed_batch or self.device.type != "cpu":
            return self._fixed_batch or count, None
        decoder, threads = self.network.decoder, _threads()
        if not decoder.cpu_side_by_side or min(threads, count) == 1:
            return decoder.cpu_pass, None
        if self._cores is None or self._cores.count != threads:
            self._cores = Cores(threads)
        return min(decoder.cpu_pass, math.ceil(count / threads)), self._cores

    def _pass(
        self,
        latents: Tensor,
        features: tuple[Tensor, ...],
        parts: FaceParts | None,
        descriptors: Tensor,
    ) -> Tensor:
        count = len(latents)
        if count < self._fixed_batch:
            # A compiled graph has one batch size: the last, smaller batch repeats its last frame.
            missing = self._fixed_batch - count
            latents, descriptors = _repeated(latents, missing), _repeated(descriptors, missing)
            if len(features[0]) > 1:
                features = tuple(_repeated(f, missing) for f in features)
                parts = mapped(parts, lambda part: _repeated(part, missing))
        placed = self.network.in_frame(parts, descriptors)
        frame = self._draw(latents, features, placed).float()
        # The official network is not bounded; what lies outside [-1, 1] is cut where pictures are made.
        return frame[:count].clone() if self._fixed_batch else frame

    def compile(self, batch_size: int, **options: object) -> Animator:
        """Compiles the decoder for one batch size (`torch.compile`); for GPUs, where it pays.

        `mode="reduce-overhead"` among the options uses CUDA graphs.
        """
        if batch_size < 1:
            raise BadInput(f"The batch size must be at least 1; got {batch_size}.")
        self._draw = torch.compile(self.network.decoder.frames, **options)
        self._fixed_batch = batch_size
        return self

    def animate(
        self,
        source: Source,
        motion: Motion,
        *,
        batch_size: int = 8,
        strength: float = 1.0,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[Tensor]:
        """Yields the clip in batches [b, 3, size, size] float32; memory does not grow with its length.

        Args:
            source: from `encode_source`.
            motion: what to do, in the weights' coefficient space, at any frame rate.
            batch_size: frames in a batch; the frames do not depend on it.
            strength: factor on the navigation vector (Fig. 8).
            progress: called as progress(frames done, frames in all) after each batch.
            should_stop: asked before each batch; when it returns True, `Interrupted` is raised.

        Raises:
            BadInput: the motion is in another space or empty, or the batch size is below 1.
        """
        self.check_motion(motion)
        if batch_size < 1:
            raise BadInput(f"The batch size must be at least 1; got {batch_size}.")
        if len(source.identity_code) != 1:
            raise BadInput("A clip is animated from one portrait; encode a batch of one.")
        return self._batches(source, motion, batch_size, strength, progress, should_stop)

    def _batches(
        self,
        source: Source,
        motion: Motion,
        batch_size: int,
        strength: float,
        progress: Progress | None,
        should_stop: Callable[[], bool] | None,
    ) -> Iterator[Tensor]:
        descriptors = network_descriptors(motion)
        total, at_once = len(descriptors), self.drawn_at_once(batch_size)
        for start in range(0, total, batch_size):
            if should_stop is not None and should_stop():
                raise Interrupted(f"Stopped after {start} of {total} frames, as asked.")
            done = start % at_once
            if not done:
                frames = range(start, min(start + at_once, total))
                windows = windows_at(descriptors, frames, self.config.window, motion.pose.fps)
                drawn = self.decode(source, self.magnitudes(source, windows), strength)
            yield drawn[done : done + batch_size]
            if progress is not None:
                progress(min(start + batch_size, total), total)

    def drawn_at_once(self, batch_size: int) -> int:
        """Frames drawn ahead, in whole batches: small batches leave the CPU's cores too little to do."""
        if self._fixed_batch or self.device.type != "cpu" or not self.network.decoder.cpu_side_by_side:
            return batch_size
        full = self.network.decoder.cpu_pass * _threads()
        return batch_size * math.ceil(full / batch_size)

    def _check_image(self, image: Tensor) -> None:
        size = self.config.size
        if image.ndim != 4 or not len(image) or tuple(image.shape[1:]) != (3, size, size):
            raise BadInput(
                f"The source must be [B, 3, {size}, {size}] (RGB); got {list(image.shape)}. "
                "prepare_portrait crops and resizes any picture."
            )
        if not image.is_floating_point() or not torch.isfinite(image).all():
            raise BadInput("The source must be finite floating-point numbers in [-1, 1].")
        if image.abs().max() > 1.001:
            low, high = image.min().item(), image.max().item()
            raise BadInput(f"The source must lie in [-1, 1]; its values run from {low:.3g} to {high:.3g}.")

    def check_motion(self, motion: Motion) -> None:
        """`BadInput` for a motion of another coefficient space."""
        if motion.space != self.space:
            raise BadInput(
                f"This motion is in the {motion.space!r} coefficient space, but these animator weights "
                f"are in {self.space!r}; use weights and motion of one space."
            )
        if not len(motion.pose.values):
            raise BadInput("This motion has no frames.")


def _threads() -> int:
    return min(torch.get_num_threads(), _MOST_CORES)


def _repeated(rows: Tensor, missing: int) -> Tensor:
    """Rows with the last one so many times more."""
    return torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])])
