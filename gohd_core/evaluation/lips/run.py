"""`gohd benchmark lips`: predicted lips against those of people who talk in videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gohd_core import __version__
from gohd_core.clips import ClipDataset
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.lips.bilabials import bilabial_table
from gohd_core.evaluation.lips.changed_sounds import changed_table, silence_table
from gohd_core.evaluation.lips.scores import (
    Compared,
    amplitude,
    closures,
    compare,
    correlation,
    interval,
    ridge_guess,
)
from gohd_core.evaluation.lips.seen import read_lips
from gohd_core.evaluation.lips.vocal_sounds import vocal_table
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Report, Table
from gohd_core.expression import ExpressionPredictor
from gohd_core.training.audio.recordings import Recogniser

MEAN = "mean"


def lips(
    videos: Sequence[str | Path],
    reader: Any,
    *,
    expression: str | Path = "builtin",
    folder: str | Path | None = None,
    sounds: str | Path | None = None,
    phones: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Measures expression weights on videos of talking people. They are for measuring, not for training.

    Args:
        reader: a `face.mediapipe.reader.FaceReader`, or a callable that loads one when it is needed.
        expression: weights in the stylised space.
        folder: where what was seen in the videos is kept, so that the next weights are measured at once.
        sounds: a data set of the stylised world, on whose test clips changed sounds are measured, too.
        phones: recognise English p, b and m in the videos, and measure lips on them, too.
    Raises: `BadInput` for videos without sound or face, weights in another space, and nothing to measure;
        `MissingDependency` for phones without pocketsphinx.
    """
    if not videos and sounds is None:
        raise BadInput("There is nothing to measure; give videos, or a data set for changed sounds.")
    predictor = ExpressionPredictor.load(expression)
    if predictor.space != STYLISED:
        raise BadInput(f"The lips of the space {predictor.space!r} can't be measured; give stylised weights.")
    recogniser = Recogniser() if phones else None
    clips, said = [], []
    for video in with_progress(videos, "videos", progress):
        seen = read_lips(video, reader, folder)
        clips.append(compare(seen, predictor))
        if recogniser is not None:
            said.append(recogniser.phones(seen.sound) or ())
    tables = [fit_table(clips), closure_table(clips)] if clips else []
    if said:
        tables.append(bilabial_table(clips, said))
    if sounds is not None:
        dataset = ClipDataset(sounds)
        talking = [dataset.clip(entry) for entry in dataset.select("test")]
        tables += [table(predictor, talking) for table in (changed_table, vocal_table, silence_table)]
    subject = {"gohd": __version__, "expression": Path(expression).name}
    setting = {"benchmark": 1, "fps": 25, "videos": len(clips)}
    return Report("lips", setting, subject, tables)


def fit_table(clips: Sequence[Compared]) -> Table:
    """Correlations of predicted with seen lips, beside loudness and a ridge regression from mel bands."""
    table = Table(
        "Lips from sound against lips in videos",
        note="Correlations with the inner lips' gap that a face mesh sees (width: with the mouth's), at the "
        "lag that is found from the clip as a whole (positive: lips late; below a confidence of .5 it is a "
        "guess). Jaw: the predicted coefficient; best: the same at the best lag within eight frames, which "
        "flatters; low, high: 95 % interval by drawing seconds anew; opening: the predicted inner lips' gap; "
        "loudness: in dB; ridge: regression from the mel bands of seven frames, trained on the other videos; "
        "amplitude: predicted opening as a share of the seen one.",
    )
    columns: dict[str, list[float]] = {}
    for clip in clips:
        low, high = interval([(clip.jaw, clip.gap)])
        others = [other for other in clips if other is not clip]
        figures = {
            "seconds": len(clip.gap) / 25,
            "lag frames": clip.lag.frames,
            "confidence": clip.lag.confidence,
            "best": clip.best,
            "jaw": correlation(clip.jaw, clip.gap),
            "low": low,
            "high": high,
            "opening": correlation(clip.opening, clip.gap),
            "width": correlation(-clip.narrow, clip.width),
            "loudness": correlation(clip.loudness, clip.gap),
            "ridge": correlation(ridge_guess(clip, others), clip.gap) if others else math.nan,
            "amplitude": amplitude(clip),
        }
        table.put(clip.name, figures)
        for name, value in figures.items():
            columns.setdefault(name, []).append(value)
    means = {
        name: float(np.mean(columns[name])) for name in columns if name not in ("lag frames", "low", "high")
    }
    low, high = interval([(clip.jaw, clip.gap) for clip in clips])
    table.put(MEAN, means | {"low": low, "high": high})
    return table


def closure_table(clips: Sequence[Compared]) -> Table:
    """Closed lips as seen and as predicted."""
    table = Table(
        "Closed lips in videos",
        note="Shares of the frames with closed lips (a gap of less than .02 distances of the eyes' outer "
        "corners; the 3 % smallest gaps seen count as none). Closures: seen runs of such frames; met: with a "
        "predicted closed frame within one frame; by chance: the same with the prediction moved in time, "
        "mean over all moves by a second and more.",
    )
    rows = {clip.name: closures(clip) for clip in clips}
    for name, found in rows.items():
        table.put(name, found)
    total = sum(found["closures"] for found in rows.values())
    weights = [found["closures"] / max(total, 1) for found in rows.values()]
    put = {key: float(np.mean([found[key] for found in rows.values()])) for key in ("seen", "predicted")}
    for key in ("met", "by chance", "above chance"):
        known = [(w, f[key]) for w, f in zip(weights, rows.values(), strict=True) if f["closures"]]
        put[key] = float(sum(w * value for w, value in known)) if known else float("nan")
    table.put(MEAN, put | {"closures": total})
    return table
