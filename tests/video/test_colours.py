"""Colours: written videos are tagged and read the same everywhere; a film's own matrix and range stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.render import render_video
from gohd_core.video.colour import Colour
from gohd_core.video.reader import VideoReader

av = pytest.importorskip("av", reason="PyAV is not installed")

BARS = np.array(
    [[12, 220, 2], [200, 30, 40], [20, 40, 230], [220, 200, 30], [128, 128, 128], [250, 250, 250]]
)
MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Shares of red and blue in luma, of ITU-T H.273."""


def bars(height: int, width: int) -> torch.Tensor:
    """Colour bars as one frame [1, 3, H, W] in -1..1."""
    picture = BARS[np.arange(width) * len(BARS) // width]
    return (torch.from_numpy(picture).float() / 127.5 - 1).T[None, :, None].repeat(1, 1, height, 1)


def stored(path) -> tuple[np.ndarray, tuple[int, ...]]:
    """Y, Cb, Cr [6, 3] in the middle of each bar as they lie in the file; and its four tags."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    planes = [
        np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]
    columns = [(np.arange(6) * 2 + 1) * plane.shape[1] // 12 for plane in planes]
    values = [plane[plane.shape[0] // 2, places] for plane, places in zip(planes, columns, strict=True)]
    tags = frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range
    return np.stack(values, 1).astype(float), tuple(map(int, tags))


def by_the_standard(ycc: np.ndarray, matrix: int, full: bool) -> np.ndarray:
    """The slow reference: RGB [6, 3] of Y, Cb, Cr after H.273, equations 38 and following."""
    red, blue = MATRICES[matrix]
    y, cb, cr = (
        (ycc - [0, 128, 128]) / [255, 255, 255] if full else (ycc - [16, 128, 128]) / [219, 224, 224]
    ).T
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], 1).clip(0, 1) * 255


@pytest.mark.parametrize(
    ("size", "tags"),
    [
        ((64, 96), (6, 1, 1, 1)),
        ((480, 640), (6, 1, 1, 1)),
        ((720, 1280), (1, 1, 1, 1)),
        ((1280, 720), (1, 1, 1, 1)),
    ],
)
def test_a_video_is_tagged_with_its_colours_and_keeps_to_them(tmp_path, size, tags) -> None:
    path = render_video(tmp_path / "v.mp4", [bars(*size)], crf=4)
    ycc, found = stored(path)
    assert found == tags
    assert np.abs(by_the_standard(ycc, tags[0], False) - BARS).max() < 5
    shown = next(VideoReader.open(path).play())[1][size[0] // 2, (np.arange(6) * 2 + 1) * size[1] // 12]
    assert np.abs(shown - BARS).max() < 5


@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("full", [False, True])
def test_a_films_own_colours_are_kept(tmp_path, matrix, full) -> None:
    own = Colour(matrix, 9 if matrix == 9 else 1, 1, full)
    path = render_video(tmp_path / "a.mp4", [bars(64, 96)], crf=4, colour=own)
    film = VideoReader.open(path)
    assert film.colour == own
    again = render_video(tmp_path / "b.mp4", film.batches(25), crf=4, colour=film.colour)
    ycc, tags = stored(again)
    assert tags == (own.matrix, own.primaries, own.transfer, 2 if full else 1)
    assert np.abs(by_the_standard(ycc, matrix, full) - BARS).max() < 6


@pytest.mark.parametrize(("size", "matrix"), [((64, 96), 6), ((720, 1280), 1)])
def test_an_untagged_film_is_read_as_players_read_it(tmp_path, size, matrix) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"qscale": "1"}
        colours = (bars(*size)[0].permute(1, 2, 0) + 1).mul(127.5).round().byte().numpy()
        frame = av.VideoFrame.from_ndarray(colours, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=1
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    ycc, tags = stored(path)
    assert tags[0] in (0, 2)
    shown = next(VideoReader.open(path).play())[1][size[0] // 2, (np.arange(6) * 2 + 1) * size[1] // 12]
    assert np.abs(shown - by_the_standard(ycc, matrix, False)).max() < 5


def test_an_unknown_matrix_is_written_as_the_usual_one() -> None:
    assert Colour(2).written(720, 1280) == Colour(1, 1, 1)
    assert Colour(2, full=True).written(240, 320) == Colour(6, 1, 1, True)
    assert Colour(0, 1, 13, True).written(240, 320) == Colour(6, 1, 13)
    assert Colour(9, 9, 16).written(240, 320) == Colour(9, 9, 16)


def test_pictures_that_h264_can_not_hold_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match="up to 16384"):
        render_video(tmp_path / "v.mp4", [torch.zeros(1, 3, 2, 16_386)])
    assert not list(tmp_path.iterdir())
