"""Frames in bands: what is pasted, marked and converted in parts is what whole frames give, bit for bit."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch

from gohd_core.face import Portrait
from gohd_core.render import Mark, frames_to_bytes, marked, paste_back, paste_mask
from gohd_core.render.placing import resized
from gohd_core.render.visible_mark import Lettering
from gohd_core.render.watermark import _overlay
from gohd_core.video.bands import BAND, BandedFrames, rows_in_bands, whole_of
from gohd_core.video.canvas import Canvas
from gohd_core.video.colour import Colour

av = pytest.importorskip("av", reason="PyAV is not installed")

MARK = Mark(text="GoHD", corner="bottom left")


def portrait(box: tuple[int, int, int, int], height: int = 151, width: int = 233) -> Portrait:
    frame = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(0))
    return Portrait(frame, box, torch.zeros(64, 64, 3))


def faces(count: int, size: int) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2.2 - 1.1


def whole_frames(crops: torch.Tensor, who: Portrait, background: torch.Tensor) -> torch.Tensor:
    """Pasted and marked by definition, frame by frame, all over."""
    left, top, right, bottom = who.box
    height, width = background.shape[2:]
    weights, made = paste_mask(who), []
    for crop, base in zip(crops, background, strict=True):
        face = base.clone()
        shape = (bottom - top, right - left)
        face[:, top:bottom, left:right] = crop if crop.shape[1:] == shape else resized(crop, shape)
        made.append(torch.lerp(base, face.clamp(-1, 1), weights))
    overlay = _overlay(MARK, height, width) * (2 / 255)
    frames = (torch.stack(made) + overlay).clamp(-1, 1)
    text = Lettering(MARK.text, MARK.corner, MARK.opacity, (height, width), (-1.0, 1.0))
    return text.drawn(frames, whole_of(frames))


@pytest.mark.parametrize("box", [(60, 21, 140, 101), (0, 0, 80, 80), (153, 71, 233, 151), (70, 0, 221, 151)])
@pytest.mark.parametrize("size", [80, 64])
def test_bands_are_the_whole_frames(box, size) -> None:
    """Crops inside, at corners and at odd sides, of the box's size or resized, before a still picture and
    before a changing one: values, levels and yuv420p."""
    who, crops = portrait(box), faces(5, size)
    still = (who.frame.permute(2, 0, 1) * 2 - 1).expand(5, -1, -1, -1)
    changing = torch.rand(still.shape, generator=torch.Generator().manual_seed(2)) * 2 - 1
    for background, given in ((still, None), (changing, changing)):
        wanted = whole_frames(crops, who, background)
        stream = marked(paste_back(crops, who, given, colour="none"), MARK)
        assert torch.equal(torch.cat(list(stream)), wanted)
        stream = marked(paste_back(crops, who, given, colour="none"), MARK)
        canvas = Canvas(stream.still, stream.region, Colour.usual(151, 233))
        for bands, frame in zip(stream.frames, wanted, strict=True):
            for band in bands:
                canvas.write(band)
            assert np.array_equal(planes(canvas.frame()), planes(converted(frame)))


def converted(frame: torch.Tensor):
    """A frame [3,H,W] in [-1, 1] by PyAV's own conversion of a whole picture."""
    levels = frames_to_bytes(frame[None])[0]
    levels = np.pad(levels, ((0, levels.shape[0] % 2), (0, levels.shape[1] % 2), (0, 0)), "edge")
    picture = av.VideoFrame.from_ndarray(levels, format="rgb24")
    return picture.reformat(format="yuv420p", dst_colorspace=5, dst_color_range=1)


def planes(frame) -> np.ndarray:
    return frame.to_ndarray().copy()


def test_only_what_changes_is_handed_on() -> None:
    who = portrait((60, 21, 140, 101))
    stream = paste_back(faces(2, 64), who)
    assert isinstance(stream, BandedFrames) and stream.region == (slice(21, 101), slice(60, 140))
    for bands in stream.frames:
        places = [band.region for band in bands]
        assert [rows for rows, _ in places] == list(rows_in_bands(slice(21, 101)))
        assert {(columns.start, columns.stop) for _, columns in places} == {(60, 140)}
    assert [rows.stop for rows in rows_in_bands(slice(21, 101))] == [BAND, 2 * BAND, 3 * BAND, 101]


def test_two_faces_are_bands_of_one_stream() -> None:
    """Pasted one after the other they are what pasting into whole frames gives."""
    one, two = portrait((10, 20, 74, 84)), portrait((50, 30, 150, 130))
    onto_whole = paste_back(faces(3, 64), two, torch.cat(list(paste_back(faces(3, 80), one))))
    onto_bands = paste_back(faces(3, 64), two, paste_back(faces(3, 80), one))
    assert onto_bands.region == (slice(20, 130), slice(10, 150))
    assert torch.equal(torch.cat(list(onto_bands)), torch.cat(list(onto_whole)))


def test_frames_can_be_taken_whole_after_marking() -> None:
    """Held batches are memory of their own."""
    who = portrait((60, 21, 140, 101))
    batches = list(marked(paste_back(faces(40, 64).split(7), who)))
    again = chain.from_iterable(marked(paste_back(faces(40, 64), who)))
    assert all(torch.equal(a, b) for a, b in zip(chain.from_iterable(batches), again, strict=True))


def test_a_mask_leaves_the_rest_of_a_crop_as_large_as_the_picture() -> None:
    who = portrait((0, 0, 151, 151), 151, 151)
    mask = torch.zeros(151, 151)
    mask[60:80, 40:90] = 1
    made = torch.cat(list(paste_back(faces(2, 64), who, mask=mask, colour="none")))
    outside = mask == 0
    assert torch.equal(
        made[:, :, outside], (who.frame.permute(2, 0, 1) * 2 - 1)[:, outside].expand(2, -1, -1)
    )
    assert (made[:, :, ~outside] != (who.frame.permute(2, 0, 1) * 2 - 1)[:, ~outside]).float().mean() > 0.5
