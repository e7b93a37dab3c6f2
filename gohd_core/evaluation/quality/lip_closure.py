"""Lip closure on p, b and m in drawn frames: the gap between the lips in pixels.

The reader is no network: in rendered frames of the same clip it is known which pixels show the inside of
the mouth, and a pixel of a drawn frame counts as inside where its colour does more often than not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.clips import Clip
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.quality.data import BenchmarkData
from gohd_core.evaluation.quality.drawing import draw, encode
from gohd_core.evaluation.quality.speech_motion import OURS, TRUTH, Spoken
from gohd_core.evaluation.quality.talk_table import read_source
from gohd_core.evaluation.report import Table
from gohd_core.landmarks68 import MOUTH, MOUTH_CORNERS
from gohd_core.models import Models
from gohd_core.parsing_labels import INNER_MOUTH

CLOSED = 0.5
"""Gap in pixels below which lips count as closed: a mean over the mouth's width, corners included, so
that about a pixel between the lips' middles is meant."""
EXACT = "rendered truth, exact"
READ = "rendered truth, read"
DRAWN = "drawn by true motion"
FROM_SOUND = "drawn, lips from sound"
_LEVELS = 12
"""Histogram bins of each colour channel."""
_SIDE = 3
"""Pixels around the true lips that are searched."""
_BELOW = 6
"""Pixels below them that are searched."""


@dataclass(frozen=True)
class InsideReader:
    """Segments the inside of one head's mouth by colour.

    Attributes:
        boxes: where each frame's mouth is (rows, columns); widths: its width in pixels [T].
        inside, outside: how often each colour was seen in each frame's box, [T, C].
        exact: true gaps [T]: pixels of the inside, over the mouth's width.
    """

    boxes: list[tuple[slice, slice]]
    widths: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    exact: np.ndarray

    @classmethod
    def fit(cls, frames: np.ndarray, landmarks: np.ndarray, parsing: np.ndarray) -> InsideReader:
        """From rendered frames u8 [T, S, S, 3] with true landmarks [T, 68, 2] and parts [T, S, S]."""
        boxes = [_box(points[MOUTH], frames.shape[1]) for points in landmarks]
        first, last = (landmarks[:, corner] for corner in MOUTH_CORNERS)
        widths = np.linalg.norm(last - first, axis=-1).clip(1)
        counts = np.zeros((2, len(frames), _LEVELS**3))
        for k, box in enumerate(boxes):
            colours, inside = _colours(frames[k][box]), parsing[k][box] == INNER_MOUTH
            for side, where in enumerate((inside, ~inside)):
                counts[side, k] = np.bincount(colours[where], minlength=_LEVELS**3)
        return cls(boxes, widths, *counts, counts[0].sum(1) / widths)

    def gaps(self, frames: np.ndarray) -> np.ndarray:
        """Lip gap of each frame [T, S, S, 3] of one head and pose, segmented by the others' colours."""
        inside, outside = (counts.sum(0) - counts for counts in (self.inside, self.outside))
        hits = [(inside[k] > outside[k])[_colours(frames[k][box])].sum() for k, box in enumerate(self.boxes)]
        return np.array(hits) / self.widths


def _box(lips: np.ndarray, size: int) -> tuple[slice, slice]:
    low = np.clip(lips.min(0) - _SIDE, 0, size - 1).astype(int)
    high = np.clip(np.ceil(lips.max(0)) + np.array([_SIDE, _BELOW]), 1, size).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _colours(pixels: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(pixels.astype(int) * _LEVELS // 256, -1, 0)
    return (red * _LEVELS + green) * _LEVELS + blue


def closure_table(
    models: Models, data: BenchmarkData, spoken: list[Spoken], progress: Progress | None = None
) -> Table:
    """Lips of the drawn talking heads; head and gaze move as in the truth, so that mouths lie there."""
    by_name = {one.clip.info["name"]: one for one in spoken}
    found: dict[str, list[tuple[Clip, np.ndarray, np.ndarray]]] = {}
    for clip in with_progress(data.clips("labials"), "lips on p, b, m", progress):
        one, at = by_name[clip.info["of"]], clip.info["at"]
        frames = clip.read("frames")
        reader = InsideReader.fit(frames, clip.read("landmarks"), clip.read("parsing"))
        source = encode(models.animator, frames[0], read_source(models, frames[0]))
        gaps = {EXACT: reader.exact, READ: reader.gaps(frames)}
        for row, expression in ((DRAWN, TRUTH), (FROM_SOUND, OURS)):
            motion = one.motion(expression, TRUTH, TRUTH)
            drawn = [draw(models.animator, source, motion, range(k, k + 1)).frames for k in at]
            gaps[row] = reader.gaps(np.concatenate(drawn))
        for row, gap in gaps.items():
            found.setdefault(row, []).append((clip, gap, reader.exact))
    return closure_rows(found)


def closure_rows(found: dict[str, list[tuple[Clip, np.ndarray, np.ndarray]]]) -> Table:
    """The table of row -> (clip, gaps [T], true gaps [T]) of each clip."""
    table = Table(
        "Lips on p, b, m, in pixels",
        note="Of the talking heads' drawn frames. Gap: pixels that show the inside of the mouth, told by "
        "their colour, over the mouth's width; closed: less than "
        f"{CLOSED:g} px on some frame of the phone; least gap: the mean over phones of their least; when "
        "open: where the true jaw is widest; correlation with the exact gap over all these frames. Head and "
        "gaze are the true ones. 'Read' against 'exact' is what the reader can tell; an inside that is drawn "
        "blurred or in other colours than the rendered one counts as less open.",
    )
    for row, clips in found.items():
        least = np.array([min(gap[k] for k in phone) for clip, gap, _ in clips for phone in _phones(clip)])
        wide = np.concatenate([gap[_places(clip, clip.info["open"])] for clip, gap, _ in clips])
        gaps, exact = (np.concatenate([part[k] for part in clips]) for k in (1, 2))
        moves = gaps.std() > 0 and exact.std() > 0
        table.put(
            row,
            {
                "closed on p b m": float((least < CLOSED).mean()),
                "least gap px": least.mean(),
                "gap when open px": wide.mean(),
                "correlation": np.corrcoef(gaps, exact)[0, 1] if moves else None,
                "phones": len(least),
            },
        )
    return table


def _places(clip: Clip, frames: list[int]) -> list[int]:
    """Indices of the talking clip's frames in a clip of some of them."""
    return [clip.info["at"].index(frame) for frame in frames]


def _phones(clip: Clip) -> list[list[int]]:
    return [_places(clip, phone) for phone in clip.info["phones"]]
