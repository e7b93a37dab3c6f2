"""Sound files: plain ones, those inside videos, and those that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gohd_core.audio import load_audio
from gohd_core.errors import BadInput


def test_wav_comes_back_as_channels_first(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (1_000, 2)).astype(np.float32)
    path = tmp_path / "two.wav"
    soundfile.write(path, samples, 44_100, subtype="FLOAT")
    loaded, rate = load_audio(path)
    assert rate == 44_100 and loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, samples.T)


@pytest.mark.parametrize("lead", [0.0, 0.5])
def test_a_videos_track_stays_in_step(tmp_path: Path, lead: float) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width = video.height = 32
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        for index in range(25):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        click = np.zeros((1, 16_000), np.float32)
        click[0, 8_000:8_400] = 0.8
        for start in range(0, 15_360, 1_024):
            frame = av.AudioFrame.from_ndarray(click[:, start : start + 1_024], "fltp", "mono")
            frame.sample_rate = 16_000
            frame.pts = start + round(lead * 16_000)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        container.mux(video.encode(None))
    loaded, rate = load_audio(path)
    onset = np.argmax(np.abs(loaded[0]) > 0.3) / rate
    assert rate == 16_000 and onset == pytest.approx(0.5 + lead, abs=0.02)


def test_no_file_no_sound_no_format(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no audio file"):
        load_audio(tmp_path / "absent.wav")
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(BadInput, match="is empty"):
        load_audio(tmp_path / "empty.wav")
    (tmp_path / "text.wav").write_text("this is no sound at all " * 50)
    with pytest.raises(BadInput, match="can't be read as sound"):
        load_audio(tmp_path / "text.wav")
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 16_000)
    with pytest.raises(BadInput, match="holds no samples"):
        load_audio(tmp_path / "none.wav")


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width = video.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    with pytest.raises(BadInput, match="has no audio track"):
        load_audio(path)
