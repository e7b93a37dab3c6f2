"""VIDEO outputs answer what newer versions of core ask, and leave to core what it knows itself."""

from __future__ import annotations

import importlib
import io
import logging

import pytest
import torch

from gohd_core.video.writer import render_video

av = pytest.importorskip("av")


@pytest.fixture
def video(base, extension):
    """A video of ours, 64 x 48 and five frames long."""
    noise = torch.rand(5, 3, 48, 64, dtype=torch.float32, device="cpu", generator=torch.Generator("cpu"))
    render_video(base / "made.mp4", [2 * noise - 1])
    return importlib.import_module("gohd_pack.nodes.made_video").MadeVideo(str(base / "made.mp4"))


def test_quality_is_asked_for_where_core_does_not_know_it(video, base, tmp_path) -> None:
    video.save_to(str(tmp_path / "plain.mp4"), metadata=None, crf=None, preset=None, color_space=None)
    video.save_to(str(tmp_path / "low.mp4"), crf=51, preset="veryfast", color_space="sRGB")
    plain, low = ((tmp_path / f"{name}.mp4").read_bytes() for name in ("plain", "low"))
    assert plain == (base / "made.mp4").read_bytes() and len(low) < len(plain)
    buffer = io.BytesIO()
    video.save_to(buffer, format="mp4", codec="h264", crf=51)
    buffer.seek(0)
    with av.open(buffer) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_srgb_is_what_core_saves_anyway(video, tmp_path, caplog) -> None:
    video.save_to(str(tmp_path / "saved.mp4"), color_space="sRGB")
    assert not caplog.text
    video.save_to(str(tmp_path / "saved.mp4"), color_space="sRGB", hologram=True)
    assert "without hologram." in caplog.text


def test_unknown_options_are_skipped_with_a_warning(video, tmp_path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        video.save_to(str(tmp_path / "saved.mp4"), color_space="HDR", hologram=True)
    assert "without color_space, hologram" in caplog.text and (tmp_path / "saved.mp4").is_file()


def test_cuts_and_sizes_of_cuts(video) -> None:
    assert video.as_cropped() is video and video.as_cropped(0, 0, 64, 48) is video
    cut = video.as_trimmed(0, 0.1).as_cropped(9, 0, 32, 24)
    assert cut.get_dimensions() == (32, 24)
    small = cut.as_resized(100, 60, "lanczos", crop="center", post_crop=(4, 4, 40, 40))
    assert small.get_dimensions() == (40, 40)


def test_core_answers_itself_where_it_can(video, monkeypatch, caplog) -> None:
    core, asked = type(video).__mro__[1], []

    def save_to(self, path, format, codec, metadata, bit_depth=None, crf=None, color_space=None):
        asked.append((bit_depth, crf, color_space))

    monkeypatch.setattr(core, "save_to", save_to)
    monkeypatch.setattr(core, "as_cropped", lambda self, *box: ("core", box), raising=False)
    monkeypatch.setattr(core, "as_resized", lambda self, *how: ("core", how), raising=False)
    video.save_to("path", bit_depth=10, crf=30.0, color_space="HDR")
    assert asked == [(10, 30.0, "HDR")] and not caplog.text
    assert video.as_cropped(1, 2, 3, 4) == ("core", (1, 2, 3, 4))
    assert video.as_resized(8, 6, "area") == ("core", (8, 6, "area", "disabled", None))
