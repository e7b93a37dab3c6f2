"""Faces in photographs: boxes by S3FD and 68 landmarks by FAN, both of the face-alignment library.

The networks are the library's; pictures go through them in batches, where the library calls the
landmark network once a face. Its weights are files that the user supplies (`detector_files`): nothing
is ever downloaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from gohd_core.checkpoints.detector_files import FAN, S3FD, check_whole, find_detector_files, missing_files
from gohd_core.devices import checked_device
from gohd_core.errors import BadCheckpoint, BadInput, MissingDependency
from gohd_core.face.crop import Box
from gohd_core.face.detection.heatmaps import CROP, cut_view, read_heatmaps, view_of
from gohd_core.images import Image, rgb_images, to_tensor
from gohd_core.landmarks68 import MIRRORED

FAN_BLOCKS = 4
LARGEST_SIDE = 720
"""Pictures are made smaller than this before faces are looked for; landmarks are read at full size."""

_MEAN_BGR = (104.0, 117.0, 123.0)
_CANDIDATE = 0.05
_OVERLAP = 0.3
_VARIANCES = (0.1, 0.2)


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a picture.

    Attributes:
        box: where the detector saw it, in pixels.
        landmarks: [68, 2] in pixels, x right, y down, pixel centres at whole numbers.
        score: how sure the detector is of the box, 0..1.
        certainty: how sure the landmark network is, about 0..1 (mean height of its peaks).
    """

    box: Box
    landmarks: np.ndarray
    score: float
    certainty: float


