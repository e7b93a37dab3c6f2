"""Motion for held-out speech: ours and the baselines, as the quality benchmark measures them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gohd_core.audio import AudioFeatures, audio_features
from gohd_core.clips import Clip
from gohd_core.constants import N_EYE_MOTION, SAMPLE_RATE, STYLISED
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.quality.data import BenchmarkData
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.talk_options import TalkOptions

OURS, NO_EYES, NEAREST, MEAN, COPY, TRUTH = (
    "from sound",
    "stage 1 only",
    "nearest neighbour",
    "mean motion",
    "copy source",
    "truth",
)
ROWS = (OURS, NO_EYES, NEAREST, MEAN, COPY, TRUTH)
SEEDS = (1, 2, 3)
_POOL = 4
"""Mel rows that are averaged into one when sounds are compared."""


@dataclass
class Spoken:
    """One talking clip and every motion for its sound; all [T, ...] float32 numpy arrays.

    Attributes:
        expression: row -> [T, 64]. pose: row -> samples [S][T, 6]. gaze: row -> samples [S][T, 2].
            Baselines and truth have one sample.
    """

    clip: Clip
    features: AudioFeatures
    expression: dict[str, np.ndarray] = field(default_factory=dict)
    pose: dict[str, list[np.ndarray]] = field(default_factory=dict)
    gaze: dict[str, list[np.ndarray]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """T."""
        return len(self.features)

    def motion(self, expression: str, pose: str, gaze: str) -> Motion:
        """A motion with each part from a row (first sample)."""
        parts = self.expression[expression], self.pose[pose][0], self.gaze[gaze][0]
        return Motion.from_descriptors(torch.from_numpy(np.concatenate(parts, 1)).float(), STYLISED)


@dataclass(frozen=True)
class Library:
    """Training clips that baselines draw from: sound [N, D] and coefficients per frame, clip bounds."""

    sound: Tensor
    expression: np.ndarray
    pose: np.ndarray
    gaze: np.ndarray
    starts: tuple[int, ...]

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> Library:
        """All clips, end to end."""
        sounds, rows, starts, at = [], {name: [] for name in ("expression", "pose", "gaze")}, [], 0
        for clip in clips:
            heard = heard_frames(features_of(clip))
            starts.append(at)
            sounds.append(heard)
            for name, kept in rows.items():
                kept.append(clip.read(name)[: len(heard)])
            at += len(heard)
        joined = {name: np.concatenate(kept) for name, kept in rows.items()}
        return cls(torch.cat(sounds), joined["expression"], joined["pose"], joined["gaze"], (*starts, at))

    def nearest(self, sound: Tensor) -> np.ndarray:
        """The row whose sound is nearest to each of [T, D]."""
        return torch.cdist(sound, self.sound).argmin(1).numpy()

    def best_clip(self, rows: np.ndarray) -> int:
        """The clip that most of the nearest rows [T] fall into."""
        return int(np.bincount(np.searchsorted(self.starts, rows, "right") - 1).argmax())


def features_of(clip: Clip) -> AudioFeatures:
    """Features of a clip's own sound."""
    return audio_features(clip.read("audio").astype(np.float32) / 32768, SAMPLE_RATE)


def heard_frames(features: AudioFeatures) -> Tensor:
    """Audio features around each frame, pooled over time and without the clip's level, [T, 320]."""
    chunks = features.chunks - features.chunks.mean()
    return chunks.unflatten(2, (-1, _POOL)).mean(-1).flatten(1)  # [T,80,16] -> [T,80,4] -> [T,320]


def speak(models: Models, data: BenchmarkData, progress: Progress | None = None) -> list[Spoken]:
    """Every row's motion for every test clip; the source is the clip's own first frame."""
    library = Library.of(data.clips("speech", "train"))
    spoken = []
    for done, clip in enumerate(with_progress(data.clips("speech"), "motion from sound", progress)):
        one = Spoken(clip, features_of(clip))
        true = {name: clip.read(name)[: one.frames] for name in ("expression", "pose", "gaze")}
        # Every clip has its own noise, or one unlucky draw would be the figure of them all.
        seeds = tuple(seed + len(SEEDS) * done for seed in SEEDS)
        _ours(one, models, {name: torch.from_numpy(rows[0].copy()) for name, rows in true.items()}, seeds)
        _baselines(one, library, true)
        one.expression[TRUTH] = true["expression"]
        one.pose[TRUTH], one.gaze[TRUTH] = [true["pose"]], [true["gaze"]]
        spoken.append(one)
    return spoken


def _ours(one: Spoken, models: Models, first: dict[str, Tensor], seeds: tuple[int, ...]) -> None:
    chunks, e0 = one.features.chunks, first["expression"]
    predictor, options = models.expression, TalkOptions()
    one.expression[OURS] = predictor.predict(chunks, e0, seed=seeds[0])[0].numpy()
    if predictor.config.eye_motion_input:
        open_eyes = torch.zeros(len(chunks), N_EYE_MOTION, dtype=torch.float32, device="cpu")
        open_eyes[:, 0] = 1
        one.expression[NO_EYES] = predictor.predict(chunks, e0, eye_motion=open_eyes)[0].numpy()
    else:
        one.expression[NO_EYES] = one.expression[OURS]
    sampling = {"sampler": options.sampler, "steps": options.steps}
    mel = one.features.condition(models.pose.alignment)
    one.pose[OURS] = [
        models.pose.sample_pose(mel, first["pose"], seed=s, **sampling).values.numpy() for s in seeds
    ]
    if models.gaze is not None:
        mel = one.features.condition(models.gaze.alignment)
        one.gaze[OURS] = [
            models.gaze.sample_gaze(mel, first["gaze"], seed=s, **sampling).values.numpy() for s in seeds
        ]
    else:
        one.gaze[OURS] = [first["gaze"].numpy()[None].repeat(one.frames, 0)]


def _baselines(one: Spoken, library: Library, true: dict[str, np.ndarray]) -> None:
    rows = library.nearest(heard_frames(one.features))
    one.expression[NEAREST] = library.expression[rows]
    chosen = library.best_clip(rows)
    start, stop = library.starts[chosen], library.starts[chosen + 1]
    taken = np.clip(np.arange(one.frames) % (2 * (stop - start)), 0, None)
    taken = start + np.where(taken < stop - start, taken, 2 * (stop - start) - 1 - taken)
    for name in ("pose", "gaze"):
        values = getattr(library, name)
        moved = values[taken] - values[start] + true[name][0]
        getattr(one, name)[NEAREST] = [moved.astype(np.float32)]
    for row, source in ((MEAN, None), (COPY, true)):
        for name in ("expression", "pose", "gaze"):
            value = getattr(library, name).mean(0) if source is None else source[name][0]
            held = np.repeat(value[None].astype(np.float32), one.frames, 0)
            store = getattr(one, name)
            store[row] = held if name == "expression" else [held]
