"""Curves through a few values at a few times: weights, gaze paths, whatever is keyed by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from gohd_core.choices import EASES
from gohd_core.errors import BadInput
from gohd_core.motion.curves import smoothstep


@dataclass(frozen=True, eq=False)
class Keyframes:
    """A curve of n values over time; before the first key and after the last it holds their values.

    Attributes:
        times: [K] seconds, rising.
        values: [K, n] float32.
        eases: one of `EASES` for each key, for the way to the next one.
    """

    times: Tensor
    values: Tensor
    eases: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.times) == len(self.values) == len(self.eases) > 0:
            raise BadInput("A curve needs at least one key, and a time, values and an ease for each.")
        if bool((self.times.diff() <= 0).any()):
            raise BadInput("The times of the keys must rise from line to line.")

    @classmethod
    def constant(cls, *values: float) -> Keyframes:
        """Constant values."""
        return cls(
            torch.zeros(1, dtype=torch.float32, device="cpu"),
            torch.tensor([values], dtype=torch.float32, device="cpu"),
            ("hold",),
        )

    @classmethod
    def parse(cls, text: str, width: int) -> Keyframes:
        """One key a line: seconds, `width` numbers, and if wanted one of smooth, linear, hold.

        Numbers are separated by spaces or commas; what follows a # is a note. Raises `BadInput` with
        the line that can't be read.
        """
        keys = [_key(number, line, width) for number, line in keyed_lines(text)]
        if not keys:
            raise BadInput(f"The curve is empty; write one key a line: seconds and {width} number(s).")
        times, values, eases = zip(*keys, strict=True)
        return cls(
            torch.tensor(times, dtype=torch.float64, device="cpu"),
            torch.tensor(values, dtype=torch.float32, device="cpu"),
            eases,
        )

    @property
    def duration(self) -> float:
        """Seconds up to the last key."""
        return float(self.times[-1])

    def at(self, seconds: Tensor) -> Tensor:
        """Values [T, n] at some times [T] in seconds."""
        seconds = seconds.double()
        times = self.times.double()
        before = (torch.searchsorted(times, seconds, right=True) - 1).clamp(0, len(times) - 1)
        after = (before + 1).clamp(max=len(times) - 1)
        span = (times[after] - times[before]).clamp(min=1e-9)
        share = ((seconds - times[before]) / span).clamp(0, 1)
        ease = torch.tensor([EASES.index(e) for e in self.eases], dtype=torch.long, device="cpu")[before]
        share = torch.where(ease == 0, smoothstep(0, 1, share), share)
        share = torch.where(ease == 2, torch.zeros_like(share), share)[:, None].float()
        return self.values[before] * (1 - share) + self.values[after] * share

    def frames(self, count: int, fps: Fraction | int | float) -> Tensor:
        """Values [count, n] of frames 0, 1, 2 ... at a frame rate."""
        return self.at(torch.arange(count, dtype=torch.float64, device="cpu") / float(fps))


def parse_schedule(text: str, parts: tuple[str, ...]) -> dict[str, Keyframes]:
    """Weights over time of several parts: each line a part's name, then a key (seconds, weight, ease)."""
    grouped: dict[str, list[str]] = {}
    for number, line in keyed_lines(text):
        name, _, rest = line.partition(" ")
        if name not in parts:
            raise BadInput(f"Line {number} begins with {name!r}; begin it with one of {', '.join(parts)}.")
        grouped.setdefault(name, []).append(rest)
    return {name: Keyframes.parse("\n".join(lines), 1) for name, lines in grouped.items()}


def keyed_lines(text: str) -> list[tuple[int, str]]:
    """Lines that say something, with their numbers: without notes, single spaces between words."""
    lines = (line.partition("#")[0].replace(",", " ").strip() for line in text.splitlines())
    return [(number, " ".join(line.split())) for number, line in enumerate(lines, 1) if line]


def _key(number: int, line: str, width: int) -> tuple[float, list[float], str]:
    words = line.split()
    ease = words.pop() if words[-1] in EASES else EASES[0]
    try:
        time, *values = (float(word) for word in words)
    except ValueError as error:
        raise BadInput(
            f"Line {number} ({line!r}) can't be read; write seconds, {width} number(s) and, if wanted, "
            f"one of {', '.join(EASES)}."
        ) from error
    if len(values) != width or time < 0 or not all(map(math.isfinite, (time, *values))):
        raise BadInput(
            f"Line {number} ({line!r}) needs a time from 0 on and {width} finite number(s) after it."
        )
    return time, values, ease
