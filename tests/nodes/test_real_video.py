"""Nodes that take a VIDEO whole: as a stream, with its own sound, rate and frames."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.driving import eye_contact
from gohd_core.errors import BadInput
from gohd_core.render import render_video
from gohd_core.video.reader import VideoReader

RATE, FRAMES = 20, 16


class Video:
    """A VIDEO of core's, as far as our nodes ask it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get_stream_source(self) -> str:
        return str(self.path)


@pytest.fixture
def video(tmp_path) -> Video:
    """Sixteen grey frames, each lighter than the one before, at 20 frames a second, with a tone."""
    pytest.importorskip("av")
    frames = torch.linspace(-0.8, 0.8, FRAMES)[:, None, None, None].expand(-1, 3, 80, 80)
    tone = np.sin(np.arange(FRAMES * 800) * 0.3, dtype=np.float32)[None] * 0.5
    return Video(render_video(tmp_path / "film.mp4", [frames], fps=RATE, audio=(tone, 16000)))


@pytest.fixture
def readers(models) -> dict[str, object]:
    return {name: models[name] for name in ("extractor", "gaze_estimator")}


@pytest.fixture
def turned(nodes, monkeypatch) -> None:
    """Eyes are not read; what would be turned is lightened."""
    module = inspect.getmodule(nodes["GoHDEyeContact"])
    monkeypatch.setattr(module.faces, "face_reader", object)
    monkeypatch.setattr(eye_contact, "read_eyes", lambda film, reader, choice, **watch: film)

    def lightened(film: VideoReader, read, gaze, strength) -> tuple[VideoReader, str]:
        frames = [(time, np.minimum(image, 235) + 20) for time, image in film.play()]
        return replace(film, play=lambda: iter(frames)), "all seen"

    monkeypatch.setattr(eye_contact, "turn_eyes", lightened)


def test_eye_contact_gives_images_or_a_video_and_says_which(run, turned, video) -> None:
    given = {"video": video, "fps": 25.0, "strength": 1.0, "look_up": 0.0, "look_left": 0.0}
    images, fps, report, unmade = run("GoHDEyeContact", **given)
    assert len(images) == FRAMES and fps == RATE and report == "all seen"
    assert "video was not made. Switch make_video on." in unmade.message
    unmade, fps, report, made = run("GoHDEyeContact", make_video=True, **given)
    assert "images was not made. Switch make_video off." in unmade.message
    film = VideoReader.open(made.get_stream_source())
    frames = torch.from_numpy(np.stack([image for _, image in film.play()])) / 255
    assert film.fps == RATE and (frames - images).abs().max() < 0.03

    from gohd_core.audio import load_soundtrack

    (sound, rate), (before, _) = (load_soundtrack(each.get_stream_source()) for each in (made, video))
    shorter = min(sound.shape[-1], before.shape[-1])
    assert shorter > 0.75 * rate
    assert np.corrcoef(sound[0, :shorter], before[0, :shorter])[0, 1] > 0.95


def test_a_portrait_is_one_frame_of_a_video(run, readers, nodes, video, monkeypatch) -> None:
    module = inspect.getmodule(nodes["GoHDPreparePortrait"]).faces
    seen = []

    def looked_at(image: torch.Tensor, *_: object, **where: object) -> None:
        seen.append((image, where))
        raise BadInput("This is no face.")

    monkeypatch.setattr(module, "portrait_of", looked_at)
    for index in (0, 5):
        with pytest.raises(BadInput, match="no face"):
            run("GoHDPreparePortrait", image=video, index=index, **readers)
    lights = [image.mean().item() for image, _ in seen]
    assert seen[0][0].shape == (1, 80, 80, 3) and lights[1] - lights[0] == pytest.approx(
        5 * 0.8 / 15, abs=0.02
    )
    assert all(where["index"] == 0 for _, where in seen)
    with pytest.raises(BadInput, match="ends before its frame 16"):
        run("GoHDPreparePortrait", image=video, index=FRAMES, **readers)


def test_a_video_gives_its_sound_with_its_motion(run, readers, nodes, video, monkeypatch) -> None:
    module = inspect.getmodule(nodes["GoHDExtractMotion"])
    monkeypatch.setattr(module.faces, "face_reader", lambda: None)
    sound = run("GoHDExtractMotion", video=video, **readers)[8]
    assert sound["waveform"].shape[:2] == (1, 1) and sound["sample_rate"] > 0
    assert sound["waveform"].shape[2] / sound["sample_rate"] == pytest.approx(FRAMES / RATE, abs=0.07)


def test_a_rate_of_nought_is_the_background_videos(run, models, portrait, motion, video) -> None:
    given = {"animator": models["animator"], "portrait": portrait, "motion": motion, "fps": 0.0}
    (made,) = run("GoHDRenderVideo", background=video, **given)
    assert VideoReader.open(made.get_stream_source()).fps == RATE
    with pytest.raises(BadInput, match="frame rate is 0"):
        run("GoHDRenderVideo", **given)
