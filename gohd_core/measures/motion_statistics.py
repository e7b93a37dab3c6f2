"""Statistics of sampled motion beside the true one: liveliness, rhythm, variety over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gohd_core.constants import FPS, MEL_BINS_PER_FRAME, N_MELS

_BEAT_WIDTH = 1.5
"""Sigma of the beat alignment, in frames; motion turns every fourth frame, so a wider one says nothing."""

_AROUND = 8
"""Frames before and after a beat in the event-related average: a third of a second."""
_SHIFT_STEP, _LEAST_SHIFT = 2, 15
"""Frames by which beats are shifted for the chance level: step and least shift."""

_TREMBLE_HZ = 6.0
"""Heads of people who talk hardly move faster."""
_LOUD_ENOUGH = 0.5
"""A rise in loudness counts as a beat where it exceeds this multiple of the rises' deviation."""


def motion_figures(mel: Tensor, true: Sequence[Tensor], made: Sequence[Sequence[Tensor]]) -> dict[str, float]:
    """Figures over clips; each clip has one true sequence `[T, C]` and a few sampled ones.

    Returns: deviation over time and frame-to-frame speed of the samples as a share of the truth's;
    beat alignment of samples and truth with the sound (mel `[N, T, 320]`), and with the sound of
    the next clip, which is what chance gives; correlation over time of the mean over seeds with the
    truth, first channel (pitch of the head, yaw of the eyes), and with the next clip's truth; variety,
    the deviation over seeds as a share of the truth's over time.
    """
    truth = [sequence.numpy() for sequence in true]
    samples = [[sequence.numpy() for sequence in one] for one in made]
    sound = [audio_beats(one.numpy()) for one in mel]
    other = sound[1:] + sound[:1]
    return {
        "deviation_share": _share(_deviation, truth, samples),
        "speed_share": _share(_speed, truth, samples),
        "beat_alignment": _mean(
            beat_alignment(s, b) for one, b in zip(samples, sound, strict=True) for s in one
        ),
        "beat_alignment_by_chance": _mean(
            beat_alignment(s, b) for one, b in zip(samples, other, strict=True) for s in one
        ),
        "beat_alignment_of_truth": _mean(beat_alignment(t, b) for t, b in zip(truth, sound, strict=True)),
        "correlation": _mean(map(_correlation, samples, truth)),
        "correlation_by_chance": _mean(map(_correlation, samples, truth[1:] + truth[:1])),
        "variety_over_seeds": _mean(np.std(one, axis=0).mean(0) for one in samples)
        / _mean(_deviation(t) for t in truth),
    }


def audio_beats(mel: np.ndarray) -> np.ndarray:
    """Frames at which loudness rises most steeply, from a condition `[T, 320]`."""
    loud = mel.reshape(len(mel), MEL_BINS_PER_FRAME, N_MELS).mean(axis=(1, 2))
    rise = np.diff(loud, prepend=loud[:1])
    return _peaks(rise, _LOUD_ENOUGH * float(rise.std()))


def motion_beats(values: np.ndarray) -> np.ndarray:
    """Frames at which the motion `[T, C]` turns: local minima of its speed, channels in equal parts."""
    scale = np.maximum(values.std(axis=0), 1e-8)
    speed = np.linalg.norm(np.diff(values / scale, axis=0), axis=1)
    return _peaks(-speed, -np.inf)


def beat_alignment(values: np.ndarray, beats: np.ndarray) -> float:
    """Mean over audio beats of exp(-d^2 / 2 sigma^2), d from the nearest motion beat; 0 without any."""
    turns = motion_beats(values)
    if not len(beats) or not len(turns):
        return 0.0
    nearest = np.abs(beats[:, None] - turns[None, :]).min(axis=1)
    return float(np.exp(-(nearest**2) / (2 * _BEAT_WIDTH**2)).mean())


def beat_locking(values: np.ndarray, beats: np.ndarray) -> float:
    """Energy of a motion `[T, C]` that is time-locked to beats, as a multiple of the chance level.

    The energy of the event-related average of the velocity, over that for circularly shifted beats. It needs
    no turns, and finds nods at any constant phase to the beats; nan for clips that are too short.
    """
    velocity = np.diff(values, axis=0)
    velocity = (velocity - velocity.mean(0)) / np.maximum(velocity.std(0), 1e-9)
    count, around = len(velocity), np.arange(-_AROUND, _AROUND + 1)

    def energy(shift: int) -> float:
        rows = (beats[:, None] + shift + around) % count  # [beats, 17]
        return float(np.square(velocity[rows].mean(0)).mean())

    if not len(beats) or count <= 2 * _LEAST_SHIFT:
        return float("nan")
    shifts = range(_LEAST_SHIFT, count - _LEAST_SHIFT, _SHIFT_STEP)
    chance = np.mean([energy(shift) for shift in shifts])
    return energy(0) / max(float(chance), 1e-12)


def trembling(values: np.ndarray) -> float:
    """Share of the energy of a motion's speed above 6 Hz; values `[T, C]` at 25 frames a second.

    0 for what does not move.
    """
    speed = np.diff(values, axis=0)
    speed = (speed - speed.mean(0)) * np.hanning(len(speed) + 2)[1:-1, None]
    energy = np.square(np.abs(np.fft.rfft(speed, axis=0))).sum(1)
    fast = np.fft.rfftfreq(len(speed), 1 / FPS) > _TREMBLE_HZ
    return float(energy[fast].sum() / max(energy.sum(), 1e-12))


def _peaks(curve: np.ndarray, least: float) -> np.ndarray:
    inner = curve[1:-1]
    return 1 + np.flatnonzero((inner > curve[:-2]) & (inner >= curve[2:]) & (inner > least))


def _correlation(samples: list[np.ndarray], truth: np.ndarray) -> float:
    made, true = np.mean(samples, axis=0)[:, 0], truth[:, 0]
    spread = made.std() * true.std()
    return float(((made - made.mean()) * (true - true.mean())).mean() / spread) if spread > 1e-12 else 0.0


def _deviation(values: np.ndarray) -> np.ndarray:
    return values.std(axis=0)


def _speed(values: np.ndarray) -> np.ndarray:
    return np.abs(np.diff(values, axis=0)).mean(axis=0)


def _share(measure, truth: list[np.ndarray], samples: list[list[np.ndarray]]) -> float:
    """Mean over the channels that truly move of the samples' measure over the truth's."""
    made = np.mean([measure(s) for one in samples for s in one], axis=0)
    real = np.mean([measure(t) for t in truth], axis=0)
    moving = real > 1e-6
    return float((made[moving] / real[moving]).mean()) if moving.any() else 0.0


def _mean(values) -> float:
    return float(np.mean(list(values)))
