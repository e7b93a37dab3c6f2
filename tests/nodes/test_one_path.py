"""One way from picture and sound to frames: nodes, commands and library make the same, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

import gohd_core as gohd
from gohd_core.cli import main
from gohd_core.face.portrait import Portrait
from gohd_core.mesh.animator import MeshAnimator
from gohd_core.mesh.portrait import own_motion
from gohd_core.motion import Motion
from gohd_core.motion.file import load_motion
from gohd_core.pipeline import finish, talk
from gohd_core.talk_options import TalkOptions
from tests.support.mesh_faces import painted_mesh, painted_picture
from tests.support.samples import picture, speech

av = pytest.importorskip("av", reason="PyAV is not installed")

SETTINGS = {"seed": 5, "pose_scale": 1.2, "expression_scale": 0.8, "mood": "sad", "mood_amount": 0.6}
PITCH, YAW, FPS = 5.0, -10.0, 30.0


@pytest.fixture
def photo() -> np.ndarray:
    """Of the crop's own size: resized, an IMAGE keeps its floats and a file of 8 bits is rounded."""
    return np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)


@pytest.fixture
def sound(tmp_path) -> dict:
    """AUDIO as Load Audio gives it: of a file of 16 bits."""
    wave = speech()["waveform"][0].T.numpy()
    soundfile.write(tmp_path / "voice.wav", wave, 22_050)
    waveform, rate = gohd.load_audio(tmp_path / "voice.wav")
    return {"waveform": torch.as_tensor(waveform)[None], "sample_rate": rate}


def frames_of(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_node_command_and_library_make_the_same(run, builtin, tmp_path, photo, sound) -> None:
    image = torch.from_numpy(photo)[None].float() / 255
    gaze = {"gaze": "set", "pitch": PITCH, "yaw": YAW}
    video, motion = run(
        "GoHDTalkingPortrait",
        image=image,
        audio=sound,
        seed=SETTINGS["seed"],
        head_scale=SETTINGS["pose_scale"],
        expression_scale=SETTINGS["expression_scale"],
        fps=FPS,
        mood={name: SETTINGS[name] for name in ("mood", "mood_amount")},  # as the host gives such a choice
        **gaze,
    )

    Image.fromarray(photo).save(tmp_path / "face.png")
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    options += [f"--gaze={PITCH},{YAW}", f"--fps={FPS}", f"--motion={tmp_path / 'motion.safetensors'}"]
    files = ["-p", tmp_path / "face.png", "-a", tmp_path / "voice.wav", "-o", tmp_path / "talk.mp4"]
    assert main(["talk", *map(str, files), *options]) == 0

    models = gohd.Models.load()
    readers = {"extractor": models.extractor, "gaze_estimator": models.gaze_estimator}
    portrait = gohd.prepare_portrait(photo, **readers)
    features = gohd.audio_features(sound["waveform"][0], sound["sample_rate"], models.pose.alignment)
    angles = math.radians(PITCH), math.radians(YAW)
    library, frames = talk(portrait, features, models, TalkOptions(gaze=angles, fps=FPS, **SETTINGS))
    written = gohd.render_video(
        tmp_path / "library.mp4",
        finish(frames, portrait),
        fps=library.fps,
        audio=(sound["waveform"][0], sound["sample_rate"]),
    )

    assert torch.equal(motion.descriptors(), library.descriptors())
    saved = load_motion(tmp_path / "motion.safetensors")
    assert torch.equal(saved.descriptors(), library.descriptors())
    node, command, made = (frames_of(p) for p in (video.get_stream_source(), tmp_path / "talk.mp4", written))
    np.testing.assert_array_equal(node, made)
    np.testing.assert_array_equal(command, made)


def test_the_graph_makes_what_the_one_node_makes(run, models, portrait, features) -> None:
    given = {"features": features, "portrait": portrait, "seed": 5}
    pose = run("GoHDSampleHeadPoses", pose_model=models["pose"], scale=1.2, guidance=0.4, **given)[0]
    lips = run("GoHDPredictExpressions", expression_model=models["expression"], scale=0.8, **given)[0]
    _, whole = run(
        "GoHDTalkingPortrait",
        image=picture(),
        audio=speech(),
        seed=5,
        gaze="hold",
        head_scale=1.2,
        expression_scale=0.8,
    )
    assert torch.equal(whole.pose.values, pose.values)
    assert torch.equal(whole.expression.values, lips.values)


@pytest.mark.parametrize("loader", ["GoHDLoadModels", "GoHDLoadAnimator"])
def test_nodes_draw_a_face_that_was_read_by_its_mesh_by_that_mesh(run, builtin, loader) -> None:
    """The built-in animator of the nodes is that of the library, which knows both ways to draw."""
    mesh = painted_mesh()
    image = painted_picture(mesh)
    own, side = own_motion(mesh, 256), image.shape[-1]
    crop = (image[0].permute(1, 2, 0) + 1) / 2
    read = {"pose": own.pose, "expression": own.expression, "gaze": own.gaze, "mesh": mesh}
    portrait = Portrait(frame=crop, box=(0, 0, side, side), crop=crop, **read)
    changed = own.descriptors()
    changed[0, [0, 65]] += torch.tensor([0.6, 0.14])  # jaw and turn
    motion = Motion.from_descriptors(changed, own.space)
    animator = run(loader)[0]
    given = {"animator": animator, "portrait": portrait, "motion": motion, "invisible_mark": False}
    drawn = run("GoHDAnimatePortrait", **given)[0]
    mesh_animator = MeshAnimator()
    source = mesh_animator.encode_source(portrait.source, own, mesh=mesh, held=(False,) * 4)
    (wanted,) = mesh_animator.animate(source, motion)
    np.testing.assert_allclose(drawn[0].numpy(), (wanted[0].permute(1, 2, 0).numpy() + 1) / 2, atol=2e-5)
