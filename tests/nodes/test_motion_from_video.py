"""Extract Motion from Video, Motion from Face Landmarks, and faces that Prepare Portrait is told of."""

from __future__ import annotations

import inspect
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gohd_core.checkpoints.detector_files import DETECTOR_FILES
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.driving.dubbing import dub, read_speaker
from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.motion import Motion
from gohd_core.video.reader import VideoReader
from tests.support.clip_faces import KnownFaces, acted, landmarks
from tests.support.fake_mediapipe import face, payload
from tests.support.mesh_faces import SIZE
from tests.support.samples import picture

REST = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
SAMPLE = assets_folder() / "driving_sample.mp4"


def _landmarks(frames: int, size: int = 80, missing: tuple[int, ...] = ()) -> dict:
    seen = [[face(REST, left=0, top=0, side=size)] for _ in range(frames)]
    return payload([[] if k in missing else found for k, found in enumerate(seen)], (size, size))


@pytest.fixture
def readers(models):
    return {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}


def test_a_batch_becomes_motion_at_25(run, readers) -> None:
    images = picture(batch=18)
    motion, pose, expression, gaze, fps, frames, report, track, sound = run(
        "GoHDExtractMotion", video=images, fps=30.0, face_landmarks=_landmarks(18, missing=(4,)), **readers
    )
    assert frames == len(motion) == len(pose) == len(expression) == len(gaze) == 15 and fps == 25.0
    assert sound is None, "images have none"
    assert "No face in 1 frames" in report and "Jitter" in report
    assert not motion.valid.all() and motion.valid.any()
    assert len(track) == 15 and track.picture == (80, 80) and (track.values == track.values[0]).all()


def test_a_video_is_read_from_its_file_and_keeps_its_trimming(run, readers) -> None:
    pytest.importorskip("av")

    class Video:
        def get_stream_source(self) -> str:
            return str(SAMPLE)

    frames = run("GoHDExtractMotion", video=Video(), **readers)[5]
    assert frames == 99

    class Trimmed(Video):
        def get_active_trim_window(self) -> tuple[float, float]:
            return 1.0, 0.4

    assert run("GoHDExtractMotion", video=Trimmed(), **readers)[5] == 10


def test_masks_and_wide_frames(run, readers) -> None:
    wide = picture(width=160, batch=3)
    with pytest.raises(BadInput, match="nothing says where the face is"):
        run("GoHDExtractMotion", video=wide, **readers)
    mask = torch.zeros(1, 80, 160)
    mask[0, 20:60, 50:90] = 1
    assert run("GoHDExtractMotion", video=wide, face_mask=mask, **readers)[5] == 3
    with pytest.raises(BadInput, match="paint it on this picture"):
        run("GoHDExtractMotion", video=wide, face_mask=torch.ones(1, 8, 8), **readers)


def test_landmarks_of_other_frames_are_noticed(run, readers) -> None:
    with pytest.raises(BadInput, match="of 5 frames and the video has 4"):
        run("GoHDExtractMotion", video=picture(batch=4), face_landmarks=_landmarks(5), **readers)


def test_face_landmarks_alone_become_motion_that_moves_a_portrait(run, models, portrait) -> None:
    frames = [[face(np.array([0.0, 0.02 * k, 0.0, 0.0, 0.0, 0.0]), jawOpen=0.1 * k)] for k in range(8)]
    motion, *_, count, _, _ = run(
        "GoHDMotionFromFaceLandmarks", face_landmarks=payload(frames), smooth="none"
    )
    assert count == 8 and motion.space == "stylised"
    assert torch.allclose(motion.pose.values[:, 1], 0.02 * torch.arange(8), atol=1e-3)
    mixed = run("GoHDMixMotion", portrait=portrait, pose=motion, expression=motion, pose_mode="relative")[0]
    images = run("GoHDAnimatePortrait", animator=models["animator"], portrait=portrait, motion=mixed)[0]
    assert len(images) == 8
    with pytest.raises(BadInput, match="no face landmarks"):
        run("GoHDMotionFromFaceLandmarks", face_landmarks=[1])


def test_a_portraits_face_is_found_by_comfyuis_landmarks(run, readers) -> None:
    wide = picture(width=300, height=200, batch=2)
    faces = [face(REST, left=140, top=30, side=120), face(REST, left=20, top=60, side=80)]
    given = {"image": wide, "face_landmarks": payload([[], faces], (200, 300)), "index": 1, **readers}
    large = run("GoHDPreparePortrait", **given)[0]
    small = run("GoHDPreparePortrait", face="smallest", **given)[0]
    other = run("GoHDPreparePortrait", face_number=1, **given)[0]
    assert large.box[0] > 100 > small.box[0] and small.box == other.box
    assert large.landmarks.shape == (68, 2)
    for number, word in ((0, "no such face"), (7, "of 2 pictures")):
        with pytest.raises(BadInput, match=word):
            run("GoHDPreparePortrait", **given | {"index": number, "image": wide.repeat(4, 1, 1, 1)})


