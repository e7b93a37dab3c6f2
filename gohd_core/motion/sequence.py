"""Motion as values: typed, immutable sequences of head pose, expression and gaze, and how they combine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gohd_core.choices import FILLS
from gohd_core.constants import FPS, MAX_FPS, N_EXPRESSION, N_GAZE, N_POSE, SPACES
from gohd_core.errors import BadInput
from gohd_core.motion.curves import unwrap


@dataclass(frozen=True, eq=False)
class Sequence:
    """A sequence of coefficient vectors, one per frame.

    Attributes:
        values: `[T, width]` float32 on the CPU.
        fps: frames a second; a rational number such as Fraction(30000, 1001) stays exact.
        space: coefficient space, "bfm09" or "stylised"; spaces never mix.
        valid: `[T]` bool, False where the frame was not observed (no face found).
    """

    values: Tensor
    space: str
    fps: Fraction | int | float = FPS
    valid: Tensor = field(default=None)  # type: ignore[assignment]

    width: ClassVar[int]
    angles: ClassVar[int] = 0
    """Number of leading columns that are angles in radians, to be unwrapped before interpolation."""

    def __post_init__(self) -> None:
        kind = type(self).__name__
        given = self.values
        values = given if isinstance(given, Tensor) else torch.from_numpy(np.asarray(given, np.float64))
        if values.ndim != 2 or values.shape[1] != self.width or values.shape[0] < 1:
            raise BadInput(f"{kind} wants values of shape [T, {self.width}] but got {list(values.shape)}.")
        values = values.detach().to("cpu", torch.float32)
        if not torch.isfinite(values).all():
            raise BadInput(f"{kind} has values that are not finite; check where they come from.")
        if self.space not in SPACES:
            raise BadInput(f"{self.space!r} is no coefficient space; use one of {', '.join(SPACES)}.")
        if not 1 <= self.fps <= MAX_FPS:
            raise BadInput(f"{kind} has {self.fps} frames a second; give a rate from 1 to {MAX_FPS}.")
        valid = self.valid
        valid = (
            torch.ones(len(values), dtype=torch.bool, device="cpu")
            if valid is None
            else torch.as_tensor(valid, device="cpu")
        )
        if valid.shape != (len(values),) or valid.dtype != torch.bool:
            raise BadInput(f"{kind} wants one bool of validity per frame, {len(values)} in all.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "valid", valid)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, frames: slice) -> Any:
        return replace(self, values=self.values[frames], valid=self.valid[frames])

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(len(self) / Fraction(self.fps))

    @property
    def unwrapped(self) -> Tensor:
        """The values without jumps of whole turns in their angles."""
        return unwrap(self.values, self.angles)

    def scaled(self, factor: float) -> Any:
        """Every value times `factor` (the official script scales poses by 1.2, expressions by 1.5)."""
        return replace(self, values=self.values * factor)

    def resampled(self, fps: Fraction | int | float, *, frames: int | None = None) -> Any:
        """The same motion at another rate, `round(duration * fps)` frames unless given.

        Frame k lies at k / fps seconds; values between frames are linear, angles are unwrapped
        first, and times past the last frame hold it.
        """
        old, new = Fraction(self.fps), Fraction(fps)
        count = max(round(len(self) / old * new), 1) if frames is None else frames
        if count < 1:
            raise BadInput("Motion can't be resampled to less than one frame.")
        if old == new and count == len(self):
            return self
        where = torch.tensor([float(k * old / new) for k in range(count)], dtype=torch.float64, device="cpu")
        return replace(self._sampled(where.clamp(max=len(self) - 1)), fps=fps)

    def _sampled(self, where: Tensor) -> Any:
        """Values at fractional frames `where` [n] float64, linear in between, angles unwrapped first."""
        before = where.floor().long()
        after = (before + 1).clamp(max=len(self) - 1)
        share = (where - before)[:, None]
        values = unwrap(self.values.double(), self.angles)
        mixed = values[before] * (1 - share) + values[after] * share
        valid = self.valid[before] & (self.valid[after] | (share[:, 0] == 0))
        return replace(self, values=mixed.float(), valid=valid)

    def fitted(self, frames: int, mode: str = "hold") -> Any:
        """Exactly `frames` frames: cut, or filled by holding the last, looping, or going back and forth.

        "retime" plays all of it faster or slower instead, first frame to first and last to last.
        """
        if mode not in FILLS:
            raise BadInput(f"{mode!r} is no way to fill motion; use one of {', '.join(FILLS)}.")
        if frames < 1:
            raise BadInput("Motion can't be fitted to less than one frame.")
        if mode == "retime":
            if frames == len(self):
                return self
            return self._sampled(torch.linspace(0, len(self) - 1, frames, dtype=torch.float64, device="cpu"))
        index = torch.arange(frames, dtype=torch.long, device="cpu")
        last = len(self) - 1
        if mode == "hold" or last == 0:
            index = index.clamp(max=last)
        elif mode == "loop":
            index = index % len(self)
        else:
            index = index % (2 * last)
            index = torch.where(index > last, 2 * last - index, index)
        return replace(self, values=self.values[index], valid=self.valid[index])


@dataclass(frozen=True, eq=False)
class Pose(Sequence):
    """Head pose p `[T, 6]`: Euler angles x, y, z in radians, then translation (supplement A)."""

    width: ClassVar[int] = N_POSE
    angles: ClassVar[int] = 3


@dataclass(frozen=True, eq=False)
class Expression(Sequence):
    """Expression coefficients e `[T, 64]` of the morphable model (eq. 10)."""

    width: ClassVar[int] = N_EXPRESSION


@dataclass(frozen=True, eq=False)
class Gaze(Sequence):
    """Gaze g `[T, 2]`: pitch (up is positive) and yaw in radians (supplement A)."""

    width: ClassVar[int] = N_GAZE
    angles: ClassVar[int] = 2

    @classmethod
    def constant(
        cls, pitch: float, yaw: float, frames: int, *, space: str, fps: Fraction | int | float = FPS
    ) -> Gaze:
        """A constant gaze (Fig. 1)."""
        return cls(
            torch.tensor([[pitch, yaw]], dtype=torch.float32, device="cpu").expand(frames, -1), space, fps
        )


@dataclass(frozen=True, eq=False)
class Motion:
    """Everything that drives the animator: pose, expression and gaze of equal length, rate and space."""

    pose: Pose
    expression: Expression
    gaze: Gaze

    def __post_init__(self) -> None:
        parts = {"pose": self.pose, "expression": self.expression, "gaze": self.gaze}
        for kind, part in zip((Pose, Expression, Gaze), parts.values(), strict=True):
            if not isinstance(part, kind):
                raise BadInput(f"Motion wants a {kind.__name__} but got {type(part).__name__}.")
        for what, read in (("frames", len), ("fps", lambda part: Fraction(part.fps)), ("space", _space)):
            found = {name: read(part) for name, part in parts.items()}
            if len(set(found.values())) > 1:
                listed = ", ".join(f"{name} {value}" for name, value in found.items())
                hint = "they can't be mixed" if what == "space" else "fit them to each other first"
                raise BadInput(f"Pose, expression and gaze differ in {what} ({listed}); {hint}.")

    def __len__(self) -> int:
        return len(self.pose)

    @property
    def fps(self) -> Fraction | int | float:
        """Frames a second."""
        return self.pose.fps

    @property
    def space(self) -> str:
        """Coefficient space of all three parts."""
        return self.pose.space

    @property
    def valid(self) -> Tensor:
        """`[T]` bool: frames in which all three parts were observed."""
        return self.pose.valid & self.expression.valid & self.gaze.valid

    def descriptors(self) -> Tensor:
        """`[T, 72]` float32: expression 64, pose 6, gaze 2 as (pitch, yaw)."""
        return torch.cat([self.expression.values, self.pose.values, self.gaze.values], dim=1)

    @classmethod
    def from_descriptors(cls, values: Tensor, space: str, fps: Fraction | int | float = FPS) -> Motion:
        """The inverse of `descriptors`."""
        expression, pose, gaze = torch.as_tensor(values, device="cpu").split(
            [N_EXPRESSION, N_POSE, N_GAZE], dim=1
        )
        return cls(Pose(pose, space, fps), Expression(expression, space, fps), Gaze(gaze, space, fps))

    def resampled(self, fps: Fraction | int | float, *, frames: int | None = None) -> Motion:
        """All parts at another rate; see `Sequence.resampled`."""
        return self._each(lambda part: part.resampled(fps, frames=frames))

    def fitted(self, frames: int, mode: str = "hold") -> Motion:
        """All parts at exactly `frames` frames; see `Sequence.fitted`."""
        return self._each(lambda part: part.fitted(frames, mode))

    def __getitem__(self, frames: slice) -> Motion:
        return self._each(lambda part: part[frames])

    def _each(self, change: Any) -> Motion:
        return Motion(change(self.pose), change(self.expression), change(self.gaze))


def _space(part: Sequence) -> str:
    return part.space
