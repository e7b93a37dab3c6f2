"""Commanded against measured, one factor at a time, on held-out heads with exact truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gohd_core import parsing_labels as labels
from gohd_core.clips import Clip
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.quality.data import BenchmarkData
from gohd_core.evaluation.quality.drawing import FLOW_SIZE, draw_stills, encode, true_flow
from gohd_core.evaluation.quality.factor_grid import FACTORS, FREE, NEAR, Factor, Sheet
from gohd_core.evaluation.report import Table
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.landmarks68 import LEFT_BROW, LEFT_EYE, MOUTH, RIGHT_BROW, RIGHT_EYE
from gohd_core.measures.coefficient_errors import coefficient_names, reading_figures
from gohd_core.measures.sequences import Agreement, agreement, displacement_share
from gohd_core.models import Models
from gohd_core.stylised.head.expressions import INDEX

_EYES = (LEFT_EYE, RIGHT_EYE)
_REGIONS = {"mouth": (MOUTH,), "lids": _EYES, "brows": (LEFT_BROW, RIGHT_BROW)}
_MARGIN = 0.022
_MOVES = 0.5
"""Pixels of a 128-pixel picture that a point must truly move to count in the flow's figures."""
CLOSED = 0.8
"""Blink coefficient from which a reading counts as closed."""
STRENGTHS = (0.25, 0.5, 0.75, 1.0)


@dataclass
class FaceCoefficients:
    """Readings of pictures by the extractor and the gaze estimator."""

    expression: np.ndarray
    pose: np.ndarray
    gaze: np.ndarray
    identity: np.ndarray
    landmarks: np.ndarray | None


@dataclass
class Head:
    """One held-out head: its clip, what was drawn of it, and both as they are read."""

    clip: Clip
    drawn: np.ndarray
    flows: Tensor | None
    of_drawn: FaceCoefficients
    of_true: FaceCoefficients


def read_pictures(models: Models, frames: np.ndarray) -> FaceCoefficients:
    """Readings of pictures u8 [n, S, S, 3]; landmarks in their pixels, where the extractor finds them."""
    pictures = list(frames)
    found = models.extractor.extract(pictures)
    gaze = models.gaze_estimator.estimate(pictures)
    return FaceCoefficients(
        found.expression.values.numpy(),
        found.pose.values.numpy(),
        gaze.values.numpy(),
        found.identity.numpy(),
        None if found.landmarks is None else found.landmarks.numpy(),
    )


def draw_heads(
    models: Models, data: BenchmarkData, progress: Progress | None = None, reader: FaceReader | None = None
) -> list[Head]:
    """Every head drawn from its base picture after the whole sheet; the base's coefficients are given. With a
    reader they are drawn by their meshes."""
    heads = []
    for clip in with_progress(data.clips("factors"), "drawing heads", progress):
        frames, motion = clip.read("frames"), clip.motion()
        source = encode(models.animator, frames[0], motion.fitted(1), reader)
        drawn = draw_stills(models.animator, source, motion, list(range(len(clip))))
        readings = read_pictures(models, drawn.frames), read_pictures(models, frames)
        heads.append(Head(clip, drawn.frames, drawn.flows, *readings))
    return heads


def command_table(heads: list[Head], sheet: Sheet) -> Table:
    """The table of commanded against measured movements."""
    table = Table(
        "Commanded against measured, one thing at a time",
        note="Slope, correlation, error: the extractor's (gaze: the estimator's) reading of the drawn frames "
        "against the command; 'of truth' the same of rendered truth: what the reader itself gets right. "
        "Flow slope: the decoder's flow on the exact flow, visible moving pixels of the region; flow error "
        "against it in pixels of 256, 'still' that of no flow. Landmarks: displacement from the base picture "
        "along the exact one, as a share, by the extractor's landmarks in drawn and in true frames.",
    )
    for factor in FACTORS:
        rows = [k for k, name in enumerate(sheet.names) if name == factor.name]
        if not rows:
            continue
        made, true = (_agreement(heads, sheet, factor, rows, part) for part in ("of_drawn", "of_true"))
        table.put(
            factor.name,
            {
                "slope": made.slope,
                "correlation": made.correlation,
                "error": made.error,
                "unit": "degrees" if factor.in_degrees else "of full",
                "slope of truth": true.slope,
                "correlation of truth": true.correlation,
                **_flow_figures(heads, factor, rows),
                **_landmark_figures(heads, factor, rows),
            },
        )
    return table


