"""Makes assets/canonical_face.safetensors: the mean face mesh of the sample portraits, on the stylised head.

    gohd download faces
    python scripts/canonical_face.py

The meshes of the shipped portraits, drawn heads and a photograph in the public domain in equal parts, are
laid on one another (generalised Procrustes), each also as its mirror image. The mean is turned, scaled and
shifted so that its 68 landmarks meet those of the stylised mean head, outline and brows counting less.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gohd_core.face import FaceReader
from gohd_core.face.mediapipe.points import landmarks_68
from gohd_core.files import atomic_write
from gohd_core.mesh.contours import N_FACE
from gohd_core.mesh.reading.fit import procrustes
from gohd_core.stylised.head.morphable import stylised_basis

ASSETS = Path(__file__).resolve().parents[1] / "assets"
TARGET = ASSETS / "canonical_face.safetensors"
PHOTOGRAPH = ASSETS / "portraits" / "astronaut.jpg"
ROUNDS = 12
OUTLINE, BROWS = 0.3, 0.5
"""Weights of those landmarks; the others have 1."""
FLIP = torch.tensor([-1.0, 1.0, 1.0], device="cpu", dtype=torch.float64)


def main() -> None:
    reader = FaceReader.load()
    drawn = sorted(PHOTOGRAPH.parent.glob("[0-9]*.jpg"))
    files = [*drawn, PHOTOGRAPH]
    meshes = torch.stack([read_mesh(reader, path) for path in files])
    weights = torch.tensor([1 / len(drawn)] * len(drawn) + [1.0], device="cpu", dtype=torch.float64)
    mean = mean_mesh(meshes, weights / weights.sum())
    basis = stylised_basis()
    counts = torch.ones(68, device="cpu", dtype=torch.float64)
    counts[:17], counts[17:27] = OUTLINE, BROWS
    head = torch.from_numpy(basis.mean_shape[basis.landmark_indices]).double()
    points = laid_on(torch.from_numpy(landmarks_68(mean.numpy())), head, counts, mean)
    points = (points + (points * FLIP)[mirror_of(points)]) / 2
    atomic_write(TARGET, save({"points": points.float().contiguous()}, {"source": "shipped portraits"}))


def read_mesh(reader: FaceReader, path: Path) -> Tensor:
    """The mesh [468,3] of a portrait, y up and z towards the viewer."""
    (face, *_) = reader.read(np.asarray(Image.open(path).convert("RGB")))
    return torch.from_numpy(face.points[:N_FACE]).double() * torch.tensor([1.0, -1.0, -1.0], device="cpu")


def mean_mesh(meshes: Tensor, weights: Tensor) -> Tensor:
    """The symmetric mean [468,3] of meshes [N,468,3]."""
    even = torch.ones(N_FACE, device="cpu", dtype=torch.float64)
    mean = meshes[weights.argmax()]
    for _ in range(ROUNDS):
        mean = mean - mean.mean(0)
        mean = mean / mean.square().sum(1).mean().sqrt()
        mirror = mirror_of(mean)
        both = [(mesh, (mesh * FLIP)[mirror]) for mesh in meshes]
        laid = torch.stack([sum(laid_on(each, mean, even, each) for each in pair) / 2 for pair in both])
        mean = (laid * weights[:, None, None]).sum(0)
    return mean


def laid_on(start: Tensor, end: Tensor, weights: Tensor, points: Tensor) -> Tensor:
    """Points moved by the similarity that lays `start` best onto `end`."""
    scale, turn, shift = (each[0] for each in procrustes(start, end[None], weights))
    return scale * points @ turn + shift


def mirror_of(points: Tensor) -> Tensor:
    """The point on the other side [468] of each point of a nearly symmetric mesh."""
    distance = torch.cdist(points, points * FLIP)
    return torch.from_numpy(linear_sum_assignment((distance + distance.T).numpy())[1])


if __name__ == "__main__":
    main()