def reader(aligned: bool) -> SimpleNamespace:
    """An extractor, as far as the search for a face asks it."""
    return SimpleNamespace(config=SimpleNamespace(aligned=aligned))


@pytest.fixture
def detector_for(nodes):
    return inspect.getmodule(nodes["GoHDExtractMotion"]).faces.detector_for


def test_official_weights_without_a_face_say_all_that_helps(detector_for, base) -> None:
    with pytest.raises(BadCheckpoint) as caught:
        detector_for(reader(aligned=True), None, (64, 64))
    assert all(item.name in str(caught.value) for item in DETECTOR_FILES)
    assert str(base) in str(caught.value) and "Detect Face Landmarks" in str(caught.value)


def test_a_face_that_nothing_points_at_is_asked_for(detector_for) -> None:
    own, box = reader(aligned=False), (10, 10, 50, 50)
    assert detector_for(own, None, (64, 64)) is None, "a square picture is used whole"
    assert detector_for(own, box, (64, 128)) is None and detector_for(own, box, (64, 64), follow=True) is None
    with pytest.raises(BadInput, match="128 x 64 and nothing says where the face is"):
        detector_for(own, None, (64, 128))


def test_the_detector_is_comfyuis_to_load(detector_for, monkeypatch) -> None:
    """With two small layers in the place of its networks."""
    from comfy import model_management

    from gohd_core.face.detection.detector import FaceDetector

    made = FaceDetector(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    monkeypatch.setattr("gohd_core.checkpoints.detector_files.missing_files", lambda folders: None)
    monkeypatch.setattr(FaceDetector, "load", lambda folders: made)
    model_management.LOADED.clear()
    assert detector_for(reader(aligned=True), None, (64, 64)) is made
    (patcher,) = model_management.LOADED
    assert patcher is made.patcher, "it must live as long as what it manages"
    assert {id(part) for part in patcher.model} == {id(made.finder), id(made.reader)}
    patcher.model.to("meta")
    assert made.device == torch.device("meta"), "it computes where its networks are"


def test_a_face_follows_the_head_of_a_video(run, models, readers) -> None:
    """From the video's frames and its landmarks to Paste Back and Render Video: nothing else is touched."""
    av = pytest.importorskip("av")
    images = picture(width=160, batch=12)
    lefts = [2 * k for k in range(12)]
    seen = payload([[face(REST, left=left, top=0, side=80)] for left in lefts], (80, 160))
    given = {"video": images, "face_landmarks": seen, "smooth": "none"} | readers
    still = run("GoHDExtractMotion", **given)
    motion, *_, track, _ = run("GoHDExtractMotion", follow_head=True, **given)
    moved = (track.values[-1] - track.values[0]).tolist()
    assert moved[0] == pytest.approx(22, abs=2) and abs(moved[1]) < 1
    assert not torch.equal(still[0].pose.values, motion.pose.values)
    portrait, *_ = run("GoHDPreparePortrait", image=picture(), **readers)
    faces = torch.rand(12, 64, 64, 3, generator=torch.Generator().manual_seed(0))
    whole, masks = run("GoHDPasteBack", images=faces, portrait=portrait, background=images, track=track)
    assert whole.shape == images.shape and masks.shape == (12, 80, 160)
    for made, before, mask in zip(whole, images, masks, strict=True):
        assert torch.equal(made[mask == 0], before[mask == 0]) and not torch.equal(made, before)
    assert not torch.equal(masks[0], masks[-1])
    with pytest.raises(BadInput, match="wire that video's frames to background"):
        run("GoHDPasteBack", images=faces, portrait=portrait, track=track)
    drawing = {"animator": models["animator"], "portrait": portrait, "motion": motion, "track": track}
    (video,) = run("GoHDRenderVideo", background=images, **drawing)
    with av.open(video.get_stream_source()) as container:
        sizes = {(frame.width, frame.height) for frame in container.decode(video=0)}
    assert sizes == {(160, 80)}
    with pytest.raises(BadInput, match="wire that video to background"):
        run("GoHDRenderVideo", **drawing)


def test_the_face_in_a_video_says_something_else(run, nodes, models, readers, monkeypatch) -> None:
    """Render Video with own_face is `read_speaker` and `dub` of the same film, frame by frame."""
    av = pytest.importorskip("av")
    known = [[landmarks(acted(gap=0.1 * max(0.0, math.sin(k / 3))))] for k in range(30)]
    portrait, *_ = run("GoHDPreparePortrait", image=picture(), **readers)
    module = inspect.getmodule(nodes["GoHDExtractMotion"]).faces
    monkeypatch.setattr(module, "face_reader", lambda: KnownFaces(known))
    # Grey: a video keeps half of the chroma.
    images = torch.rand(30, SIZE, SIZE, 1, generator=torch.Generator().manual_seed(0)).repeat(1, 1, 1, 3)
    images[:, 0, 0, 0] = torch.arange(30) / 255
    values = torch.zeros(30, 72)
    values[:, 0] = 1.0
    motion = Motion.from_descriptors(values, "stylised")
    given = {"animator": models["animator"], "portrait": portrait, "motion": motion, "own_face": True}
    (video,) = run("GoHDRenderVideo", background=images, crf=0, invisible_mark=False, **given)
    with av.open(video.get_stream_source()) as container:
        made = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    film = VideoReader.of_images(images, 25)
    wanted = dub(film, read_speaker(film, KnownFaces(known)), motion.expression)
    wanted = np.stack([image for _, image in wanted.play()])
    before = np.stack([image for _, image in film.play()])
    assert made.shape == wanted.shape
    changed = np.abs(wanted.astype(int) - before).max(-1) > 60
    away, kept = (np.abs(made.astype(int) - each)[changed].mean() for each in (wanted, before))
    assert changed.any() and away < 0.1 * kept
    with pytest.raises(BadInput, match="wire that video to background"):
        run("GoHDRenderVideo", **given)


def test_face_landmarks_follow_too(run) -> None:
    seen = payload([[face(REST, left=3 * k, top=0, side=80)] for k in range(8)], (80, 160))
    made = run("GoHDMotionFromFaceLandmarks", face_landmarks=seen, follow_head=True)
    assert made[7].values[-1, 0] - made[7].values[0, 0] > 15
    assert run("GoHDMotionFromFaceLandmarks", face_landmarks=seen)[7].values.std(0).max() == 0


@pytest.mark.parametrize(("lag", "told"), [(5, True), (0, False)])
def test_a_driving_video_out_of_step_with_its_sound_is_warned_of(
    run, nodes, readers, tmp_path, monkeypatch, lag, told
) -> None:
    """The predictor is told what the lips have said so many frames before."""
    from server import PromptServer

    from gohd_core.expression import ExpressionPredictor
    from gohd_core.render import render_video
    from gohd_core.stylised.head.expressions import INDEX

    pytest.importorskip("av")
    rng = np.random.default_rng(1)
    said = np.clip(np.convolve(rng.normal(size=120 + lag), np.hanning(5) / 2, "same"), 0, 1)
    known = [[landmarks(acted(gap=0.1 * value))] for value in said[lag:]]
    heard = torch.zeros(120, 64)
    heard[:, INDEX["jaw_open"]] = torch.from_numpy(said[:120]).float()
    heard[:, INDEX["lip_press"]] = 1 - heard[:, INDEX["jaw_open"]]
    monkeypatch.setattr(ExpressionPredictor, "predict", lambda self, features, rest: (heard, None))

    class ByLight(KnownFaces):
        """Frames are numbered by twos in all of their pixels, which survives encoding."""

        def read(self, image):
            return self.faces[round(image.mean() / 2)]

    module = inspect.getmodule(nodes["GoHDExtractMotion"])
    monkeypatch.setattr(module.faces, "face_reader", lambda: ByLight(known))
    sound = rng.normal(0, 0.1, (1, 16000 * 120 // 25)).astype(np.float32)
    light = (torch.arange(120.0) / 63.75 - 1)[:, None, None, None].expand(120, 3, SIZE, SIZE)
    path = render_video(tmp_path / "a.mp4", [light], audio=(sound, 16000))
    mask = torch.zeros(1, SIZE, SIZE)
    mask[:, SIZE // 4 : 3 * SIZE // 4, SIZE // 4 : 3 * SIZE // 4] = 1
    PromptServer.instance.texts.clear()
    video = SimpleNamespace(get_stream_source=lambda: str(path))
    assert run("GoHDExtractMotion", video=video, face_mask=mask, **readers)[5] == 120
    texts = [text for text, _ in PromptServer.instance.texts]
    assert any("out of step" in text and "before the sound" in text for text in texts) == told
