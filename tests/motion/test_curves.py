"""Angles and easings against their definitions."""

from __future__ import annotations

import torch

from gohd_core.motion.curves import TURN, nearest_turn, smoothstep, unwrap


def test_smoothstep_is_flat_at_both_ends() -> None:
    share = torch.linspace(0, 1, 5, dtype=torch.float64, requires_grad=True)
    eased = smoothstep(0, 1, share)
    eased.sum().backward()
    assert eased.tolist() == [0.0, 0.15625, 0.5, 0.84375, 1.0]
    assert share.grad[0] == share.grad[-1] == 0


def test_angles_are_moved_by_whole_turns_and_nothing_else_is() -> None:
    values = torch.tensor([[6.0, 6.0], [-4.0, -4.0], [1.0, 7.0]])
    near = nearest_turn(values, 1)
    assert near[:, 0].abs().max() <= TURN / 2 and torch.equal(near[:, 1], values[:, 1])
    turns = (values - near)[:, 0] / TURN
    torch.testing.assert_close(turns, turns.round())
    assert (nearest_turn(values, 2, torch.tensor([[6.0, 7.0]])) - torch.tensor([6.0, 7.0])).abs().max() < 3.2


def test_unwrapping_leaves_no_jump() -> None:
    course = torch.linspace(0, 20, 60)[:, None].expand(-1, 2)
    wrapped = torch.remainder(course + 3, TURN) - 3
    torch.testing.assert_close(unwrap(wrapped), course, atol=1e-5, rtol=0)
    half = unwrap(wrapped, 1)
    torch.testing.assert_close(half[:, :1], course[:, :1], atol=1e-5, rtol=0)
    assert torch.equal(half[:, 1], wrapped[:, 1])
