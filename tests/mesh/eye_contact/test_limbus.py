"""Limbi of clips: told from pictures of dark discs whose places are known."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.mesh.eye_contact.iris_plane import IrisPlane, disc, seen_disc
from gohd_core.mesh.eye_contact.limbus import ShotLimbus, clip_limbus
from gohd_core.mesh.reading.gaze import RADIUS
from tests.support.mesh_faces import SIZE

BOX = (0.0, 0.0, float(SIZE))
CORNERS = np.array([[[0.11, 0.0, 0.0], [0.31, 0.0, 0.0]], [[-0.31, 0.0, 0.0], [-0.11, 0.0, 0.0]]])
LOOKS, LARGER = np.linspace(-0.04, 0.04, 30), 1.15


def read_shot(
    yaw: float, beside=lambda look: np.zeros(2), shut: int = 0
) -> tuple[ShotLimbus, list[IrisPlane]]:
    """Irises that look along `LOOKS` (offsets aside) and are read `beside` where they are drawn, units.

    shut: frames at the end in which skin is seen instead.
    """
    pose = np.array([0.0, yaw, 0.0, 0.0, 0.0, 0.0])
    planes = [
        IrisPlane.of(c[None], pose[None], BOX, side) for c, side in zip(CORNERS, (1.0, -1.0), strict=True)
    ]
    shot, radius = ShotLimbus(), 0.05
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    turn = np.linspace(0, 2 * np.pi, 4, endpoint=False)
    for number, look in enumerate(LOOKS):
        image, irises, lids = np.full((SIZE, SIZE), 0.8), [], []
        for plane in planes:
            offset, scale = plane.rest + np.array([look, 0.0]), float(plane.scale[0])
            middle = plane.origin[0] + plane.axes[0] @ offset
            places = np.stack([columns, rows], -1) - middle
            away = np.linalg.norm(disc(places, plane.facing(0, offset)), axis=-1)
            dark = (away - LARGER * radius * scale).clip(-1, 1) / 2 + 0.5
            image = np.minimum(image, 0.2 + 0.6 * dark)
            read = middle - scale * beside(look)
            ring = radius * scale * np.stack([np.cos(turn), np.sin(turn)], -1)
            irises.append(np.concatenate([read[None], read + ring]))
            x = plane.origin[0, 0] + np.linspace(-3.0, 3.0, 9) * radius * scale
            y = plane.origin[0, 1] + np.array([0.9, -1.0]) * radius * scale
            lids.append(
                np.concatenate(
                    [np.stack([x, np.full(9, y[0])], -1), np.stack([x[1:8], np.full(7, y[1])], -1)]
                )
            )
        if number >= len(LOOKS) - shut:
            image = np.full_like(image, 0.6)
        frame = (image[..., None] * np.full(3, 255.0)).astype(np.uint8)
        shot.add(frame, pose, CORNERS, np.array(irises), np.array(lids), BOX)
    return shot, planes


def test_a_limbus_lies_beside_the_read_iris_by_what_the_frames_show_together() -> None:
    beside = np.array([0.005, -0.004])
    shot, _ = read_shot(0.0, lambda look: beside)
    for found in clip_limbus([shot]):
        assert found.radius == pytest.approx(LARGER * 0.05, rel=0.05)
        assert np.abs(found.middle + found.away.mean(0) - beside).max() < 0.002


def test_irises_of_eyes_that_are_shut_for_long_are_seen() -> None:
    steps = [[found.step for found in clip_limbus([read_shot(0.0, shut=shut)[0]])] for shut in (0, 18)]
    assert min(steps[0]) > 0.2
    assert np.allclose(steps[0], steps[1], rtol=0.15)


def test_irises_that_look_far_aside_are_found_farther_than_they_are_read() -> None:
    shot, _ = read_shot(0.0, lambda look: np.array([0.25 * look, 0.0]))
    for found in clip_limbus([shot]):
        placed = (found.middle + found.away)[:, 0]
        assert np.polyfit(LOOKS, placed, 1)[0] == pytest.approx(0.25, abs=0.08)


def test_irises_of_a_turned_head_that_look_into_the_camera_are_round() -> None:
    shot, planes = read_shot(0.4)
    for found in clip_limbus([shot]):
        assert found.radius == pytest.approx(LARGER * 0.05, rel=0.05)
    for plane in planes:
        into_camera = plane.rest - RADIUS * plane.width * np.array([np.sin(0.4), 0.0])
        assert np.abs(plane.facing(0, into_camera)).max() < 1e-6
        assert np.abs(plane.facing(0, plane.rest) - [np.sin(0.4), 0.0]).max() < 1e-6


def test_a_disc_that_faces_aside_is_seen_narrower() -> None:
    facing = np.array([0.6, 0.0])
    assert np.allclose(seen_disc(np.array([1.0, 1.0]), facing), [0.8, 1.0])
    places = np.random.default_rng(0).normal(size=(5, 2))
    assert np.allclose(seen_disc(disc(places, facing), facing), places)


def test_a_clip_without_irises_shows_no_limbus() -> None:
    shot = ShotLimbus()
    grey, lids = np.full((SIZE, SIZE, 3), 128, np.uint8), np.full((2, 16, 2), 120.0)
    irises = np.full((2, 5, 2), 120.0) + 6 * np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]])
    shot.add(grey, np.zeros(6), CORNERS, irises, lids, BOX)
    assert all(found.step < 0.01 for found in clip_limbus([shot]))


def test_irises_at_many_offsets_are_seen_as_each_by_itself() -> None:
    plane = IrisPlane.of(CORNERS[:1], np.array([[0.1, 0.3, 0.0, 0.0, 0.0, 0.0]]), BOX, 1.0)
    offsets, places = np.random.default_rng(0).normal(0, 0.02, (2, 5, 2))
    facing = plane.facing(0, offsets)
    for turned in (disc, seen_disc):
        together = turned(places, facing[:, None])
        assert together.shape == (5, 5, 2)
        for k, offset in enumerate(offsets):
            assert np.allclose(together[k], turned(places, plane.facing(0, offset)))
