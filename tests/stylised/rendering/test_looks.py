"""The looks that the built-in weights were trained on: they must not drift.

If this fails after an intended change, the built-in weights need training again; only then write
the file anew with ``python tests/stylised/rendering/test_looks.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.motion.stills import random_stills
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.rendering.renderer import HeadRenderer

STORED = Path(__file__).with_name("looks.npz")
SEEDS = (0, 3, 5, 9, 14, 21, 26, 33)


def pictures() -> np.ndarray:
    """One 32 px picture per seed, ``[8, 32, 32, 3]`` uint8."""
    drawn = []
    with HeadRenderer(128) as renderer:
        for seed in SEEDS:
            expression, pose, gaze, _ = random_stills(np.random.default_rng(seed), 19)
            image = renderer.render(Identity.random(seed), expression[18], pose[18], gaze[18]).image
            drawn.append(image.reshape(32, 4, 32, 4, 3).mean((1, 3)).round().astype(np.uint8))
    return np.stack(drawn)


def landmarks() -> np.ndarray:
    """Landmarks of the mean head and their share of every mode, ``[68, 3, 145]`` float32."""
    basis = stylised_basis()
    parts = (basis.mean_shape[..., None], basis.identity_basis, basis.expression_basis)
    return np.concatenate(parts, -1)[basis.landmark_indices]


def test_the_linear_model_is_the_one_of_the_weights():
    rng = np.random.default_rng(0)
    mixed = landmarks() @ rng.normal(0, 1, (145, 12))
    np.testing.assert_allclose(mixed, np.load(STORED)["landmarks"], atol=2e-4)


@pytest.mark.usefixtures("graphics")
def test_pictures_look_as_the_weights_know_them():
    difference = np.abs(pictures().astype(float) - np.load(STORED)["pictures"])
    assert difference.mean((1, 2, 3)).max() < 1.0
    assert np.quantile(difference, 0.999) < 12


if __name__ == "__main__":
    weights = np.random.default_rng(0).normal(0, 1, (145, 12))
    np.savez_compressed(STORED, pictures=pictures(), landmarks=(landmarks() @ weights).astype(np.float32))
