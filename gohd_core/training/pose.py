"""The trainers of the pose and the gaze diffusion: noise prediction on residual sequences (eq. 1-3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gohd_core.clips import Clip
from gohd_core.constants import N_GAZE, N_POSE
from gohd_core.errors import BadInput
from gohd_core.measures.motion_statistics import motion_figures
from gohd_core.pose import DenoisingNetwork, DiffusionConfig, GazeDiffusion, PoseDiffusion
from gohd_core.pose.schedule import NoiseSchedule
from gohd_core.pose.variety import MIRRORED
from gohd_core.training.audio.features import read_sound
from gohd_core.training.framework.sample_videos import clip_sound, head_film
from gohd_core.training.framework.sampling import audio_frames, random_window, valid_frames
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig, RunConfig
from gohd_core.training.framework.task import Batch, Export, Moment, Player, Sample, Task, Terms
from gohd_core.training.losses.diffusion import diffuse, noise_prediction, sample_prediction

_FILM = 250
"""Frames of a sample."""
MEL_PER_DECIBEL = 0.08
"""Change of the 80/s log-mel spectrogram by one decibel (8 * dB / 100)."""


@dataclass(frozen=True)
class PoseConfig(RunConfig):
    """Training config of the pose diffusion; the defaults are the paper's (supplement C).

    Attributes:
        network: its `form` decides what is learnt: "dropout" one network with and without p0,
            "pair" both networks side by side, "conditional" or "unconditional" one of them alone.
        frames: length of a training sequence.
        condition_dropout: share of the examples of the form "dropout" that don't see p0.
        initial: p0 is the sequence's first pose (§3.1), or that of "any" frame of the clip, which
            makes the residual's distribution the same at every time of a long recording.
        gain: the sound is made louder or softer by a random number of decibels in this range.
        mirror_share: share of the examples that are reflected left to right.
        sampled: validation examples that are sampled, with `sampled_steps` of DPM-Solver++(2M), twice
            each, for the figures; 0 samples none.
    """

    data: DataConfig = field(default_factory=lambda: DataConfig(batch=32))
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=100_000, ema=0.999))
    optimiser: OptimiserConfig = field(default_factory=lambda: OptimiserConfig(learning_rate=6e-4))
    network: DiffusionConfig = field(default_factory=lambda: DiffusionConfig(form="pair"))
    frames: int = 100
    condition_dropout: float = 0.2
    initial: Literal["first", "any"] = "first"
    gain: tuple[float, float] = (0.0, 0.0)
    mirror_share: float = 0.0
    sampled: int = 8
    sampled_steps: int = 20

    def __post_init__(self) -> None:
        if self.frames < 1 or not 0 <= self.condition_dropout <= 1 or not 0 <= self.mirror_share <= 1:
            raise BadInput("frames must be at least 1, condition_dropout and mirror_share within 0 and 1.")
        if self.gain != (0.0, 0.0) and self.network.alignment == "mel100":
            raise BadInput("The mel100 condition is normalised in loudness: leave gain at [0, 0].")


@dataclass(frozen=True)
class GazeConfig(PoseConfig):
    """The same for gaze, with two channels."""

    network: DiffusionConfig = field(default_factory=lambda: DiffusionConfig(channels=N_GAZE, form="pair"))


@dataclass(frozen=True)
class PoseDraw:
    """A window of a talking clip with everything random about its step of diffusion.

    Returns mel [T, 320], x0 [T, C] (residual over p0 in the network's units), initial [C] (p0), noise
    [T, C], step [] (n), known [] (whether a network of the form "dropout" sees p0).
    """

    values: str
    config: PoseConfig

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, Any]:
        config, network = self.config, self.config.network
        window = random_window(clip, config.frames, rng, limit=audio_frames(clip))
        sequence = clip.read(self.values, window.start, window.stop)
        initial = sequence[0]
        if config.initial == "any":
            frame = int(rng.choice(np.flatnonzero(valid_frames(clip))))
            initial = clip.read(self.values, frame, frame + 1)[0]
        if self.values == "gaze":  # files hold (pitch, yaw), the network works on [horizontal, vertical]
            sequence, initial = sequence[:, ::-1], initial[::-1]
        if rng.random() < config.mirror_share:
            signs = np.array(MIRRORED[network.channels], np.float32)
            sequence, initial = sequence * signs, initial * signs
        mel = read_sound(clip, window, alignment=network.alignment, keep=config.data.cache_features)["mel"]
        if config.gain != (0.0, 0.0):
            mel = np.clip(mel + MEL_PER_DECIBEL * rng.uniform(*config.gain), -4, 4)
        return {
            "path": str(clip.path),
            "mel": mel.astype(np.float32),
            "x0": (sequence - initial) / network.units.numpy(),
            "initial": np.ascontiguousarray(initial, np.float32),
            "noise": rng.standard_normal(sequence.shape).astype(np.float32),
            "step": int(rng.integers(network.training_steps)),
            "known": bool(rng.random() >= config.condition_dropout),
        }


class PoseTask(Task):
    """Trains the denoisers that the config's `network.form` has."""

    Config: type[PoseConfig] = PoseConfig
    config: PoseConfig
    runtime: type[PoseDiffusion] = PoseDiffusion
    values = "pose"
    channels = N_POSE

    def __init__(self, config: PoseConfig) -> None:
        super().__init__(config)
        if config.network.channels != self.channels:
            raise BadInput(
                f"network.channels is {config.network.channels}, but {self.values} has {self.channels}; "
                "leave it at that."
            )
        self.networks["denoisers"] = DenoisingNetwork(config.network)
        self.schedule = NoiseSchedule.of(config.network)

    def players(self) -> Sequence[Player]:
        return (Player("denoiser", list(self.networks["denoisers"].parameters()), self.config.optimiser),)

    def draw(self, split: str) -> PoseDraw:
        return PoseDraw(self.values, self.config)

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        network = self.networks["denoisers"]
        noise, step = batch["noise"], batch["step"]
        alpha_bar = self.schedule.alpha_bar.to(step.device)[step]
        noisy = diffuse(batch["x0"], noise, alpha_bar)
        terms = Terms()
        for name in ("conditional", "unconditional"):
            denoiser = getattr(network, name)
            if denoiser is not None:
                known = batch["known"] if denoiser.flagged else None
                condition = denoiser.condition(batch["mel"], batch["initial"], known)
                predicted = denoiser(noisy, condition, step.float())
                if self.config.network.prediction == "sample":
                    terms.add(name, 1.0, sample_prediction(noise, predicted, alpha_bar))
                else:
                    terms.add(name, 1.0, noise_prediction(noise, predicted))
        return terms

    def validate(self, batches: Sequence[Batch], moment: Moment) -> dict[str, float]:
        figures = super().validate(batches, moment)
        if self.config.sampled:
            figures.update(self._sampled_figures(batches))
        return figures

    def _sampled_figures(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Statistics of sampled motion beside the truth, over the first `sampled` held-out examples."""
        config = self.config.network
        model = self.runtime(self.networks["denoisers"], config, self.config.data.space)
        mel, x0, initial = (torch.cat([b[key] for b in batches]) for key in ("mel", "x0", "initial"))
        true: list[Tensor] = []
        made: list[list[Tensor]] = []
        count = min(self.config.sampled, len(mel))
        steps = min(self.config.sampled_steps, config.training_steps)
        for index in range(count):
            true.append(x0[index].cpu() * config.units)
            options = {"steps": steps, "sampler": "dpmpp_2m"}
            made.append(
                [model.sample_residual(mel[index], initial[index], seed=seed, **options) for seed in range(2)]
            )
        return motion_figures(mel[:count].cpu(), true, made)

    @torch.no_grad()
    def samples(self, batch: Batch) -> dict[str, Sample]:
        """The beginning of a clip: its own motion at the left, a sampled one at the right."""
        clip = Clip(batch["path"][0])
        count = min(_FILM, len(clip), audio_frames(clip))
        config, window = self.config.network, slice(0, count)
        keep = self.config.data.cache_features
        mel = torch.from_numpy(read_sound(clip, window, alignment=config.alignment, keep=keep)["mel"])
        truth = torch.from_numpy(clip.read(self.values, 0, count).copy())
        model = self.runtime(self.networks["denoisers"], config, self.config.data.space)
        # files hold gaze as (pitch, yaw), the network works on [horizontal, vertical]
        initial = truth[0].flip(0) if self.values == "gaze" else truth[0]
        steps = min(self.config.sampled_steps, config.training_steps)
        residual = model.sample_residual(mel, initial, seed=0, steps=steps, sampler="dpmpp_2m").cpu()
        made = (residual.flip(-1) if self.values == "gaze" else residual) + truth[0]
        return {self.values: Sample(self._film([truth, made]), clip_sound(clip, count))}

    def _film(self, tracks: Sequence[Tensor]) -> Tensor:
        return head_film(tracks)

    def notes(self) -> Iterable[str]:
        form = self.config.network.form
        if form in ("conditional", "unconditional"):
            yield (
                f"The {form} network alone is trained; eq. 3 wants the other one too "
                "(network.form=pair or dropout trains both)."
            )

    def exports(self) -> Sequence[Export]:
        network = self.networks["denoisers"]
        return (Export(self.runtime.components[0], network, self.config.network, self.config.data.space),)


class GazeTask(PoseTask):
    """The same for gaze, which the networks order [horizontal, vertical]."""

    Config = GazeConfig
    runtime = GazeDiffusion
    values = "gaze"
    channels = N_GAZE

    def _film(self, tracks: Sequence[Tensor]) -> Tensor:
        return head_film(
            [torch.zeros(len(track), N_POSE, dtype=torch.float32, device="cpu") for track in tracks], tracks
        )
