"""Motion from films: rates, gaps, batches, memory, with fake readers of colours."""

from __future__ import annotations

import weakref
from fractions import Fraction

import numpy as np
import pytest
import torch

from gohd_core.driving import SmoothingConfig, extract_motion, face_locator
from gohd_core.driving.crop_readers import Cropper, pose_in
from gohd_core.driving.locators import KnownLandmarks
from gohd_core.errors import BadInput, Interrupted
from gohd_core.face import Box, align_face
from gohd_core.face.geometry.camera import Camera
from gohd_core.video.reader import VideoReader
from tests.support.driving_fakes import FakeExtractor, FakeGaze, plain
from tests.support.face_helpers import face_landmarks, picture, tiny_extractor, tiny_gaze_estimator

UNTOUCHED = SmoothingConfig("none")
CORNERS = np.stack([np.linspace(8, 24, 68), 8 + 16 * np.abs(np.sin(np.arange(68)))], 1)


def _extract(frames, fps=25, landmarks=None, **options):
    frames = list(frames)
    points = [CORNERS] * len(frames) if landmarks is None else landmarks
    options = {"steadying": UNTOUCHED, "where": KnownLandmarks(points)} | options
    return extract_motion(VideoReader.of_images(frames, fps), FakeExtractor(), FakeGaze(), **options)


@pytest.mark.parametrize("fps", [12, Fraction(24000, 1001), 25, Fraction(30000, 1001), 50, 60])
def test_any_rate_becomes_25_with_the_right_values(fps) -> None:
    """Red rises by 40 a second: yaw by 0.4 radians."""
    count = round(4 * float(fps))
    made = _extract([plain(round(40 * k / float(fps)), 100, 51) for k in range(count)], fps)
    motion = made.motion
    assert len(motion) == round(count / float(fps) * 25) and motion.fps == 25
    late = min(1.0 / float(fps), 0.04)
    yaw = 0.4 * np.minimum(np.arange(len(motion)) / 25, (count - 1) / float(fps))
    assert np.abs(motion.pose.values[:, 1].numpy() - yaw).max() < 0.0051 + 0.4 * late * 0.1
    assert np.allclose(motion.expression.values[:, 0], 100 / 255, atol=1e-3)
    assert np.allclose(motion.gaze.values[:, 0], 0.2, atol=1e-3)
    assert motion.valid.all() and made.report.without_face == 0


def test_an_iterator_of_frames_and_another_target_rate() -> None:
    frames = (plain(k) for k in range(60))
    film = VideoReader.of_frames(frames, 30)
    made = extract_motion(
        film, FakeExtractor(), where=KnownLandmarks([CORNERS] * 60), fps=Fraction(24000, 1001)
    )
    assert len(made.motion) == 48 and made.motion.fps == Fraction(24000, 1001)
    assert not made.motion.gaze.valid.any() and made.motion.pose.valid.all()


def test_frames_without_a_face_never_stop_the_run() -> None:
    frames = [plain(k) for k in range(20)]
    points = [None if 5 <= k < 9 else CORNERS for k in range(20)]
    for missing, wanted in (("hold", 0.04), ("interpolate", 0.065), ("mark", 0.0)):
        made = _extract(frames, landmarks=points, missing=missing)
        yaw = made.motion.pose.values[:, 1]
        assert abs(float(yaw[5:9].mean()) - wanted) < 1e-6
        assert made.report.without_face == 4 and made.report.gaps == [(0.2, 0.36)]
        assert made.motion.pose.valid.tolist() == [not 5 <= k < 9 for k in range(20)]
        assert "No face in 4 frames (0.20-0.36 s)" in str(made.report)
    nobody = _extract(frames, landmarks=[None] * 20)
    assert not nobody.motion.valid.any() and not nobody.motion.descriptors().any()
    assert nobody.report.as_dict()["without_face"] == 20


def test_landmarks_that_end_early_or_hold_nan_are_frames_without_a_face() -> None:
    broken = CORNERS.copy()
    broken[3] = np.nan
    made = _extract([plain(k) for k in range(6)], landmarks=[CORNERS, broken, CORNERS, CORNERS])
    assert made.motion.pose.valid.tolist() == [True, False, True, True, False, False]
    outside = _extract([plain(1), plain(1)], landmarks=[CORNERS, CORNERS + 500])
    assert outside.motion.pose.valid.tolist() == [True, False]


def test_the_result_does_not_depend_on_the_batch_size() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (32, 32, 3), np.uint8) for _ in range(23)]
    points = [None if k % 7 == 3 else CORNERS + rng.normal(size=2) for k in range(23)]
    made = [
        _extract(frames, landmarks=points, batch_size=size).motion.descriptors() for size in (1, 5, 16, 64)
    ]
    assert all(torch.equal(made[0], other) for other in made[1:])


def test_memory_does_not_grow_with_length() -> None:
    alive, most = weakref.WeakSet(), [0]

    class Frame(np.ndarray):
        __hash__ = object.__hash__

    def frames():
        for k in range(400):
            frame = plain(k % 200).view(Frame)
            alive.add(frame)
            most[0] = max(most[0], len(alive))
            yield frame
            del frame

    made = extract_motion(
        VideoReader.of_frames(frames()), FakeExtractor(), where=KnownLandmarks([CORNERS] * 400)
    )
    assert len(made.motion) == 400 and most[0] <= 40


def test_progress_and_stopping() -> None:
    seen = []
    _extract([plain(k) for k in range(40)], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(16, 40), (32, 40), (40, 40)]
    with pytest.raises(Interrupted):
        _extract([plain(1)] * 40, should_stop=lambda: len(seen) > 0)


