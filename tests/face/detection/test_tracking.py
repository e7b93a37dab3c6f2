"""A face is followed with few network calls, found again when lost, whatever the caller's batches."""

from __future__ import annotations

import numpy as np

from gohd_core.face import FaceChoice, FaceTracker
from gohd_core.face.detection.tracking import BLOCK
from tests.support.face_helpers import face_landmarks
from tests.support.fake_faces import FakeNetworks, chart


def _path(count: int) -> list[tuple[float, float, float]]:
    return [(80 + 40 * np.sin(k / 9), 110 + 15 * np.cos(k / 7), 80) for k in range(count)]


def _tracked(frames, **options):
    networks = FakeNetworks()
    tracker = FaceTracker(networks.detector(mirrored=False), **options)
    return [points for _, points in tracker.track(frames)], tracker, networks


def test_one_detection_and_few_calls_follow_a_moving_face() -> None:
    path = _path(40)
    found, tracker, networks = _tracked([chart(place) for place in path])
    assert tracker.detections == 1 and networks.found == [1]
    assert len(networks.read) <= 1 + 2 * -(-40 // BLOCK) and max(networks.read) > 8
    for points, place in zip(found, path, strict=True):
        assert np.abs(points - face_landmarks(*place)).mean() < 2


def test_tracking_is_as_near_as_a_detection_in_every_frame() -> None:
    """The slow, obvious reference: detect each frame."""
    frames = [chart(place) for place in _path(24)]
    found, _, _ = _tracked(frames)
    slow = [FakeNetworks().detector(mirrored=False).detect(frame)[0][0].landmarks for frame in frames]
    assert np.abs(np.array(found) - np.array(slow)).mean() < 1.0


def test_a_lost_face_is_marked_and_found_again() -> None:
    path = _path(60)
    frames = [chart() if 20 <= k < 33 else chart(place) for k, place in enumerate(path)]
    found, tracker, _ = _tracked(frames)
    assert [k for k, points in enumerate(found) if points is None] == list(range(20, 33))
    assert 1 < tracker.detections <= 1 + 13 + 6
    assert np.abs(found[40] - face_landmarks(*path[40])).mean() < 2


def test_a_cut_to_another_place_is_survived() -> None:
    frames = [chart((60, 70, 60))] * 10 + [chart((180, 170, 60))] * 20
    found, _, _ = _tracked(frames)
    assert all(points is not None for points in found)
    assert np.abs(found[9].mean(0) - face_landmarks(60, 70, 60).mean(0)).max() < 3
    assert np.abs(found[12].mean(0) - face_landmarks(180, 170, 60).mean(0)).max() < 3


def test_no_face_at_all_is_no_error_and_a_late_one_is_found() -> None:
    found, _, _ = _tracked([chart()] * 21)
    assert found == [None] * 21
    found, _, _ = _tracked([chart()] * 5 + [chart((90, 90, 70))] * 5)
    assert [points is None for points in found] == [True] * 5 + [False] * 5


def test_the_chosen_face_is_kept_even_when_it_is_no_longer_the_largest() -> None:
    frames = [chart((60, 60, 40 + k / 2), (190, 180, 60 - k / 2)) for k in range(0, 40, 2)]
    found, _, _ = _tracked(frames, choice=FaceChoice("right"))
    assert all(np.abs(points.mean(0) - face_landmarks(190, 180, 50).mean(0)).max() < 8 for points in found)


def test_frames_may_change_their_size() -> None:
    frames = [chart((70, 90, 70))] * 3 + [chart((60, 80, 60), side=200)] * 3
    found, _, _ = _tracked(frames)
    assert all(points is not None for points in found)
