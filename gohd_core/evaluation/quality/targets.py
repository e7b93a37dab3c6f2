"""Targets of the built-in weights, checked against the quality benchmark's own tables."""

from __future__ import annotations

from collections.abc import Sequence

from gohd_core.evaluation.report import Table, Value

WITHIN = 0.1
"""Deviation of an amplitude from 1."""
CORRELATION = 0.95
"""Least correlation of a measured with the commanded value."""
_FOLLOWED = ("gaze yaw", "gaze pitch", "head yaw", "head pitch", "head roll", "jaw opening")
_DISPLACED = ("smile", "pucker", "lip spread", "upper lip", "lower lip")
_DISPLACEMENT = 0.8
"""Least share of the true displacement."""
_BLINKS = 0.95
"""Least share of full blinks that close."""
_CLOSURES = 0.9
"""Least share of p, b, m on which lips close."""
_LAG = 1.0
"""Largest lag of the mouth, frames."""
_SHARP = 0.9
"""Least sharpness, as a share of the truth's."""
_PSNR = 26.0
"""Least PSNR of near-pose pairs, dB."""
_HALF = (0.4, 0.6)
"""Range of the reading of half blinks."""


def target_table(tables: Sequence[Table]) -> Table:
    """One row for each target whose table was measured: wanted, measured, met."""
    found = {table.title: table.rows for table in tables}
    targets = Table(
        "Targets",
        note="Amplitudes are shares of what the same reader sees in the rendered truth, so that a reader's "
        "own error does not count against the animator. The target of 25 drawn frames a second is "
        "`gohd benchmark speed`'s.",
    )

    def put(name: str, wanted: str, measured: Value, met: bool) -> None:
        targets.put(name, {"wanted": wanted, "measured": measured, "met": "yes" if met else "no"})

    commanded = found.get("Commanded against measured, one thing at a time", {})
    for name in _FOLLOWED:
        if name in commanded:
            row = commanded[name]
            share = _share(row, "slope")
            put(f"{name}: amplitude", f"{1 - WITHIN:g} to {1 + WITHIN:g}", share, _near(share))
            found_correlation = row["correlation"]
            met = _least(found_correlation, CORRELATION)
            put(f"{name}: correlation", f"at least {CORRELATION:g}", found_correlation, met)
    for name in _DISPLACED:
        if "landmarks" in commanded.get(name, {}):
            share = _share(commanded[name], "landmarks")
            put(f"{name}: displacement", f"at least {_DISPLACEMENT:g}", share, _least(share, _DISPLACEMENT))
    blinks = found.get("Blinks", {}).get("drawn")
    if blinks is not None:
        full, half = blinks["full: share above 0.8"], blinks["half: reading"]
        put("full blinks that close", f"at least {_BLINKS:g}", full, _least(full, _BLINKS))
        put("half blinks: reading", f"{_HALF[0]:g} to {_HALF[1]:g}", half, _HALF[0] <= half <= _HALF[1])
    stills = found.get("Single pictures of held-out heads", {})
    if stills:
        sharp, near = stills["free"]["sharpness"], stills["near pose"]["PSNR dB"]
        put("sharpness, free pairs", f"at least {_SHARP:g}", sharp, _least(sharp, _SHARP))
        put("PSNR, near-pose pairs", f"at least {_PSNR:g} dB", near, _least(near, _PSNR))
    mouth = found.get("Expression from sound", {}).get("from sound")
    if mouth is not None:
        closed, lag = mouth["closed on p b m"], mouth["lag frames"]
        put("lips closed on p, b, m", f"at least {_CLOSURES:g}", closed, _least(closed, _CLOSURES))
        put("mouth lag in frames", f"within {_LAG:g}", lag, lag is not None and abs(lag) <= _LAG)
    lips = found.get("Lips on p, b, m, in pixels", {}).get("drawn, lips from sound")
    if lips is not None:
        closed = lips["closed on p b m"]
        put("lips closed on p, b, m, drawn", f"at least {_CLOSURES:g}", closed, _least(closed, _CLOSURES))
    return targets


def _share(row: dict[str, Value], name: str) -> float | None:
    made, true = row[name], row[f"{name} of truth"]
    if not isinstance(made, (int, float)) or not isinstance(true, (int, float)) or true <= 0:
        return None
    return made / true


def _near(share: float | None) -> bool:
    return share is not None and abs(share - 1) <= WITHIN


def _least(value: Value, wanted: float) -> bool:
    return isinstance(value, (int, float)) and value >= wanted
