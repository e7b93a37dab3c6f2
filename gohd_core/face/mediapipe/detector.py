"""Finds faces: MediaPipe's short-range and full-range detectors, asked together.

The short-range one is for faces that fill much of the picture, the full-range one for smaller ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from gohd_core.errors import BadCheckpoint
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.regions import cut_regions, to_picture
from gohd_core.images import Image

LEAST_SCORE = 0.5
OVERLAP = 0.3
"""Boxes that share more than this (intersection over union) are taken for one face."""

N_KEYPOINTS = 6
RIGHT_EYE, LEFT_EYE = 0, 1
"""The first two keypoints, the subject's; then nose tip, mouth, right and left ear."""

GROWN = 1.5
"""Side of the region in which the mesh is read, in longer sides of the detector's box."""


@dataclass(frozen=True, eq=False)
class Detections:
    """Faces found, best first.

    Attributes:
        boxes: [N, 4] left, top, right, bottom; of the turned box where a turned region was looked at.
        keypoints: [N, 6, 2].
        scores: [N], 0..1.
        angles: by how much the regions were turned in which they were found, [N] radians.
    """

    boxes: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    angles: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, index: object) -> Detections:
        return Detections(*(values[index] for values in vars(self).values()))

    def regions(self) -> np.ndarray:
        """Regions for the face mesh, [N, 4]: turned so that the eyes lie level, half as large again."""
        eyes = self.keypoints[:, LEFT_EYE] - self.keypoints[:, RIGHT_EYE]
        extent = self.boxes[:, 2:] - self.boxes[:, :2]
        centre = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        angle = np.arctan2(eyes[:, 1], eyes[:, 0])
        return np.column_stack([centre, GROWN * extent.max(1, initial=0), angle])


class FaceDetector(nn.Module):
    """Both detectors.

    Args:
        short_range, full_range: the networks of their files.
    """

    def __init__(self, short_range: TfliteNetwork, full_range: TfliteNetwork) -> None:
        super().__init__()
        self.short_range, self.full_range = short_range, full_range
        self._anchors = (
            anchors(short_range.size[0], ((8, 2), (16, 6))),
            anchors(full_range.size[0], ((4, 1),)),
        )
        for network, centres in zip((short_range, full_range), self._anchors, strict=True):
            shapes = sorted(network.graph.shapes[i] for i in network.graph.outputs.values())
            if shapes != [(1, len(centres), 1), (1, len(centres), 4 + 2 * N_KEYPOINTS)]:
                raise BadCheckpoint(f"{network.where} is not the face detector known here; get it again.")

    @torch.inference_mode()
    def forward(self, images: Sequence[Image], regions: np.ndarray, device: torch.device) -> list[Detections]:
        """Detections of each network in one region of each picture, in pixels of the picture.

        Returns: for each picture what both found, not yet merged; see `merge`.
        """
        found: list[list[Detections]] = [[] for _ in images]
        for network, centres in zip((self.full_range, self.short_range), self._anchors[::-1], strict=True):
            side = network.size[0]
            pixels = cut_regions(images, regions, side, border="zeros", device=device)
            outputs = [output.float().cpu().numpy() for output in network(pixels * 2 - 1).values()]
            scores, values = sorted(outputs, key=lambda output: output.shape[-1])
            for k, region in enumerate(regions):
                found[k].append(decode(values[k] / side, scores[k, :, 0], centres, region))
        return [join(parts) for parts in found]


def anchors(side: int, layers: Sequence[tuple[int, int]]) -> np.ndarray:
    """Centres of the cells, [N, 2] in 0..1, row by row.

    layers: stride in pixels and number of boxes of each cell.
    """
    rows = []
    for stride, count in layers:
        steps = (np.arange(side // stride) + 0.5) / (side // stride)
        x, y = np.meshgrid(steps, steps)
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), count, 0))
    return np.concatenate(rows)


def decode(values: np.ndarray, logits: np.ndarray, centres: np.ndarray, region: np.ndarray) -> Detections:
    """A detector's output for one region: [N, 16] in shares of its side and [N] logits.

    Boxes of one face are averaged by their scores; see `merge`.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    chosen = scores >= LEAST_SCORE
    values, centres, scores = values[chosen].astype(np.float64), centres[chosen], scores[chosen]
    centre, extent = values[:, None, :2] + centres[:, None], values[:, None, 2:4]
    keypoints = values[:, 4:].reshape(-1, N_KEYPOINTS, 2) + centres[:, None]
    # The box is brought to the picture by its centre alone, so that it keeps its own size when turned.
    placed = to_picture(np.concatenate([centre, keypoints], 1), np.broadcast_to(region, (len(scores), 4)))
    half = extent[:, 0] * region[2] / 2
    boxes = np.concatenate([placed[:, 0] - half, placed[:, 0] + half], 1)
    return merge(Detections(boxes, placed[:, 1:], scores, np.full(len(scores), region[3])))


def join(parts: Sequence[Detections]) -> Detections:
    """Several lists as one."""
    if not parts:
        empty = np.zeros(0)
        return Detections(empty.reshape(0, 4), empty.reshape(0, N_KEYPOINTS, 2), empty, empty)
    rows = zip(*(vars(part).values() for part in parts), strict=True)
    return Detections(*(np.concatenate(row) for row in rows))


def merge(found: Detections) -> Detections:
    """Non-maximum suppression in which those that overlap the best one are averaged by their scores."""
    order, kept = np.argsort(-found.scores, kind="stable"), []
    while len(order):
        best = order[0]
        shared = overlaps(found.boxes[order], found.boxes[best]) > OVERLAP
        shared[0] = True
        # Keypoints of turned regions name other sides: such boxes are left out, not averaged.
        group = order[shared & (found.angles[order] == found.angles[best])]
        weights = found.scores[group] / found.scores[group].sum()
        kept.append(
            Detections(
                (found.boxes[group] * weights[:, None]).sum(0, keepdims=True),
                (found.keypoints[group] * weights[:, None, None]).sum(0, keepdims=True),
                found.scores[[best]],
                found.angles[[best]],
            )
        )
        order = order[~shared]
    return join(kept)


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes [N, 4] with one box [4]."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = (high - low).clip(0).prod(1)
    area = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)
    return shared / np.maximum(area + (box[2:] - box[:2]).clip(0).prod() - shared, 1e-9)
