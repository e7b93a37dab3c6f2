"""Poses in a square that follows the head: the head stays in its place, and the square is steady."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from gohd_core.constants import STYLISED
from gohd_core.driving import SmoothingConfig, own_portrait, with_head_track
from gohd_core.driving.crop_readers import pose_in
from gohd_core.driving.following import box_of
from gohd_core.driving.result import FrameCoefficients, assemble_motion
from gohd_core.errors import BadInput
from gohd_core.face import Box, MorphableModel
from gohd_core.face.detection.head_track import head_places
from gohd_core.face.geometry.camera import Camera, rotation, transform
from gohd_core.video.reader import VideoReader
from tests.support.driving_fakes import plain
from tests.support.face_helpers import tiny_extractor

MODEL = MorphableModel.stylised_landmarks().landmarks().double()
SQUARE = Box(400, 150, 700, 450)
PICTURE = (720, 1280)


def seen(pose: torch.Tensor, square: Box, mouth: float = 0.0) -> np.ndarray:
    """Where the landmarks of a head with this pose, told in the square, lie in the film."""
    points = MODEL.clone()
    points[48:, 1] -= mouth
    points[:17, 1] -= mouth / 2
    pixels = Camera.of_size(square.width).pixels(transform(points, pose.double()))
    return pixels.numpy() + np.array([square.left, square.top])


def walk(count: int, reach: float = 1.0) -> tuple[torch.Tensor, list[Box]]:
    """A head that walks to and fro, comes nearer, turns and tilts: poses [T, 6] in squares of their own."""
    time = torch.arange(count, dtype=torch.float64) / 25
    swing = torch.sin(1.3 * time)
    poses = torch.zeros(count, 6, dtype=torch.float64)
    poses[:, 0], poses[:, 1] = 0.1 * swing, 0.4 * torch.sin(2 * time)
    poses[:, 2] = 0.15 * torch.cos(time) - 0.15
    left, top = 400 + reach * 200 * swing, 150 + reach * 40 * torch.sin(0.8 * time)
    side = 300 * (1 + 0.15 * reach * torch.sin(0.5 * time))
    corners = zip(left.tolist(), top.tolist(), side.tolist(), strict=True)
    return poses, [Box(x, y, x + s, y + s) for x, y, s in corners]


def driving(walked, *, noise: float = 0.0, missing: str = "hold", lost=(), square=SQUARE):
    """What a reader makes of it, which reads each frame in its own square and tells the pose in the first."""
    random = np.random.default_rng(0)
    readings = []
    for k, (pose, own) in enumerate(zip(*walked, strict=True)):
        points = seen(pose, own, 0.2 * abs(np.sin(k))) + random.normal(0, noise, (68, 2))
        told = pose if square is None else pose_in(pose, own, SQUARE)
        reading = FrameCoefficients(told.numpy(), np.zeros(64), np.zeros(2), np.zeros(80), points)
        readings.append(None if k in lost else reading)
    return assemble_motion(
        readings,
        [k / 25 for k in range(len(readings))],
        source_fps=Fraction(25),
        fps=25,
        space=STYLISED,
        missing=missing,
        steadying=SmoothingConfig("none"),
        square=square,
        picture=PICTURE,
    )


def test_the_head_stays_where_it_is_in_the_film() -> None:
    """Drawn as told in the moving square, the head lies on the pixels where it was seen."""
    poses, own = walk(75)
    moved = with_head_track(driving((poses, own)))
    for k in range(75):
        there = seen(moved.motion.pose.values[k], box_of(moved.track, k))
        assert np.abs(there - seen(poses[k], own[k])).max() < 0.2
    assert torch.allclose(moved.motion.pose.values[:, :3], poses[:, :3].float(), atol=1e-6)


def test_the_square_goes_with_the_head() -> None:
    """What wandered all over the picture hardly moves inside the square, which starts as the first one."""
    made = driving(walk(150))
    moved = with_head_track(made)
    first = torch.tensor([550.0, 300.0, 300.0])
    assert (moved.track.values[0] - first).abs().max() < 3
    before, after = (np.ptp(d.motion.pose.values[:, 3:].numpy(), axis=0) for d in (made, moved))
    assert (after < [0.01, 0.01, 0.15] * before).all()
    assert moved.track.picture == PICTURE and moved.track.fps == 25 and len(moved.track) == 150


def test_neither_turning_nor_talking_moves_the_place() -> None:
    """Slow reference: the box around all landmarks, which does move."""
    angles = torch.zeros(60, 3, dtype=torch.float64)
    angles[:, 1] = 0.6 * torch.sin(torch.arange(60) / 5)
    angles[:, 0] = 0.3 * torch.cos(torch.arange(60) / 7)
    points = MODEL @ rotation(angles)
    points[:, 48:, 1] -= 0.15 * torch.sin(torch.arange(60) / 3).abs()[:, None]
    pixels = points[..., :2] * torch.tensor([80.0, -80.0]) + torch.tensor([500.0, 300.0])
    places = head_places(pixels, angles)
    assert torch.allclose(places, torch.tensor([500.0, 300.0, 80.0]).double().expand(60, 3), atol=1e-3)
    boxes = [Box.around(row.numpy()) for row in pixels]
    assert np.ptp([box.left + box.right for box in boxes]) > 30


def test_the_square_is_steady() -> None:
    """Landmarks that tremble by two pixels: the report says how much of it is left in the square."""
    moved = with_head_track(driving(walk(150, 0.3), noise=2.0))
    assert moved.report.crop_tremble > 0.3
    assert moved.report.steadied_crop_tremble < 0.35 * moved.report.crop_tremble


def test_not_followed_the_square_stays() -> None:
    made = driving(walk(30))
    still = with_head_track(made, follow=False)
    assert torch.equal(still.motion.pose.values, made.motion.pose.values)
    assert torch.equal(still.track.values, torch.tensor([[550.0, 300.0, 300.0]]).expand(30, -1))


def test_aligned_poses_have_no_place_and_stay_as_they_are() -> None:
    """The official extractor aligns each face by itself: its squares follow, whatever is asked."""
    made = driving(walk(50), square=None)
    for follow in (True, False):
        moved = with_head_track(made, follow=follow)
        assert torch.equal(moved.motion.pose.values, made.motion.pose.values)
        assert np.ptp(moved.track.values[:, 0].numpy()) > 50


@pytest.mark.parametrize("missing", ["hold", "interpolate", "mark"])
def test_frames_without_a_face(missing) -> None:
    lost = set(range(20, 40))
    moved = with_head_track(driving(walk(60), missing=missing, lost=lost))
    assert torch.isfinite(moved.motion.pose.values).all()
    assert (~moved.track.valid).nonzero()[:, 0].tolist() == sorted(lost)
    assert moved.track.values.diff(dim=0).abs().max() < 15, "the square goes on quietly"
    if missing == "mark":
        assert (moved.motion.pose.values[22:38] == 0).all()


def test_no_face_at_all_gives_a_track_that_shows_nothing() -> None:
    moved = with_head_track(driving(walk(10), lost=set(range(10)), square=None))
    assert (moved.track.visibility() == 0).all() and len(moved.track) == 10


def test_the_videos_own_face_as_a_portrait() -> None:
    """Its crop is the square of the first frame with a face, and the way back leads to the video."""
    frames = [np.random.default_rng(k).integers(0, 255, (90, 160, 3), np.uint8) for k in range(4)]
    made = driving(walk(4), lost={0})
    square, picture = (40.0, 10.0, 104.0, 74.0), (90, 160)
    made = with_head_track(replace(made, square=square, picture=picture), follow=False)
    who = own_portrait(
        VideoReader.of_images(frames, 25), made, size=64, extractor=tiny_extractor(aligned=False)
    )
    assert who.box == (40, 10, 104, 74) and who.frame.shape == (90, 160, 3)
    assert np.array_equal(np.rint(who.frame.numpy() * 255), frames[1])
    assert torch.equal(who.crop, who.frame[10:74, 40:104])
    assert who.p0.shape == (6,)
    with pytest.raises(BadInput, match="give a portrait"):
        nobody = with_head_track(driving(walk(2), lost={0, 1}, square=None))
        own_portrait(VideoReader.of_images(frames, 25), nobody, extractor=tiny_extractor(aligned=False))


def test_a_films_pictures_at_another_rate() -> None:
    """Each moment shows the picture nearest to it."""
    film = VideoReader.of_images([plain(k) for k in range(12)], 24)
    for fps, count in ((24, 12), (12, 6), (48, 24), (Fraction(30000, 1001), 15)):
        shown = [int(image[0, 0, 0]) for image in film.at(fps)]
        assert len(shown) == count
        nearest = [min(range(12), key=lambda k, t=i / float(fps): abs(k / 24 - t)) for i in range(count)]
        assert np.abs(np.subtract(shown, nearest)).max() <= (fps == 48)
    assert [int(image[0, 0, 0]) for image in film.at(24, 14)][-3:] == [11, 11, 11]
    assert len(list(film.at(24, 3))) == 3
    with pytest.raises(BadInput, match="no frames"):
        list(VideoReader.of_frames(iter([]), 25).at(25))
