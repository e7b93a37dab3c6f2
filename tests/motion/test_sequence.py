"""Motion values: validation, resampling, fitting, and files."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose


def random_motion(frames: int = 40, fps: Fraction | int = 25, space: str = "stylised") -> Motion:
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(frames, 72, generator=generator) * 0.2
    return Motion.from_descriptors(values, space, fps)


def test_descriptors_hold_expression_pose_gaze_in_that_order() -> None:
    motion = Motion(
        Pose(torch.full((2, 6), 2.0), "bfm09"),
        Expression(torch.full((2, 64), 1.0), "bfm09"),
        Gaze(torch.tensor([[3.0, 4.0]] * 2), "bfm09"),
    )
    assert motion.descriptors()[0].tolist() == [1.0] * 64 + [2.0] * 6 + [3.0, 4.0]
    back = Motion.from_descriptors(motion.descriptors(), "bfm09")
    assert torch.equal(back.pose.values, motion.pose.values)


@pytest.mark.parametrize(
    ("values", "space", "fps", "said"),
    [
        (torch.zeros(3, 5), "bfm09", 25, r"\[T, 6\] but got \[3, 5\]"),
        (torch.zeros(0, 6), "bfm09", 25, r"\[0, 6\]"),
        (torch.full((3, 6), torch.nan), "bfm09", 25, "not finite"),
        (torch.zeros(3, 6), "flame", 25, "'flame' is no coefficient space"),
        (torch.zeros(3, 6), "bfm09", 0, "0 frames a second"),
        (torch.zeros(3, 6), "bfm09", 240, "240 frames a second"),
    ],
)
def test_bad_values_get_one_sentence(values: torch.Tensor, space: str, fps: int, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Pose(values, space, fps)


def test_spaces_lengths_and_rates_never_mix_silently() -> None:
    pose, expression = Pose(torch.zeros(4, 6), "bfm09"), Expression(torch.zeros(4, 64), "bfm09")
    with pytest.raises(BadInput, match="space .*bfm09.*stylised"):
        Motion(pose, expression, Gaze(torch.zeros(4, 2), "stylised"))
    with pytest.raises(BadInput, match="frames .*gaze 5"):
        Motion(pose, expression, Gaze(torch.zeros(5, 2), "bfm09"))
    with pytest.raises(BadInput, match="fps .*gaze 30"):
        Motion(pose, expression, Gaze(torch.zeros(4, 2), "bfm09", 30))


@pytest.mark.parametrize("fps", [1, 12, 24, Fraction(24000, 1001), Fraction(30000, 1001), 30, 50, 60, 120])
def test_resampling_keeps_duration_to_half_a_frame_over_ten_minutes(fps: Fraction | int) -> None:
    gaze = Gaze(torch.zeros(15_000, 2), "bfm09")
    other = gaze.resampled(fps)
    assert len(other) == round(600 * Fraction(fps))
    assert abs(other.duration - gaze.duration) <= 0.5 / float(fps)


def test_resampling_equals_numpy_interpolation() -> None:
    motion = random_motion()
    other = motion.resampled(Fraction(30000, 1001))
    times = np.arange(len(other)) * 1001 / 30000
    for column in range(72):
        wanted = np.interp(times, np.arange(40) / 25, motion.descriptors()[:, column].numpy())
        np.testing.assert_allclose(other.descriptors()[:, column].numpy(), wanted, atol=1e-6)


def test_resampling_unwraps_angles() -> None:
    """From 179 to -179 degrees the head turns 2 degrees, not 358."""
    values = torch.zeros(2, 6)
    values[:, 1] = torch.deg2rad(torch.tensor([179.0, -179.0]))
    middle = Pose(values, "bfm09", 25).resampled(50).values[1, 1]
    assert torch.rad2deg(middle) == pytest.approx(180.0, abs=1e-3)


def test_a_frame_between_an_unseen_and_a_seen_one_is_unseen() -> None:
    valid = torch.tensor([True, False, True, True])
    other = Gaze(torch.zeros(4, 2), "bfm09", 25, valid).resampled(50)
    assert other.valid.tolist() == [True, False, False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("hold", [0, 1, 2, 2, 2, 2, 2]), ("loop", [0, 1, 2, 0, 1, 2, 0]), ("ping-pong", [0, 1, 2, 1, 0, 1, 2])],
)
def test_fitting(mode: str, wanted: list[int]) -> None:
    gaze = Gaze(torch.arange(3.0)[:, None].expand(-1, 2), "bfm09")
    assert gaze.fitted(7, mode).values[:, 0].tolist() == wanted
    assert gaze.fitted(2, mode).values[:, 0].tolist() == [0, 1]


def test_values_are_never_changed_in_place() -> None:
    motion = random_motion()
    before = motion.descriptors().clone()
    motion.fitted(60, "loop").resampled(60)
    assert torch.equal(motion.descriptors(), before)


def test_motion_file_round_trip_is_exact(tmp_path) -> None:
    motion = random_motion(fps=Fraction(24000, 1001))
    path = gohd.save_motion(tmp_path / "a.safetensors", motion, {"seed": 7})
    loaded = gohd.load_motion(path)
    assert torch.equal(loaded.descriptors(), motion.descriptors())
    assert Fraction(loaded.fps) == Fraction(24000, 1001) and loaded.space == "stylised"
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_other_files_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match="no motion file at"):
        gohd.load_motion(tmp_path / "absent.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"hello")
    with pytest.raises(BadInput, match="damaged or cut off"):
        gohd.load_motion(tmp_path / "b.safetensors")
    with pytest.raises(BadInput, match="written as .safetensors"):
        gohd.save_motion(tmp_path / "c.pt", random_motion())
