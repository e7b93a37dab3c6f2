"""Tables of motion from sound: mouth, eyes, head and gaze, ours beside baselines and truth."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch

from gohd_core.constants import STYLISED
from gohd_core.evaluation.quality.bilabials import labial_spans
from gohd_core.evaluation.quality.speech_motion import COPY, MEAN, NEAREST, OURS, ROWS, TRUTH, Spoken
from gohd_core.evaluation.report import Table, Value
from gohd_core.face.geometry.expression_geometry import Face, FaceGeometry
from gohd_core.landmarks68 import EYES_AND_BROWS, MOUTH
from gohd_core.measures.motion_statistics import motion_figures, trembling
from gohd_core.measures.mouth_sync import CLOSED, best_lag, closed_share, mouth_opening
from gohd_core.measures.sequences import agreement, blinks, saccades, structural_similarity
from gohd_core.stylised.head.expressions import EXPRESSION_NAMES, active_expressions

_MOTION_FRAMES = 100
"""Frames of each clip that the head's and the eyes' figures look at: all clips must be as long."""


def mouth_table(spoken: list[Spoken]) -> Table:
    """Lips and eyes of the predicted expressions, by the stylised face's landmarks at identity zero."""
    table = Table(
        "Expression from sound",
        note="Held-out voices and texts. Opening of the inner lips against the truth's, at its best lag "
        "(positive: late); MLD: mean distance of the 20 mouth landmarks in pixels of a 224-pixel face; "
        f"closed: inner lips less than {CLOSED:g} px apart on some frame of the phone; at rest: opening in "
        "pauses. SSIM_e: eq. 26's similarity of the 21 eye-motion values; Var_e: variance of eye and brow "
        "landmarks in eye heights.",
    )
    geometry = FaceGeometry.load(None, STYLISED)
    for row in ROWS:
        figures = [_mouth_figures(geometry, one, row) for one in spoken]
        phones = sum(f.pop("phones") for f in figures)
        closed = sum(f["closed on p b m"] for f in figures) / max(phones, 1)
        put: dict[str, Value] = {name: _mean(f[name] for f in figures) for name in figures[0]}
        if row in (COPY, MEAN):
            put["lag frames"] = None
        table.put(row, put | {"closed on p b m": closed})
    return table


def _mouth_figures(geometry: FaceGeometry, one: Spoken, row: str) -> dict[str, float]:
    """Figures of a clip; of its p, b and m how many there are, and on how many the lips close."""
    made, true = (_face(geometry, one.expression[name]) for name in (row, TRUTH))
    opening, wanted = (mouth_opening(face.landmarks[0].numpy()) for face in (made, true))
    lag = best_lag(opening, wanted)
    ratio = made.eye_motion[0, :, 0].numpy()
    eyes = made.offsets[0][:, list(EYES_AND_BROWS)].numpy()
    start, end = labial_spans(one.clip).T
    quiet = _pauses(one)
    return {
        "opening correlation": lag.correlation,
        "lag frames": lag.frames,
        "opening slope": agreement(wanted, opening).slope,
        "MLD px": float((made.landmarks - true.landmarks)[0, :, MOUTH, :2].norm(dim=-1).mean()),
        "closed on p b m": closed_share(opening, start, end) * len(start) if len(start) else 0.0,
        "at rest px": float(opening[quiet].mean()) if quiet.any() else math.nan,
        "blinks a minute": blinks(ratio)[0],
        "SSIM_e": structural_similarity(true.eye_motion[0].numpy(), made.eye_motion[0].numpy()),
        "Var_e x100": 100 * float(eyes.var(axis=0).mean()),
        "phones": len(start),
    }


def _pauses(one: Spoken) -> np.ndarray:
    """Frames within pauses, a frame away from any other phone."""
    middle = (np.arange(one.frames) + 0.5) / 25
    spoken = np.zeros(one.frames, bool)
    starts, ends = one.clip.read("phoneme_start"), one.clip.read("phoneme_end")
    for name, start, end in zip(one.clip.info["phonemes"], starts, ends, strict=True):
        if name not in ("", "_", "pau", "sil", "#"):
            spoken |= (middle > start - 0.12) & (middle < end + 0.12)
    return ~spoken


