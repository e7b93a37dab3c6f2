"""Mixing: each part comes from its own source, eyes and mouth are separate, spaces never mix."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.landmarks68 import EYES_AND_BROWS, JAW_AND_MOUTH
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.motion.keyframes import Keyframes
from gohd_core.motion.mixing import MixSettings, mix_motion, scaled_parts, weighted_schedule
from gohd_core.stylised.head.expressions import INDEX


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return MorphableModel.stylised()


def own(space: str = "stylised") -> Motion:
    return Motion.from_descriptors(torch.full((1, 72), 0.1), space)


def pose(value: float, frames: int = 10, fps: Fraction | int = 25) -> Pose:
    return Pose(torch.full((frames, 6), value), "stylised", fps)


def expression(frames: int = 10, **modes: float) -> Expression:
    values = torch.zeros(frames, 64)
    for name, value in modes.items():
        values[:, INDEX[name]] = value
    return Expression(values, "stylised")


def test_each_part_comes_from_its_source_and_the_rest_from_the_portrait() -> None:
    mixed = mix_motion(own(), pose=pose(0.5))
    assert torch.equal(mixed.pose.values, torch.full((10, 6), 0.5))
    assert torch.equal(mixed.expression.values, torch.full((10, 64), 0.1))
    assert torch.equal(mixed.gaze.values, torch.full((10, 2), 0.1))


def test_weights_blend_from_the_portrait_to_the_source() -> None:
    half = mix_motion(own(), pose=pose(0.5), settings=MixSettings(weights={"pose": 0.5}))
    assert torch.allclose(half.pose.values, torch.full((10, 6), 0.3))
    curve = Keyframes.parse("0 0 linear\n0.36 1", 1)
    faded = mix_motion(own(), pose=pose(0.5), settings=MixSettings(weights={"pose": curve}))
    assert torch.allclose(faded.pose.values[:, 0], 0.1 + 0.4 * torch.arange(10) / 9, atol=1e-6)


def test_a_schedule_multiplies_the_constant_weights() -> None:
    weights = weighted_schedule({"pose": 0.5, "gaze": 0.25}, "pose 0 0 linear\npose 2 1")
    assert weights["gaze"] == 0.25
    assert weights["pose"].at(torch.tensor([1.0, 2.0])).flatten().tolist() == [0.25, 0.5]


def test_relative_takes_the_change_alone() -> None:
    driver = Gaze(torch.linspace(1.0, 1.2, 10)[:, None].expand(-1, 2), "stylised")
    mixed = mix_motion(own(), gaze=driver, settings=MixSettings(relative=frozenset({"gaze"})))
    assert torch.allclose(mixed.gaze.values[:, 0], torch.linspace(0.1, 0.3, 10), atol=1e-6)


@pytest.mark.parametrize(
    ("length", "frames"), [("longest", 12), ("shortest", 1), ("pose", 12), ("expression", 7)]
)
def test_lengths(length, frames) -> None:
    mixed = mix_motion(
        own(),
        pose=pose(0.5, 12),
        expression=expression(7),
        gaze=Gaze.constant(0.1, 0.2, 1, space="stylised"),
        settings=MixSettings(length=length),
    )
    assert len(mixed) == frames


def test_sources_of_other_rates_are_resampled_to_the_first_or_to_a_given_one() -> None:
    mixed = mix_motion(own(), pose=pose(0.5, 50, 50), expression=expression(25))
    assert mixed.fps == 50 and len(mixed) == 50
    given = mix_motion(own(), pose=pose(0.5, 50, 50), settings=MixSettings(fps=Fraction(24000, 1001)))
    assert Fraction(given.fps) == Fraction(24000, 1001) and len(given) == 24


def test_shorter_sources_loop_where_asked() -> None:
    ramp = Pose(torch.arange(3.0)[:, None].expand(-1, 6), "stylised")
    settings = MixSettings(length="expression", fill="loop")
    mixed = mix_motion(own(), pose=ramp, expression=expression(5), settings=settings)
    assert mixed.pose.values[:, 0].tolist() == [0, 1, 2, 0, 1]


@pytest.mark.parametrize(
    ("mouth", "eyes"),
    [
        ({"jaw_open": 0.8, "smile_left": 0.5}, {"blink_left": 1.0, "blink_right": 1.0}),
        ({"lip_pucker": 1.0}, {"brow_inner_up": 1.0, "eyes_wide": 0.7}),
        ({"jaw_open": 0.3, "blink_left": 0.9}, {"frown": 1.0, "jaw_open": 1.0}),
    ],
)
def test_eyes_follow_their_source_and_the_mouth_stays(model, mouth, eyes) -> None:
    """Measured where it counts: at the landmarks, against where each source puts them."""
    first, second = expression(1, **mouth), expression(1, **eyes)
    mixed = mix_motion(own(), expression=first, eyes=second, model=model).expression.values
    points, from_mouth, from_eyes = (
        model.landmarks(expression=e)[0] for e in (mixed, first.values, second.values)
    )
    size = (from_mouth - from_eyes).norm(dim=-1).max()
    assert (points - from_eyes)[list(EYES_AND_BROWS)].norm(dim=-1).max() < 0.05 * size
    assert (points - from_mouth)[list(JAW_AND_MOUTH)].norm(dim=-1).max() < 0.05 * size


def test_the_projection_keeps_lids_and_drops_the_jaw(model) -> None:
    projection = model.eye_projection()
    for name in ("blink_left", "blink_right", "brow_inner_up"):
        assert projection[INDEX[name], INDEX[name]] > 0.9, name
    for name in ("jaw_open", "lip_press", "lower_lip_drop", "mouth_shift"):
        assert projection[INDEX[name], INDEX[name]] < 0.05, name


def test_eyes_without_expression_move_on_the_portraits_face(model) -> None:
    mixed = mix_motion(own(), eyes=expression(4, blink_left=1.0, blink_right=1.0), model=model)
    still = own().expression.values[0]
    assert abs(float(mixed.expression.values[0, INDEX["jaw_open"]] - still[INDEX["jaw_open"]])) < 0.05
    assert float(mixed.expression.values[0, INDEX["blink_left"]]) > 0.9


def test_bad_mixes_get_one_sentence(model) -> None:
    with pytest.raises(BadInput, match="nothing to mix"):
        mix_motion(own())
    with pytest.raises(BadInput, match="source of pose is in the 'stylised'.*portrait in 'bfm09'"):
        mix_motion(own("bfm09"), pose=pose(0.1))
    with pytest.raises(BadInput, match="need the morphable model"):
        mix_motion(own(), eyes=expression())
    with pytest.raises(BadInput, match="one frame; 3"):
        mix_motion(own().fitted(3), pose=pose(0.1))
    with pytest.raises(BadInput, match="nothing drives it"):
        mix_motion(own(), pose=pose(0.1), settings=MixSettings(length="gaze"))
    with pytest.raises(BadInput, match="no part 'nose'"):
        MixSettings(weights={"nose": 1.0})
    with pytest.raises(BadInput, match="source of gaze is a Pose"):
        mix_motion(own(), gaze=pose(0.1))


def test_mouth_and_eyes_have_factors_of_their_own() -> None:
    values = torch.zeros(4, 64)
    for name, value in (("jaw_open", 0.6), ("smile_left", 0.4), ("frown", 0.5), ("blink_left", 1.0)):
        values[:, INDEX[name]] = value
    spoken = Expression(values, "stylised")
    made = scaled_parts(spoken, mouth=0.5, eyes=0.4).values[0]
    wanted = {"jaw_open": 0.3, "smile_left": 0.2, "frown": 0.2, "blink_left": 1.0}
    assert {name: made[INDEX[name]].item() for name in wanted} == pytest.approx(wanted)
    assert scaled_parts(spoken, eyes=0.0).values[0, INDEX["blink_left"]] == 0
    assert scaled_parts(spoken) is spoken
    with pytest.raises(BadInput, match="morphable model"):
        scaled_parts(Expression(values, "bfm09"), mouth=0.5)
