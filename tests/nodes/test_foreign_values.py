"""Values as core and other packs make them: mappings that are no dict, cropped videos, empty masks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.face.mediapipe.points import face_track
from tests.support.fake_mediapipe import face, payload
from tests.support.samples import picture


class Lazy(Mapping):
    """Like the sound of Video Helper Suite: read when it is asked for, and no dict."""

    def __init__(self, **values: Any) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Keyed:
    """Has keys and nothing else of a mapping."""

    def __init__(self, **values: Any) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return self._values[key]


@pytest.fixture
def part(extension):
    """A module of the pack by its name."""
    return lambda name: importlib.import_module(f"gohd_pack.nodes.{name}")


@pytest.mark.parametrize("kind", [dict, Lazy, Keyed])
def test_sound_is_asked_for_by_key(part, kind) -> None:
    waveform = part("values").waveform
    sound = torch.linspace(-1, 1, 1600, dtype=torch.float32, device="cpu").reshape(1, 2, 800)
    found, rate = waveform(kind(waveform=sound, sample_rate=16_000))
    assert torch.equal(found, sound[0]) and rate == 16_000
    for nothing in (None, kind(), kind(waveform=None, sample_rate=1), 5, "sound", sound):
        with pytest.raises(BadInput, match="no sound"):
            waveform(nothing)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_sound_of_any_precision_is_encoded_and_written(run, part, tmp_path, dtype) -> None:
    pytest.importorskip("av")
    from gohd_core.audio import load_audio
    from gohd_core.render import render_video

    sound = 0.5 * torch.sin(torch.arange(8000, dtype=torch.float64, device="cpu") * 0.2)[None, None]
    audio = Lazy(waveform=sound.to(dtype), sample_rate=16_000)
    assert len(run("GoHDEncodeAudio", audio=audio)[0]) == 12
    frames = torch.zeros(12, 3, 16, 16, dtype=torch.float32, device="cpu")
    path = render_video(tmp_path / "v.mp4", [frames], audio=part("values").waveform(audio))
    heard = load_audio(path)[0][0, :8000]
    assert np.corrcoef(heard, sound[0, 0].numpy())[0, 1] > 0.99


@pytest.mark.parametrize("kind", [dict, Lazy, Keyed])
def test_landmarks_are_asked_for_by_key(part, kind) -> None:
    faces = part("faces")
    seen = [[face(np.zeros(6), side=side)] for side in (200, 256)]
    choice = faces.choice_of("largest", 0)
    wanted = faces.portrait_landmarks(payload(seen), 1, choice)
    found = faces.portrait_landmarks(kind(**payload(seen)), 1, choice)
    assert np.array_equal(found, wanted) and found.shape == (68, 2)
    assert len(face_track(kind(**payload(seen)))) == 2
    for nothing in (5, kind(), kind(frames=[])):
        with pytest.raises(BadInput, match="landmarks"):
            faces.portrait_landmarks(nothing, 1, choice)
        with pytest.raises(BadInput, match="no face landmarks"):
            face_track(nothing)


class VideoFromFile:
    """As core's: trimmed and cropped without being written, the crop under a private name."""

    def __init__(self, file: str, trim: tuple[float, float] = (0.0, 0.0), crop: Any = None) -> None:
        self.__file, self._trim, self.__crop = file, trim, crop

    def get_stream_source(self) -> str:
        return self.__file

    def get_active_trim_window(self) -> tuple[float, float]:
        return self._trim


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """25 frames of 96 x 160 whose left half gets brighter with time; marked in its right half alone."""
    pytest.importorskip("av")
    from gohd_core.render import render_video

    frames = torch.full((25, 3, 96, 160), -0.5, dtype=torch.float32, device="cpu")
    frames[..., :80] = torch.linspace(-1, 1, 25, dtype=torch.float32, device="cpu")[:, None, None, None]
    return str(render_video(tmp_path_factory.mktemp("film") / "v.mp4", [frames], crf=4))


@pytest.mark.parametrize("crop", [(0, 8, 80, 64), {"x": 0, "y": 8, "width": 80, "height": 64}])
def test_a_videos_crop_and_trim_are_heeded(part, film, crop) -> None:
    made = part("faces").film_of(VideoFromFile(film, (0.4, 0.2), crop), 25)
    shown = list(made.play())
    assert part("faces").film_size(made) == (64, 80) and len(shown) == 5
    assert shown[0][1].mean() == pytest.approx(255 * 10 / 24, abs=4)
    whole = part("faces").film_of(VideoFromFile(film), 25)
    assert part("faces").film_size(whole) == (96, 160) and len(list(whole.play())) == 25


def test_a_subclass_of_a_cropped_video_is_cropped_too(part, film) -> None:
    class Own(VideoFromFile):
        pass

    assert part("faces").film_size(part("faces").film_of(Own(film, crop=(16, 8, 40, 30)), 25)) == (30, 40)


def test_the_mark_is_read_in_the_part_that_a_video_is(run, tmp_path) -> None:
    """Of two joined films, one marked: trim and crop say which is looked at."""
    pytest.importorskip("av")
    from gohd_core.render import marked, render_video

    ramp = torch.linspace(-0.6, 0.6, 320, dtype=torch.float32, device="cpu")
    plain = (ramp + ramp[:, None]).clamp(-0.8, 0.8).expand(12, 3, -1, -1)
    signed = torch.cat(list(marked([plain])))

    def found(path, **part) -> bool:
        return run("GoHDReadWatermark", media=VideoFromFile(str(path), **part))[0]

    path = render_video(tmp_path / "v.mp4", [torch.cat([plain, signed])], crf=12)
    assert not found(path, trim=(0.0, 0.48)) and found(path, trim=(0.48, 0.48))
    path = render_video(tmp_path / "w.mp4", [torch.cat([plain, signed], dim=3)], crf=12)
    assert not found(path, crop=(0, 0, 320, 320)) and found(path, crop=(320, 0, 320, 320))


def test_an_empty_mask_is_none(run, part, models) -> None:
    """Load Image gives one of 64 x 64 where a picture has no alpha."""
    empty = torch.zeros(1, 64, 64, dtype=torch.float32, device="cpu")
    given = {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}
    portrait, *_ = run("GoHDPreparePortrait", image=picture(96, 96), face_mask=empty, **given)
    faces = torch.full((1, 64, 64, 3), 0.5, dtype=torch.float32, device="cpu")
    with_it = run("GoHDPasteBack", images=faces, portrait=portrait, mask=empty)
    without = run("GoHDPasteBack", images=faces, portrait=portrait)
    assert all(torch.equal(a, b) for a, b in zip(with_it, without, strict=True))
