"""Reads the mesh: MediaPipe's face mesh with attention, 478 points of each face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gohd_core.errors import BadCheckpoint
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.regions import cut_regions, to_picture
from gohd_core.images import Image

N_MESH = 468
"""Points of the mesh without irises."""
N_POINTS = 478
"""Points with them."""
ROUNDS = 3
"""Passes of the mesh network, each in the region that the last one gave."""

GROWN = 1.5
"""Side of a face's region, in longer sides of the box around its mesh."""

OUTER_CORNERS = (33, 263)
"""Outer corners of the subject's right and left eye: level in a region."""

_LIPS, _RIGHT_EYE, _LEFT_EYE = 61, 33, 362
"""The point by which the graph turns each part that it reads again; it names the part."""

_OUTPUTS = {
    "output_mesh_identity": 3 * N_MESH,
    "output_lips": 160,
    "output_left_eye": 142,
    "output_right_eye": 142,
    "output_left_iris": 10,
    "output_right_iris": 10,
    "conv_faceflag": 1,
}
EYE_RINGS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
)
"""Edges of the lids of the subject's right and left eye; an iris lies at their mean depth."""

EYES = ((33, 133), (362, 263))
"""Corners of the subject's right and left eye, from left to right in the picture."""

IRISES = (slice(468, 473), slice(473, 478))
"""The subject's right and left iris: its middle, then four points of its edge."""


class FaceMesh(nn.Module):
    """The mesh network; in its file "left" is left in the picture, the subject's right."""

    def __init__(self, network: TfliteNetwork) -> None:
        super().__init__()
        shapes = {name: int(np.prod(network.graph.shapes[i])) for name, i in network.graph.outputs.items()}
        parts = {
            o["left_rotation_idx"]: o["subset_idxs"] for o in network.options("Landmarks2TransformMatrix")
        }
        if shapes != _OUTPUTS or set(parts) != {_LIPS, _RIGHT_EYE, _LEFT_EYE}:
            raise BadCheckpoint(f"{network.where} is not the face mesh known here; get it again.")
        self.network = network
        self._refined = [
            ("output_lips", list(parts[_LIPS])),
            ("output_left_eye", list(parts[_RIGHT_EYE])),
            ("output_right_eye", list(parts[_LEFT_EYE])),
            ("output_left_iris", list(range(468, 473))),
            ("output_right_iris", list(range(473, 478))),
        ]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """[N, 3, 192, 192] in 0..1 -> points [N, 478, 3] in pixels of that, and presence [N] in 0..1."""
        found = self.network(pixels)
        mesh = found["output_mesh_identity"].reshape(-1, N_MESH, 3)
        points = torch.cat([mesh, mesh.new_zeros(len(mesh), N_POINTS - N_MESH, 3)], 1)
        for name, indices in self._refined:
            points[:, indices, :2] = found[name].reshape(len(mesh), -1, 2)
        for iris, ring in zip(IRISES, EYE_RINGS, strict=True):
            points[:, iris, 2] = mesh[:, list(ring), 2].mean(1, keepdim=True)
        return points, found["conv_faceflag"].reshape(-1).sigmoid()

    @torch.inference_mode()
    def read(
        self, images: Sequence[Image], regions: np.ndarray, device: torch.device, *, rounds: int = ROUNDS
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The face in one region of each picture.

        Returns: points [N, 478, 3] in pixels of the picture (z in the same scale, smaller is nearer),
        presence [N], and the regions [N, 4] in which they were read.
        """
        side = self.network.size[0]
        points, presence = np.zeros((0, N_POINTS, 3)), np.zeros(0)
        for k in range(rounds if len(regions) else 0):
            if k:
                regions = mesh_regions(points)
            window, flags = self(cut_regions(images, regions, side, border="border", device=device))
            found = torch.cat([window.flatten(1), flags[:, None]], 1).float().cpu().numpy().astype(np.float64)
            points = to_picture(found[:, :-1].reshape(-1, N_POINTS, 3) / side, regions)
            presence = found[:, -1]
        return points, presence, regions


def mesh_regions(points: np.ndarray) -> np.ndarray:
    """The region [N, 4] of each mesh [N, 478, 3]: the square around it with its eyes level, grown."""
    first, second = OUTER_CORNERS
    across = points[:, second, :2] - points[:, first, :2]
    angle = np.arctan2(across[:, 1], across[:, 0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)  # level -> picture
    level = points[:, :N_MESH, :2] @ turn
    low, high = level.min(1), level.max(1)
    centre = (turn @ ((low + high) / 2)[..., None])[..., 0]
    return np.column_stack([centre, GROWN * (high - low).max(1), angle])
