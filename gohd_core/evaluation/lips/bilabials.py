"""Lips on p, b and m that people say in videos: closed as seen, and as predicted.

Which phones are said, and when, a recogniser of English finds in the sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gohd_core.constants import FPS
from gohd_core.evaluation.lips.scores import BLOCK, CLOSED, REACH, Compared
from gohd_core.evaluation.quality.bilabials import LABIALS
from gohd_core.evaluation.report import Table
from gohd_core.stylised.speech.phones import Phone


def frames_of_bilabials(phones: Sequence[Phone], clip: Compared) -> list[slice]:
    """Frames of each p, b and m that lies in a clip whole, `REACH` frames more on both sides."""
    found = []
    for phone in phones:
        start, end = round(phone.start * FPS) - clip.start, int(np.ceil(phone.end * FPS)) - clip.start
        if phone.name in LABIALS and start >= REACH and end + REACH <= len(clip.gap):
            found.append(slice(start - REACH, max(end, start + 1) + REACH))
    return found


def bilabial_scores(clip: Compared, spans: Sequence[slice]) -> dict[str, float]:
    """Of phones at some frames: how many are said and seen closed, and which shares of these are met.

    Met: predicted lips are closed, too; by chance: the same, mean over circular shifts of the prediction by a
    second and more. Both are NaN where no phone is seen closed.
    """
    seen, made = clip.gap < CLOSED, clip.opening < CLOSED
    closed = [span for span in spans if seen[span].any()]
    shifts = range(BLOCK, len(made) - BLOCK) or [len(made) // 2]
    moved = np.stack([np.roll(made, shift) for shift in shifts])  # [S, T]
    return {
        "said": float(len(spans)),
        "seen closed": float(len(closed)),
        "met": _mean([made[span].any() for span in closed]),
        "by chance": _mean([moved[:, span].any(1).mean() for span in closed]),
    }


def bilabial_table(clips: Sequence[Compared], phones: Sequence[Sequence[Phone]]) -> Table:
    """Lips on p, b and m of all clips; their means are over phones."""
    table = Table(
        "p, b and m in videos",
        note="Phones that pocketsphinx recognises in the sound (English). Seen closed: lips are closed, as "
        "above, within a frame of the phone; met: predicted ones are so, too; by chance: the same with the "
        "prediction moved in time, mean over all moves by a second and more.",
    )
    rows = {
        clip.name: bilabial_scores(clip, frames_of_bilabials(said, clip))
        for clip, said in zip(clips, phones, strict=True)
    }
    for name, found in rows.items():
        table.put(name, found)
    total = {key: sum(found[key] for found in rows.values()) for key in ("said", "seen closed")}
    known = [found for found in rows.values() if found["seen closed"]]
    for key in ("met", "by chance"):
        total[key] = sum(found[key] * found["seen closed"] for found in known) / max(total["seen closed"], 1)
    table.put("all", total)
    return table


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
