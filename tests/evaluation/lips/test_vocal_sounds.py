"""Singing, laughter and coughs: figures of a mouth that is right, and of one that never moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gohd_core.constants import SAMPLES_PER_FRAME
from gohd_core.evaluation.lips import vocal_sounds
from gohd_core.evaluation.lips.changed_sounds import lips_gap
from gohd_core.evaluation.lips.vocal_sounds import SOUNDS, vocal_table
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.stylised.motion.visemes import frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import Phone
from gohd_core.stylised.speech.vocal_events import coughs


def _two_coughs(clips: Sequence, rng: np.random.Generator):
    for _ in range(2):
        yield coughs(rng, 3.0)


def test_the_right_mouth_and_a_shut_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocal_sounds, "SOUNDS", {"coughs": (_two_coughs, 2)})
    known = {tuple(s.audio[:48_000:97]): s for s in _two_coughs((), np.random.default_rng(7))}

    def right(predictor, geometry: FaceGeometry, sound: np.ndarray, e0: np.ndarray) -> np.ndarray:
        phones = known[tuple(sound[:48_000:97])].phones
        times = frame_times(len(sound) // SAMPLES_PER_FRAME)
        return lips_gap(geometry, mouth_curves(phones, times).astype(np.float32))

    monkeypatch.setattr(vocal_sounds, "opening", right)
    row = vocal_table(None, ()).rows["coughs"]
    assert row["sounds"] == 2 and row["opening correlation"] == pytest.approx(1)
    assert (
        row["openings met"] == 1
        and row["moves px"] == pytest.approx(row["truth moves px"])
        and row["moves px"] > 3
    )
    monkeypatch.setattr(
        vocal_sounds, "opening", lambda p, g, sound, e0: np.zeros(len(sound) // SAMPLES_PER_FRAME)
    )
    row = vocal_table(None, ()).rows["coughs"]
    assert row["openings met"] == 0 and row["moves px"] == 0 and row["at rest px"] == 0


def test_sung_clips_are_drawn_out(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = Speech(
        np.random.default_rng(0).standard_normal(16_000).astype(np.float32),
        16_000,
        (Phone("m", 0.0, 0.4), Phone("aa", 0.4, 1.0)),
    )
    monkeypatch.setattr(vocal_sounds, "speech_of", lambda clip: spoken)
    make, _ = SOUNDS["sung"]
    (song,) = make([None], np.random.default_rng(0))
    assert len(song.audio) == 32_000 and song.phones[-1] == Phone("aa", 0.8, 2.0)