def test_the_gaze_is_read_in_a_box_with_the_forehead() -> None:
    gaze = FakeGaze()
    film = VideoReader.of_images([plain(1, side=64)])
    points = CORNERS + 16
    extract_motion(film, FakeExtractor(), gaze, where=KnownLandmarks([points]), steady_crop=False)
    left, top, right, bottom = gaze.boxes[0]
    height = np.ptp(points[:, 1])
    assert (left, right, bottom) == (points[:, 0].min(), points[:, 0].max(), points[:, 1].max())
    assert abs(top - (points[:, 1].min() - 0.25 * height)) < 1e-9


def test_steadied_landmarks_tremble_less_and_do_not_fall_behind() -> None:
    rng = np.random.default_rng(1)
    course = np.stack([10 * np.sin(np.arange(80) / 12), 5 * np.cos(np.arange(80) / 9)], 1)
    points = [CORNERS * 4 + 30 + place + rng.normal(scale=0.6, size=2) for place in course]
    film, extractor = VideoReader.of_images([plain(1, side=200)] * 80), FakeExtractor()
    made = extract_motion(film, extractor, where=KnownLandmarks(points))
    report = made.report
    assert 0.4 < report.crop_tremble < 0.9 and report.steadied_crop_tremble < 0.6 * report.crop_tremble
    away = np.array([p.mean(0) for p in extractor.landmarks]) - (CORNERS * 4 + 30).mean(0) - course
    assert np.abs(away).mean() < 1.2
    raw = extract_motion(film, FakeExtractor(), where=KnownLandmarks(points), steady_crop=False).report
    assert raw.crop_tremble == raw.steadied_crop_tremble == pytest.approx(report.crop_tremble)


def test_a_steady_crop_moves_seldom_and_follows_a_walk() -> None:
    rng = np.random.default_rng(2)
    croppers = Cropper(True), Cropper(False)
    for k in range(100):
        x, y = 150 + 1.5 * k + rng.normal(), 120 + rng.normal()
        face = Box(x - 30, y - 35, x + 30, y + 35)
        for cropper in croppers:
            box = cropper.crop(face, 300, 500)
            assert abs((box.left + box.right) / 2 - x) < 30 and box.width == box.height
    places = len(set(croppers[0].used))
    assert places < 20 < len(set(croppers[1].used))
    assert croppers[1].used == croppers[1].wanted == croppers[0].wanted


def test_a_pose_in_another_square_puts_the_head_in_the_same_place() -> None:
    """The head's origin and two points beside it, projected by either pose into the picture."""
    pose = torch.tensor([0.1, -0.2, 0.05, 0.4, -0.3, 0.8])
    seen, reference = Box(100, 40, 356, 296), Box(80, 70, 400, 390)
    moved = pose_in(pose, seen, reference)
    camera = Camera.of_size(1.0)
    for offset in (0.0, 0.5):
        places = []
        for p, box in ((pose, seen), (moved, reference)):
            point = torch.stack([p[3] + offset, p[4] - offset, p[5]])
            u, v = camera.project(camera.to_camera(point[None]))[0]
            places.append(torch.stack([box.left + u * box.width, box.bottom - v * box.height]))
        assert (places[0] - places[1]).abs().max() < 1e-2
    assert torch.equal(moved[:3], pose[:3])
    assert (pose_in(pose, seen, seen) - pose).abs().max() < 1e-6


def test_bad_options_are_refused_at_once() -> None:
    film = VideoReader.of_images([plain(1)])
    with pytest.raises(BadInput, match="aligns faces by their landmarks"):
        extract_motion(film, FakeExtractor())
    with pytest.raises(BadInput, match="aligns faces by their landmarks"):
        extract_motion(film, FakeExtractor(), where=face_locator(box=(1, 1, 20, 20)))
    with pytest.raises(BadInput, match="nothing says where the face is"):
        wide = np.zeros((32, 64, 3), np.uint8)
        extract_motion(VideoReader.of_images([wide]), FakeExtractor(aligned=False))
    with pytest.raises(BadInput, match="nothing to do without a face"):
        extract_motion(film, FakeExtractor(), missing="panic")
    with pytest.raises(BadInput, match="landmarks are empty"):
        face_locator(landmarks=[])
    with pytest.raises(BadInput, match="no frames in the part"):
        extract_motion(VideoReader.of_frames(iter(())), FakeExtractor())
    gaze = FakeGaze()
    gaze.space = "stylised"
    with pytest.raises(BadInput, match="two of one kind"):
        extract_motion(film, FakeExtractor(), gaze)


def test_the_real_official_readers_take_what_the_crop_gives_them() -> None:
    """Untrained networks of the official kind, aligned and cropped as they are in one picture at a time."""
    extractor, gaze = tiny_extractor(aligned=True), tiny_gaze_estimator(official=True)
    frames = [picture(120, 160, seed) for seed in range(5)]
    points = [face_landmarks(80 + 3 * k, 60, 60) for k in range(5)]
    made = extract_motion(
        VideoReader.of_images(frames),
        extractor,
        gaze,
        where=KnownLandmarks(points),
        steady_crop=False,
        steadying=UNTOUCHED,
    )
    assert made.motion.space == "bfm09" and made.motion.valid.all() and made.square is None
    for k, (frame, landmarks) in enumerate(zip(frames, points, strict=True)):
        alone = extractor.extract(align_face(frame, landmarks).image)
        assert (alone.pose.values[0] - made.motion.pose.values[k]).abs().max() < 1e-5
        assert (alone.expression.values[0] - made.motion.expression.values[k]).abs().max() < 1e-5
        low, high = landmarks.min(0), landmarks.max(0)
        box = (low[0], low[1] - 0.25 * (high[1] - low[1]), high[0], high[1])
        assert (gaze.estimate(frame, [box]).values[0] - made.motion.gaze.values[k]).abs().max() < 1e-5
