"""The whole pipeline, from a picture and a sound file to a video, with tiny untrained networks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from gohd_core.animator import Animator
from gohd_core.audio import audio_features
from gohd_core.cli import main
from gohd_core.errors import BadCheckpoint, BadInput, Interrupted
from gohd_core.face import prepare_portrait
from gohd_core.models import Models
from gohd_core.motion.idle import MOUTH
from gohd_core.pipeline import finish, motion_from_audio, talk
from gohd_core.render import paste_back
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.talk_options import TalkOptions
from tests.support import tiny
from tests.support.face_helpers import bfm_arrays, write_bfm

av = pytest.importorskip("av", reason="PyAV is not installed")


@pytest.fixture(scope="module")
def models(weights) -> Models:
    return Models.load(weights)


@pytest.fixture(scope="module")
def portrait(models):
    picture = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    return prepare_portrait(
        picture, size=64, extractor=models.extractor, gaze_estimator=models.gaze_estimator
    )


def sound(seconds: float, rate: int = 16_000) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 150 * time) * np.sin(2 * np.pi * 3 * time)).astype(np.float32)


@pytest.fixture
def inputs(tmp_path):
    Image.fromarray(np.full((80, 80, 3), 120, np.uint8)).save(tmp_path / "face.png")
    soundfile.write(tmp_path / "voice.wav", sound(1.13, 44_100), 44_100)
    return tmp_path


def test_photographs_take_the_colours_of_another_picture_alone(portrait) -> None:
    photograph = replace(portrait, mesh=torch.zeros(478, 3, dtype=torch.float32, device="cpu"))
    frames = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.2
    dark = torch.full((3, 80, 80), -0.7, dtype=torch.float32, device="cpu")
    for into, colour in (({"background": dark}, "constant"), ({"background": None}, "none")):
        made = torch.cat(list(finish([frames], photograph, full_frame=True, invisible_mark=False, **into)))
        for each in ("constant", "none"):
            pasted = torch.cat(list(paste_back([frames], photograph, colour=each, **into)))
            assert torch.equal(made, pasted) == (each == colour)


@pytest.mark.parametrize("seconds", [0.04, 0.05, 0.99, 1.0, 1.03, 2.017])
def test_as_many_frames_as_the_sound_has(models, portrait, seconds) -> None:
    features = audio_features(sound(seconds)[None], 16_000)
    motion = motion_from_audio(features, portrait, models, TalkOptions(steps=2))
    assert len(motion) == max(round(seconds * 25), 1)
    assert motion.space == "stylised"


def test_same_seed_same_frames_whatever_the_batch(models, portrait) -> None:
    features = audio_features(sound(0.4)[None], 16_000)

    def frames(**changes) -> torch.Tensor:
        _, made = talk(portrait, features, models, TalkOptions(steps=2, **changes))
        return torch.cat(list(made))

    first = frames(seed=4)
    assert torch.equal(first, frames(seed=4))
    torch.testing.assert_close(first, frames(seed=4, batch_size=3), rtol=0, atol=1e-4)
    assert not torch.equal(first, frames(seed=5))


def test_gaze_is_held_set_or_sampled(models, portrait) -> None:
    features = audio_features(sound(0.4)[None], 16_000)

    def gaze(value) -> torch.Tensor:
        return motion_from_audio(features, portrait, models, TalkOptions(steps=2, gaze=value)).gaze.values

    assert torch.equal(gaze("hold"), portrait.gaze.values.expand(10, -1))
    torch.testing.assert_close(gaze((0.1, -0.3)), torch.tensor([[0.1, -0.3]]).expand(10, -1))
    assert gaze("sample").std(dim=0).min() > 0
    with pytest.raises(BadInput, match="'left' is no gaze"):
        TalkOptions(gaze="left")


def test_scales_act_on_movement_and_expression(models, portrait) -> None:
    features = audio_features(sound(0.4)[None], 16_000)
    plain = motion_from_audio(features, portrait, models, TalkOptions(steps=2))
    scaled = motion_from_audio(
        features, portrait, models, TalkOptions(steps=2, pose_scale=2.0, expression_scale=1.5)
    )
    torch.testing.assert_close(
        scaled.pose.values - portrait.p0, 2 * (plain.pose.values - portrait.p0), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(scaled.expression.values, 1.5 * plain.expression.values)


def test_interruption_is_asked_for_in_every_stage(models, portrait) -> None:
    features = audio_features(sound(1.0)[None], 16_000)
    for patience in (0, 1, 4, 6):
        asked = iter([False] * patience + [True] * 1000)
        with pytest.raises(Interrupted):
            _, frames = talk(
                portrait, features, models, TalkOptions(steps=3), should_stop=lambda asked=asked: next(asked)
            )
            list(frames)


def test_command_line_makes_a_video_with_its_sound(weights, inputs, capsys) -> None:
    paths = ["-p", inputs / "face.png", "-a", inputs / "voice.wav", "-o", inputs / "out.mp4"]
    options = ["--models", weights, "--steps", "2", "--motion", inputs / "m.safetensors", "--json"]
    options += ["--picture", inputs / "strip.png"]
    code = main(["talk", *map(str, paths), *map(str, options)])
    assert code == 0
    made = json.loads(capsys.readouterr().out)
    assert made["frames"] == round(1.13 * 25)
    with av.open(str(inputs / "out.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.frames, video.average_rate, video.codec_context.name) == (28, 25, "h264")
        assert audio.codec_context.name == "aac" and audio.rate == 44_100
        assert float(audio.duration * audio.time_base) == pytest.approx(1.13, abs=0.03)
    assert (inputs / "m.safetensors").exists()
    assert Image.open(inputs / "strip.png").size == (8 * 64, 64)


def test_command_line_makes_every_pair_of_two_folders(weights, inputs, tmp_path, capsys) -> None:
    faces, voices = tmp_path / "faces", tmp_path / "voices"
    faces.mkdir(), voices.mkdir()
    for name in ("a", "b"):
        shutil.copy(inputs / "face.png", faces / f"{name}.png")
    soundfile.write(voices / "v.wav", sound(0.3), 16_000)
    out = tmp_path / "out"
    arguments = ["talk", "-p", str(faces), "-a", str(voices), "-o", str(out), "--models", str(weights)]
    assert main([*arguments, "--steps", "1"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a-v.mp4", "b-v.mp4"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"-p": "absent.png"}, "no picture at"),
        ({"-a": "absent.wav"}, "no sound at"),
        ({"-a": "face.png"}, "."),
        ({"-p": "voice.wav"}, "can't be read as a picture"),
        ({"-o": "out.avi"}, "ends otherwise than .mp4"),
        ({"--gaze": "left"}, "no gaze"),
        ({"--gaze": "a,b"}, "PITCH,YAW"),
        ({"--models": "nowhere"}, "lacks FaceAnimator_GoHD.pt"),
    ],
)
def test_bad_input_gets_one_sentence_and_no_file(weights, inputs, capsys, monkeypatch, changes, said) -> None:
    monkeypatch.chdir(inputs)
    before = sorted(path.name for path in inputs.iterdir())
    arguments = {
        "-p": "face.png",
        "-a": "voice.wav",
        "-o": "out.mp4",
        "--models": str(weights),
        "--steps": "1",
    }
    code = main(["talk", *(word for pair in (arguments | changes).items() for word in pair)])
    error = capsys.readouterr().err
    assert code == 1 and error.startswith("gohd: ") and error.count("\n") == 1
    assert said in error
    assert sorted(path.name for path in inputs.iterdir()) == before


def test_families_never_mix(weights, models, tmp_path) -> None:
    other = Animator.load(tiny.write_family(tmp_path, space="bfm09") / "FaceAnimator_GoHD.safetensors")
    with pytest.raises(BadInput, match="different coefficient spaces .*bfm09"):
        Models(**(vars(models) | {"animator": other}))
    with pytest.raises(BadCheckpoint, match="lacks"):
        Models.load(tmp_path / "empty")


def test_doctor_reports_what_is_found(weights, capsys) -> None:
    main(["doctor", "--models", str(weights), "--json"])
    findings = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert findings["FaceAnimator_GoHD.pt"]["ok"] and not findings["79999_iter.pth"]["ok"]
    assert "drive.google.com" in findings["79999_iter.pth"]["detail"]
    main(["doctor"])
    assert "Coming from the official code?" in capsys.readouterr().out


def test_convert_command(weights, tmp_path, capsys) -> None:
    source = weights / "audio2exp.safetensors"
    assert main(["convert", str(source), str(tmp_path / "e.safetensors")]) == 0
    assert "expression" in capsys.readouterr().out
    assert main(["convert", str(source), str(tmp_path / "e.safetensors")]) == 1
    assert "is there already" in capsys.readouterr().err


def test_every_public_name_can_be_imported() -> None:
    import gohd_core

    for name in gohd_core.__all__:
        assert getattr(gohd_core, name) is not None
    assert callable(gohd_core.talk)


def test_two_stage_weights_of_the_official_space_ask_for_the_face_model(tmp_path) -> None:
    other = tiny.write_family(tmp_path, space="bfm09")
    with pytest.raises(BadCheckpoint, match=r"put BFM_model_front\.mat beside them"):
        Models.load(other)
    write_bfm(other / "BFM_model_front.mat", bfm_arrays())
    assert Models.load(other).face_model is not None


def test_a_silent_clip_is_an_idle_loop_with_its_mouth_shut(models, portrait) -> None:
    features = audio_features(np.zeros((1, 5 * 16_000), np.float32), 16_000)
    made = motion_from_audio(features, portrait, models, TalkOptions(steps=2))
    mouth = made.expression.values[:, [INDEX[name] for name in MOUTH]]
    assert len(made) == 125 and mouth.abs().max() == 0
    for track in (made.pose, made.gaze):
        assert track.values.std(0).max() > 0, "it lives"
        joint = (track.values[0] - track.values[-1]).abs()
        assert bool((joint <= 1.5 * track.values.diff(dim=0).abs().amax(0) + 1e-3).all())


def test_mouth_and_eyes_are_scaled_by_themselves(models, portrait) -> None:
    features = audio_features(sound(0.4)[None], 16_000)
    plain = motion_from_audio(features, portrait, models, TalkOptions(steps=2)).expression.values
    scaled = motion_from_audio(features, portrait, models, TalkOptions(steps=2, mouth_scale=0.5))
    torch.testing.assert_close(scaled.expression.values[:, 0], 0.5 * plain[:, 0])
    brow = INDEX["brow_inner_up"]
    torch.testing.assert_close(scaled.expression.values[:, brow], plain[:, brow])
