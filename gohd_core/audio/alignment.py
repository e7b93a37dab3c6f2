"""Alignment of spectrogram rows to frames of motion.

The diffusion models take four rows per frame. Three alignments exist, because it is not published
which one the released weights were trained on:

- `release`: as in the official script, rows 4i .. 4i+3 of the 80/s spectrogram followed by
  itself. At 25 frames a second a frame is 3.2 rows, so the sound runs 25 % fast and starts over
  after 80 % of the clip.
- `aligned`: four neighbouring rows of the same spectrogram from the frame's own time on
  (the row nearest to 3.2 i, repeated at the end), spanning 37.5 of the frame's 40 ms.
- `mel100`: rows 4i .. 4i+3 of the 100/s spectrogram, which are exactly the frame's 40 ms.
"""

from __future__ import annotations

import numpy as np

from gohd_core.audio.mel import HOP_80, HOP_100, ROWS_PER_SECOND
from gohd_core.choices import ALIGNMENTS
from gohd_core.constants import FPS, LIP_CHUNK, MEL_BINS_PER_FRAME, SAMPLES_PER_FRAME
from gohd_core.errors import BadInput

CHUNK_LEAD_FRAMES = 2


def frame_count(samples: int) -> int:
    """Number of whole motion frames (40 ms) in so many samples at 16 kHz."""
    return samples // SAMPLES_PER_FRAME


def chunk_index(frames: int, first: int = 0, last: int | None = None) -> np.ndarray:
    """Rows [last - first, 16] of the 80/s spectrogram under the lip chunks (0.2 s) of a clip of `frames`.

    Frame i starts at 80 (i - 2) / 25, truncated toward zero; rows outside repeat the edge.
    """
    frame = np.arange(first, frames if last is None else min(last, frames))
    start = np.trunc(ROWS_PER_SECOND * (frame - CHUNK_LEAD_FRAMES) / FPS)
    rows = start.astype(np.int64)[:, None] + np.arange(LIP_CHUNK)
    return np.clip(rows, 0, _last_row(frames, HOP_80))


def condition_index(frames: int, alignment: str = "aligned") -> np.ndarray:
    """Rows [T, 4] of the spectrogram that condition each frame, for one of `ALIGNMENTS`."""
    check_alignment(alignment)
    frame = np.arange(frames)[:, None]
    step = np.arange(MEL_BINS_PER_FRAME)
    if alignment == "mel100":
        return np.minimum(MEL_BINS_PER_FRAME * frame + step, _last_row(frames, HOP_100))
    last = _last_row(frames, HOP_80)
    if alignment == "release":
        return (MEL_BINS_PER_FRAME * frame + step) % (last + 1)
    nearest = (2 * ROWS_PER_SECOND * frame + FPS) // (2 * FPS)
    return np.minimum(nearest + step, last)


def check_alignment(alignment: str) -> None:
    """Refuse a name that isn't one of `ALIGNMENTS`."""
    if alignment not in ALIGNMENTS:
        raise BadInput(
            f"The audio alignment {alignment!r} does not exist; choose one of {', '.join(ALIGNMENTS)}."
        )


def _last_row(frames: int, hop: int) -> int:
    return frames * SAMPLES_PER_FRAME // hop
