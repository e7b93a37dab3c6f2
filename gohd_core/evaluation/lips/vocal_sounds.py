"""Lips in singing, laughter and coughs: do they open and close as the sounds are made?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from gohd_core.clips import Clip
from gohd_core.constants import N_EXPRESSION, SAMPLE_RATE, SAMPLES_PER_FRAME, STYLISED
from gohd_core.evaluation.lips.changed_sounds import lips_gap, opening
from gohd_core.evaluation.lips.scores import correlation
from gohd_core.evaluation.report import Table
from gohd_core.expression import ExpressionPredictor
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.measures.mouth_sync import CLOSED
from gohd_core.stylised.motion.visemes import frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import Phone
from gohd_core.stylised.speech.vocal_events import coughs, laughter
from gohd_core.stylised.speech.voices import draw_voice
from gohd_core.training.audio.channels import sung
from gohd_core.training.expression.mouth_examples import speech_of

ENGINES = ("espeak", "flite")
LAUGHS, COUGHS, COUGH_SECONDS, QUIET = 12, 12, 5.0, 0.6
TEMPO = 2.0
Sounds = Callable[[Sequence[Clip], np.random.Generator], Iterator[Speech]]


def _laughs(clips: Sequence[Clip], rng: np.random.Generator) -> Iterator[Speech]:
    pause = round(QUIET * SAMPLE_RATE)
    while True:
        voice = draw_voice(rng, "test", ENGINES)
        if voice.language == "en":
            laugh = laughter(rng, voice)
            phones = tuple(Phone(p.name, p.start + QUIET, p.end + QUIET) for p in laugh.phones)
            yield Speech(np.pad(laugh.audio, pause), SAMPLE_RATE, phones)


def _coughs(clips: Sequence[Clip], rng: np.random.Generator) -> Iterator[Speech]:
    while True:
        yield coughs(rng, COUGH_SECONDS)


def _sung(clips: Sequence[Clip], rng: np.random.Generator) -> Iterator[Speech]:
    for clip in clips:
        spoken = speech_of(clip)
        phones = tuple(Phone(p.name, p.start * TEMPO, p.end * TEMPO) for p in spoken.phones)
        yield Speech(sung(spoken.audio.astype(np.float64), rng, TEMPO), SAMPLE_RATE, phones)


SOUNDS: dict[str, tuple[Sounds, int]] = {
    "sung": (_sung, 16),
    "laughter": (_laughs, LAUGHS),
    "coughs": (_coughs, COUGHS),
}


def vocal_table(predictor: ExpressionPredictor, clips: Sequence[Clip], seed: int = 7) -> Table:
    """Figures of sounds that are no plain speech, whose phones and so whose mouths are known."""
    table = Table(
        "Singing, laughter and coughs",
        note="Held-out voices. Sung: test clips on notes with vibrato, twice as long; laughter: quick "
        "syllables; coughs: bursts of noise (vocal_events.py). Moves: 95 % of the opening less 5 %; "
        "openings met: true maxima above half of the largest at which the prediction is above a "
        f"quarter of that, within two frames; at rest: where the true lips are less than {CLOSED / 2:g} "
        "px apart; px of a 224-pixel face.",
    )
    geometry = FaceGeometry.load(None, STYLISED)
    neutral = np.zeros(N_EXPRESSION, np.float32)
    for name, (make, count) in SOUNDS.items():
        figures = []
        for speech in islice(make(clips, np.random.default_rng(seed)), count):
            made = opening(predictor, geometry, speech.audio, neutral)
            frames = min(len(made), len(speech.audio) // SAMPLES_PER_FRAME)
            truth = mouth_curves(speech.phones, frame_times(frames)).astype(np.float32)
            true, made = lips_gap(geometry, truth), made[:frames]
            figures.append(
                (correlation(made, true), _moves(made), _moves(true), *_met(made, true), _rest(made, true))
            )
        values = np.array(figures)
        table.put(
            name,
            {
                "sounds": len(values),
                "opening correlation": values[:, 0].mean(),
                "moves px": values[:, 1].mean(),
                "truth moves px": values[:, 2].mean(),
                "openings met": values[:, 3].sum() / max(values[:, 4].sum(), 1),
                "at rest px": float(np.nanmean(values[:, 5])),
            },
        )
    return table


def _moves(opened: np.ndarray) -> float:
    return float(np.subtract(*np.percentile(opened, (95, 5))))


def _rest(made: np.ndarray, true: np.ndarray) -> float:
    rest = made[true < CLOSED / 2]
    return float(rest.mean()) if len(rest) else float("nan")


def _met(made: np.ndarray, true: np.ndarray) -> tuple[int, int]:
    """(openings met, openings)."""
    inner = true[1:-1]
    peaks = 1 + np.flatnonzero((inner > true[:-2]) & (inner >= true[2:]) & (inner > 0.5 * true.max()))
    met = [made[max(0, k - 2) : k + 3].max() > 0.25 * true.max() for k in peaks]
    return int(np.sum(met)), len(peaks)
