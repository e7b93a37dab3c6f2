"""`gohd extract` and `gohd drive`: files, folders, exit codes, JSON, parts from video, sound or portrait."""

from __future__ import annotations

import argparse
import json
import shutil
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import gohd_core
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.clips import ClipDataset
from gohd_core.commands.dubbing import dubbed_film
from gohd_core.motion.file import read_motion_file
from gohd_core.render import render_video
from tests.support.command_line import gohd, gohd_json

av = pytest.importorskip("av", reason="PyAV is not installed")
SAMPLE = assets_folder() / "driving_sample.mp4"
FACE = assets_folder() / "portraits" / "03.jpg"


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """Landmarks of the sample's frames: the untrained networks would see no face in it."""
    found = gohd_core.load_extractor().extract(next(_frames(SAMPLE))).landmarks.numpy()
    path = tmp_path_factory.mktemp("landmarks") / "points.npy"
    np.save(path, np.repeat(found, 99, 0))
    return path


def _shape(path) -> tuple[int, float]:
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        sound = container.streams.audio
        return frames, float(sound[0].duration * sound[0].time_base) if sound else 0.0


def test_extract_writes_a_motion_that_says_where_it_is_from(tmp_path, capsys) -> None:
    code, (made,) = gohd_json(capsys, "extract", SAMPLE, "-o", tmp_path / "m.safetensors", "--seconds", 0.6)
    assert code == 0 and made["frames"] == 15 and made["report"]["without_face"] == 0
    motion, header = read_motion_file(tmp_path / "m.safetensors")
    assert len(motion) == 15 and motion.space == "stylised" and header["info"]["video"] == SAMPLE.name
    code, (made,) = gohd_json(
        capsys, "extract --seconds 0.4 --fps 29.97 --smooth none", SAMPLE, "-o", tmp_path / "n.safetensors"
    )
    assert made["frames"] == 12 and made["report"]["tremble"] == made["report"]["steadied_tremble"]


def test_a_folder_of_videos_goes_on_past_a_bad_one(tmp_path, capsys) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "c.mp4"):
        shutil.copy(SAMPLE, tmp_path / "in" / name)
    (tmp_path / "in" / "b.mp4").write_text("no video")
    code, made = gohd_json(capsys, "extract", tmp_path / "in", "-o", tmp_path / "out", "--seconds", 0.2)
    assert code == 1 and [("error" in one) for one in made] == [False, True, False]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.safetensors", "c.safetensors"]


def test_a_list_of_videos_sets_options_of_each(tmp_path, capsys) -> None:
    rows = [{"video": str(SAMPLE), "seconds": 0.2, "output": "short"}, {"video": str(SAMPLE), "fps": 50}]
    (tmp_path / "list.json").write_text(json.dumps([*rows, {"video": "nothing.mp4"}]))
    report = tmp_path / "report.json"
    given = ["--list", tmp_path / "list.json", "-o", tmp_path / "out", "--seconds", 0.4, "--report", report]
    code, made = gohd_json(capsys, "extract", *given)
    assert code == 1 and [one.get("frames") for one in made] == [5, 20, None]
    assert (tmp_path / "out" / "short.safetensors").is_file()
    failed = json.loads(report.read_text())["failed"]
    assert len(failed) == 1 and failed[0]["video"] == str(tmp_path / "nothing.mp4")


def test_wrong_use_is_one_sentence(tmp_path, capsys) -> None:
    motion = tmp_path / "m.safetensors"
    for words, said in (
        ([SAMPLE], "Say where the motion goes"),
        ([tmp_path / "none.mp4", "-o", motion], "no video at"),
        ([SAMPLE, "-o", tmp_path / "m.npz"], "ends otherwise"),
        ([SAMPLE, "-o", motion, "--detector", tmp_path], "s3fd-619a316812.pth"),
        ([SAMPLE, "-o", motion, "--landmarks", FACE], "NumPy array"),
        ([SAMPLE, "-o", motion, "--models", tmp_path], "lacks epoch_20.pth"),
    ):
        assert gohd("extract --seconds 0.2", *words) == 1
        assert said in capsys.readouterr().err
    files = ["-p", FACE, "-v", SAMPLE, "-o", tmp_path / "v.mp4"]
    assert gohd("drive --seconds 0.2 --relative ears", *files) == 1
    assert "no part 'ears'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        gohd("drive -p", FACE)
    assert stopped.value.code == 2


