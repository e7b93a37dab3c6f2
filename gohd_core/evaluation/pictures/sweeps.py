"""Sweeps of one command at a time over a portrait, and its readings from the drawn frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gohd_core.evaluation.pictures.readings import FaceReadings, gaze_of
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.measures.sequences import agreement, displacement_share
from gohd_core.mesh.contours import INNER_GAP, N_FACE
from gohd_core.mesh.frame import EDGE, LIPS, POINTS
from gohd_core.mesh.source import MeshSource
from gohd_core.stylised.head.expressions import INDEX

_JAW = INDEX["jaw_open"]
_BLINKS = (INDEX["blink_left"], INDEX["blink_right"])
_POSE = 64
"""First column of the pose in a descriptor."""
_GAZE = 70
"""First column of the gaze."""
_DEGREE = math.pi / 180


@dataclass(frozen=True)
class Sweep:
    """One command at several levels.

    Attributes:
        name: as tables show it.
        columns: of the descriptor in the network's order.
        levels: their values, or offsets to the portrait's own.
        added: whether levels are offsets.
    """

    name: str
    columns: tuple[int, ...]
    levels: tuple[float, ...]
    added: bool = True


JAW, BLINK, IRIS_YAW, IRIS_PITCH = "jaw", "blink", "iris yaw", "iris pitch"
HEAD = ("head yaw", "head pitch", "head roll")


def _turns(degrees: float) -> tuple[float, float]:
    return -degrees * _DEGREE, degrees * _DEGREE


SWEEPS = (
    Sweep(JAW, (_JAW,), (0.0, 0.25, 0.5, 0.75, 1.0), added=False),
    Sweep(BLINK, _BLINKS, (0.5, 1.0), added=False),
    Sweep(IRIS_YAW, (_GAZE,), _turns(24)),
    Sweep(IRIS_PITCH, (_GAZE + 1,), _turns(14)),
    Sweep(HEAD[0], (_POSE + 1,), _turns(20)),
    Sweep(HEAD[1], (_POSE,), _turns(15)),
    Sweep(HEAD[2], (_POSE + 2,), _turns(15)),
)
"""Motions of the sweep, the same for every picture."""


def sweep_descriptors(own: Tensor, sweeps: tuple[Sweep, ...] = SWEEPS) -> tuple[Tensor, dict[str, slice]]:
    """Descriptors [T,72] of all sweeps, and which rows are whose; row 0 is the portrait's own [1,72]."""
    rows, places, start = [own], {}, 1
    for sweep in sweeps:
        part = own.repeat(len(sweep.levels), 1)
        levels = torch.tensor(sweep.levels, device=own.device, dtype=own.dtype)[:, None]
        columns = list(sweep.columns)
        part[:, columns] = levels + (part[:, columns] if sweep.added else 0)
        rows.append(part)
        places[sweep.name] = slice(start, start + len(part))
        start += len(part)
    return torch.cat(rows), places


def sweep_figures(
    source: MeshSource, descriptors: Tensor, places: dict[str, slice], read: FaceReadings
) -> dict[str, float]:
    """Slope and correlation of the readings against the commands, by name.

    Angles are read by the fit of the read mesh, gaze by its irises in the head as it is read first, which
    stays: the eye corners of a mesh follow irises. The jaw is the gap between the lips that the contours
    have. Lids: the rest of the eyes' height when they are shut, in space and in the picture. Points: where
    the portrait's own 468 points move when its head turns, in slope and rms pixels.
    """
    found: dict[str, float] = {}
    gaps = commanded_gaps(source, descriptors)

    def follow(name: str, commanded: np.ndarray, measured: np.ndarray) -> None:
        rows = np.r_[0, places[name]]
        rows = rows[read.seen[rows]]
        if len(rows) > 2:
            agreed = agreement(commanded[rows], measured[rows])
            found[f"{name} slope"], found[f"{name} r"] = agreed.slope, agreed.correlation

    given = descriptors.cpu().numpy()
    follow(JAW, gaps, read.gap)
    gaze = _gaze_in_first_head(read, source.size)
    follow(IRIS_YAW, given[:, _GAZE], gaze[:, 0])
    follow(IRIS_PITCH, given[:, _GAZE + 1], gaze[:, 1])
    for name, column in zip(HEAD, (1, 0, 2), strict=True):
        follow(name, given[:, _POSE + column], read.angles[:, column])
    found["lids left"] = lids_left(places[BLINK], read.lids)
    found["aspect left"] = lids_left(places[BLINK], read.aspect)
    return found | _points(source, descriptors, places, read)


def lids_left(blink: slice, heights: np.ndarray) -> float:
    """What a full blink leaves of both eyes' heights [T,2], of the more open eye, as a share of its own; NaN
    without a face."""
    shut, own = heights[blink][-1], heights[0]
    return float((shut / np.maximum(own, 1e-6)).max())


def _gaze_in_first_head(read: FaceReadings, size: int) -> np.ndarray:
    """Gaze [T,2] of each frame's irises in the head of the first one; nan without either."""
    gaze = np.full((len(read.seen), 2), np.nan)
    if read.seen[0]:
        points = np.repeat(read.points[:1], len(gaze), 0)
        points[:, N_FACE:] = read.points[:, N_FACE:]
        gaze[read.seen] = gaze_of(points[read.seen], size)
    return gaze


def commanded_gaps(source: MeshSource, descriptors: Tensor) -> np.ndarray:
    """Gap between the inner lips in model units that descriptors [T,72] ask for, [T]: where the mesh's own
    pairs of points lie along the lips."""
    still = descriptors.clone()
    still[:, _POSE : _POSE + 6] = 0
    lips = source.shape.contours_in(still, 1)[:, LIPS, EDGE].cpu()  # a picture of one pixel
    own = source.face.points_in_head.cpu()
    across = own[[upper for upper, _ in INNER_GAP], 0]
    upper = torch.arange(1, POINTS // 2, dtype=torch.long, device="cpu")
    nearest = (source.shape.contours[LIPS, EDGE, upper, 0].cpu()[:, None] - across).abs().argmin(0)
    camera = Camera.of_size(1)
    unit = camera.focal / (camera.distance - own[[13, 14], 2].mean().item())
    height = lips[:, POINTS - upper[nearest], 1] - lips[:, upper[nearest], 1]
    return (height.mean(1) / unit).numpy()


def _points(
    source: MeshSource, descriptors: Tensor, places: dict[str, slice], read: FaceReadings
) -> dict[str, float]:
    rows = np.concatenate([np.r_[places[name]] for name in HEAD])
    rows = rows[read.seen[rows]]
    if not len(rows) or not read.seen[0]:
        return {}
    own = source.face.points_in_head[:N_FACE].cpu()
    camera, poses = Camera.of_size(source.size), descriptors[:, _POSE : _POSE + 6].cpu()
    placed = camera.pixels(transform(own[None], poses)).numpy()
    true = placed[rows] - placed[0]
    made = (read.points[rows] - read.points[0])[:, :N_FACE, :2]
    rms = float(np.sqrt(np.square(made - true).sum(-1).mean()))
    return {"points slope": displacement_share(true, made), "points px": rms * 512 / source.size}
