"""What counts of mouths and jaws that seem to move sideways."""

from __future__ import annotations

import torch

from gohd_core.driving.sideways import clean_shifts


def test_what_a_turning_head_seems_to_do_is_taken_away() -> None:
    yaw = 0.15 * torch.sin(torch.arange(60) / 6)
    aside = torch.stack([torch.full_like(yaw, 0.1), 1.1 * yaw], 1)
    assert clean_shifts(aside, yaw).abs().max() == 0


def test_a_mouth_that_is_pulled_aside_counts_whole_and_to_either_side_alike() -> None:
    ways = torch.zeros(30, 2)
    ways[10:20] = torch.tensor([0.7, -0.9])
    yaw = 0.02 * torch.cos(torch.arange(30.0))
    found = clean_shifts(ways, yaw)
    assert torch.allclose(found[10:20], ways[10:20], atol=0.03) and not found[:10].any()
    assert torch.allclose(clean_shifts(-ways, -yaw), -found, atol=0.03)


def test_a_face_that_is_turned_away_tells_nothing() -> None:
    yaw = torch.tensor([0.0] * 9 + [0.5])
    assert not clean_shifts(torch.full((10, 2), 0.8), yaw)[9].any()