def test_landmarks_from_a_file_are_where_the_face_is(tmp_path, capsys, points) -> None:
    some = np.load(points)[:10]
    some[6:] = np.nan
    np.save(tmp_path / "some.npy", some)
    files = [SAMPLE, "-o", tmp_path / "m.safetensors", "--landmarks", tmp_path / "some.npy"]
    code, (made,) = gohd_json(capsys, "extract --seconds 0.4 --missing mark", *files)
    assert code == 0 and made["report"]["without_face"] == 4 and made["report"]["gaps"] == [[0.24, 0.4]]


def _frames(path):
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def test_clips_are_what_trainers_read(tmp_path, capsys) -> None:
    given = "extract", SAMPLE, "--clip-format", tmp_path / "data"
    cut = "--clip-seconds 1.5 --clip-size 64 --split train"
    code, (made,) = gohd_json(capsys, *given, cut)
    assert code == 0 and len(made["clips"]) == 3
    data = ClipDataset(tmp_path / "data")
    entries = data.select("train")
    assert sum(entry.frames for entry in entries) == made["report"]["frames"] == 99
    clip = data.clip(entries[1])
    assert clip.read("frames").shape == (33, 64, 64, 3) and clip.read("audio").shape == (33 * 640,)
    assert len(clip.motion()) == 33 and clip.read("valid").all() and clip.info["source"] == SAMPLE.stem
    assert np.abs(clip.read("audio")).max() > 1000
    landmarks = clip.read("landmarks")
    assert landmarks.min() > 0 and landmarks.max() < 64
    shown = clip.read("frames")[4].astype(float)
    frame = list(_frames(SAMPLE))[33 + 4].reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(shown - frame).mean() < 1
    code, _ = gohd_json(capsys, *given, cut)
    assert code == 0 and len(ClipDataset(tmp_path / "data").entries) == 3, "the same video again adds nothing"
    assert gohd(*given, "--clip-size 128") == 1
    assert "another" in capsys.readouterr().err
    assert gohd(*given, "--clip-size 64 --split test --seconds 0.2") == 1
    assert "a person has one split" in capsys.readouterr().err


def test_drive_makes_a_video_with_the_drivers_sound(tmp_path, capsys, weights, points) -> None:
    target = tmp_path / "out.mp4"
    files = ["--motion", tmp_path / "m.safetensors", "--landmarks", points, "--models", weights]
    code, (made,) = gohd_json(capsys, "drive --seconds 0.8 -p", FACE, "-v", SAMPLE, "-o", target, *files)
    assert code == 0 and made["frames"] == 20
    frames, sound = _shape(target)
    assert frames == 20 and abs(sound - 0.8) < 0.1
    motion, header = read_motion_file(tmp_path / "m.safetensors")
    assert len(motion) == 20 and header["info"]["sources"]["mouth"] == "video"


@pytest.mark.parametrize(
    ("options", "still", "moving"),
    [
        ("--pose own", "pose", "expression"),
        ("--mouth own --eyes own", "expression", "pose"),
        ("--gaze=10,-20", "gaze", "pose"),
        ("--gaze own --relative none", "gaze", "pose"),
    ],
)
def test_drive_takes_parts_from_the_chosen_sources(
    tmp_path, capsys, weights, points, options, still, moving
) -> None:
    motion = tmp_path / "m.safetensors"
    files = ["-o", tmp_path / "o.mp4", "--motion", motion, "--landmarks", points, "--models", weights]
    code, _ = gohd_json(capsys, "drive --seconds 0.3 -p", FACE, "-v", SAMPLE, *files, options)
    made = gohd_core.load_motion(motion)
    assert code == 0
    assert getattr(made, still).values.diff(dim=0).abs().max() == 0
    assert getattr(made, moving).values.diff(dim=0).abs().max() > 0
    if "--gaze=10,-20" in options:
        assert torch.allclose(made.gaze.values[0], torch.deg2rad(torch.tensor([10.0, -20.0])), atol=1e-6)


def test_drive_with_a_mouth_from_sound_and_folders(tmp_path, capsys, weights) -> None:
    (tmp_path / "faces").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(FACE, tmp_path / "faces" / name)
    files = ["-p", tmp_path / "faces", "-v", SAMPLE, "-o", tmp_path / "out", "--models", weights]
    options = "--seconds 0.4 --mouth audio --length mouth --missing mark"
    code, made = gohd_json(capsys, "drive", *files, options)
    assert code == 0 and [one["frames"] for one in made] == [10, 10]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a-driving_sample.mp4",
        "b-driving_sample.mp4",
    ]


