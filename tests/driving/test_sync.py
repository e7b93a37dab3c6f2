"""Lips and sound: a known lag is found, and an unknown one has a reason."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gohd_core.driving.sync import InStep, delay, lag_warning, lip_lag, shift_sound
from gohd_core.errors import BadInput
from gohd_core.stylised.head.expressions import INDEX

RATE = 16000


class Hears:
    """Predicts opening and pucker from a script, whatever the sound is."""

    space = "stylised"

    def __init__(self, count: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        kernel = np.hanning(7) / np.hanning(7).sum()
        noise = np.stack([np.convolve(rng.normal(size=count + 60), kernel, "same") for _ in range(2)])
        self.jaw, self.pucker = np.clip(noise * 2, 0, None)
        self.count = count

    def predict(self, features, rest):
        values = torch.zeros(self.count, 64)
        values[:, INDEX["jaw_open"]] = torch.from_numpy(self.jaw[30 : 30 + self.count]).float()
        values[:, INDEX["lip_pucker"]] = torch.from_numpy(self.pucker[30 : 30 + self.count]).float()
        return values, None

    def seen(self, lag: int) -> torch.Tensor:
        here = slice(30 - lag, 30 - lag + self.count)
        return torch.from_numpy(np.stack([0.2 * self.jaw[here] ** 2, 1 - 0.2 * self.pucker[here]], 1)).float()


def driving(lips: torch.Tensor, seen: float = 1.0) -> SimpleNamespace:
    valid = torch.arange(len(lips)) < seen * len(lips)
    return SimpleNamespace(lips=lips, motion=SimpleNamespace(expression=SimpleNamespace(valid=valid)))


def noise(count: int) -> tuple[np.ndarray, int]:
    return np.random.default_rng(1).normal(0, 0.1, (1, count * RATE // 25)).astype(np.float32), RATE


@pytest.mark.parametrize("lag", [-7, 0, 3])
def test_a_lag_is_found_within_half_a_frame(lag) -> None:
    hears = Hears(300)
    found = lip_lag(driving(hears.seen(lag)), noise(300), hears)
    assert found.known and abs(found.milliseconds / 40 - lag) < 0.5
    assert found.noticed == (abs(lag) >= 2)
    assert ("after" in str(found)) == (lag > 1) and ("before" in str(found)) == (lag < -1)


def test_a_lag_that_changes_is_told_and_not_put_right() -> None:
    hears = Hears(600)
    lips = torch.cat([hears.seen(0)[:300], hears.seen(6)[300:]])
    found = lip_lag(driving(lips), noise(600), hears)
    assert len(found.changes) == 2 and found.noticed and not found.known
    (start, before), (change, after) = found.changes
    assert start == 0 and abs(before) < 20 and abs(after - 240) < 20 and 8 <= change <= 14
    assert "changes" in str(found) and "no one shift" in str(found)
    assert lip_lag(driving(hears.seen(6)), noise(600), hears).changes == ()


def test_lips_of_somebody_else_are_not_believed() -> None:
    found = lip_lag(driving(Hears(300, 5).seen(0)), noise(300), Hears(300, 6))
    assert not found.known and "agree nowhere" in str(found)


def test_an_unknown_lag_has_a_reason() -> None:
    hears = Hears(300)
    lips = hears.seen(0)
    assert "no sound" in str(lip_lag(driving(lips), None, hears))
    assert "silent" in str(lip_lag(driving(lips), (np.zeros((1, 12 * RATE), np.float32), RATE), hears))
    assert "short" in str(lip_lag(driving(lips[:30]), noise(300), hears))
    assert "50%" in str(lip_lag(driving(lips, 0.5), noise(300), hears))
    with pytest.raises(BadInput, match="networks"):
        lip_lag(SimpleNamespace(lips=None), noise(300), hears)
    hears.space = "bfm09"
    with pytest.raises(BadInput, match="built-in"):
        lip_lag(driving(lips), noise(300), hears)


def test_driving_with_a_video_that_is_out_of_step_is_warned_of() -> None:
    hears = Hears(300)
    said = lag_warning(driving(hears.seen(5)), noise(300), hears, "a.mp4")
    assert said.startswith("a.mp4 is out of step: The lips come ") and "after the sound" in said
    assert lag_warning(driving(hears.seen(1)), noise(300), hears, "a.mp4") is None
    assert lag_warning(driving(hears.seen(5)), None, hears, "a.mp4") is None
    assert lag_warning(SimpleNamespace(lips=None), noise(300), hears, "a.mp4") is None, "a drawn head"


def test_a_sound_is_delayed_or_brought_forward() -> None:
    sound = np.arange(6.0)[None]
    assert delay(sound, 2).tolist() == [[0, 0, 0, 1, 2, 3]]
    assert delay(sound, -2).tolist() == [[2, 3, 4, 5, 0, 0]]
    assert delay(sound, 0).tolist() == sound.tolist()


def test_a_video_is_put_right_with_its_pictures_as_they_were(tmp_path) -> None:
    import av

    from gohd_core.audio import load_audio
    from gohd_core.render import render_video

    frames = torch.linspace(-1, 1, 25)[:, None, None, None].expand(25, 3, 64, 64)
    sound = np.zeros((1, RATE), np.float32)
    sound[0, 6000:6200] = 0.9
    render_video(tmp_path / "a.mp4", [frames], audio=(sound, RATE))
    shift_sound(tmp_path / "a.mp4", tmp_path / "b.mp4", 125)
    click = [np.abs(load_audio(tmp_path / name)[0]).mean(0).argmax() for name in ("a.mp4", "b.mp4")]
    assert abs(click[1] - click[0] - RATE // 8) < 200
    packets = [
        [bytes(p) for p in av.open(str(tmp_path / name)).demux(video=0) if p.size]
        for name in ("a.mp4", "b.mp4")
    ]
    assert packets[0] == packets[1] and len(packets[0]) == 25


def test_sentences() -> None:
    assert "in step" in str(InStep(10.0, 0.9)) and not InStep(10.0, 0.9).noticed
    assert "120 ms after" in str(InStep(120.0, 0.9))
