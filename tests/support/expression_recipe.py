"""Official files for the expression tests on a clean clone, and small random predictors."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch

from gohd_core.expression import ExpressionConfig, ExpressionNetwork, ExpressionPredictor
from tests.support import recipe

TABLE = "module.pos_embed.pos_table"


def sinusoid_table(length: int, width: int) -> np.ndarray:
    """The official position table, entry by entry."""
    table = np.zeros((1, length, width))
    for position in range(length):
        for j in range(width):
            angle = position / 10000 ** (2 * (j // 2) / width)
            table[0, position, j] = np.cos(angle) if j % 2 else np.sin(angle)
    return table.astype(np.float32)


def small_golden(component: str, folder: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """Writes the official file that a small golden describes; its path and the golden's arrays.

    The position table is too big to be stored in the repository, and is computed instead.
    """
    with np.load(recipe.SMALL / f"{component}.npz") as file:
        arrays = dict(file)
    header = json.loads(zlib.decompress(arrays.pop("header").tobytes()))
    tables = [entry for entry in header["entries"] if entry["key"] == TABLE]
    const = {TABLE: sinusoid_table(*tables[0]["shape"][1:])} if tables else {}
    tensors = recipe.fill(header["entries"], header["seed"], const)
    path = folder / f"{component}.pth"
    torch.save(recipe.nest(header["outer_layout"], tensors), path)
    return path, arrays


def small_predictor(kind: str, **changes: object) -> ExpressionPredictor:
    """A small predictor with random weights whose outputs are of order one."""
    settings = {
        "kind": kind,
        "eye_motion_input": kind != "stage1",
        "audio_widths": (4, 6, 8, 12, 16),
        "audio_residuals": 1,
        "mapping_widths": (24,),
        "embedding_hidden": 12,
        "embedding_width": 16,
        "noise_width": 10,
        "output_hidden": 12,
        "decoder_layers": 2,
        "decoder_heads": 4,
        "decoder_feedforward": 32,
        **changes,
    }
    config = ExpressionConfig(**settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        network = ExpressionNetwork(config)
        for parameter in network.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, 0, 1.5 / parameter[0].numel() ** 0.5)
    return ExpressionPredictor(network.requires_grad_(False), config, "bfm09")


def clip(frames: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random chunks [T, 80, 16], e0 [64] and eye0 [21]."""
    draw = torch.Generator().manual_seed(seed)
    return (
        torch.randn(frames, 80, 16, generator=draw) * 2,
        torch.randn(64, generator=draw) * 0.5,
        torch.randn(21, generator=draw) * 0.5,
    )
