"""Picture files as cameras, scanners and ComfyUI write them: every mode keeps its brightness."""

from __future__ import annotations

import gc
import logging
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gohd_core.errors import BadInput
from gohd_core.images import read_picture, rgb_images

GREY = np.add.outer(np.arange(40), np.arange(60)) * 255 // 98
"""A ramp from black to white, [40, 60]."""


def saved(path: Path, picture: Image.Image, **options) -> np.ndarray:
    picture.save(path, **options)
    return rgb_images(read_picture(path))[0].astype(int)


@pytest.mark.parametrize(
    ("name", "levels", "kind"),
    [
        ("8.png", 1, np.uint8),
        ("16.png", 257, np.uint16),
        ("16.tif", 257, np.uint16),
        ("32.tif", 257, np.int32),
        ("float.tif", 1 / 255, np.float32),
        ("bytes.tif", 1, np.float32),
        ("large.tif", 257, np.float32),
    ],
)
def test_grey_pictures_of_any_depth_keep_their_brightness(tmp_path, name, levels, kind) -> None:
    shown = saved(tmp_path / name, Image.fromarray((GREY * levels).astype(kind)))
    assert shown.shape == (40, 60, 3) and np.abs(shown - GREY[..., None]).max() <= 1


def test_dark_16_bit_pictures_stay_dark(tmp_path) -> None:
    """Their levels say how many bits they have, not how bright they are."""
    shown = saved(tmp_path / "dark.png", Image.fromarray((GREY // 2).astype(np.uint16)))
    assert shown.max() <= 1


DEEP = {"I": np.int32, "F": np.float32, "I;16": np.uint16}


@pytest.mark.parametrize("mode", [*["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"], *DEEP])
def test_pil_images_of_every_mode_are_taken(mode) -> None:
    if mode in DEEP:
        picture = Image.fromarray((GREY * 257).astype(DEEP[mode]))
    else:
        picture = Image.fromarray(GREY.astype(np.uint8)).convert("RGB").convert(mode)
    shown = rgb_images(picture)[0].astype(int)
    tolerance = 255 if mode in ("1", "P") else 4
    assert np.abs(shown - GREY[..., None]).max() <= tolerance
    assert shown[:5, :5].mean() < 60 < 190 < shown[-5:, -5:].mean()


@pytest.mark.parametrize("levels", [np.nan, np.inf, -1.0, 1e9])
def test_numbers_outside_of_brightness_are_refused(levels) -> None:
    with pytest.raises(BadInput, match="8 or 16 bits"):
        rgb_images(Image.fromarray(np.full((8, 8), levels, np.float32)))


def test_no_file_is_left_open(tmp_path) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        for kind in ("png", "tif", "jpg", "gif"):
            saved(tmp_path / f"p.{kind}", Image.fromarray(GREY.astype(np.uint8)))
        gc.collect()
    assert [str(each.message) for each in told if each.category is ResourceWarning] == []


def test_a_colour_scan_of_16_bits_is_read(tmp_path) -> None:
    rows = np.repeat(GREY[..., None] * 257, 3, axis=2).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", 60, 40, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    (tmp_path / "scan.png").write_bytes(content)
    assert np.abs(rgb_images(read_picture(tmp_path / "scan.png"))[0] - GREY[..., None]).max() <= 1


@pytest.mark.parametrize("kind", ["iTXt", "zTXt", "tEXt", "iCCP"])
def test_a_png_with_long_texts_or_profile_is_read_as_one_without(tmp_path, kind) -> None:
    """ComfyUI keeps whole workflows in its pictures."""
    picture, info, options = Image.fromarray(GREY.astype(np.uint8)).convert("RGB"), PngInfo(), {}
    long = "{}" * 1_000_000
    if kind == "iTXt":
        info.add_itxt("workflow", long, zip=True)
    elif kind == "iCCP":
        options["icc_profile"] = bytes(2_000_000)
    else:
        info.add_text("workflow", long, zip=kind == "zTXt")
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = saved(tmp_path / "a.png", picture, pnginfo=info, exif=exif, **options)
    assert np.array_equal(shown, saved(tmp_path / "b.png", picture, exif=exif)) and shown.shape == (60, 40, 3)
    assert read_picture(str(tmp_path / "a.png")).size == (40, 60)


def test_every_turn_that_a_camera_writes_is_heeded(tmp_path) -> None:
    picture = Image.fromarray(GREY.astype(np.uint8)).convert("RGB")
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        shown = saved(tmp_path / "a.png", picture, exif=exif)
        assert shown.shape[:2] == ((40, 60) if turn < 5 else (60, 40))


def test_damaged_exif_is_said_and_the_picture_read(tmp_path, caplog) -> None:
    picture = Image.fromarray(GREY.astype(np.uint8)).convert("RGB")
    with caplog.at_level(logging.WARNING):
        shown = saved(tmp_path / "a.png", picture, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert shown.shape == (40, 60, 3)


@pytest.mark.parametrize("kept", [0, 10, 60, 500])
def test_a_cut_off_or_foreign_file_is_one_sentence(tmp_path, kept) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    for name in ("a.png", "a.jpg", "a.webp", "a.tif", "a.gif"):
        path = tmp_path / name
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(BadInput) as error:
            read_picture(path)
        assert "can't be read as a picture" in str(error.value) and "\n" not in str(error.value)
