"""Reads eyes closely: MediaPipe's iris network on each eye of a face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from gohd_core.errors import BadCheckpoint
from gohd_core.face.mediapipe.face_mesh import EYES
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.regions import cut_regions, to_picture
from gohd_core.images import Image

GROWN = 2.3
"""Side of an eye's region, in distances between its corners."""

N_CONTOUR = 71
"""Points of an eye's contours and brow."""
N_IRIS = 5
"""Points of an iris: its centre first."""
_OUTPUTS = {"output_eyes_contours_and_brows": 3 * N_CONTOUR, "output_iris": 3 * N_IRIS}


class IrisReader(nn.Module):
    """The iris network; it knows eyes of one side, so that the subject's left ones are mirrored for it."""

    def __init__(self, network: TfliteNetwork) -> None:
        super().__init__()
        shapes = {name: int(np.prod(network.graph.shapes[i])) for name, i in network.graph.outputs.items()}
        if shapes != _OUTPUTS:
            raise BadCheckpoint(f"{network.where} is not the iris network known here; get it again.")
        self.network = network

    @torch.inference_mode()
    def read(
        self, images: Sequence[Image], points: np.ndarray, device: torch.device
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both eyes of the face with the mesh `points` [N, 478, 3] in each picture.

        Returns: contours [N, 2, 71, 2] and irises [N, 2, 5, 2] in pixels of the picture, the subject's
        right eye first. The first 16 points of a contour are the edges of the lids, in the order of
        `face_mesh.EYE_RINGS`; an iris begins with its middle.
        """
        n, side = len(points), self.network.size[0]
        if n == 0:
            return np.zeros((0, 2, N_CONTOUR, 2)), np.zeros((0, 2, N_IRIS, 2))
        regions = np.stack([eye_regions(points, eye) for eye in range(2)], 1)  # [N, 2, 4]
        twice = [image for image in images for _ in range(2)]
        pixels = cut_regions(twice, regions.reshape(-1, 4), side, border="border", device=device)
        pixels = pixels.view(n, 2, 3, side, side)  # faces, eyes
        pixels = torch.stack([pixels[:, 0], pixels[:, 1].flip(-1)], 1).flatten(0, 1)
        found = self.network(pixels)
        both = torch.cat([found[name].reshape(n, 2, -1, 3)[..., :2] for name in _OUTPUTS], 2)
        places = both.float().cpu().numpy().astype(np.float64) / side  # [N, 2, 76, 2]
        places[:, 1, :, 0] = 1 - places[:, 1, :, 0]
        placed = to_picture(places, regions)
        contours, irises = placed[:, :, :N_CONTOUR], placed[:, :, N_CONTOUR:]
        # A mirrored iris has its left and right edge swapped.
        irises[:, 1] = irises[:, 1, [0, 3, 2, 1, 4]]
        return contours, irises


def eye_regions(points: np.ndarray, eye: int) -> np.ndarray:
    """The region [N, 4] of one eye of each mesh."""
    first, second = (points[:, i, :2] for i in EYES[eye])
    across = second - first
    return np.column_stack(
        [
            (first + second) / 2,
            GROWN * np.maximum(np.linalg.norm(across, axis=1), 1e-3),
            np.arctan2(across[:, 1], across[:, 0]),
        ]
    )
