"""`gohd benchmark pictures`: every picture of a folder prepared, commanded, made to talk, and read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gohd_core import __version__
from gohd_core.audio import audio_features, load_audio
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.errors import BadInput
from gohd_core.evaluation.pictures.measure import Bench, Result, measure
from gohd_core.evaluation.pictures.speed import speed_table
from gohd_core.evaluation.pictures.tables import result_tables
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Report, machine
from gohd_core.evaluation.speed.plan import CLOCKS
from gohd_core.models import Models
from gohd_core.pipeline import motion_from_audio
from gohd_core.portraits import prepare_portrait
from gohd_core.talk_options import TalkOptions

VERSION = 1
SPEECH = "numbers.flac"
"""The spoken text: "One, two, three, four, five. Papa buys my mom a big blue balloon."."""
_CLIP = 48
"""Frames of the clip that speed is measured on."""


@dataclass(frozen=True)
class PicturePlan:
    """Settings of the benchmark.

    Attributes:
        size: side of the frames; None takes each face's own.
        speed_sizes: sides at which speed and memory are measured, on the first picture that can be.
        step: every how many frames of the clip are drawn and read.
        clock: "wall", or "processor", which other work on the machine stretches less.
    """

    size: int | None = 512
    speed_sizes: tuple[int, ...] = ()
    step: int = 4
    clock: str = "wall"

    def __post_init__(self) -> None:
        if self.step < 1:
            raise BadInput(f"Every how many frames are read must be at least 1; got {self.step}.")


def pictures(
    models: Models,
    named: Sequence[tuple[str, Any]],
    plan: PicturePlan = PicturePlan(),
    *,
    look: Callable[[Result], None] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Runs the benchmark.

    Args:
        models: the built-in family with its face reader.
        named: names and pictures, or functions that read them.
        look: is shown each result as it comes, e.g. `Sheets.add`.
    """
    if models.reader is None:
        raise BadInput(
            "Pictures are measured by the networks that read faces, which are not there; run: gohd download "
            "faces."
        )
    features = audio_features(*load_audio(assets_folder() / "speech" / SPEECH), models.pose.alignment)
    bench = Bench(models, features, plan.size, plan.step, clock=CLOCKS[plan.clock])
    results = []
    for name, picture in with_progress(named, "pictures", progress):
        result = measure(name, picture() if callable(picture) else picture, bench)
        if look is not None:
            look(result)
        result.tiles = {}
        results.append(result)
    tables = result_tables(results)
    drawn = [item for item, result in zip(named, results, strict=True) if not result.refused]
    if plan.speed_sizes and drawn:
        name, picture = drawn[0]
        picture = picture() if callable(picture) else picture
        portrait = prepare_portrait(picture, reader=models.reader)
        motion = motion_from_audio(features, portrait, models, TalkOptions(steps=10))[:_CLIP]
        tables.append(speed_table(models, picture, motion, plan.speed_sizes, clock=bench.clock))
    setting = {"benchmark": VERSION, "size": plan.size or "own", "step": plan.step, "speech": SPEECH}
    subject = {"gohd": __version__, "machine": machine(), "clock": plan.clock}
    return Report("pictures", setting, subject, tables)
