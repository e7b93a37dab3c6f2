"""Films: video files of any rate, batches and iterators, played as a stream."""

from __future__ import annotations

import io
import shutil
from fractions import Fraction

import numpy as np
import pytest
import torch

from gohd_core.checkpoints.loading import assets_folder
from gohd_core.errors import BadInput
from gohd_core.render import render_video
from gohd_core.video.reader import VideoReader

av = pytest.importorskip("av", reason="PyAV is not installed")
SAMPLE = assets_folder() / "driving_sample.mp4"


@pytest.fixture(scope="module")
def ramp(tmp_path_factory):
    """2 s at 30 fps whose brightness rises."""
    frames = torch.linspace(-1, 1, 60)[:, None, None, None].expand(-1, 3, 32, 48)
    return render_video(tmp_path_factory.mktemp("film") / "ramp.mp4", [frames], fps=30)


def test_a_file_is_played_with_its_times(ramp) -> None:
    film = VideoReader.open(ramp)
    assert film.fps == 30 and film.count == 60 and not film.once
    played = list(film.play())
    assert len(played) == 60 and played[0][1].shape == (32, 48, 3)
    assert np.abs([time for time, _ in played] - np.arange(60) / 30).max() < 1e-3
    assert np.diff([image.mean() for _, image in played]).min() > 0
    assert len(list(film.play())) == 60


def test_a_part_of_a_file_and_a_file_in_memory(ramp) -> None:
    part = VideoReader.open(io.BytesIO(ramp.read_bytes()), start=0.5, seconds=1.0)
    played = list(part.play())
    assert part.count == len(played) == 30 and abs(played[0][0]) < 1e-3
    whole = list(VideoReader.open(ramp).play())
    assert np.array_equal(played[0][1], whole[15][1])
    assert len(list(part.play())) == 30


def test_batches_and_iterators() -> None:
    images = torch.rand(5, 16, 16, 3, generator=torch.Generator().manual_seed(0))
    film = VideoReader.of_images(images, Fraction(30000, 1001))
    played = list(film.play())
    assert film.count == 5 and played[1][1].dtype == np.uint8
    assert abs(played[4][0] - 4 * 1001 / 30000) < 1e-9
    assert np.abs(played[3][1] / 255 - images[3].numpy()).max() < 0.5 / 255 + 1e-6
    once = VideoReader.of_frames(iter(images), 50)
    assert once.once and len(list(once.play())) == 5 and not list(once.play())


def test_other_files_are_refused(tmp_path, ramp) -> None:
    with pytest.raises(BadInput, match="no video at"):
        VideoReader.open(tmp_path / "none.mp4")
    words = tmp_path / "words.mp4"
    words.write_text("not a film")
    with pytest.raises(BadInput, match="can't be read as a video"):
        VideoReader.open(words)
    sound = assets_folder() / "speech" / "hello.flac"
    with pytest.raises(BadInput, match="no picture track"):
        VideoReader.open(shutil.copy(sound, tmp_path / "sound.wav"))
    with pytest.raises(BadInput, match="no frames in the batch"):
        VideoReader.of_images(torch.zeros(0, 4, 4, 3))
    with pytest.raises(BadInput, match="frame rate"):
        VideoReader.of_images(torch.zeros(1, 4, 4, 3), 0)
    with pytest.raises(BadInput, match="no time from 0 on"):
        VideoReader.open(ramp, start=-1)
    for broken in (float("nan"), float("inf")):
        with pytest.raises(BadInput, match="no time from 0 on"):
            VideoReader.open(ramp, start=broken)
        with pytest.raises(BadInput, match="no time from 0 on"):
            VideoReader.open(ramp, seconds=broken)


def test_the_sample_is_small_and_has_sound() -> None:
    assert SAMPLE.stat().st_size <= 300_000
    with av.open(str(SAMPLE)) as container:
        assert container.streams.video[0].codec_context.name == "h264" and container.streams.audio
    film = VideoReader.open(SAMPLE)
    assert film.fps == 25 and 80 <= film.count <= 130
    assert next(film.play())[1].shape == (256, 256, 3)
