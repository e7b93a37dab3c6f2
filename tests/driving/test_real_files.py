"""People in files as cameras write them: read to the right values, counted, and never aborted."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from gohd_core.driving import extract_by_meshes, extract_people
from gohd_core.face.picking import FaceChoice
from gohd_core.video.reader import VideoReader
from tests.support.make_mediapipe_goldens import load_picture
from tests.support.mediapipe_helpers import needs_files
from tests.support.video_files import set_matrix, write_film

pytestmark = needs_files
COUNT, SIDE = 16, 192
TILT = 12.0
"""Degrees that the head tilts by, back and forth."""


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """A woman's head, square."""
    return cv2.resize(load_picture("astronaut")[:300, 80:380], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def tilted(face: np.ndarray, degrees: float) -> np.ndarray:
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), degrees, 1.0)
    return cv2.warpAffine(face, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


def angle(seconds: float) -> float:
    return TILT * math.sin(4 * seconds)


def frames(face: np.ndarray, times: list[float]) -> list[np.ndarray]:
    return [tilted(face, angle(time)) for time in times]


def error(driving) -> float:
    """Largest error of the tilt over the motion's frames against what was drawn, degrees."""
    roll = np.degrees(driving.motion.pose.values[:, 2].double().numpy())
    told = np.array([angle(k / 25) for k in range(len(roll))])
    seen = driving.motion.pose.valid.numpy()
    away = (roll - told) - np.median((roll - told)[seen])
    return float(np.abs(away[seen]).max())


def even(count: int = COUNT) -> list[float]:
    return [k / 25 for k in range(count)]


@pytest.mark.parametrize("kind", ["8 bits", "10 bits", "phone", "uneven"])
def test_a_tilting_head_is_read_from_files_of_all_kinds(tmp_path: Path, reader, face, kind: str) -> None:
    times, path = even(), tmp_path / "film.mp4"
    if kind == "uneven":
        times = [time for k, time in enumerate(times) if k % 3 != 1 or k > 9]
    pictures = frames(face, times)
    if kind == "phone":
        pictures = [np.ascontiguousarray(np.rot90(picture)) for picture in pictures]
    depth = "yuv420p10le" if kind == "10 bits" else "yuv420p"
    write_film(path, pictures, times=lambda k: times[k], pixels=depth)
    if kind == "phone":
        set_matrix(path, 0, 1, -1, 0)
    driving = extract_by_meshes(VideoReader.open(path), reader)
    assert driving.report.frames_read == len(times) and driving.report.without_face == 0
    assert len(driving.motion) == COUNT
    assert error(driving) < 2.0


def test_a_face_that_is_gone_for_a_while_is_counted_and_found_again(tmp_path: Path, reader, face) -> None:
    pictures = frames(face, even())
    for k in range(5, 9):
        pictures[k] = np.full_like(face, 90)
    driving = extract_by_meshes(VideoReader.open(write_film(tmp_path / "film.mp4", pictures)), reader)
    assert driving.report.without_face == 4 and driving.report.gaps == [(0.2, 0.36)]
    assert error(driving) < 2.0


def test_motion_blur_and_the_edge_abort_nothing(tmp_path: Path, reader, face) -> None:
    pictures = [cv2.blur(each, (9, 1)) for each in frames(face, even())]
    wide = [np.pad(each, ((0, 0), (0, 96), (0, 0)), mode="edge")[:, 84:] for each in pictures]
    driving = extract_by_meshes(VideoReader.open(write_film(tmp_path / "film.mp4", wide)), reader)
    assert driving.report.frames_read == COUNT
    hard = driving.report.without_face + driving.report.doubtful.get("at the edge", 0)
    assert hard >= COUNT - 2


def test_who_passes_behind_somebody_takes_no_track_over(tmp_path: Path, reader, face) -> None:
    small = cv2.resize(face[:, ::-1], (128, 128), interpolation=cv2.INTER_AREA)
    pictures = []
    for k in range(32):
        picture = np.full((SIDE, 640, 3), 90, np.uint8)
        left = 500 - 16 * k
        picture[32:160, left : left + 128] = small
        picture[:, 14 * k : 14 * k + SIDE] = face
        pictures.append(picture)
    people = extract_people(VideoReader.open(write_film(tmp_path / "film.mp4", pictures)), reader)
    assert len(people) == 2
    places = people[0].landmarks.mean(1)[:, 0].numpy()
    assert places[-1] - places[0] == pytest.approx(31 * 14, abs=15)
    assert people[0].report.without_face == 0 and people[1].report.without_face > 0


def crossing(face: np.ndarray, front: str, step: int = 12) -> list[np.ndarray]:
    """A face that goes to the right and a dark one that goes to the left, before or behind it."""
    dark = (face[:, ::-1] * [0.72, 0.55, 0.45]).astype(np.uint8)
    pictures = []
    for k in range(36):
        picture = np.full((SIDE, 640, 3), 90, np.uint8)
        heads = [(face, step * k), (dark, 640 - SIDE - step * k)]
        for head, left in heads if front == "second" else heads[::-1]:
            picture[:, left : left + SIDE] = head
        pictures.append(picture)
    return pictures


@pytest.mark.parametrize("front", ["first", "second"])
def test_two_who_cross_keep_their_tracks(tmp_path: Path, reader, face, front: str) -> None:
    film = VideoReader.open(write_film(tmp_path / "film.mp4", crossing(face, front)))
    people = extract_people(film, reader)
    assert len(people) == 2
    ways = [person.landmarks.mean(1)[:, 0] for person in people]
    right = ways[0][0] < ways[1][0]
    for way, sign in zip(ways, (1, -1) if right else (-1, 1), strict=True):
        assert sign * float(way[-1] - way[0]) == pytest.approx(35 * 12, abs=25)
    hidden = people[(front == "first") == bool(right)]
    assert hidden.report.without_face > 0


@pytest.mark.parametrize("front", ["first", "second"])
@pytest.mark.parametrize("order", ["left", "right"])
def test_who_was_chosen_is_followed_past_another(tmp_path: Path, reader, face, front: str, order) -> None:
    film = VideoReader.open(write_film(tmp_path / "film.mp4", crossing(face, front)))
    driving = extract_by_meshes(film, reader, FaceChoice(order))
    way = driving.landmarks.mean(1)[:, 0]
    assert float(way[-1] - way[0]) == pytest.approx(35 * 12 * (1 if order == "left" else -1), abs=25)
    assert (driving.report.without_face > 0) == ((front == "first") == (order == "right"))


def test_whoever_walks_out_is_not_replaced_by_another_who_was_there(tmp_path: Path, reader, face) -> None:
    dark = (face[:, ::-1] * [0.72, 0.55, 0.45]).astype(np.uint8)
    pictures = [np.hstack([dark, face if k < 16 or k >= 40 else np.full_like(face, 90)]) for k in range(48)]
    film = VideoReader.open(write_film(tmp_path / "film.mp4", pictures))
    driving = extract_by_meshes(film, reader, FaceChoice("right"))
    assert driving.report.without_face == 24
    assert (driving.landmarks.mean(1)[:, 0] > SIDE).all()


def test_a_jump_in_the_film_is_a_cut_and_a_gap_is_none(tmp_path: Path, reader, face) -> None:
    near = cv2.resize(face, None, fx=1.4, fy=1.4)[30 : 30 + SIDE, 38 : 38 + SIDE]
    pictures = [tilted(face, angle(0.1)) if k < 8 else tilted(near, angle(0.1)) for k in range(16)]
    driving = extract_by_meshes(VideoReader.open(write_film(tmp_path / "film.mp4", pictures)), reader)
    assert driving.report.cuts == [8] and "Cuts at 0.32 s." in str(driving.report)
    pictures[5:9] = [np.full_like(face, 90)] * 4
    driving = extract_by_meshes(VideoReader.open(write_film(tmp_path / "gone.mp4", pictures)), reader)
    assert driving.report.cuts == []


def test_after_a_cut_the_choice_decides_anew(tmp_path: Path, reader, face) -> None:
    dark = cv2.resize((face[:, ::-1] * [0.72, 0.55, 0.45]).astype(np.uint8), (128, 128))
    other = np.full_like(face, 90)
    other = np.hstack([other, np.pad(dark, ((32, 32), (32, 32), (0, 0)), mode="edge")])
    pictures = [np.hstack([face, np.full_like(face, 90)]) if k < 9 else other for k in range(20)]
    driving = extract_by_meshes(VideoReader.open(write_film(tmp_path / "film.mp4", pictures)), reader)
    assert driving.report.without_face == 0
    assert (driving.landmarks.mean(1)[10:, 0] > SIDE).all()
