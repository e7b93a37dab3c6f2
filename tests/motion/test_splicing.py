"""Splicing and retiming: no jump, no lost frame, the nearer way round."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.motion import Motion, Pose
from gohd_core.motion.file import load_motion, save_motion
from gohd_core.motion.mixing import MixSettings, mix_motion
from gohd_core.motion.splicing import spliced


def flat(value: float, frames: int, fps: Fraction | int = 25, space: str = "stylised") -> Motion:
    return Motion.from_descriptors(torch.full((frames, 72), value), space, fps)


def test_both_sides_are_bent_towards_the_seam_and_all_frames_stay() -> None:
    joined = spliced([flat(0.0, 20), flat(1.0, 30)], blend=0.2)
    values = joined.descriptors()[:, 70]
    assert len(joined) == 50
    assert torch.equal(values[:15], torch.zeros(15)) and torch.equal(values[25:], torch.ones(25))
    assert torch.allclose(values[19:21], torch.tensor(0.5))
    assert (values.diff() >= 0).all() and float(values.diff().max()) < 0.2
    hard = spliced([flat(0.0, 20), flat(1.0, 30)], blend=0).descriptors()[:, 70]
    assert torch.equal(hard, (torch.arange(50) >= 20).float())


def test_angles_go_the_nearer_way_and_stay_the_same_turn() -> None:
    one, two = flat(3.0, 10), flat(-3.0, 10)
    joined = spliced([one, two], blend=0.1).pose.values
    assert float(joined[:, 0].diff().abs().max()) < 0.2
    assert torch.allclose(joined[-1, 0], torch.tensor(-3.0 + 2 * torch.pi))
    assert torch.allclose(joined[-1, 3:], torch.tensor(-3.0)), "translations are no angles"


def test_rates_are_made_one_and_validity_is_kept() -> None:
    half = flat(0.5, 60, Fraction(50))
    unseen = Pose(half.pose.values, half.space, half.fps, torch.zeros(60, dtype=torch.bool))
    joined = spliced([flat(0.0, 10), Motion(unseen, half.expression, half.gaze)])
    assert len(joined) == 40 and joined.fps == 25
    assert joined.pose.valid.tolist() == [True] * 10 + [False] * 30 and joined.gaze.valid.all()


def test_one_frame_pieces_and_single_motions() -> None:
    assert torch.equal(spliced([flat(0.3, 5)]).descriptors(), flat(0.3, 5).descriptors())
    assert len(spliced([flat(0.0, 1), flat(1.0, 1), flat(0.0, 2)])) == 4


def test_inputs_are_left_as_they_are_and_files_splice(tmp_path) -> None:
    one, two = flat(0.0, 10), flat(1.0, 10)
    paths = [
        save_motion(tmp_path / f"{name}.safetensors", motion) for name, motion in (("a", one), ("b", two))
    ]
    joined = spliced([load_motion(path) for path in paths])
    assert torch.equal(joined.descriptors(), spliced([one, two]).descriptors())
    assert torch.equal(one.descriptors(), torch.zeros(10, 72))
    assert torch.equal(two.descriptors(), torch.ones(10, 72))


def test_bad_input_is_named() -> None:
    with pytest.raises(BadInput, match="no motion to splice"):
        spliced([])
    with pytest.raises(BadInput, match="negative"):
        spliced([flat(0, 5)], blend=-1)
    with pytest.raises(BadInput, match="can't be spliced"):
        spliced([flat(0, 5), flat(0, 5, space="bfm09")])


@pytest.mark.parametrize("frames", [2, 7, 19, 20, 41])
def test_retiming_goes_from_the_first_frame_to_the_last(frames) -> None:
    track = Pose(torch.linspace(0, 1, 20)[:, None].expand(-1, 6), "stylised")
    fitted = track.fitted(frames, "retime")
    assert torch.allclose(fitted.values[:, 0], torch.linspace(0, 1, frames), atol=1e-6)
    assert fitted.fps == 25
    around = Pose(torch.tensor([[3.0] * 6, [-3.0] * 6]), "stylised").fitted(3, "retime")
    assert torch.allclose(around.values[1, 0], torch.tensor(torch.pi)), "unwrapped"


def test_mixing_can_retime_what_is_longer_or_shorter() -> None:
    own = flat(0.0, 1)
    ramp = Motion.from_descriptors(torch.linspace(0, 1, 10)[:, None].expand(-1, 72), "stylised")
    settings = MixSettings(fill="retime", length="gaze")
    mixed = mix_motion(own, pose=ramp.pose, gaze=flat(1.0, 31).gaze, settings=settings)
    assert torch.allclose(mixed.pose.values[:, 0], torch.linspace(0, 1, 31), atol=1e-6)
