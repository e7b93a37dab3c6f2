"""Mouths drawn on trial: how far a face reader sees lips go that are told to, and what makes up for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.images import Image
from gohd_core.mesh.clip import fit_clip
from gohd_core.mesh.contours import HALF, INNER_LIPS, edge_gap, inner_gap
from gohd_core.mesh.dubbing.dubbing import GAINS, DubbedFace, Said
from gohd_core.mesh.frame import EDGE
from gohd_core.mesh.reading.fit import into_box

Read = Callable[[Sequence[Image], np.ndarray], np.ndarray]
"""Meshes [n,478,3] of pictures, in pixels, from about where their points are, [n,478,2]."""
LEAST, MOST = (1.15, 0.85), (1.5, 1.3)
"""Limits of the gains on width and opening."""
_WANTED = (1.0, 1.06)
"""Slopes that are wanted of what is read of trials: steadying what is read of a clip takes from them."""
_TRIED = (0.03, 0.35, 0.65, 0.97)
"""Quantiles of openings and of widths that are said which are tried."""


def try_gains(face: DubbedFace, said: Said, read: Read) -> None:
    """Sets a face's gains to those with which the reader sees lips go as far as they are told to.

    Into each trial picture several of the mouths that are said are drawn; what the picture itself adds to
    what is read of them does not count.
    """
    face.gains = GAINS
    told, seen = [], []
    for t, (corner, picture) in face.trials.items():
        near = face.pixels(face.rows.points(t), t) - corner
        tried = [said.always(k) for k in _tried(face, said)]
        edge = torch.stack([face.lips(t, each)[EDGE] for each in tried])
        width = (edge[:, 0] - edge[:, HALF]).norm(dim=-1)
        told.append(torch.stack([width, edge_gap(edge).clamp_min(0)], 1))
        drawn = [face.frame(picture, t, each, corner) for each in tried]
        mesh = read(drawn, np.repeat(near[None], len(drawn), 0)) + np.array([*corner, 0.0])
        flat = into_box(torch.from_numpy(mesh).float(), face.box, ALIGNED_SIZE)
        points = fit_clip(flat, ALIGNED_SIZE).points_in_head
        width = (points[:, INNER_LIPS.right] - points[:, INNER_LIPS.left]).norm(dim=-1)
        seen.append(torch.stack([width, inner_gap(points)], 1))
    if told:
        told, seen = (torch.stack(each).double().numpy() for each in (told, seen))  # [frames, tried, 2]
        told, seen = (each - each.mean(1, keepdims=True) for each in (told, seen))
        slope = (told * seen).sum((0, 1)) / np.maximum((told**2).sum((0, 1)), 1e-9)
        found = np.array(GAINS) * _WANTED / np.maximum(slope, 0.1)
        face.gains = tuple(np.clip(found, LEAST, MOST).tolist())


def _tried(face: DubbedFace, said: Said) -> list[int]:
    """Frames of what is said, by their openings and by their widths."""
    widths = (said.target @ face.widening).numpy()
    return [
        int(np.argsort(values, kind="stable")[int(share * (len(values) - 1))])
        for values in (said.gap.numpy(), widths)
        for share in _TRIED
    ]