def factor_value(factor: Factor, reading: FaceCoefficients) -> np.ndarray:
    """The factor's value in each picture: degrees, or a share of the full movement."""
    if factor.group == "gaze":
        return np.degrees(reading.gaze[:, factor.column])
    if factor.group == "head":
        return np.degrees(reading.pose[:, factor.column])
    return reading.expression[:, [INDEX[name] for name in factor.modes]].mean(1)


def _agreement(heads: list[Head], sheet: Sheet, factor: Factor, rows: list[int], part: str) -> Agreement:
    """Over all heads; the base picture, where the command is 0, is one of the samples."""
    levels = np.array([0.0, *(sheet.levels[k] for k in rows)])
    wanted = np.degrees(levels) if factor.in_degrees else levels
    found = [factor_value(factor, getattr(head, part))[[0, *rows]] for head in heads]
    return agreement(np.tile(wanted, len(heads)), np.concatenate(found))


def _flow_figures(heads: list[Head], factor: Factor, rows: list[int]) -> dict[str, float]:
    if any(head.flows is None for head in heads):
        return {}
    top = bottom = error = still = count = 0.0
    for head in heads:
        for k in rows:
            flow, visible = true_flow(head.clip, 0, k)
            where = visible & region(head.clip, k, factor.group) & (flow.norm(dim=0) > _MOVES)
            true, made = flow[:, where], head.flows[k][:, where]
            top += float((made * true).sum())
            bottom += float(true.square().sum())
            error += float((made - true).norm(dim=0).sum())
            still += float(true.norm(dim=0).sum())
            count += int(where.sum())
    scale = 256 / FLOW_SIZE / max(count, 1)
    slope = top / bottom if bottom else float("nan")
    return {"flow slope": slope, "flow error px": error * scale, "still flow px": still * scale}


def region(clip: Clip, frame: int, group: str) -> Tensor:
    """Region of a picture in which a group moves, bool [128, 128]."""
    parsing = clip.read("parsing", frame, frame + 1)[0]
    step = len(parsing) // FLOW_SIZE
    parsing = torch.from_numpy(parsing[::step, ::step].copy())
    if group == "head":
        return parsing > 0
    if group == "gaze":
        return (parsing[..., None] == torch.tensor(labels.EYES, dtype=torch.long, device="cpu")).any(-1)
    points = clip.read("landmarks", frame, frame + 1)[0] / step
    mask = torch.zeros(FLOW_SIZE, FLOW_SIZE, dtype=torch.bool, device="cpu")
    for part in _REGIONS[group]:
        low = np.maximum(points[part].min(0) - _MARGIN * FLOW_SIZE, 0).astype(int)
        high = np.ceil(points[part].max(0) + _MARGIN * FLOW_SIZE).astype(int) + 1
        mask[low[1] : max(high[1], 0), low[0] : max(high[0], 0)] = True
    return mask


def _landmark_figures(heads: list[Head], factor: Factor, rows: list[int]) -> dict[str, float]:
    if factor.group == "gaze" or any(head.of_drawn.landmarks is None for head in heads):
        return {}
    parts = _REGIONS.get(factor.group, (slice(0, 68),))
    true, drawn, seen = [], [], []
    for head in heads:
        exact = head.clip.read("landmarks")
        for moves, points in (
            (true, exact),
            (drawn, head.of_drawn.landmarks),
            (seen, head.of_true.landmarks),
        ):
            base = head.of_true.landmarks if points is head.of_drawn.landmarks else points
            moves += [points[k, part] - base[0, part] for k in rows for part in parts]
    shares = [displacement_share(np.concatenate(true), np.concatenate(moves)) for moves in (drawn, seen)]
    return {"landmarks": shares[0], "landmarks of truth": shares[1]}


