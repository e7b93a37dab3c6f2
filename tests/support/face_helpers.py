"""Small stand-ins for the face tests: tiny networks, a random morphable model, a drawn picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gohd_core.constants import BFM09, STYLISED
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.extractor_network import ExtractorConfig, ExtractorNetwork
from gohd_core.face.reading.gaze_estimator import GazeConfig, GazeEstimator, GazeNetwork
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import ResNetConfig

TINY = ResNetConfig("basic", (1, 1, 1, 1), 8)
GLIMPSES = GlimpseConfig(size=16, width=4, features=8)
EYES = GlimpseConfig(regions=("right_eye", "left_eye"), size=16, width=4, features=8)


def _randomised(network: torch.nn.Module, seed: int) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        if parameter.ndim > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05, generator=generator)
    return network.eval().requires_grad_(False)


def tiny_extractor(*, aligned: bool) -> CoefficientExtractor:
    """An untrained extractor: official kind (aligned) or built-in kind (glimpses)."""
    torch.manual_seed(3)
    if aligned:
        config = ExtractorConfig(image_size=224, backbone=TINY)
    else:
        config = ExtractorConfig(
            image_size=64,
            aligned=False,
            backbone=TINY,
            heads=("identity", "expression", "angle", "shift", "depth"),
            glimpses=GLIMPSES,
            hidden=16,
        )
    space = BFM09 if aligned else STYLISED
    return CoefficientExtractor(_randomised(ExtractorNetwork(config), 4), config, space)


def tiny_gaze_estimator(*, official: bool) -> GazeEstimator:
    """An untrained gaze estimator of either kind."""
    torch.manual_seed(5)
    glimpses = None if official else EYES
    config = GazeConfig(image_size=64, backbone=TINY, glimpses=glimpses, hidden=16)
    space = BFM09 if official else STYLISED
    return GazeEstimator(_randomised(GazeNetwork(config), 6), config, space)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth colourful picture, uint8 [H, W, 3]."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    phase = np.random.default_rng(seed).uniform(0, 6, (3, 1, 1))
    waves = np.sin(9 * x + phase) * np.cos(7 * y + 2 * phase)
    return np.rint(np.moveaxis(127.5 + 127.5 * waves, 0, -1)).astype(np.uint8)


def face_landmarks(cx: float, cy: float, size: float) -> np.ndarray:
    """68 landmarks in roughly human places; `size` is the width of the face in pixels."""
    points = np.zeros((68, 2))
    t = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([0.5 * np.cos(t), 0.55 * np.sin(t)], 1)
    points[17:22] = np.stack([np.linspace(-0.42, -0.12, 5), np.full(5, -0.32)], 1)
    points[22:27] = np.stack([np.linspace(0.12, 0.42, 5), np.full(5, -0.32)], 1)
    points[27:31] = np.stack([np.zeros(4), np.linspace(-0.2, 0.08, 4)], 1)
    points[31:36] = np.stack([np.linspace(-0.1, 0.1, 5), np.full(5, 0.13)], 1)
    for first, x in ((36, -0.22), (42, 0.22)):
        a = np.deg2rad([180, 240, 300, 0, 60, 120])
        points[first : first + 6] = np.stack([x + 0.09 * np.cos(a), -0.18 + 0.04 * np.sin(a)], 1)
    outer, inner = np.linspace(np.pi, -np.pi, 13)[:12], np.linspace(np.pi, -np.pi, 9)[:8]
    points[48:60] = np.stack([0.18 * np.cos(outer), 0.3 - 0.07 * np.sin(outer)], 1)
    points[60:68] = np.stack([0.13 * np.cos(inner), 0.3 - 0.02 * np.sin(inner)], 1)
    return points * size + (cx, cy)


def bfm_arrays(seed: int = 0, rows: int = 9, columns: int = 10) -> dict[str, np.ndarray]:
    """Fields of a small random BFM_model_front.mat: a bent grid with 1-based indices."""
    rng = np.random.default_rng(seed)
    r, c = np.divmod(np.arange(rows * columns), columns)
    x, y = c / (columns - 1) - 0.5, 0.5 - r / (rows - 1)
    n = len(x)
    mean = np.stack([x, y, 0.3 - x**2], 1) + 0.01 * rng.standard_normal((n, 3))
    faces = []
    for i in range(rows - 1):
        for j in range(columns - 1):
            a, b, d, e = (
                i * columns + j,
                i * columns + j + 1,
                (i + 1) * columns + j,
                (i + 1) * columns + j + 1,
            )
            faces += [(a, d, b), (b, d, e)]
    faces = np.array(faces) + 1
    return {
        "meanshape": mean.reshape(1, -1),
        "idBase": 0.02 * rng.standard_normal((3 * n, 80)),
        "exBase": 0.02 * rng.standard_normal((3 * n, 64)),
        "tri": faces,
        "keypoints": rng.choice(n, 68, replace=False)[None] + 1,
    }


def write_bfm(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """Writes the fields as a .mat file."""
    from scipy.io import savemat

    savemat(path, arrays)
    return path
