"""`gohd benchmark heads`: head movements and blinks, beside those of people in videos."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from gohd_core.commands.benchmark.options import add_faces, face_reader
from gohd_core.commands.inputs import show
from gohd_core.commands.report_options import add_report_options


def add_command(kinds: Any) -> None:
    """Adds the benchmark to those of `gohd benchmark`."""
    parser = kinds.add_parser(
        "heads",
        help="head movements and blinks made for recordings, beside those of people in videos",
        description="Blinks, speed, rhythm, drift and repeats of the heads that are made for recordings of "
        "speech, over several seeds, beside the same figures of people who talk in videos.",
    )
    parser.add_argument("sounds", type=Path, nargs="+", metavar="SOUND", help="recordings of speech")
    parser.add_argument("--videos", type=Path, nargs="+", default=(), metavar="VIDEO", help="people who talk")
    add_faces(parser)
    parser.add_argument("--models", default="builtin", help="a folder with weights (builtin)")
    parser.add_argument("--seeds", type=int, default=10, help="heads for each recording (10)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each recording (20)")
    add_report_options(parser, "heads", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    from gohd_core.evaluation.heads.run import heads
    from gohd_core.models import Models

    return heads(
        Models.load(arguments.models),
        arguments.sounds,
        arguments.videos,
        partial(face_reader, arguments.faces),
        seeds=arguments.seeds,
        seconds=arguments.seconds,
        progress=show,
    )
