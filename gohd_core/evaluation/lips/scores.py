"""Scores of predicted lips against seen ones, beside simpler baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from gohd_core.audio import audio_features
from gohd_core.constants import N_EXPRESSION, SAMPLE_RATE
from gohd_core.evaluation.lips.seen import SeenLips
from gohd_core.expression import ExpressionPredictor
from gohd_core.measures.lag import LipLag, find_lag, shifted
from gohd_core.measures.mouth_sync import speech_envelope
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.motion.visemes import mouth_opening

CLOSED = 0.02
"""Gap in distances of the eyes' outer corners below which lips count as closed (about 2 px of 224)."""
FLOOR = 3
"""Percentile of a clip's gaps that is taken for closed lips: the mesh keeps a small gap between them."""
REACH = 1
"""Frames by which a predicted closure may miss the seen one."""
CONTEXT = 3
"""Frames before and after, whose mel bands the ridge regression hears."""
RIDGE = 0.3
"""Its strength, as a share of the number of frames; bands have a deviation of 1."""
BEST_WITHIN = 8
BLOCK = 25
"""Frames that are drawn together for an interval: neighbours are no separate evidence."""
DRAWS = 1000
INTERVAL = (2.5, 97.5)
_EYES = (36, 45)


@dataclass(frozen=True, eq=False)
class Compared:
    """One clip: what was predicted from its sound beside what was seen, the lag taken out.

    Attributes:
        lag: by how much the lips come after the sound.
        best: the largest correlation of the jaw with the gap at any lag within `BEST_WITHIN` frames.
        gap, width: seen, in distances of the eyes' outer corners, the gap above its floor; [T] at 25 frames
            a second, as all that follows.
        opening: predicted gap in the same unit.
        jaw, narrow: predicted jaw, and rounding less spreading.
        loudness: in dB over 50.
        mel: input of the ridge regression, [T, 7 x 80].
        start: the first of these frames in the video.
    """

    name: str
    lag: LipLag
    best: float
    gap: np.ndarray
    width: np.ndarray
    opening: np.ndarray
    jaw: np.ndarray
    narrow: np.ndarray
    loudness: np.ndarray
    mel: np.ndarray
    start: int = 0


def compare(seen: SeenLips, predictor: ExpressionPredictor, seed: int = 1) -> Compared:
    """Predicts a clip's lips from its sound, finds the lag, and lays both side by side."""
    features = audio_features(seen.sound, SAMPLE_RATE)
    predicted, _ = predictor.predict(
        features, torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu"), seed=seed
    )
    expression = predicted.cpu().numpy()
    frames = min(len(expression), len(seen))
    expression = expression[:frames]
    lag = find_lag(expression, seen.gap[:frames], seen.width[:frames])
    whole = inside(frames, lag.frames)
    gap = shifted(seen.gap[:frames], lag.frames)[whole]
    return Compared(
        seen.name,
        lag,
        best_correlation(expression[:, INDEX["jaw_open"]], seen.gap[:frames]),
        gap - np.percentile(gap, FLOOR),
        shifted(seen.width[:frames], lag.frames)[whole],
        (mouth_opening(expression) / eye_distance())[whole],
        expression[whole, INDEX["jaw_open"]],
        (expression[:, INDEX["lip_pucker"]] - expression[:, INDEX["lip_spread"]])[whole],
        speech_envelope(seen.sound)[:frames][whole],
        _mel_context(features.mel.numpy()[:frames])[whole],
        whole.start,
    )


def best_correlation(made: np.ndarray, real: np.ndarray, within: int = BEST_WITHIN) -> float:
    """The largest correlation of two sequences [T] at any lag within so many frames."""
    count = len(made)
    return max(
        correlation(made[max(0, -lag) : count - max(0, lag)], real[max(0, lag) : count - max(0, -lag)])
        for lag in range(-within, within + 1)
    )


def inside(frames: int, lag: float) -> slice:
    """Frames for which the lips that belong to them lie in the clip."""
    return slice(max(0, int(np.ceil(-lag))), frames - max(0, int(np.ceil(lag))))


def eye_distance() -> float:
    """Distance of the eyes' outer corners of the stylised mean head, model units."""
    basis = stylised_basis()
    first, second = basis.mean_shape[basis.landmark_indices[list(_EYES)]]
    return float(np.linalg.norm(first - second))


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of two sequences [T]; 0 where one does not move."""
    a, b = first - first.mean(), second - second.mean()
    scale = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0


def amplitude(clip: Compared) -> float:
    """Opening range of predicted lips as a share of that of seen ones (95th less 5th percentile)."""
    made, real = (np.subtract(*np.percentile(values, (95, 5))) for values in (clip.opening, clip.gap))
    return float(made / max(real, 1e-9))


def closures(clip: Compared) -> dict[str, float]:
    """Shares of frames with closed lips as seen and as predicted, and of closures that are met.

    A seen closure is a run of closed frames with open ones on both sides; it is met where a predicted
    frame is closed within `REACH` frames of it. "by chance" is the mean of the same over circular shifts
    of the prediction by a second and more: lips that are always closed meet all closures, and none "above
    chance".
    """
    seen, made = clip.gap < CLOSED, clip.opening < CLOSED
    edges = np.flatnonzero(np.diff(seen.astype(np.int8)))
    runs = [(a + 1, b + 1) for a, b in pairwise(edges) if seen[a + 1]]

    def met(closed: np.ndarray) -> float:
        hits = [closed[max(0, a - REACH) : b + REACH].any() for a, b in runs]
        return float(np.mean(hits)) if hits else float("nan")

    shifts = range(BLOCK, len(made) - BLOCK) or [len(made) // 2]
    chance = float(np.mean([met(np.roll(made, shift)) for shift in shifts]))
    return {
        "seen": float(seen.mean()),
        "predicted": float(made.mean()),
        "closures": float(len(runs)),
        "met": met(made),
        "by chance": chance,
        "above chance": met(made) - chance,
    }


def ridge_guess(clip: Compared, others: Sequence[Compared]) -> np.ndarray:
    """The clip's gap [T] by ridge regression from mel bands, trained on the other clips."""
    heard = np.concatenate([_standard(other.mel) for other in others])
    gap = np.concatenate([_standard(other.gap[:, None])[:, 0] for other in others])
    weight = RIDGE * len(heard) * np.eye(heard.shape[1])
    return _standard(clip.mel) @ np.linalg.solve(heard.T @ heard + weight, heard.T @ gap)


def interval(pairs: Sequence[tuple[np.ndarray, np.ndarray]], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean correlation of pairs of sequences, by bootstrap over blocks of a second."""
    rng = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for k in range(DRAWS):
        found = []
        for first, second in pairs:
            count = -(-len(first) // BLOCK)
            starts = rng.integers(0, max(len(first) - BLOCK, 0) + 1, count)
            rows = (starts[:, None] + np.arange(min(BLOCK, len(first)))).reshape(-1)
            found.append(correlation(first[rows], second[rows]))
        means[k] = np.mean(found)
    low, high = np.percentile(means, INTERVAL)
    return float(low), float(high)


def _mel_context(mel: np.ndarray) -> np.ndarray:
    """Mean bands of each frame [T, 320] with those of its neighbours, [T, 7 x 80]."""
    bands = mel.reshape(len(mel), 4, -1).mean(1)
    padded = np.pad(bands, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    return np.concatenate([padded[k : k + len(mel)] for k in range(2 * CONTEXT + 1)], axis=1)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(0)) / (values.std(0) + 1e-6)
