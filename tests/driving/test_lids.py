"""Lids that are read from people move together, unless one winks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.driving.lids import BLINK_COLUMNS, lids_together
from gohd_core.motion import Expression, Gaze, Motion, Pose


def motion(left, right, fps=25, yaw=0.0):
    values = torch.zeros(len(left), 64)
    values[:, BLINK_COLUMNS] = torch.tensor(np.stack([left, right], 1), dtype=torch.float32)
    count = len(left)
    pose = torch.zeros(count, 6)
    pose[:, 1] = yaw
    return Motion(
        Pose(pose, "stylised", fps),
        Expression(values, "stylised", fps),
        Gaze(torch.zeros(count, 2), "stylised", fps),
    )


def lids(left, right, fps=25):
    return lids_together(motion(left, right, fps)).expression.values[:, BLINK_COLUMNS].numpy()


def test_noise_between_the_lids_goes_and_their_mean_stays():
    rng = np.random.default_rng(0)
    blink = np.exp(-0.5 * ((np.arange(100) - 50) / 3) ** 2)
    left, right = blink + rng.normal(0, 0.1, (2, 100))
    found = lids(left, right)
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=1e-6)
    np.testing.assert_allclose(found.mean(1), (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("fps", [25, 60])
def test_a_wink_stays_a_wink(fps):
    left = np.zeros(4 * fps)
    left[2 * fps : int(2.3 * fps)] = 0.9
    found = lids(left, np.zeros_like(left), fps)
    np.testing.assert_allclose(found[:, 0], left, atol=1e-6)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-6)


@pytest.mark.parametrize("yaw", [-0.6, 0.6])
def test_one_lid_of_a_head_that_is_turned_aside_is_no_wink(yaw):
    left = np.zeros(60)
    left[20:40] = 0.9
    found = lids_together(motion(left, np.zeros(60), yaw=yaw)).expression.values[:, BLINK_COLUMNS].numpy()
    np.testing.assert_allclose(found, np.stack([left, left], 1) / 2, atol=1e-6)


def test_a_glitch_of_one_lid_is_no_wink():
    left = np.zeros(60)
    left[30:32] = 0.8
    found = lids(left, np.zeros(60))
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=1e-6)
    assert found.max() == pytest.approx(0.4)


def test_a_single_frame_has_lids_too():
    np.testing.assert_allclose(lids(np.array([0.9]), np.array([0.1])), [[0.9, 0.1]], atol=1e-6)
