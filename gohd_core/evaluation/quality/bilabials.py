"""When p, b and m are spoken in a talking clip, and when its mouth is widest open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.clips import Clip
from gohd_core.constants import FPS
from gohd_core.stylised.head.expressions import INDEX

LABIALS = ("p", "b", "m")
"""Phones that are spoken with closed lips."""
_PHONES = 8
"""Phones of a clip at most."""
_OPEN = 8
"""Wide open frames of a clip."""
_APART = 6
"""Frames that these lie apart at least."""


@dataclass(frozen=True)
class Moments:
    """Frames of a clip: those of each labial phone, and those of an open mouth."""

    phones: tuple[tuple[int, ...], ...]
    open: tuple[int, ...]

    @property
    def frames(self) -> list[int]:
        """All of them, in order."""
        return sorted({frame for phone in self.phones for frame in phone} | set(self.open))


def labial_spans(clip: Clip) -> np.ndarray:
    """Start and end of each p, b and m in seconds, [P, 2]."""
    labial = np.isin(np.array(clip.info["phonemes"]), LABIALS)
    return np.stack([clip.read(f"phoneme_{end}")[labial] for end in ("start", "end")], 1)


def moments(clip: Clip, frames: int) -> Moments:
    """Those of the first `frames` frames, the very first left out; at most 8 phones and 8 open frames.

    A phone's frames are those whose middle lies within it or up to a frame from it.
    """
    middle = (np.arange(frames) + 0.5) / FPS
    phones = []
    for start, end in labial_spans(clip):
        near = np.flatnonzero((middle > start - 1 / FPS) & (middle < end + 1 / FPS))
        if len(near) and near[0] > 0:
            phones.append(tuple(near.tolist()))
    chosen = np.linspace(0, len(phones) - 1, min(_PHONES, len(phones))).round().astype(int)
    jaw = clip.read("expression")[:frames, INDEX["jaw_open"]]
    wide: list[int] = []
    for frame in (1 + np.argsort(-jaw[1:], kind="stable")).tolist():
        if len(wide) < _OPEN and all(abs(frame - other) >= _APART for other in wide):
            wide.append(frame)
    return Moments(tuple(phones[k] for k in chosen), tuple(sorted(wide)))