def _face(geometry: FaceGeometry, expression: np.ndarray) -> Face:
    return geometry.face(torch.from_numpy(np.ascontiguousarray(expression))[None])


def coefficient_table(spoken: list[Spoken]) -> Table:
    """Each coefficient that data sets move, predicted against true."""
    table = Table(
        "Predicted coefficients",
        note="All frames of all clips; amplitude: deviation as a share of the truth's. Eyes and brows are "
        "generated "
        "from noise, so that only their amplitude means something.",
    )
    made, true = (np.concatenate([one.expression[row] for one in spoken]) for row in (OURS, TRUTH))
    for mode in active_expressions():
        x, y = true[:, mode.index], made[:, mode.index]
        found = agreement(x, y)
        table.put(
            EXPRESSION_NAMES[mode.index].replace("_", " "),
            {
                "correlation": found.correlation,
                "slope": found.slope,
                "amplitude": y.std() / max(x.std(), 1e-9),
            },
        )
    return table


def head_table(spoken: list[Spoken]) -> Table:
    """Sampled head poses."""
    names = ("deviation", "speed", "beat alignment", "by chance", "correlation", "variety")
    table = Table(
        "Head pose from sound",
        note="Deviation, speed and variety over seeds as shares of the truth's; beat alignment of turns with "
        "rises in loudness (Gaussian, 1.5 frames), and with the next clip's sound (by chance); correlation "
        "of pitch with the truth's. SSIM_p: eq. 26's similarity of the six coefficients; Var_p: their "
        "variance. Above 6 Hz: share of the energy of the angles' speeds.",
    )
    for row in (OURS, NEAREST, MEAN, COPY, TRUTH):
        figures = _motion(spoken, "pose", row)
        samples = [(one.pose[row][0], one.pose[TRUTH][0]) for one in spoken]
        table.put(
            row,
            {
                "SSIM_p": _mean(structural_similarity(true, made) for made, true in samples),
                "Var_p x1000": 1000 * _mean(float(made.var(axis=0).mean()) for made, _ in samples),
                **_figures_named(figures, names),
                "above 6 Hz": _mean(trembling(sample[:, :3]) for one in spoken for sample in one.pose[row]),
            },
        )
    return table


def gaze_table(spoken: list[Spoken]) -> Table:
    """Sampled gaze."""
    names = ("deviation", "speed", "variety")
    table = Table(
        "Gaze from sound",
        note="Saccades: runs of steps faster than 30 degrees a second.",
    )
    for row in (OURS, NEAREST, MEAN, COPY, TRUTH):
        found = [saccades(sample) for one in spoken for sample in one.gaze[row]]
        table.put(
            row,
            {
                "saccades a minute": _mean(rate for rate, _ in found),
                "saccade degrees": _mean(size for _, size in found),
                "SSIM": _mean(structural_similarity(one.gaze[TRUTH][0], one.gaze[row][0]) for one in spoken),
                **_figures_named(_motion(spoken, "gaze", row), names),
            },
        )
    return table


_NAMES = {
    "deviation": "deviation_share",
    "speed": "speed_share",
    "beat alignment": "beat_alignment",
    "by chance": "beat_alignment_by_chance",
    "correlation": "correlation",
    "variety": "variety_over_seeds",
}


def _motion(spoken: list[Spoken], part: str, row: str) -> dict[str, float]:
    long = [one for one in spoken if one.frames >= _MOTION_FRAMES]
    mel = torch.stack([one.features.mel[:_MOTION_FRAMES] for one in long])
    true = [torch.from_numpy(getattr(one, part)[TRUTH][0][:_MOTION_FRAMES]) for one in long]
    made = [[torch.from_numpy(s[:_MOTION_FRAMES]) for s in getattr(one, part)[row]] for one in long]
    return motion_figures(mel, true, made)


def _figures_named(figures: dict[str, float], names: Iterable[str]) -> dict[str, float]:
    return {name: figures[_NAMES[name]] for name in names}


def _mean(values: Iterable[float]) -> float:
    """Mean of those that are numbers."""
    kept = [value for value in values if math.isfinite(value)]
    return float(np.mean(kept)) if kept else math.nan