class FaceDetector:
    """Finds every face of a picture, as `prepare_portrait` and the tracker take it.

    Args:
        finder: S3FD: [B, 3, H, W] in BGR less the mean colour -> twelve maps, scores and boxes alternating.
        reader: FAN: [B, 3, 256, 256] in 0..1 -> heatmaps [B, 68, 64, 64], or a list whose last they are.
        least_score: boxes of a lower score are left out.
        mirrored: read each face mirrored as well and add both, as the library does by default.
        whole_pixels: landmarks as released; see `read_heatmaps`.
    """

    def __init__(
        self,
        finder: Callable[[Tensor], Sequence[Tensor]],
        reader: Callable[[Tensor], Any],
        *,
        device: str | torch.device = "cpu",
        least_score: float = 0.5,
        batch_size: int = 16,
        mirrored: bool = True,
        whole_pixels: bool = False,
    ) -> None:
        self.finder, self.reader, self._device = finder, reader, checked_device(device)
        networks = (part for part in (finder, reader) if isinstance(part, torch.nn.Module))
        self.network = torch.nn.ModuleList(networks)
        self.least_score, self.batch_size = least_score, batch_size
        self.mirrored, self.whole_pixels = mirrored, whole_pixels

    @classmethod
    def load(
        cls, folders: str | Path | Sequence[str | Path], *, device: str | torch.device = "cpu", **options: Any
    ) -> FaceDetector:
        """With the library's networks and the weights that lie in one of the folders.

        Raises: `BadCheckpoint` when a file is not there, cut off or not what its name says;
        `MissingDependency` without the library. Either sentence says what to do.
        """
        places = (folders,) if isinstance(folders, str | Path) else tuple(folders)
        problem = missing_files(places)
        if problem is not None:
            raise BadCheckpoint(problem)
        found = find_detector_files(places)
        finder, reader = _library_networks()
        for network, item in ((finder, S3FD), (reader, FAN)):
            _fill(network, found[item.name], item)
            network.to(device).train(False).requires_grad_(False)
        return cls(finder, reader, device=device, **options)

    @property
    def device(self) -> torch.device:
        """Device of its networks; they may be moved."""
        return next((weight.device for weight in self.network.parameters()), self._device)

    def __call__(self, image: Any) -> list[np.ndarray]:
        """The landmarks [68, 2] of each face of one picture: the form that `prepare_portrait` takes."""
        return [face.landmarks for face in self.detect(image)[0]]

    def detect(self, images: Any) -> list[list[Face]]:
        """Every face of every picture, the highest score first."""
        pictures = rgb_images(images)
        found = self.boxes(pictures)
        places = [(k, Box(*row[:4]), row[4]) for k, rows in enumerate(found) for row in rows.tolist()]
        points, certainty = self.landmarks([pictures[k] for k, _, _ in places], [box for _, box, _ in places])
        faces: list[list[Face]] = [[] for _ in pictures]
        for (k, box, score), where, sure in zip(places, points, certainty, strict=True):
            faces[k].append(Face(box, where, score, float(sure)))
        return faces

    @torch.inference_mode()
    def boxes(self, images: Sequence[Image]) -> list[np.ndarray]:
        """Boxes of each picture, [n, 5]: left, top, right, bottom in pixels and score, best first.

        Pictures of one size go through the network together.
        """
        result: list[np.ndarray] = [np.zeros((0, 5))] * len(images)
        for same in _by_size(images):
            for start in range(0, len(same), self.batch_size):
                chosen = same[start : start + self.batch_size]
                small, ratio = zip(*(_shrunk(images[k]) for k in chosen), strict=True)
                pixels = torch.from_numpy(np.stack(small)).to(self.device)
                inputs = rearrange(pixels, "b h w c -> b c h w").float()
                mean = inputs.new_tensor(_MEAN_BGR)[:, None, None]
                for k, rows in zip(chosen, self._decode(self.finder(inputs.flip(1) - mean)), strict=True):
                    rows[:, :4] /= ratio[0]
                    result[k] = rows
        return result

    @torch.inference_mode()
    def landmarks(self, images: Sequence[Image], boxes: Sequence[Box]) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks [B, 68, 2] of the face in each box, and their certainty [B]; one box a picture."""
        if len(images) != len(boxes):
            raise BadInput(f"There are {len(images)} pictures and {len(boxes)} boxes; give one box each.")
        found, sure = [np.zeros((0, len(MIRRORED), 2))], [np.zeros(0)]
        for start in range(0, len(images), self.batch_size):
            views = [view_of(box) for box in boxes[start : start + self.batch_size]]
            crops = [cut_view(i, v) for i, v in zip(images[start : start + len(views)], views, strict=True)]
            maps = self._heatmaps(to_tensor(crops, self.device, torch.float32)).float().cpu().numpy()
            points, peaks = read_heatmaps(maps, views, whole_pixels=self.whole_pixels)
            found.append(points)
            sure.append(peaks)
        return np.concatenate(found), np.concatenate(sure)

    def _heatmaps(self, inputs: Tensor) -> Tensor:
        assert inputs.shape[1:] == (3, CROP, CROP)
        maps = _last(self.reader(inputs))
        if not self.mirrored:
            return maps
        order = torch.tensor(MIRRORED, device=maps.device, dtype=torch.long)
        return (maps + _last(self.reader(inputs.flip(-1)))[:, order].flip(-1)) / 2

    def _decode(self, maps: Sequence[Tensor]) -> list[np.ndarray]:
        """S3FD's maps as boxes, one array a picture."""
        candidates: list[list[np.ndarray]] = [[] for _ in range(len(maps[0]))]
        for level in range(len(maps) // 2):
            scores = maps[2 * level].float().softmax(1)[:, 1].cpu().numpy()
            offsets = maps[2 * level + 1].float().cpu().numpy()
            stride = 2 ** (level + 2)
            for k in range(len(scores)):
                rows, columns = np.nonzero(scores[k] > _CANDIDATE)
                centre = stride / 2 + stride * np.stack([columns, rows], -1)
                loc = offsets[k][:, rows, columns].T
                middle = centre + loc[:, :2] * _VARIANCES[0] * 4 * stride
                extent = 4 * stride * np.exp(loc[:, 2:] * _VARIANCES[1])
                corners = [middle - extent / 2, middle + extent / 2, scores[k][rows, columns][:, None]]
                candidates[k].append(np.concatenate(corners, 1))
        kept = (best_boxes(np.concatenate(rows).astype(np.float64)) for rows in candidates)
        return [rows[rows[:, 4] > self.least_score] for rows in kept]


def best_boxes(rows: np.ndarray) -> np.ndarray:
    """Non-maximum suppression of [n, 5]: of boxes that overlap by more than `_OVERLAP` the best stays."""
    from face_alignment.detection.sfd.bbox import nms

    return rows[nms(rows, _OVERLAP)]


def _by_size(images: Sequence[Image]) -> list[list[int]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for k, image in enumerate(images):
        groups.setdefault(image.shape, []).append(k)
    return list(groups.values())


def _shrunk(image: Image) -> tuple[Image, float]:
    """The picture with its longer side at most `LARGEST_SIDE`, and the factor."""
    ratio = LARGEST_SIDE / max(image.shape[:2])
    if ratio >= 1:
        return image, 1.0
    import cv2

    size = (max(1, round(image.shape[1] * ratio)), max(1, round(image.shape[0] * ratio)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), ratio


def _last(output: Any) -> Tensor:
    return output[-1] if isinstance(output, list | tuple) else output


def _library_networks() -> tuple[torch.nn.Module, torch.nn.Module]:
    try:
        from face_alignment.detection.sfd.net_s3fd import s3fd
        from face_alignment.models import FAN as Network
    except ImportError as error:
        raise MissingDependency(
            "Finding faces in photographs needs the library face-alignment, 1.5 or newer "
            f"({error}); install it with: pip install 'face-alignment>=1.5'"
        ) from error
    return s3fd(), Network(FAN_BLOCKS)


def _fill(network: torch.nn.Module, path: Path, item: Any) -> None:
    from gohd_core.checkpoints.reading import read_file

    check_whole(path, item)
    content, _ = read_file(path)
    try:
        network.load_state_dict(content)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise BadCheckpoint(
            f"{path} does not hold the weights that its name says; get it again from {item.url}."
        ) from error
