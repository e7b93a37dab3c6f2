"""Interface of the speech engines: sound, and the phones in it with their times."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gohd_core.errors import BadInput, MissingDependency
from gohd_core.stylised.speech.phones import Phone

TIME_LIMIT = 60.0
"""Seconds after which a synthesiser that does not answer is ended."""


@dataclass(frozen=True)
class Speech:
    """Sound [N] in [-1, 1] (float32) at `rate` samples a second; phones cover it without gaps."""

    audio: np.ndarray
    rate: int
    phones: tuple[Phone, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.audio) / self.rate


class Engine(ABC):
    """A speech synthesiser. `speak` is deterministic: same arguments, same samples."""

    name: ClassVar[str]
    package: ClassVar[str]
    """The Debian packages that bring it."""
    delay: ClassVar[float]
    """Seconds by which the engine's own phone times run behind the sound (measured)."""

    @abstractmethod
    def problem(self) -> str | None:
        """Why the engine can't be used here, or None."""

    @abstractmethod
    def voices(self) -> tuple[str, ...]:
        """Names that `speak` takes on this machine."""

    @abstractmethod
    def speak(self, text: str, voice: str, *, rate: float = 1.0, pitch: float = 1.0) -> Speech:
        """Say `text`. rate, pitch: factors on the voice's own (0.5 to 2).

        Raises BadInput for an unknown voice or text that gives no sound.
        """

    def require(self) -> None:
        """Raise MissingDependency when the engine can't be used here."""
        problem = self.problem()
        if problem:
            raise MissingDependency(problem)

    def status(self) -> tuple[bool, str]:
        """(installed, sentence)."""
        problem = self.problem()
        return problem is None, problem or f"{len(self.voices())} voices"

    def missing(self) -> str:
        """The sentence for an engine that is not installed."""
        return (
            f"The speech engine '{self.name}' is not installed: install {self.package} "
            f"(apt install {self.package}) or leave this engine out."
        )

    def check(self, voice: str, rate: float, pitch: float) -> None:
        """Refuse unknown voices and factors outside 0.5 to 2."""
        self.require()
        if voice not in self.voices():
            raise BadInput(
                f"The engine '{self.name}' has no voice '{voice}' here; it has: "
                f"{', '.join(self.voices()[:40])}."
            )
        for what, value in (("rate", rate), ("pitch", pitch)):
            if not 0.5 <= value <= 2.0:
                raise BadInput(f"The speech {what} must lie between 0.5 and 2, not {value}.")


def run(command: list[str], engine: str, data: bytes | None = None) -> bytes:
    """Run a synthesiser (no shell) and return its output; BadInput when it fails."""
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"The speech engine '{engine}' did not answer in time.") from error
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise BadInput(f"The speech engine '{engine}' failed ({' '.join(reason)}).")
    return done.stdout


def tile(
    spans: list[tuple[tuple[str, ...], float]], duration: float, delay: float = 0.0
) -> tuple[Phone, ...]:
    """Phones from (names, end time) spans: without gaps over 0..duration, times less `delay`.

    A span of several phones is divided evenly; empty spans are dropped.
    """
    phones: list[Phone] = []
    start = 0.0
    for k, (names, end) in enumerate(spans):
        stop = duration if k == len(spans) - 1 else min(max(end - delay, start), duration)
        share = (stop - start) / len(names)
        if share > 1e-4:
            phones += [
                Phone(name, start + share * j, start + share * (j + 1)) for j, name in enumerate(names)
            ]
        start = max(start, stop)
    return tuple(phones)
