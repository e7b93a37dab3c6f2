"""The invisible mark survives H.264 and a resize, is never found where it is not, and can't be seen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gohd_core.choices import CORNERS
from gohd_core.errors import BadInput
from gohd_core.render import Mark, marked, read_frames, read_watermark, render_video
from gohd_core.render.watermark import GRID, STRENGTH, THRESHOLD, pattern

PORTRAITS = sorted((Path(__file__).resolve().parents[2] / "assets" / "portraits").glob("*.jpg"))


def clip(path: Path, frames: int = 6, size: tuple[int, int] = (256, 256)) -> torch.Tensor:
    """A slow pan over a picture, [frames, 3, H, W] in -1..1."""
    width, height = size
    picture = Image.open(path).convert("RGB").resize((width + frames, height + frames))
    whole = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
    return torch.stack([whole[:, k : k + height, k // 2 : k // 2 + width] for k in range(frames)])


def levels(frames: torch.Tensor) -> np.ndarray:
    return ((frames + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def smaller(source: Path, target: Path, height: int) -> Path:
    """Encoded again at CRF 23 with so many rows."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        shape = old.streams.video[0]
        width = round(shape.width * height / shape.height / 2) * 2
        stream = new.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "23"}
        for frame in old.decode(video=0):
            picture = frame.reformat(width=width, height=height, format="yuv420p")
            picture.pts = None
            new.mux(stream.encode(picture))
        new.mux(stream.encode())
    return target


@pytest.mark.parametrize(
    ("portrait", "size"), [(0, (256, 256)), (7, (256, 256)), (15, (512, 512)), (20, (1280, 720))]
)
def test_it_survives_crf_23_and_then_a_resize_to_720(tmp_path, portrait, size) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    frames = clip(PORTRAITS[portrait], size=size)
    path = render_video(tmp_path / "a.mp4", marked(frames.split(2)), crf=23)
    assert read_watermark(path).found
    resized = read_watermark(smaller(path, tmp_path / "b.mp4", 720))
    assert resized.found and resized.score > 1.5 * THRESHOLD
    plain = render_video(tmp_path / "c.mp4", frames.split(2), crf=23)
    assert not read_watermark(plain).found
    assert not read_watermark(smaller(plain, tmp_path / "d.mp4", 720)).found


def test_no_false_alarm_on_any_unmarked_picture() -> None:
    """Their scores are those of chance: mean 0, deviation 1, far from the threshold of 5."""
    scores = []
    for path in PORTRAITS:
        picture = np.asarray(Image.open(path).convert("RGB"))
        scores += [read_frames([picture], key).score for key in ("gohd", "a", "b")]
    noise = np.random.default_rng(0).integers(0, 256, (4, 300, 200, 3), dtype=np.uint8)
    scores += [read_frames(noise).score, read_frames(np.zeros((1, 256, 256, 3), np.uint8)).score]
    assert max(np.abs(scores)) < 4
    assert abs(np.mean(scores)) < 0.5 and 0.6 < np.std(scores) < 1.4


def test_it_can_not_be_seen_and_does_not_flicker() -> None:
    frames = clip(PORTRAITS[3])
    before = frames.clone()
    made = torch.cat(list(marked(frames.split(4))))
    assert torch.equal(frames, before)
    change = levels(made).astype(float) - levels(frames)
    assert 10 * math.log10(255**2 / np.square(change).mean()) > 44
    assert np.abs(change).max() <= 3 * STRENGTH
    inside = ((frames > -0.95) & (frames < 0.95)).all(1).all(0)
    difference = (made - frames)[:, :, inside]
    assert float(difference.std(0).max()) < 1e-6, "the same in every frame"
    assert float(difference.std(1).max()) < 1e-6, "brightness alone, no colour"