def blink_table(heads: list[Head], sheet: Sheet) -> Table:
    """Full and half blinks, as the extractor reads them."""
    table = Table(
        "Blinks",
        note="Mean blink coefficient (0 open, 1 shut) that the extractor reads in frames commanded to it.",
    )
    factor = next(factor for factor in FACTORS if factor.group == "lids")
    at = {
        level: k
        for k, (n, level) in enumerate(zip(sheet.names, sheet.levels, strict=True))
        if n == factor.name
    }
    for row, part in (("drawn", "of_drawn"), ("truth", "of_true")):
        values = np.stack([factor_value(factor, getattr(head, part)) for head in heads])
        table.put(
            row,
            {
                "full: reading": values[:, at[1.0]].mean(),
                f"full: share above {CLOSED}": (values[:, at[1.0]] > CLOSED).mean(),
                "half: reading": values[:, at[0.5]].mean(),
                "open: reading": values[:, 0].mean(),
            },
        )
    return table


def reader_table(heads: list[Head], sheet: Sheet) -> Table:
    """Readings of true pictures: near and free ones of all heads."""
    rows = [k for k, name in enumerate(sheet.names) if name in (NEAR, FREE)]
    true: dict[str, list[np.ndarray]] = {}
    found: dict[str, list[np.ndarray]] = {}
    for head in heads:
        size = head.clip.info["size"]
        for group in ("expression", "pose", "gaze"):
            true.setdefault(group, []).append(head.clip.read(group)[rows])
            found.setdefault(group, []).append(getattr(head.of_true, group)[rows])
        true.setdefault("identity", []).append(np.repeat(head.clip.read("identity")[None], len(rows), 0))
        found.setdefault("identity", []).append(head.of_true.identity[rows])
        if head.of_true.landmarks is not None:
            for store, points in ((true, head.clip.read("landmarks")), (found, head.of_true.landmarks)):
                store.setdefault("landmarks", []).append(2 * (points[rows] + 0.5) / size - 1)
    joined = (
        {name: torch.from_numpy(np.concatenate(values)).float() for name, values in group.items()}
        for group in (found, true)
    )
    figures = reading_figures(*joined, coefficient_names("stylised"))
    table = Table(
        "Extractor and gaze estimator on true pictures",
        ("error", "r2", "slope"),
        note="Held-out heads, random coefficients. Angles in degrees, landmarks in half pictures.",
    )
    for name, value in figures.items():
        kind, what = name.split("/", 1)
        table.put(what.replace("_", " "), {kind: value})
    return table


def monotone_table(
    models: Models, heads: list[Head], sheet: Sheet, progress: Progress | None = None
) -> Table:
    """Whether more strength (Fig. 8) moves more: share of the steps of strength that add movement."""
    table = Table(
        "Strength of the navigation vector (Fig. 8)",
        note="Movement by the decoder's flow in the factor's region, as a share of that at strength 1; "
        "monotone: share of the heads in which it grows with each of the strengths 0, "
        f"{', '.join(map(str, STRENGTHS))}.",
    )
    wanted = [factor for factor in FACTORS if factor.name in ("gaze yaw", "head yaw", "jaw opening")]
    curves: dict[str, list[list[float]]] = {factor.name: [] for factor in wanted}
    for head in with_progress(heads, "strengths", progress):
        motion, animator = head.clip.motion(), models.animator
        source = encode(animator, head.clip.read("frames", 0, 1)[0], motion.fitted(1))
        for factor in wanted:
            last = max(k for k, name in enumerate(sheet.names) if name == factor.name)
            where = region(head.clip, last, factor.group)
            flows = [
                draw_stills(animator, source, motion, [last], strength=s).flows[0] for s in (0.0, *STRENGTHS)
            ]
            moved = [(flow - flows[0])[:, where] for flow in flows]
            whole = float(moved[-1].square().sum())
            curves[factor.name].append([float((m * moved[-1]).sum()) / max(whole, 1e-9) for m in moved])
    for name, rows in curves.items():
        values = np.array(rows)
        shares = {f"at {s:g}": v for s, v in zip(STRENGTHS[:-1], values.mean(0)[1:-1], strict=True)}
        table.put(name, {**shares, "monotone": (np.diff(values, axis=1) > 0).all(1).mean()})
    return table
