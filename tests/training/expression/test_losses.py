"""Each loss of the expression predictor against a slow, plain-numpy version of its equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gohd_core.training.losses import expression as losses


def draw(*shape: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.standard_normal(shape) * 1.3 + 0.2


def value(function, *arrays: np.ndarray) -> float:
    return float(function(*(torch.from_numpy(a) for a in arrays)))


def test_landmark_fidelity_is_eq_20() -> None:
    truth, made = draw(2, 5, 68, 3)
    total = 0.0
    for b in range(2):
        for t in range(5):
            per_frame = 0.0
            for i in [*range(3, 14), *range(48, 68)]:
                per_frame += sum((truth[b, t, i, k] - made[b, t, i, k]) ** 2 for k in range(3))
            total += per_frame / 31
    assert value(losses.landmark_fidelity, truth, made) == pytest.approx(total / 10)


def test_shut_up_is_eq_22() -> None:
    truth, made = draw(2, 4, 68, 3)

    def gap(points: np.ndarray, i: int, j: int) -> float:
        return math.sqrt(sum((points[i, k] - points[j, k]) ** 2 for k in range(3)))

    parts = [
        abs(gap(truth[b, t], i, j) - gap(made[b, t], i, j))
        for b in range(2)
        for t in range(4)
        for i, j in ((61, 65), (63, 67))
    ]
    assert value(losses.shut_up, truth, made) == pytest.approx(sum(parts) / len(parts))


def test_lip_gap_counts_closed_lips_four_times() -> None:
    truth, made = draw(2, 4, 68, 3)
    truth *= 2
    parts = []
    for b in range(2):
        for t in range(4):
            for i, j in ((61, 67), (62, 66), (63, 65)):
                gap = truth[b, t, i, 1] - truth[b, t, j, 1]
                error = abs(gap - (made[b, t, i, 1] - made[b, t, j, 1]))
                parts.append(error * (4 if gap < 1 else 1))
    assert value(losses.lip_gap, truth, made) == pytest.approx(sum(parts) / len(parts))


def test_parted_counts_closed_lips_that_stay_apart_alone() -> None:
    truth, made = draw(2, 4, 68, 3)
    total = 0.0
    for b in range(2):
        for t in range(4):
            for i, j in ((61, 67), (62, 66), (63, 65)):
                gap = truth[b, t, i, 1] - truth[b, t, j, 1]
                over = made[b, t, i, 1] - made[b, t, j, 1] - gap
                total += over if gap < 1 and over > 0 else 0.0
    assert total > 0
    assert value(losses.parted, truth, made) == pytest.approx(total / 24)


def test_eye_ratio_is_the_squared_error_of_value_0_and_shut_eyes_count_four_times() -> None:
    truth, made = draw(3, 4, 21)
    parts = [
        (truth[b, t, 0] - made[b, t, 0]) ** 2 * (4 if truth[b, t, 0] < 0.5 else 1)
        for b in range(3)
        for t in range(4)
    ]
    assert value(losses.eye_ratio, truth, made) == pytest.approx(sum(parts) / 12)


def test_spread_is_the_difference_of_deviations() -> None:
    truth, made = draw(3, 4, 5)
    total = 0.0
    for k in range(5):
        deviations = [math.sqrt(np.var(x[..., k].ravel()) + 1e-6) for x in (truth, made)]
        total += abs(deviations[0] - deviations[1])
    assert value(losses.spread, truth, made) == pytest.approx(total)
    assert value(losses.spread, truth, truth) == 0


def test_spread_has_a_gradient_where_nothing_moves() -> None:
    made = torch.zeros(2, 3, 4, dtype=torch.float64, requires_grad=True)
    losses.spread(torch.from_numpy(draw(2, 3, 4)[0]), made).backward()
    assert torch.isfinite(made.grad).all()


def test_l1_is_eq_21_24_and_27() -> None:
    truth, made = draw(3, 4, 21)
    parts = [sum(abs(truth[b, t, k] - made[b, t, k]) for k in range(21)) for b in range(3) for t in range(4)]
    assert value(losses.l1, truth, made) == pytest.approx(sum(parts) / 12)


def test_lip_reading_is_eq_23() -> None:
    truth, made = draw(2, 3, 7)
    made[0, 0] = 0
    parts = []
    for b in range(2):
        for t in range(3):
            r, p = truth[b, t], made[b, t]
            norm = math.sqrt(sum(r * r)) * math.sqrt(sum(p * p))
            parts.append(1 - sum(r * p) / max(norm, 1e-8))
    assert value(losses.lip_reading, truth, made) == pytest.approx(sum(parts) / 6)


def test_structural_similarity_is_eq_26() -> None:
    truth, made = draw(3, 11, 21)
    total = 0.0
    for b in range(3):
        for i in range(21):
            x, y = truth[b, :, i], made[b, :, i]
            mx, my = sum(x) / 11, sum(y) / 11
            vx, vy = sum((x - mx) ** 2) / 11, sum((y - my) ** 2) / 11
            cov = sum((x - mx) * (y - my)) / 11
            top = (2 * mx * my + 0.01**2) * (2 * cov + 0.03**2)
            total += top / ((mx**2 + my**2 + 0.01**2) * (vx + vy + 0.03**2)) / 21
    assert value(losses.structural_similarity, truth, made) == pytest.approx(1 - total / 3)
    assert value(losses.structural_similarity, truth, truth) == pytest.approx(0, abs=1e-12)


def test_least_squares_gan() -> None:
    real, fake = draw(3, 5)
    d = sum((r - 1) ** 2 for r in real.ravel()) / 15 + sum(f**2 for f in fake.ravel()) / 15
    assert value(losses.least_squares_discriminator, real, fake) == pytest.approx(d / 2)
    g = sum((f - 1) ** 2 for f in fake.ravel()) / 15
    assert value(losses.least_squares_generator, fake) == pytest.approx(g / 2)


@pytest.mark.parametrize(
    ("function", "shape", "touched"),
    [
        (losses.landmark_fidelity, (1, 3, 68, 3), [*range(3, 14), *range(48, 68)]),
        (losses.shut_up, (1, 3, 68, 3), [61, 63, 65, 67]),
    ],
)
def test_gradients_reach_these_landmarks_alone(function, shape, touched: list[int]) -> None:
    truth, made = (torch.from_numpy(a) for a in draw(*shape))
    made.requires_grad_()
    function(truth, made).backward()
    moved = made.grad.abs().amax(dim=(0, 1, 3)).nonzero()[:, 0].tolist()
    assert moved == touched


def test_squares_are_summed_over_coefficients() -> None:
    truth, predicted = torch.zeros(2, 3, 4), torch.full((2, 3, 4), 0.5)
    assert losses.squares(truth, predicted).item() == pytest.approx(1.0)
    assert losses.squares(truth, truth).item() == 0
