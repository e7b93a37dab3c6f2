"""Poses and meshes of a long clip in little memory: steadied and fitted as they come, kept in fixed point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.mesh.clip import fit_clip
from gohd_core.mesh.reading.fit import into_box

STEADY = 0.7
"""Deviation in frames of the Gaussian over meshes."""
_BLOCK, _BESIDE = 256, 4
"""Frames that are fitted together, and how many beside them their Gaussian looks at."""
_STEPS = 2**14
"""Steps a model unit in fixed point; a step is a twentieth of a pixel where a model unit is 800 of them."""


@dataclass(frozen=True, eq=False)
class FittedMeshes:
    """Records of n frames: pose [n,6] float32, and own points in head space, int16 [n,478,3] in `_STEPS`."""

    pose: Tensor
    fixed: Tensor

    @classmethod
    def of(cls, meshes: Sequence[np.ndarray] | np.ndarray, box: tuple[float, float, float]) -> FittedMeshes:
        """From n meshes [478,3] in pixels of the film, fitted in its square `box` (left, top, side)."""
        gathered = MeshFitting(box)
        gathered.add(meshes)
        return gathered.fitted()

    def points(self, rows: int | slice) -> Tensor:
        """Own points in head space of frame or frames `rows`, [478,3] or [n,478,3] float32."""
        return self.fixed[rows].float() / _STEPS

    def __len__(self) -> int:
        return len(self.pose)


class MeshFitting:
    """Gathers a clip's meshes, in order; those that are fitted are dropped."""

    def __init__(self, box: tuple[float, float, float]) -> None:
        """box: square (left, top, side) of the film that poses refer to."""
        self.box = box
        self._near: list[np.ndarray] = []
        self._before = 0  # of `_near`, how many are fitted already
        self._parts: list[FittedMeshes] = []

    def add(self, meshes: Iterable[np.ndarray]) -> None:
        """The next frames' meshes [478,3] in pixels of the film."""
        self._near += list(meshes)
        while len(self._near) - self._before >= _BLOCK + _BESIDE:
            self._fit(_BLOCK)

    def fitted(self) -> FittedMeshes:
        """Those of all frames; nothing can be added afterwards."""
        if len(self._near) > self._before:
            self._fit(len(self._near) - self._before)
        parts, self._parts = self._parts, []
        return FittedMeshes(
            torch.cat([part.pose for part in parts]), torch.cat([part.fixed for part in parts])
        )

    def _fit(self, count: int) -> None:
        near = np.stack(self._near[: self._before + count + _BESIDE]).astype(np.float32)
        steady = gaussian_filter1d(near, STEADY, axis=0, mode="nearest")[self._before :][:count]
        fitted = fit_clip(into_box(torch.from_numpy(steady), self.box, ALIGNED_SIZE), ALIGNED_SIZE)
        fixed = (fitted.points_in_head * _STEPS).round().clamp(-(2**15), 2**15 - 1).to(torch.int16)
        self._parts.append(FittedMeshes(fitted.pose.float(), fixed))
        gone = max(self._before + count - _BESIDE, 0)
        self._near, self._before = self._near[gone:], self._before + count - gone
