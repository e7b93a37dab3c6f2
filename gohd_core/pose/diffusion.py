"""The head-pose and gaze generators of §3.1: motion sampled from audio by a diffusion model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gohd_core.checkpoints import BUILTIN, Loaded, load_network
from gohd_core.checkpoints.runtime import Runtime
from gohd_core.constants import FPS, N_GAZE, N_POSE
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.motion import Gaze, Pose
from gohd_core.pose import checks
from gohd_core.pose.config import DiffusionConfig, check_guidance
from gohd_core.pose.denoiser import DenoisingNetwork
from gohd_core.pose.guidance import GuidedPrediction, ScoreCache, branches
from gohd_core.pose.samplers import Noise, sampler_named
from gohd_core.pose.schedule import NoiseSchedule
from gohd_core.pose.smoothing import smoothed
from gohd_core.pose.variety import mirror, slow_noise
from gohd_core.pose.windows import Windows

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


class PoseDiffusion(Runtime):
    """Samples head poses `[T, 6]` (or, with two channels, gaze) that suit a speech.

    The network diffuses the residual over the initial pose, x_0 = (p - p0) / scale (§3.1). Values are
    in the file's own channel order: poses as everywhere, gaze as [horizontal, vertical]; `sample_gaze`
    takes and gives (pitch, yaw).
    """

    components = ("pose_diffusion", "gaze_diffusion")
    network: DenoisingNetwork
    config: DiffusionConfig

    def __init__(
        self,
        network: DenoisingNetwork,
        config: DiffusionConfig,
        space: str,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(network, config, space, info)
        self.schedule = NoiseSchedule.of(config)
        self._cache = ScoreCache()

    @classmethod
    def load(
        cls,
        path: str | Path = BUILTIN,
        *,
        unconditional: str | Path | None = None,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> PoseDiffusion:
        """Loads official or own weights, or the built-in ones; a gaze file makes a `GazeDiffusion`.

        Args:
            unconditional: a second file with the p0-unconditional network (eq. 3), where the two were
                trained into two files.
        """
        loaded = load_network(path, cls.components, device=device, dtype=dtype)
        if unconditional is not None:
            second = load_network(unconditional, loaded.component, device=device, dtype=dtype)
            loaded = _pair(loaded, second)
        kind = GazeDiffusion if loaded.component in GazeDiffusion.components else cls
        return kind(loaded.network, loaded.config, loaded.space, loaded.info)

    @property
    def alignment(self) -> str:
        """Alignment of the audio condition that the model wants: "release", "aligned" or "mel100"."""
        return self.config.alignment

    def denoise(self, x: Tensor, mel: Tensor, initial: Tensor | None, step: Tensor) -> Tensor:
        """eps_theta(x_n, c, n): predicted noise `[B, T, C]`, of one network and without guidance.

        Args:
            x: `[B, T, C]` noisy residual. mel: `[B, T, 320]` audio condition.
            initial: `[B, C]` p0 for the p0-conditional network. None asks for the unconditional
                prediction; a file that has only the conditional network takes p0 as zero then.
            step: `[B]` n from 0 to N - 1; between two integers the step code is interpolated.
        """
        config = self.config
        x = checks.tensor(x, "x", (None, None, config.channels))
        mel = checks.tensor(mel, "mel", (x.shape[0], x.shape[1], config.condition))
        if initial is not None:
            initial = checks.tensor(initial, "initial", (x.shape[0], config.channels))
        step = checks.steps(step, x.shape[0], config.training_steps)
        denoiser, informed, _ = self._one_branch(initial is not None)
        with torch.no_grad():
            mel, x = self._to_weights(mel), self._to_weights(x)
            condition = denoiser.condition(mel, self._to_weights(initial) if informed else None)
            scores = self._cache.get(denoiser, x.shape[1])
            return denoiser(x, condition, step.to(x.device), scores).float()

    def sample(
        self, mel: Tensor, initial: Tensor | None = None, *, progress: Progress | None = None, **options: Any
    ) -> Tensor:
        """Absolute values `[T, C]`: initial + sampled residual (eq. 4); the options of `sample_residual`.

        An `initial` of None means: no condition on p0, and residuals over zero.
        """
        residual = self.sample_residual(mel, initial, progress=progress, **options)
        return residual if initial is None else initial.detach().float().cpu() + residual

    def sample_residual(
        self,
        mel: Tensor,
        initial: Tensor | None = None,
        *,
        steps: int | None = None,
        sampler: str = "ddpm",
        guidance: float | None = None,
        window: int | None = None,
        overlap: int | None = None,
        seed: int | None = None,
        noise: Tensor | None = None,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Tensor:
        """Samples p - p0 `[T, C]` for the T frames of `mel`, float32 on the CPU.

        Args:
            mel: `[T, 320]` audio condition in this model's `alignment`.
            initial: `[C]` p0 in radians and translation units, or None.
            steps: denoising steps; None means the sampler's own (ddpm all, ddim 50, dpmpp_2m 20).
            sampler: "ddpm" (the paper's), "ddim" or "dpmpp_2m".
            guidance: gamma of eq. 3, 0 to 1; None means the model's own. A file with one network and
                no way to leave p0 out, as released, has nothing to mix and is sampled as it is.
            window, overlap: frames of a sampling window, and what it shares with the next. None means
                the model's own; window 0 samples everything at once (memory grows with T squared).
            seed: of the noise; the same seed gives the same motion on every device. 0 when absent. Odd
                seeds sample the mirror image where the config says so.
            noise: the Gaussian draws themselves, `[steps, T, C]` or `[steps, 1, T, C]`: noise[0]
                starts the run, noise[k] is added at step steps - k. The deterministic samplers use
                noise[0] alone and also take `[1, T, C]`.
            progress, should_stop: called after, and before, each step.
        """
        config, method = self.config, sampler_named(sampler)
        mel = checks.tensor(mel, "mel", (None, config.condition))
        frames = mel.shape[0]
        if initial is not None:
            initial = checks.tensor(initial, "initial", (config.channels,))
        gamma = self._gamma(guidance)
        visited = method.choose(self.schedule, self._step_count(steps, method.default_steps))
        windows = Windows.plan(frames, *self._window(frames, window, overlap))
        draw = self._noise((frames, config.channels), len(visited), method.stochastic, seed, noise)
        mirrored = config.mirrors and bool((seed or 0) % 2)
        with torch.inference_mode():
            placed = None if initial is None else self._to_weights(mirror(initial) if mirrored else initial)
            terms = branches(self.network, initial is not None, gamma)
            guided = GuidedPrediction(terms, self._to_weights(mel), placed, visited, windows, self._cache)

            def predict(x: Tensor, k: int) -> Tensor:
                raise_if_stopped(should_stop, f"Sampling was stopped after {k} of {len(visited)} steps.")
                eps = guided(x, k)
                if progress is not None:
                    progress(k + 1, len(visited))
                return eps

            x0 = method(predict, self.schedule, visited, draw)
        x0 = x0.clamp(-config.clamp, config.clamp).cpu()
        x0 = smoothed(x0, config.smoothing, config.fast_gain)
        return (mirror(x0) if mirrored else x0) * config.units

    def sample_pose(self, mel: Tensor, initial: Pose | Tensor | None = None, **options: Any) -> Pose:
        """Head poses for `mel` as a `Pose` at 25 fps; `initial` is p0, or a `Pose` whose first frame is."""
        self._want_channels(N_POSE, "head poses")
        return Pose(self.sample(mel, self._first(initial), **options), fps=FPS, space=self.space)

    def sample_gaze(self, mel: Tensor, initial: Gaze | Tensor | None = None, **options: Any) -> Gaze:
        """Gaze for `mel` as a `Gaze` at 25 fps; `initial` is (pitch, yaw), or a `Gaze` whose first frame is.

        The files order gaze as [horizontal, vertical]: the one place where it is turned round.
        """
        self._want_channels(N_GAZE, "gaze")
        first = self._first(initial)
        values = self.sample(mel, None if first is None else first.flip(-1), **options)
        return Gaze(values.flip(-1), fps=FPS, space=self.space)

    def _first(self, initial: Pose | Gaze | Tensor | None) -> Tensor | None:
        if initial is None or isinstance(initial, Tensor):
            return initial
        if initial.space != self.space:
            raise BadInput(
                f"The initial coefficients are of the space {initial.space!r}, but these weights speak "
                f"{self.space!r}; take both from one family of weights."
            )
        return initial.values[0]

    def _want_channels(self, channels: int, what: str) -> None:
        if self.config.channels != channels:
            raise BadInput(
                f"These weights make {self.config.channels} channels, but {what} have {channels}; "
                "load the other diffusion model."
            )

    def _one_branch(self, p0_known: bool) -> tuple[Any, bool, float]:
        (branch,) = branches(self.network, p0_known, 1.0)
        return branch.denoiser, branch.informed, branch.weight

    def _to_weights(self, value: Tensor) -> Tensor:
        weight = self.network.main.input_projection.weight
        return value.to(device=weight.device, dtype=weight.dtype)

    def _gamma(self, guidance: float | None) -> float:
        if guidance is None:
            return self.config.guidance
        if self.config.form not in ("pair", "dropout"):
            logger.info("These weights hold one network without a p0-free form; guidance has no effect.")
        return check_guidance(guidance)

    def _step_count(self, steps: int | None, own: int | None) -> int:
        if steps is not None:
            return steps
        return len(self.schedule) if own is None else min(own, len(self.schedule))

    def _window(self, frames: int, window: int | None, overlap: int | None) -> tuple[int, int]:
        if window == 0:
            return frames, 0
        if window is None:
            return self.config.window, self.config.overlap if overlap is None else overlap
        return window, window // 5 if overlap is None else overlap

    def _noise(
        self, shape: tuple[int, int], steps: int, stochastic: bool, seed: int | None, noise: Tensor | None
    ) -> Noise:
        device = self.network.main.input_projection.weight.device
        if noise is not None:
            if seed is not None:
                raise BadInput("Both a seed and the noise itself were given; give one of them.")
            given = checks.noise(noise, shape, steps, stochastic).to(device)
            return lambda k: given[k]
        seed = checks.seed(0 if seed is None else seed)
        generator = torch.Generator().manual_seed(seed)

        def drawn(k: int) -> Tensor:
            white = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")
            if k == 0 and self.config.slow_noise:
                white += self.config.slow_noise * slow_noise(*shape, seed)
            return white.to(device)

        return drawn


class GazeDiffusion(PoseDiffusion):
    """The diffusion model with two channels: gaze that suits a speech."""

    components = ("gaze_diffusion",)


def _pair(first: Loaded, second: Loaded) -> Loaded:
    """Two files, one with p0 and one without, as the paper's pair."""
    if first.config.form != "conditional" or second.config.form != "unconditional":
        raise BadInput(
            f"A pair needs a p0-conditional and a p0-unconditional file, in this order, but these are "
            f"{first.config.form!r} and {second.config.form!r}; swap or change them."
        )
    config = replace(first.config, form="pair")
    if replace(second.config, form="pair") != config or first.space != second.space:
        raise BadInput("The two files of the pair differ in more than p0; use two that were trained alike.")
    first.network.unconditional = second.network.unconditional
    return replace(first, config=config)
