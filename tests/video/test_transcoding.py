"""A video encoded again: quality, cuts and sizes as asked for; times, sound and colours as they were."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.video.transcoding import crop_filter, even_crop, resize_filters, transcode
from gohd_core.video.writer import render_video

av = pytest.importorskip("av")
SIZE = 96, 64
"""Width and height of the sample."""


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """Twelve frames of a picture with four grey quarters and noise, at 25 a second, with a hum."""
    noise = torch.Generator("cpu").manual_seed(3)
    width, height = SIZE
    picture = torch.zeros(12, 3, height, width, dtype=torch.float32, device="cpu")
    for k, level in enumerate((-0.8, -0.3, 0.2, 0.7)):
        rows = slice(0, height // 2) if k < 2 else slice(height // 2, height)
        columns = slice(0, width // 2) if k % 2 == 0 else slice(width // 2, width)
        picture[:, :, rows, columns] = level
    picture += 0.05 * torch.randn(picture.shape, generator=noise, dtype=torch.float32, device="cpu")
    time = np.arange(7680, dtype=np.float32) / 16_000
    path = tmp_path_factory.mktemp("video") / "sample.mp4"
    return render_video(path, [picture], audio=(0.3 * np.sin(2 * np.pi * 200 * time)[None], 16_000))


def decoded(path: Path | io.BytesIO) -> tuple[np.ndarray, list[float], bytes, list]:
    """Frames [T, H, W, 3] in 0..255, their times, the sound's packets, and the colour tags."""
    with av.open(str(path) if isinstance(path, Path) else path) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        context = stream.codec_context
        tags = [getattr(context, name) for name in ("colorspace", "color_range", "color_trc")]
        container.seek(0)
        sound = b"".join(bytes(packet) for packet in container.demux(container.streams.audio[0]))
    pixels = np.stack([frame.to_ndarray(format="rgb24") for frame in frames]).astype(np.float32)
    return pixels, [float(frame.pts * frame.time_base) for frame in frames], sound, tags


def test_quality_follows_crf_and_all_else_stays(video, tmp_path) -> None:
    before = decoded(video)
    sizes = {}
    for crf in (5, 45):
        made = tmp_path / f"{crf}.mp4"
        transcode(str(video), str(made), crf=crf, preset="veryfast")
        after = decoded(made)
        sizes[crf] = made.stat().st_size
        assert after[0].shape == before[0].shape and after[2] == before[2] and after[3] == before[3]
        assert after[1] == pytest.approx(before[1], abs=1e-4)
        if crf == 5:
            assert np.abs(after[0] - before[0]).mean() < 3
    assert sizes[45] < 0.6 * sizes[5]


def test_a_buffer_is_as_good_as_a_file(video) -> None:
    made = io.BytesIO()
    transcode(io.BytesIO(video.read_bytes()), made, crf=10)
    made.seek(0)
    assert decoded(made)[0].shape == decoded(video)[0].shape


def test_a_cut_is_that_part_of_the_picture(video, tmp_path) -> None:
    width, height = SIZE
    made = tmp_path / "cut.mp4"
    transcode(str(video), str(made), filters=[crop_filter((width // 2, 0, width // 2, height // 2))], crf=5)
    cut, whole = decoded(made)[0], decoded(video)[0]
    assert cut.shape[1:3] == (height // 2, width // 2)
    assert np.abs(cut - whole[:, : height // 2, width // 2 :]).mean() < 4


def test_a_size_is_as_wanted_and_shapes_are_kept_where_centred(video, tmp_path) -> None:
    whole = decoded(video)[0]
    for centred in (False, True):
        made = tmp_path / f"{centred}.mp4"
        filters = resize_filters(SIZE, (32, 32), "area", centred=centred)
        transcode(str(video), str(made), filters=filters, crf=5)
        small = decoded(made)[0]
        part = whole[:, :, 16:80] if centred else whole
        wanted = torch.nn.functional.interpolate(
            torch.from_numpy(part).permute(0, 3, 1, 2), size=(32, 32), mode="area"
        ).permute(0, 2, 3, 1)
        assert small.shape[1:3] == (32, 32) and np.abs(small - wanted.numpy()).mean() < 5


def test_odd_sizes_get_one_more_row_and_column(video, tmp_path) -> None:
    made = tmp_path / "odd.mp4"
    transcode(str(video), str(made), filters=resize_filters(SIZE, (33, 21), "bilinear"), crf=20)
    assert decoded(made)[0].shape[1:3] == (22, 34)


@pytest.mark.parametrize(
    ("corner", "extent", "wanted"),
    [
        ((3, 5), (20, 11), (2, 4, 20, 10)),
        ((-8, 90), (500, 500), (0, 62, 96, 2)),
        ((0, 0), (0, 0), None),
        ((0, 0), SIZE, None),
        ((0, 0), (96, 30), (0, 0, 96, 30)),
    ],
)
def test_rectangles_lie_on_even_pixels_within_the_picture(corner, extent, wanted) -> None:
    assert even_crop(corner, extent, SIZE) == wanted


def test_bad_input_is_one_sentence(video, tmp_path) -> None:
    with pytest.raises(BadInput, match="no way to resize called 'magic'"):
        resize_filters(SIZE, (10, 10), "magic")
    with pytest.raises(BadInput, match="is empty"):
        resize_filters(SIZE, (0, 10), "area")
    with pytest.raises(BadInput, match="could not be encoded"):
        transcode(str(video), str(tmp_path / "bad.mp4"), preset="lightning")
