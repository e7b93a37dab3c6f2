"""The official expression classes, number for number, from files in their own layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.checkpoints import convert
from gohd_core.expression import ExpressionPredictor
from tests.support import expression_recipe, recipe

TOLERANCE = 1e-4


def batch(golden: dict[str, np.ndarray], prefix: str) -> tuple[torch.Tensor, ...]:
    """Audio, e0, eye0 and z [B, T, 512] of a stored case."""
    eye0 = np.concatenate([golden[f"{prefix}zb"], golden[f"{prefix}bc"]], axis=-1)[:, 0]
    z = torch.from_numpy(golden[f"{prefix}z"])
    if z.ndim == 4:
        z = z[:, :, 0].transpose(0, 1)
        z = torch.cat([torch.full_like(z[:, :1], 99.0), z], dim=1)
    audio, e0 = (torch.from_numpy(golden[f"{prefix}{key}"]) for key in ("audio", "exp0"))
    return audio, e0, torch.from_numpy(eye0), z


def compare(path: Path, golden: dict[str, np.ndarray], prefix: str) -> None:
    network = ExpressionPredictor.load(path).network
    audio, e0, eye0, z = batch(golden, prefix)
    expression, eye_motion = network(audio, e0, eye0, noise=z)
    recipe.assert_close(expression, golden[f"{prefix}exp_motion_pred"], TOLERANCE)
    recipe.assert_close(eye_motion, golden[f"{prefix}control_seq"], TOLERANCE)


def test_released_stage_1_small(tmp_path: Path) -> None:
    path, golden = expression_recipe.small_golden("expression", tmp_path)
    predictor = ExpressionPredictor.load(path)
    assert predictor.space == "bfm09" and predictor.config.kind == "stage1"
    expression, eye_motion = predictor.predict(golden["audio"][0], golden["exp0"][0])
    recipe.assert_close(expression, golden["exp_motion_pred"][0], TOLERANCE)
    assert eye_motion is None


@pytest.mark.parametrize("component", ["expression_two_stage", "expression_two_stage_trans"])
def test_two_stage_small(component: str, tmp_path: Path) -> None:
    path, golden = expression_recipe.small_golden(component, tmp_path)
    compare(path, golden, "")


def test_released_stage_1(tmp_path: Path) -> None:
    golden = recipe.golden("expression")
    path = recipe.write_official("expression", tmp_path / "audio2exp.pth")
    predictor = ExpressionPredictor.load(path)
    expression, _ = predictor.predict(golden["audio"][0], golden["exp0"][0])
    recipe.assert_close(expression, golden["exp_motion_pred"][0], TOLERANCE)
    chunks = torch.from_numpy(golden["audio"][0])
    recipe.assert_close(predictor.network.lips.audio_encoder(chunks), golden["audio_embedding"], TOLERANCE)


@pytest.mark.parametrize("component", ["expression_two_stage", "expression_two_stage_trans"])
def test_two_stage(component: str, tmp_path: Path) -> None:
    golden = recipe.golden(component)
    path = recipe.write_official(component, tmp_path / "audio2exp.pth")
    for prefix in ("B1_", "B2_"):
        compare(path, golden, prefix)
    audio, e0, eye0, _ = batch(golden, "B1_")
    predictor = ExpressionPredictor.load(path)
    expression, _ = predictor.predict(audio[0], e0[0], eye0[0], noise=golden["B1_z"])
    recipe.assert_close(expression, golden["B1_exp_motion_pred"][0], TOLERANCE)


def test_converted_file_gives_identical_numbers(tmp_path: Path) -> None:
    path, golden = expression_recipe.small_golden("expression_two_stage", tmp_path)
    ours = ExpressionPredictor.load(convert(path, tmp_path / "ours.safetensors"))
    theirs = ExpressionPredictor.load(path)
    assert ours.config == theirs.config and ours.space == theirs.space
    audio, e0, eye0, _ = batch(golden, "")
    for first, second in zip(
        ours.predict(audio[0], e0[0], eye0[0], seed=4),
        theirs.predict(audio[0], e0[0], eye0[0], seed=4),
        strict=True,
    ):
        assert torch.equal(first, second)
