"""The strip of Fig. 8: from the portrait to a frame, evenly."""

from __future__ import annotations

import pytest
import torch

from gohd_core.animator import Animator
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.motion import Motion
from gohd_core.render.motion_strip import furthest_frame, motion_strip
from tests.support import small_animators


@pytest.fixture(scope="module")
def animator() -> Animator:
    return small_animators.animator(small_animators.BUILTIN)


@pytest.fixture
def motion() -> Motion:
    values = torch.randn(20, 72, generator=torch.Generator().manual_seed(1)) * 0.1
    values[13] += 1.0
    return Motion.from_descriptors(values, STYLISED)


@pytest.fixture
def source(animator):
    return animator.encode_source(torch.rand(1, 3, 64, 64) * 2 - 1)


def test_the_last_picture_is_the_frame_and_the_first_has_no_motion(animator, source, motion) -> None:
    strip = motion_strip(animator, source, motion, frame=5, steps=5)
    frames = torch.cat(list(animator.animate(source, motion)))
    assert torch.allclose(strip[-1], frames[5], atol=1e-5)
    still = animator.decode(source, torch.zeros(1, 6))
    assert torch.allclose(strip[0], still[0], atol=1e-5)


def test_strength_scales_the_last_picture(animator, source, motion) -> None:
    strip = motion_strip(animator, source, motion, frame=5, steps=3, strength=2.0)
    once = motion_strip(animator, source, motion, frame=5, steps=2)
    assert torch.allclose(strip[1], once[1], atol=1e-5)


def test_the_furthest_frame_is_taken_when_none_is_named(animator, source, motion) -> None:
    assert furthest_frame(motion) == 13
    chosen = motion_strip(animator, source, motion, steps=2)
    assert torch.equal(chosen, motion_strip(animator, source, motion, frame=13, steps=2))


def test_bad_strips_are_refused(animator, source, motion) -> None:
    with pytest.raises(BadInput, match="no frame 20"):
        motion_strip(animator, source, motion, frame=20)
    with pytest.raises(BadInput, match="2 to 64"):
        motion_strip(animator, source, motion, steps=1)
