"""The face at rest: which frames it is made of, and what lasts in it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.mesh.clip import ClipExpression, Features, fit_clip, on_head
from gohd_core.mesh.contours import INNER_LIPS, N_FACE, OUTER_LIPS
from gohd_core.mesh.face_at_rest import gap_bias, neutral_points, resting_pucker, resting_smile
from gohd_core.mesh.geometry.shape import face_shape
from tests.support.clip_faces import acted, head
from tests.support.mesh_faces import SIZE


def test_rest_is_taken_from_frames_with_shut_lips() -> None:
    gap = np.concatenate([np.full(30, 0.15), np.zeros(10)])
    points = fit_clip(torch.stack([acted(gap=float(each)) for each in gap]), SIZE).points_in_head
    assert torch.allclose(neutral_points(points), points[30:].mean(0), atol=1e-5)


def smiling(share: float) -> torch.Tensor:
    """Own points in head space [478,3] of a face that smiles."""
    points = head().clone()
    moved = on_head(face_shape(points), points[:N_FACE])
    points[:N_FACE] += share * (moved[6] + moved[7])
    return points


def test_a_smile_that_lasts_is_told_from_a_face_at_rest() -> None:
    """The painted face's mouth is wider than people's at rest, as if it smiled a little."""
    found = [resting_smile(smiling(share)) for share in (-0.5, 0.0, 0.5)]
    assert found[0] < 0.1 and 0.2 < found[1] < 0.5 and found[2] > 0.6


def puckered(share: float) -> torch.Tensor:
    """Own points of a face with a mouth that is narrower by a share, and as thick as before."""
    points = head().clone()
    lips = sorted(
        {k for loop in (OUTER_LIPS, INNER_LIPS) for k in (loop.right, loop.left, *loop.upper, *loop.lower)}
    )
    points[lips, 0] *= 1 - share
    return points


def test_a_pucker_that_lasts_is_told_from_a_face_at_rest_and_stays_in_its_expression() -> None:
    found = [resting_pucker(puckered(share)) for share in (0.0, 0.3, 0.6)]
    assert found[0] == 0 and found[0] < found[1] < found[2] and found[2] > 0.6
    points = puckered(0.6)[None].repeat(12, 1, 1)
    features = Features.of(points)
    fit = ClipExpression(neutral_points(points), features)
    told = fit(features)
    assert told[:, 1].max() < 0.1, "against the face at rest nothing moves"
    assert torch.allclose(fit.with_rest(told)[:, 1], told[:, 1] + found[2], atol=1e-5)
    assert torch.equal(fit.with_rest(told)[:, :1], told[:, :1])


def test_the_bias_of_shut_lips_is_that_of_frames_in_which_they_are_shut() -> None:
    """Lips that are shut often, seldom, never, and with a reader that sees them open a little."""
    opened = torch.linspace(0.03, 0.2, 90)
    often, seldom = (
        torch.cat([opened, torch.full((30,), 0.002)]),
        torch.cat([opened, torch.full((3,), 0.002)]),
    )
    assert gap_bias(often) == pytest.approx(0.002) and gap_bias(seldom) == pytest.approx(0.002)
    assert gap_bias(opened) == 0
    assert gap_bias(torch.cat([opened, torch.full((30,), 0.015)])) == pytest.approx(0.015)
