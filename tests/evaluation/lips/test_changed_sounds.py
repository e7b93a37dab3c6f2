"""Changed sounds do as their names say, and tables count them."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.evaluation.lips import changed_sounds
from gohd_core.evaluation.lips.changed_sounds import CHANGES, changed_table, silence_table
from gohd_core.stylised.head.expressions import INDEX


class Clip:
    """One second of a buzz that comes and goes, a jaw that goes with it, and one closure."""

    def __init__(self, seed: int) -> None:
        time = np.arange(16_000) / 16_000
        loud = np.clip(np.sin(2 * np.pi * (3 + seed) * time), 0, 1)
        buzz = sum(np.sin(2 * np.pi * 120 * n * time) / n for n in range(1, 20))
        jaw = loud[320::640]
        expression = np.zeros((25, 64), np.float32)
        expression[:, INDEX["jaw_open"]] = jaw
        self.info = {"phonemes": ["aa", "b"]}
        self.rows = {
            "audio": np.round(8_000 * loud * buzz / np.abs(buzz).max()).astype(np.int16),
            "expression": expression,
            "phoneme_start": np.array([0.0, 0.2], np.float32),
            "phoneme_end": np.array([0.2, 0.3], np.float32),
        }

    def read(self, name: str) -> np.ndarray:
        return self.rows[name]


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_keeps_length_and_is_finite(name: str) -> None:
    sound = Clip(0).read("audio") / 32768
    others = np.stack([Clip(seed).read("audio") / 32768 for seed in range(1, 5)])
    heard = CHANGES[name](sound, others, np.random.default_rng(0))
    assert heard.shape == sound.shape and np.isfinite(heard).all()
    assert np.array_equal(heard, sound) == (name == "as it is")


def test_levels_and_mixtures_are_as_loud_as_they_say() -> None:
    sound = Clip(0).read("audio") / 32768
    quiet = CHANGES["level of -40 dB"](sound, sound[None], np.random.default_rng(0))
    assert 20 * np.log10(np.sqrt(np.mean(quiet**2))) == pytest.approx(-40, abs=0.1)
    hiss = CHANGES["hiss, 10 dB below"](sound, sound[None], np.random.default_rng(0)) - sound
    assert 10 * np.log10(np.mean(sound**2) / np.mean(hiss**2)) == pytest.approx(10, abs=0.1)


def test_tables_of_two_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mouth that opens as loud as the sound is: perfect unchanged, and shut as soon as it is silent."""

    def follow(predictor, geometry, sound: np.ndarray, e0: np.ndarray) -> np.ndarray:
        frames = len(sound) // 640
        return 40 * np.sqrt(np.mean(sound[: frames * 640].reshape(frames, 640) ** 2, axis=1))

    monkeypatch.setattr(changed_sounds, "opening", follow)
    chosen = {name: CHANGES[name] for name in ("as it is", "level of -40 dB")}
    monkeypatch.setattr(changed_sounds, "CHANGES", chosen)
    clips = [Clip(0), Clip(1)]
    table = changed_table(None, clips)
    assert list(table.rows) == list(chosen)
    assert table.rows["as it is"]["with unchanged"] == pytest.approx(1)
    assert table.rows["as it is"]["opening correlation"] > 0.9
    assert table.rows["level of -40 dB"]["opening slope"] < table.rows["as it is"]["opening slope"]
    silent = silence_table(None, clips)
    assert silent.rows["silence"]["within 3 frames"] == 1
    assert silent.rows["silence"]["largest gap after 3 px"] == 0
    assert silent.rows["silence"]["cuts"] > 4
