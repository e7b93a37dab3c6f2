"""Noise that explains the recording: z for training such that z decides when eyes blink.

Ours, not the paper's. A recorded sequence is one of many that fit the sound, so that a generator
trained against it with independent noise z learns their mean, in which eyes never close. Here z is
drawn given the recording: its blinks, their depth and length, and the steps of its brows are turned
into normal scores. Over the data each value of z is standard normal and independent in time, as z at
run time is; so a generator that learns to obey z blinks on its own as often as the recordings do.

Channels: 0 a blink begins (large), 1 its depth, 2 its length, 3.. steps of the brows' principal
components; the others are plain noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DIPS_BELOW, BEGINS, SHUT = 0.8, 0.06, 0.3
"""Eye ratios: a blink dips below the first, begins where it has left the open value by the second,
and is a full one below the third."""

BROW_COMPONENTS = 4
FIRST_BROW = 3
CHANNELS = FIRST_BROW + BROW_COMPONENTS
LIMIT = 3.5
"""Largest normal score."""


@dataclass(frozen=True)
class Blink:
    """Frame at which it begins, lowest eye ratio, and frames until the eye is open again."""

    frame: int
    depth: float
    length: int


@dataclass(frozen=True)
class InformedNoise:
    """What the scores are relative to; made by `fit`.

    Attributes:
        rate: chance that a blink begins in a frame of sound, and in one of silence.
        depths, lengths: sorted values of all blinks.
        brow_mean, brow_basis: principal components of the 20 brow displacements, [20] and [20, 4].
        prediction: each component's linear prediction from its last two values, [4, 2].
        steps: sorted errors of that prediction, [4, n].
    """

    rate: tuple[float, float]
    depths: np.ndarray
    lengths: np.ndarray
    brow_mean: np.ndarray
    brow_basis: np.ndarray
    prediction: np.ndarray
    steps: np.ndarray

    @classmethod
    def fit(cls, sequences: Sequence[np.ndarray], silent: Sequence[np.ndarray]) -> InformedNoise:
        """From eye motions [T, 21] and which of their frames are silent, bool [T]."""
        blinks = [find_blinks(sequence[:, 0]) for sequence in sequences]
        counts = np.ones(2)
        frames = np.full(2, 50.0)
        for found, still in zip(blinks, silent, strict=True):
            frames += [np.sum(~still), np.sum(still)]
            for blink in found:
                counts[int(still[blink.frame])] += 1
        brows = [sequence[:, 1:] for sequence in sequences]
        everything = np.concatenate(brows)
        mean = everything.mean(axis=0)
        _, _, axes = np.linalg.svd(everything - mean, full_matrices=False)
        basis = axes[:BROW_COMPONENTS].T
        parts = [(sequence - mean) @ basis for sequence in brows]
        prediction = np.zeros((BROW_COMPONENTS, 2))
        errors = []
        for k in range(BROW_COMPONENTS):
            past = np.concatenate([np.stack([p[1:-1, k], p[:-2, k]], axis=1) for p in parts])
            now = np.concatenate([p[2:, k] for p in parts])
            prediction[k] = np.linalg.lstsq(past, now, rcond=None)[0]
            errors.append(np.sort(now - past @ prediction[k]))
        every = [blink for found in blinks for blink in found]
        return cls(
            rate=tuple(counts / frames),
            depths=np.sort([blink.depth for blink in every] or [0.0]),
            lengths=np.sort([blink.length for blink in every] or [6.0]),
            brow_mean=mean,
            brow_basis=basis,
            prediction=prediction,
            steps=np.stack(errors),
        )

    def draw(
        self, eye_motion: np.ndarray, silent: np.ndarray, width: int, rng: np.random.Generator
    ) -> np.ndarray:
        """z [T, width] float32 for an eye motion [T, 21]; width at least 7."""
        frames = len(eye_motion)
        noise = rng.standard_normal((frames, width))
        chance = np.where(silent, self.rate[1], self.rate[0])
        noise[:, 0] = normal_score(rng.random(frames) * (1 - chance))
        for blink in find_blinks(eye_motion[:, 0]):
            share = 1 - chance[blink.frame] * (1 - rng.random())
            noise[blink.frame, 0] = normal_score(share)
            noise[blink.frame, 1] = normal_score(_rank(self.depths, blink.depth, rng))
            noise[blink.frame, 2] = normal_score(_rank(self.lengths, blink.length, rng))
        parts = (eye_motion[:, 1:] - self.brow_mean) @ self.brow_basis
        for k in range(BROW_COMPONENTS):
            guess = parts[1:-1, k] * self.prediction[k, 0] + parts[:-2, k] * self.prediction[k, 1]
            errors = parts[2:, k] - guess
            noise[2:, FIRST_BROW + k] = normal_score(_rank(self.steps[k], errors, rng))
        return np.clip(noise, -LIMIT, LIMIT).astype(np.float32)


def find_blinks(ratio: np.ndarray) -> list[Blink]:
    """Blinks in a sequence of eye ratios [T] that begin within it."""
    open_value = float(np.median(ratio))
    found = []
    frame = 0
    while frame < len(ratio):
        if ratio[frame] >= DIPS_BELOW * open_value:
            frame += 1
            continue
        start = frame
        while start > 0 and ratio[start - 1] < open_value - BEGINS:
            start -= 1
        end = frame
        while end < len(ratio) and ratio[end] < open_value - BEGINS:
            end += 1
        if start > 0:
            found.append(Blink(start, float(ratio[start:end].min()), end - start))
        frame = end
    return found


def silent_frames(chunks: np.ndarray) -> np.ndarray:
    """Which of T frames are silent, bool [T], from lip chunks [T, 80, 16]: 25 dB below loud ones."""
    level = chunks.mean(axis=(1, 2))
    return level < np.quantile(level, 0.9) - 2.0


def normal_score(share: np.ndarray | float) -> np.ndarray:
    """The standard normal value below which a share of all values lies."""
    from scipy.special import ndtri

    return ndtri(np.clip(share, 1e-4, 1 - 1e-4))


def _rank(known: np.ndarray, value: np.ndarray | float, rng: np.random.Generator) -> np.ndarray:
    """Share of the known sorted values that lie below; among equal ones at random."""
    low = np.searchsorted(known, value, side="left")
    high = np.searchsorted(known, value, side="right")
    return (low + (high - low + 1) * rng.random(np.shape(value))) / (len(known) + 1)
