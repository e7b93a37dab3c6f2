"""Reprojection error of the face model separates photographs from stylised heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gohd_core.face import CoefficientExtractor, GazeEstimator, MorphableModel, prepare_portrait
from gohd_core.face.geometry.reprojection import reprojection_error
from gohd_core.face.reading.coefficients import Coefficients
from gohd_core.portraits import PHOTOGRAPH, SENTENCE, photograph_warning

ASSETS = Path(__file__).resolve().parents[3] / "assets"


def test_misfit_is_the_mean_distance_in_half_pictures():
    columns = torch.randn(2, 257, generator=torch.Generator().manual_seed(0)) * 0.1
    found = Coefficients.from_columns(columns)
    made = MorphableModel.stylised().landmarks_2d(found.identity, found.expression, found.pose, 128)
    moved = made + torch.tensor([3.0, 4.0])
    assert torch.allclose(reprojection_error(found, made, 128), torch.zeros(2), atol=1e-5)
    assert torch.allclose(reprojection_error(found, moved, 128), torch.full((2,), 5 / 64), atol=1e-5)


@pytest.fixture(scope="module")
def readers():
    return CoefficientExtractor.load(), GazeEstimator.load()


def test_the_shipped_portraits_fit_and_a_photograph_does_not(readers):
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the photograph")
    for path in sorted((ASSETS / "portraits").glob("[0-9]*.jpg")):
        portrait = prepare_portrait(Image.open(path), extractor=readers[0], gaze_estimator=readers[1])
        assert portrait.reprojection_error < PHOTOGRAPH and photograph_warning(portrait, "stylised") is None
    person = prepare_portrait(np.array(data.astronaut()), box=(170, 60, 285, 215), extractor=readers[0])
    assert photograph_warning(person, "stylised") == SENTENCE
    assert photograph_warning(person, "bfm09") is None
    assert photograph_warning(replace(person, reprojection_error=None), "stylised") is None
