"""Films as cameras, browsers and editors write them: upright, square pixels, times that go on, cut off."""

from __future__ import annotations

import itertools
import logging
from fractions import Fraction

import numpy as np
import pytest
from PIL import ExifTags, Image

from gohd_core.errors import BadInput
from gohd_core.video.reader import VideoReader

av = pytest.importorskip("av", reason="PyAV is not installed")

from tests.support.video_files import corners, set_matrix, write_film  # noqa: E402


def first(film: VideoReader) -> np.ndarray:
    return next(film.play())[1].astype(int)


def times(film: VideoReader) -> np.ndarray:
    return np.array([time for time, _ in film.play()])


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((-1, 0, 0, -1), lambda p: p[::-1, ::-1]),
        ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda p: p.swapaxes(0, 1)[::-1, ::-1]),
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    ],
    ids=["none", "mirrored", "upside down", "half turn", "transposed", "anti-transposed", "right", "left"],
)
def test_every_turn_and_mirror_of_the_display_matrix_is_heeded(tmp_path, matrix, shown) -> None:
    path = set_matrix(write_film(tmp_path / "v.mp4", [corners()] * 3), *matrix)
    film, wanted = VideoReader.open(path), shown(corners())
    assert film.size == wanted.shape[:2]
    assert np.abs(first(film) - wanted).mean() < 4


@pytest.mark.parametrize(("orientation", "quarters"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_frames_with_exif_are_upright(tmp_path, orientation, quarters) -> None:
    """FFmpeg 8 attaches EXIF to frames, a kind of side data that PyAV 18 doesn't know."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(corners()).save(tmp_path / "v.jpg", exif=exif, quality=95)
    shown = first(VideoReader.open(tmp_path / "v.jpg"))
    assert np.abs(shown - np.rot90(corners(), quarters)).mean() < 4


@pytest.mark.parametrize(
    ("shape", "matrix", "size"),
    [
        (Fraction(4, 3), (1, 0, 0, 1), (64, 128)),
        (Fraction(3, 4), (1, 0, 0, 1), (85, 96)),
        (Fraction(4, 3), (0, 1, -1, 0), (128, 64)),
        (Fraction(1, 1), (1, 0, 0, 1), (64, 96)),
    ],
)
def test_pixels_become_square(tmp_path, shape, matrix, size) -> None:
    path = write_film(tmp_path / "v.mp4", [corners()] * 3, pixel_shape=shape)
    film = VideoReader.open(set_matrix(path, *matrix))
    assert film.size == size and first(film).shape[:2] == size


def test_a_crop_is_of_the_upright_picture(tmp_path) -> None:
    path = set_matrix(write_film(tmp_path / "v.mp4", [corners()] * 3), 0, 1, -1, 0)
    film = VideoReader.open(path, crop=(32, 48, 30, 40))
    assert film.size == (40, 30)
    assert np.abs(first(film) - np.rot90(corners(), -1)[48:88, 32:62]).mean() < 4
    with pytest.raises(BadInput, match="outside"):
        VideoReader.open(path, crop=(500, 0, 10, 10))


def brightening(count: int) -> list[np.ndarray]:
    return [np.full((32, 32, 3), 40 + 3 * k, np.uint8) for k in range(count)]


@pytest.mark.parametrize(
    ("rate", "step"), [(1000, 1 / 30), (480, 1 / 480), (Fraction(1, 2), 2.0), (25, 1 / 12)]
)
def test_the_rate_is_that_of_the_frames(tmp_path, rate, step) -> None:
    """Browsers' recordings claim 1000 frames a second; time lapses have one in two seconds."""
    path = write_film(tmp_path / "v.mkv", brightening(24), rate=rate, times=lambda k: k * step)
    film = VideoReader.open(path)
    assert float(film.fps) == pytest.approx(1 / step, rel=0.03)
    assert np.abs(times(film) - np.arange(24) * step).max() < 2e-3


def test_uneven_times_are_kept(tmp_path) -> None:
    gaps = np.random.default_rng(0).uniform(0.01, 0.2, 30).cumsum()
    path = write_film(tmp_path / "v.mkv", brightening(30), times=lambda k: float(gaps[k]))
    film = VideoReader.open(path)
    assert np.abs(times(film) - (gaps - gaps[0])).max() < 2e-3
    assert float(film.fps) == pytest.approx(29 / (gaps[-1] - gaps[0]), rel=0.05)


@pytest.mark.parametrize("order", [(0, 100), (100, 0), (0, 0)])
def test_time_goes_on_where_time_stamps_jump(tmp_path, order) -> None:
    """Two transport streams, one after the other, begin at any time each."""
    parts = []
    for k, offset in enumerate(order):
        options = {"output_ts_offset": str(offset)}
        sound = np.zeros((1, 8000), np.float32)
        part = write_film(tmp_path / f"{k}.ts", brightening(12), sound=sound, options=options)
        parts.append(part.read_bytes())
    (tmp_path / "v.ts").write_bytes(b"".join(parts))
    film = VideoReader.open(tmp_path / "v.ts")
    found = times(film)
    assert len(found) == 24 and film.count == 24
    assert np.abs(found - np.arange(24) / 25).max() < 0.15 and np.diff(found).min() > 0


def test_a_pause_of_the_recorder_stays(tmp_path) -> None:
    path = write_film(tmp_path / "v.mp4", brightening(20), times=lambda k: k / 25 + (15 if k >= 10 else 0))
    assert times(VideoReader.open(path))[[9, 10]] == pytest.approx([9 / 25, 15 + 10 / 25], abs=1e-3)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "avi"])