def test_drive_without_sound_says_so_where_sound_is_wanted(tmp_path, capsys, weights) -> None:
    silent = tmp_path / "silent.mp4"
    frames = torch.stack([torch.from_numpy(f) for f in list(_frames(SAMPLE))[:5]])
    render_video(silent, [frames.permute(0, 3, 1, 2) / 127.5 - 1])
    base = ["drive -p", FACE, "-v", silent, "-o", tmp_path / "o.mp4", "--models", weights]
    assert gohd(*base, "--mouth audio") == 1
    assert "has none; give --audio" in capsys.readouterr().err
    assert gohd(*base) == 0 and _shape(tmp_path / "o.mp4") == (5, 0.0)


def test_a_face_goes_back_into_the_video(tmp_path, capsys, weights, points) -> None:
    """Its own face or another one, at the video's rate; away from the face the video is as it was."""
    film = tmp_path / "film.mp4"
    frames = torch.from_numpy(np.stack([frame for frame in islice(_frames(SAMPLE), 9)]))
    frames = torch.nn.functional.pad(frames.permute(0, 3, 1, 2).float() / 127.5 - 1, (0, 128))
    render_video(film, [frames], fps=30, audio=gohd_core.load_audio(SAMPLE))
    given = ["drive", "-v", film, "--models", weights, "--landmarks", points, "--into-video"]
    for face in ([], ["-p", FACE]):
        code, (made,) = gohd_json(capsys, *given, *face, "-o", tmp_path / "v.mp4")
        assert code == 0 and made["frames"] == 9
        with av.open(str(tmp_path / "v.mp4")) as container:
            assert container.streams.video[0].average_rate == 30
        before, after = (np.stack(list(_frames(path))).astype(float) for path in (film, tmp_path / "v.mp4"))
        assert after.shape == before.shape
        change = np.abs(after - before).mean((0, 3))
        assert change[:, 300:].mean() < 3 < change[100:200, 90:170].mean()
    assert gohd(*given[:-1], "-o", tmp_path / "w.mp4") == 1
    assert "Say who moves" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "mouth"),
    [
        (["--into-video", "-a", "voice.wav"], "audio"),
        (["--into-video", "-a", "voice.wav", "--mouth", "video"], "video"),
        (["--into-video", "-a", "voice.wav", "-p", str(FACE)], "video"),
        (["--into-video"], "video"),
        (["-p", str(FACE), "-a", "voice.wav"], "video"),
        (["-p", str(FACE), "--mouth", "audio"], "audio"),
    ],
)
def test_a_sound_for_the_face_in_a_video_is_what_it_says(options, mouth, monkeypatch, tmp_path) -> None:
    from gohd_core.commands import drive

    jobs: list = []
    monkeypatch.setattr(drive, "check_jobs", lambda *_: None)
    monkeypatch.setattr(drive, "run_batch", lambda found, *_, **__: jobs.extend(found) or 0)
    assert gohd("drive", "-v", SAMPLE, "-o", tmp_path / "o.mp4", *options) == 0
    assert [job.arguments.mouth for job in jobs] == [mouth]


@pytest.mark.parametrize(
    ("change", "people", "dubbed"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"mouth": "video"}, True, False),
        ({"pose": "audio"}, True, False),
        ({"into_video": False}, True, False),
    ],
)
def test_a_face_of_people_that_says_a_sound_is_dubbed(monkeypatch, change, people, dubbed) -> None:
    """Decided by the first frame, so that the video is followed once."""
    from gohd_core.driving import extraction

    monkeypatch.setattr(extraction, "shows_people", lambda film, *_: (film, people))
    models = SimpleNamespace(reader=object(), extractor=SimpleNamespace(space="stylised"))
    given = {"into_video": True, "mouth": "audio", "pose": "video", "eyes": "video", "gaze": "video"}
    given |= {"start": 0.0, "seconds": 0.0, "face": "largest", "video_box": None, **change}
    film = dubbed_film(models, SAMPLE, None, argparse.Namespace(**given))
    assert (film is not None) == dubbed
    assert dubbed_film(models, SAMPLE, FACE, argparse.Namespace(**given)) is None
