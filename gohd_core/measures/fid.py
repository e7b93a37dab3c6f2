"""Fréchet Inception Distance (Heusel et al. 2017): distance of two Gaussians, and Inception's features."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from gohd_core.errors import BadInput, MissingDependency

Features = Callable[[Tensor], Tensor]
"""u8 pictures [B, 3, H, W] -> features [B, D]."""
_BATCH = 32


@dataclass(frozen=True)
class Gaussian:
    """Mean [D] and covariance [D, D] of features, float64, and of how many pictures."""

    mean: np.ndarray
    covariance: np.ndarray
    count: int

    @classmethod
    def of(cls, features: np.ndarray) -> Gaussian:
        """Statistics of features [N, D]; unbiased covariance, as in the reference code."""
        values = np.asarray(features, np.float64)
        if values.ndim != 2 or len(values) < 2:
            raise BadInput(f"A Fréchet distance needs the features of 2 pictures; got {list(values.shape)}.")
        return cls(values.mean(0), np.atleast_2d(np.cov(values, rowvar=False)), len(values))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    tr (C1 C2)^(1/2) is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which is
    symmetric: that needs no root of a product that is not, and stays real where covariances are singular.
    """
    from scipy.linalg import eigh

    values, vectors = eigh(first.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    middle = root @ second.covariance @ root
    shared = np.sqrt(np.maximum(eigh((middle + middle.T) / 2, eigvals_only=True), 0)).sum()
    gap = first.mean - second.mean
    return float(gap @ gap + np.trace(first.covariance) + np.trace(second.covariance) - 2 * shared)


def gaussian_of(pictures: Iterable[np.ndarray], features: Features) -> Gaussian:
    """Statistics of all pictures of several clips, each u8 [n, H, W, 3]."""
    found = []
    for frames in pictures:
        batch = rearrange(torch.from_numpy(np.ascontiguousarray(frames)), "t h w c -> t c h w")
        found += [features(part).double().cpu().numpy() for part in batch.split(_BATCH)]
    return Gaussian.of(np.concatenate(found))


def inception_features(path: str | Path) -> Features:
    """The 2,048 pooled features of FID's Inception, by torch-fidelity; weights from a path, no download.

    The file is read by our own safe reader and handed on as plain tensors.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingDependency(
            "The Fréchet Inception Distance is computed with torch-fidelity; install it with: "
            "pip install torch-fidelity"
        ) from error
    from gohd_core.checkpoints.reading import read_file

    state, _ = read_file(Path(path))
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "inception.pth"
        torch.save(dict(state), plain)
        network = FeatureExtractorInceptionV3("fid", ["2048"], feature_extractor_weights_path=str(plain))

    @torch.inference_mode()
    def features(pictures: Tensor) -> Tensor:
        return network(pictures)[0]

    return features
