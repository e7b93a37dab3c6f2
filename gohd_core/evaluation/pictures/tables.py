"""Results of pictures as tables: targets over all, and one row for each picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gohd_core.evaluation.pictures.measure import Result
from gohd_core.evaluation.pictures.speaking import SEEN, SHARP, SHUT, SPAN
from gohd_core.evaluation.pictures.sweeps import HEAD, IRIS_PITCH, IRIS_YAW, JAW
from gohd_core.evaluation.report import Table, Value

LIDS_LEFT = 0.5
"""Lids count as closed where the reader sees no more than this share of the eye's own height; of shut eyes of
people it still reads about a third, and of narrow ones more."""
_JUDGE = (
    "The judge is the reader's own networks (MediaPipe's mesh and iris), which also read the picture: their "
    "faults count on both sides, and what they overlook is overlooked. Look at the sheets."
)
_TALK = 47 / 49
"""Least share of pictures that talk."""
_IRIS = (0.8, 1.1)
"""Range of the irises' slope on the commanded gaze."""
_LIDS = 48 / 49
"""Least share of pictures whose eyes close."""
_JAW = (0.9, 1.1)
"""Range of the jaw's slope on the commanded opening."""
_JAW_R = 0.98
"""Least correlation of the jaw."""
_POINTS = (0.97, 1.03)
"""Range of the points' displacement as a share of the commanded one."""
_SHARP = 0.95
"""Least sharpness, as a share of the picture's."""
_PSNR = 40.0
"""Least PSNR at rest, dB."""
_SECONDS = 1.0
"""Longest preparation of a picture, seconds."""


def result_tables(results: Sequence[Result]) -> list[Table]:
    """Wanted and measured over all, talking, commands, and what was refused."""
    drawn = [result for result in results if not result.refused]
    tables = [summary_table(results), talk_table(drawn), command_table(drawn)]
    refused = Table("Refused")
    for result in results:
        if result.refused:
            refused.put(result.name, {"sentence": result.refused})
    return [table for table in (*tables, refused) if table.rows]


def summary_table(results: Sequence[Result]) -> Table:
    """One row for each thing that is wanted: of all pictures, also those that were refused."""
    table = Table("Wanted of all pictures", note=_JUDGE)
    drawn = [result for result in results if not result.refused]
    count = max(len(results), 1)

    def put(
        name: str, wanted: str, values: list[float], ok: Callable[[float], bool], least: float | None = None
    ) -> None:
        found = np.array(values, np.float64)
        share = sum(map(ok, values)) / count
        known = found[np.isfinite(found)]
        mean = float(known.mean()) if len(known) else float("nan")
        met = share >= least - 1e-9 if least is not None else ok(mean)
        ends = (known.min(), known.max()) if len(known) else (None, None)
        figures: dict[str, Value] = {"wanted": wanted, "mean": mean, "least": ends[0], "most": ends[1]}
        table.put(name, {**figures, "share of pictures": share, "met": "yes" if met else "no"})

    def swept(name: str) -> list[float]:
        return [result.sweeps.get(name, float("nan")) for result in drawn]

    talks = [float(result.talk is not None and not result.talk.faults) for result in drawn]
    put("talks", "47 of 49", talks, lambda value: value == 1, _TALK)
    put("jaw slope", "0.9 to 1.1", swept(f"{JAW} slope"), _within(*_JAW))
    put("jaw correlation", "0.98", swept(f"{JAW} r"), _at_least(_JAW_R))
    for name, left in (("height of shut eyes", "lids left"), ("the same in the picture", "aspect left")):
        put(name, f"{LIDS_LEFT:g} on 48 of 49", swept(left), _at_most(LIDS_LEFT), _LIDS)
    for name in (IRIS_YAW, IRIS_PITCH):
        put(f"{name} slope", "0.8 to 1.1", swept(f"{name} slope"), _within(*_IRIS))
    put("468 points' slope", "0.97 to 1.03", swept("points slope"), _within(*_POINTS))
    put("468 points' error", "-", swept("points px"), _at_most(4.0))
    for name in HEAD:
        put(f"{name} slope", "0.9 to 1.1", swept(f"{name} slope"), _within(*_JAW))
    sharp = [result.talk.sharp for result in drawn if result.talk is not None]
    put("sharpness, talking", f"{_SHARP:g}", sharp, _at_least(_SHARP))
    put("sharpness, turned", f"{_SHARP:g}", [r.turned_sharp for r in drawn], _at_least(_SHARP))
    put("own-pose PSNR dB", f"{_PSNR:g} each", [r.own_psnr for r in drawn], _at_least(_PSNR), 1.0)
    put("preparation s", f"under {_SECONDS:g}", [r.prepare for r in drawn], _at_most(_SECONDS))
    return table


def talk_table(results: Sequence[Result]) -> Table:
    """Preparation and speech of each picture."""
    table = Table(
        "Pictures",
        note=f"A picture talks if a face is seen in {SEEN:g} of the clip's frames, the gap between its lips "
        f"spans {SPAN:g} and closes to {SHUT:g} or the picture's own (in distances of the eyes' outer "
        f"corners), and {SHARP:g} of the source's sharpness stays. Sharpness: gradient energy within the "
        "face's outline as a share of the source's, over the clip, and over turned heads. Own pose: of the "
        "whole crop.",
    )
    for result in results:
        talk = result.talk
        if talk is None:
            continue
        figures = {
            "face px": round(result.face),
            "prepare s": result.prepare,
            "frames a second": 1 / max(result.draw, 1e-9),
            "own pose dB": result.own_psnr,
            "face seen": talk.seen,
            "gap spans": talk.span,
            "closes to": talk.least,
            "own gap": talk.own,
            "sharpness": talk.sharp,
            "turned": result.turned_sharp,
            "talks": ", ".join(talk.faults) or "yes",
        }
        table.put(result.name, figures)
    return table


def command_table(results: Sequence[Result]) -> Table:
    """Slope and correlation of readings against commands, for each picture."""
    table = Table(
        "Commanded against measured",
        note="Slope, and correlation r. Jaw: gap between the inner lips in the head, 0 to fully open. "
        "Irises: +-24 and +-14 degrees, by the iris network, which of people in videos who look about also "
        "reads .7 to .8 of what the edge of the iris moves by. Head: +-20 degrees of yaw, +-15 of pitch and "
        "roll, by the fit of the read mesh. Lids left: height of the eyes at a full blink as a share of "
        "their own, in space (along the eye and in the mesh's depth, too). Aspect left: of the eye aspect "
        "ratio, which is measured in the picture and across the eye. Points: slope of the 468 points' "
        "displacement when the head turns, and its rms error in pixels of 512.",
    )
    for result in results:
        found = result.sweeps.get
        figures = {}
        for name in (JAW, IRIS_YAW, IRIS_PITCH, *HEAD):
            figures |= {name: found(f"{name} slope"), f"{name} r": found(f"{name} r")}
        points = {"points": found("points slope"), "points px": found("points px")}
        table.put(
            result.name,
            {**figures, "lids left": found("lids left"), "aspect left": found("aspect left"), **points},
        )
    return table


def _within(low: float, high: float) -> Callable[[float], bool]:
    return lambda value: low <= value <= high


def _at_least(least: float) -> Callable[[float], bool]:
    return lambda value: value >= least


def _at_most(most: float) -> Callable[[float], bool]:
    return lambda value: value <= most
