"""Clips seen in a mirror: the same head turned the other way, for twice as many heads to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gohd_core.clips import Clip
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.landmarks68 import MIRRORED
from gohd_core.stylised.camera import CAMERA_DISTANCE, FOCAL_RATIO
from gohd_core.stylised.head.expressions import EXPRESSION_NAMES, INDEX

_IN_ROWS = ("frames", "parsing", "triangle", "barycentric", "depth")
_SAME = ("identity", "faces", "material", "valid", "audio", "phoneme_start", "phoneme_end")
_SIDEWAYS = ("mouth_shift", "jaw_shift")
"""Expressions that move to the left where they are positive."""


def _other_side(name: str) -> str:
    for one, other in (("left", "right"), ("right", "left")):
        if name.endswith(f"_{one}"):
            return name[: -len(one)] + other
    return name


_EXPRESSION_ORDER = np.array([INDEX[_other_side(name)] for name in EXPRESSION_NAMES])
_EXPRESSION_SIGN = np.array([-1 if name in _SIDEWAYS else 1 for name in EXPRESSION_NAMES], np.float32)


class MirroredClip(Clip):
    """A clip of the stylised space whose fields are those of its mirrored pictures.

    Left eyes and brows become right ones. Labels of the face parsing keep their sides, so that what compares
    left with right must not be read from it. Hair and light may be any; heads are symmetric.
    """

    def read(self, field: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        return self._mirrored(field, super().read(field, start, stop))

    def read_at(self, field: str, indices: Sequence[int]) -> np.ndarray:
        return self._mirrored(field, super().read_at(field, indices))

    def _mirrored(self, field: str, values: np.ndarray) -> np.ndarray:
        if self.info.get("space") != STYLISED:
            raise BadInput("only coefficients of the stylised space can be mirrored; set mirror_share=0.")
        if field in _SAME:
            return values
        if field in _IN_ROWS:
            return np.ascontiguousarray(values[:, :, ::-1])
        change = self._changes().get(field)
        if change is None:
            raise BadInput(f"its field {field!r} can't be mirrored; set mirror_share=0.")
        return change(values)

    def _changes(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        return {
            "expression": lambda rows: rows[:, _EXPRESSION_ORDER] * _EXPRESSION_SIGN,
            "pose": self._pose,
            "gaze": lambda rows: rows * np.array([1, -1], np.float32),
            "landmarks": lambda rows: self._columns(rows[:, list(MIRRORED)], 1),
            "vertices": lambda rows: self._columns(rows, self.info["vertex_scale"]["xy"]),
        }

    def _columns(self, points: np.ndarray, scale: float) -> np.ndarray:
        """Points [..., 2 or 3] whose x is in pixels times `scale`."""
        mirrored = points.copy()
        mirrored[..., 0] = round((self._size() - 1) * scale) - points[..., 0]
        return mirrored

    def _pose(self, rows: np.ndarray) -> np.ndarray:
        """Rows [T, 6]. Pixel centres lie at whole numbers the middle at half the size."""
        mirrored = rows * np.array([1, -1, -1, -1, 1, 1], np.float32)
        mirrored[:, 3] -= (CAMERA_DISTANCE - rows[:, 5]) / (FOCAL_RATIO * self._size())
        return mirrored

    def _size(self) -> int:
        return self.shapes["frames"][2]


def maybe_mirrored(clip: Clip, share: float, rng: np.random.Generator) -> Clip:
    """The clip, mirrored for a share of the draws; a share of 0 draws no random number."""
    return MirroredClip(clip.path) if share and rng.random() < share else clip
