"""Noise that explains the recording: z for training such that z decides when eyes blink and brows rise.

Ours, not the paper's. A recorded sequence is one of many that fit the sound, so that a generator
trained against it with independent noise z learns their mean, in which eyes never close and brows hardly
move. Here z is drawn given the recording: what begins in it, and how it goes on, is turned into normal
scores. Over the data each value of z is standard normal and independent in time, as z at run time is; so a
generator that learns to obey z blinks and raises its brows on its own as often as the recordings do.

Channels: 0 a blink begins (large), 1 its depth, 2 its length; 3 brows begin to move (large), 4 how far,
5 which way, 6 for how long; the others are plain noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DIPS_BELOW, BEGINS, SHUT = 0.8, 0.06, 0.3
"""Eye ratios: a blink dips below the first, begins where it has left the open value by the second,
and is a full one below the third."""

MOVES, STARTS = 0.08, 0.15
"""Brows move where they leave rest by the first (the length of the 20 displacements); they begin to when they
have gone the second's share of their way."""

CHANNELS = 7
LIMIT = 3.5
"""Largest normal score."""


@dataclass(frozen=True)
class Blink:
    """Frame at which it begins, lowest eye ratio, and frames until the eye is open again."""

    frame: int
    depth: float
    length: int

    @property
    def traits(self) -> tuple[float, ...]:
        """Values of z for it beside its beginning."""
        return self.depth, self.length


@dataclass(frozen=True)
class BrowMove:
    """Frame at which it begins, how far it goes, which way, and frames until it is half undone.

    The way is its share along the axis of most movement, in [-1, 1]: raises and frowns differ in it.
    """

    frame: int
    size: float
    way: float
    length: int

    @property
    def traits(self) -> tuple[float, ...]:
        """Values of z for it beside its beginning."""
        return self.size, self.way, self.length


Event = Blink | BrowMove


@dataclass(frozen=True)
class EventScores:
    """Baseline of the scores of one kind of event.

    Attributes:
        rate: chance that one begins in a frame of sound, and in one of silence.
        traits: sorted values of each trait over all events.
    """

    rate: tuple[float, float]
    traits: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, found: Sequence[Sequence[Event]], silent: Sequence[np.ndarray], none: Event) -> EventScores:
        """From the events of sequences and which of their frames are silent; `none` where there are none."""
        counts = np.ones(2)
        frames = np.full(2, 50.0)
        for events, still in zip(found, silent, strict=True):
            frames += [np.sum(~still), np.sum(still)]
            for event in events:
                counts[int(still[event.frame])] += 1
        every = [event.traits for events in found for event in events] or [none.traits]
        return cls(tuple(counts / frames), tuple(np.sort(values) for values in zip(*every, strict=True)))

    def write(
        self, noise: np.ndarray, events: Sequence[Event], silent: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Fills columns of z: first whether one begins, then its traits, where it does."""
        chance = np.where(silent, self.rate[1], self.rate[0])
        noise[:, 0] = normal_score(rng.random(len(noise)) * (1 - chance))
        for event in events:
            noise[event.frame, 0] = normal_score(1 - chance[event.frame] * (1 - rng.random()))
            for column, (known, value) in enumerate(zip(self.traits, event.traits, strict=True), 1):
                noise[event.frame, column] = normal_score(_rank(known, value, rng))


@dataclass(frozen=True)
class InformedNoise:
    """Baselines of the scores; made by `fit`.

    Attributes:
        blinks, moves: those of the eyes and of the brows.
        axis: direction of most movement of the 20 brow displacements, [20].
    """

    blinks: EventScores
    moves: EventScores
    axis: np.ndarray

    @classmethod
    def fit(cls, sequences: Sequence[np.ndarray], silent: Sequence[np.ndarray]) -> InformedNoise:
        """From eye motions [T, 21] and which of their frames are silent, bool [T]."""
        brows = np.concatenate([sequence[:, 1:] for sequence in sequences])
        _, _, axes = np.linalg.svd(brows - brows.mean(axis=0), full_matrices=False)
        blinks = [find_blinks(sequence[:, 0]) for sequence in sequences]
        moves = [find_brow_moves(sequence[:, 1:], axes[0]) for sequence in sequences]
        return cls(
            blinks=EventScores.fit(blinks, silent, Blink(0, 0.0, 6)),
            moves=EventScores.fit(moves, silent, BrowMove(0, MOVES, 1.0, 10)),
            axis=axes[0],
        )

    def draw(
        self, eye_motion: np.ndarray, silent: np.ndarray, width: int, rng: np.random.Generator
    ) -> np.ndarray:
        """z [T, width] float32 for an eye motion [T, 21]; width at least 7."""
        noise = rng.standard_normal((len(eye_motion), width))
        self.blinks.write(noise[:, :3], find_blinks(eye_motion[:, 0]), silent, rng)
        self.moves.write(noise[:, 3:7], find_brow_moves(eye_motion[:, 1:], self.axis), silent, rng)
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


def find_brow_moves(brows: np.ndarray, axis: np.ndarray) -> list[BrowMove]:
    """Movements of brows [T, 20] away from rest that begin within a sequence; `axis` [20]: principal one."""
    speed = np.linalg.norm(np.diff(brows, axis=0, prepend=brows[:1]), axis=1)
    away = brows - np.median(brows[speed <= np.median(speed)], axis=0)
    size = np.linalg.norm(away, axis=1)
    found = []
    for low, high in _rises(size):
        resting = size[low:high] <= size[low] + STARTS * (size[high] - size[low])
        start = low + int(np.flatnonzero(resting)[-1]) + 1
        undone = size[high:] < (size[low] + size[high]) / 2
        length = high - start + (int(np.argmax(undone)) if undone.any() else len(undone))
        if start > 1:  # what moves at once began before
            way = float(away[high] @ axis / size[high])
            found.append(BrowMove(start, float(size[high]), way, length))
    return found


def _rises(values: np.ndarray) -> list[tuple[int, int]]:
    """Frames between which values [T] climb by over MOVES before they fall by as much: last low, and top."""
    found = []
    low = top = 0
    rising = False
    for frame, value in enumerate(values):
        if rising:
            if value > values[top]:
                top = frame
            elif value < values[top] - MOVES:
                found.append((low, top))
                rising, low = False, frame
        elif value <= values[low]:
            low = frame
        elif value > values[low] + MOVES:
            rising, top = True, frame
    return [*found, (low, top)] if rising else found


def silent_frames(chunks: np.ndarray) -> np.ndarray:
    """Mask of silent frames, bool [T], from lip chunks [T, 80, 16]: 25 dB below loud ones."""
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