def test_a_film_that_was_cut_off_is_read_as_far_as_it_goes_and_said_once(tmp_path, kind, caplog) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (50, 32, 32, 3), np.uint8)
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    path = write_film(tmp_path / f"v.{kind}", list(noise), options=options)
    with caplog.at_level(logging.WARNING):
        assert len(times(VideoReader.open(path))) == 50
    assert not caplog.records
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10 // 188 * 188 + 50])
    film = VideoReader.open(path)
    with caplog.at_level(logging.WARNING):
        counts = [len(times(film)), len(times(film))]
    assert counts[0] == counts[1] and 15 <= counts[0] <= 45
    said = [record.message for record in caplog.records if "is cut off: it ends at" in record.message]
    assert len(said) == 1


def test_a_damaged_part_in_the_middle_is_left_out(tmp_path, caplog) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (50, 32, 32, 3), np.uint8)
    path = write_film(tmp_path / "v.mkv", list(noise))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    found = times(VideoReader.open(path))
    assert 40 <= len(found) <= 50 and found[-1] == pytest.approx(49 / 25, abs=0.05)


def test_frames_that_change_size_are_shown_at_the_first_ones_size(tmp_path) -> None:
    """Recordings of calls change their size with the line's quality."""
    small, large = corners(32, 48), corners(64, 96)
    for name, picture in (("a", large), ("b", small)):
        write_film(tmp_path / f"{name}.ts", [picture] * 10)
    (tmp_path / "v.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    film = VideoReader.open(tmp_path / "v.ts")
    shown = [image for _, image in film.play()]
    assert {image.shape for image in shown} == {(64, 96, 3)} and len(shown) == 20
    assert np.abs(shown[-1].astype(int) - large).mean() < 12


def grey(level: int) -> np.ndarray:
    return np.full((64, 96, 3), level, np.uint8)


@pytest.mark.parametrize("kind", ["avi", "mp4", "mkv", "ts"])
def test_frames_that_are_stored_in_another_order_are_shown_in_theirs(tmp_path, kind) -> None:
    """AVI tells when frames are decoded and no more."""
    film = VideoReader.open(
        write_film(tmp_path / f"v.{kind}", [grey(60 + 5 * k) for k in range(20)], reordered=3)
    )
    played = list(film.play())
    assert [time for time, _ in played] == pytest.approx([k / 25 for k in range(20)], abs=1e-3)
    assert np.abs([image.mean() - 60 - 5 * k for k, (_, image) in enumerate(played)]).max() < 3
    assert (film.fps, film.count) == (25, 20)


@pytest.mark.parametrize("kind", ["mkv", "mp4", "avi"])
def test_one_frame_in_two_seconds_is_no_cut_off_film(tmp_path, kind, caplog) -> None:
    path = write_film(tmp_path / f"v.{kind}", [grey(60 + 40 * k) for k in range(4)], rate=Fraction(1, 2))
    assert times(VideoReader.open(path)) == pytest.approx([0, 2, 4, 6])
    assert not caplog.records


def test_the_picture_on_a_sounds_cover_is_no_film(tmp_path) -> None:
    path = tmp_path / "s.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 64, 96, "yuvj420p"
        cover.disposition = 0x400
        heard = container.add_stream("aac", rate=16_000, layout="mono")
        container.mux(cover.encode(av.VideoFrame.from_ndarray(grey(90), format="rgb24")))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16_000
        container.mux([*heard.encode(frame), *heard.encode(None), *cover.encode(None)])
    with pytest.raises(BadInput, match="has no picture track"):
        VideoReader.open(path)


def test_any_part_is_cut_by_time(tmp_path) -> None:
    path = write_film(tmp_path / "v.mp4", brightening(50))
    for start, seconds in itertools.product((0.0, 0.31, 1.0), (0.0, 0.4)):
        whole = np.arange(50) / 25
        wanted = whole[(whole >= start - 1e-6) & ((whole < start + seconds - 1e-6) | (seconds == 0))] - start
        film = VideoReader.open(path, start=start, seconds=seconds)
        assert np.abs(times(film) - wanted).max() < 1e-3


def test_an_animated_webp_is_refused_by_its_name(tmp_path) -> None:
    pictures = [Image.new("RGB", (64, 48), (40 * k, 90, 60)) for k in range(4)]
    path = tmp_path / "waves.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40)
    with pytest.raises(BadInput, match="animated WebP"):
        VideoReader.open(path)