def test_only_its_own_key_is_found() -> None:
    frames = levels(torch.cat(list(marked([clip(PORTRAITS[5])], Mark(key="mine")))))
    assert read_frames(frames, "mine").found
    assert not read_frames(frames).found
    assert not torch.equal(pattern("mine"), pattern("gohd"))


def test_the_pattern_is_the_same_for_ever() -> None:
    """Files that were marked once stay readable: these bits must never change."""
    ours = pattern("gohd")
    assert ours.shape == (GRID, GRID) and set(ours.unique().tolist()) == {-1.0, 1.0}
    assert "".join("+" if bit > 0 else "-" for bit in ours[0, :24]) == "++-----++++---+-++--++-+"


def test_images_are_read_as_they_come() -> None:
    frames = torch.cat(list(marked([clip(PORTRAITS[2]) / 2 + 0.5], value_range=(0.0, 1.0))))
    pictures = frames.permute(0, 2, 3, 1)
    assert float(pictures.min()) >= 0 and float(pictures.max()) <= 1
    whole = read_frames(pictures)
    assert whole.found and whole.frames == 6
    assert read_frames(picture for picture in pictures) == whole
    assert read_frames(pictures[:1]).found
    assert read_frames(pictures.half()).score == pytest.approx(whole.score, abs=0.5)


def test_a_long_video_is_read_in_places_and_a_picture_whole(tmp_path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    still = clip(PORTRAITS[9], 1, (192, 192))
    path = render_video(tmp_path / "a.mp4", marked(still for _ in range(700)), crf=23)
    reading = read_watermark(path)
    assert reading.found and 8 <= reading.frames <= 48
    picture = Image.fromarray(levels(next(marked([clip(PORTRAITS[9])])))[0])
    picture.save(tmp_path / "a.jpg", quality=85)
    assert read_watermark(tmp_path / "a.jpg").found


@pytest.mark.parametrize("corner", CORNERS)
def test_the_visible_mark_stands_in_its_corner(corner) -> None:
    frames = torch.zeros(2, 3, 240, 400)
    mark = Mark(invisible=False, text="made with GoHD", corner=corner, opacity=1.0)
    made = next(marked([frames], mark))
    rows, columns = torch.nonzero(made[0, 0], as_tuple=True)
    assert ("bottom" in corner) == (float(rows.float().mean()) > 120)
    assert ("right" in corner) == (float(columns.float().mean()) > 200)
    assert made.max() > 0.95 and made.min() < -0.95, "white letters, dark rim"
    assert torch.equal(made[0], made[1]) and not frames.any()
    half = next(marked([frames], Mark(invisible=False, text="made with GoHD", corner=corner, opacity=0.5)))
    assert torch.allclose(half, made / 2)


def test_without_marks_frames_pass_untouched() -> None:
    frames = clip(PORTRAITS[0], 1)
    assert next(marked([frames], Mark(invisible=False))) is frames


def test_bad_input_gets_one_sentence(tmp_path) -> None:
    with pytest.raises(BadInput, match="no corner"):
        Mark(corner="middle")
    with pytest.raises(BadInput, match="opacity"):
        Mark(opacity=2)
    with pytest.raises(BadInput, match="strength"):
        Mark(strength=0)
    with pytest.raises(BadInput, match="does not fit"):
        next(marked([torch.zeros(1, 3, 64, 64)], Mark(text="much too long for this picture")))
    with pytest.raises(BadInput, match=r"floats \[b, 3, H, W\]"):
        next(marked([torch.zeros(64, 64, 3)]))
    with pytest.raises(BadInput, match="no frames to look"):
        read_frames([])
    with pytest.raises(BadInput, match=r"\[H, W, 3\]"):
        read_frames(torch.zeros(2, 3, 64, 64))
    with pytest.raises(BadInput, match="no file at"):
        read_watermark(tmp_path / "none.mp4")
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match="as a picture"):
        read_watermark(tmp_path / "a.png")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(BadInput, match="as a video"):
        read_watermark(tmp_path / "a.mp4")
