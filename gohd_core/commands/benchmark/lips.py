"""`gohd benchmark lips`: predicted lips against those of people who talk in videos."""

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
        "lips",
        help="predicted lips against those of people who talk in videos",
        description="Finds by how much lips and sound are out of step in each video, and how well the lips "
        "that are predicted from the sound go with the ones that a face mesh sees, beside loudness alone and "
        "a ridge regression trained on the other videos. Videos are measured, never trained on.",
    )
    parser.add_argument("videos", type=Path, nargs="*", metavar="VIDEO", help="clips of one talking face")
    parser.add_argument(
        "--expression", type=Path, metavar="FILE", help="weights to measure (the built-in ones)"
    )
    add_faces(parser)
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keeps readings of the videos, for the next weights"
    )
    parser.add_argument(
        "--sounds",
        type=Path,
        metavar="DIR",
        help="whisper, crowd, music, silence and the like on the held-out talking clips of a data set, such "
        "as the quality benchmark's speech",
    )
    parser.add_argument(
        "--phones",
        action="store_true",
        help="also recognise English p, b and m in the videos and measure lips on them (needs pocketsphinx)",
    )
    add_report_options(parser, "lips", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    from gohd_core.evaluation.lips.run import lips

    return lips(
        arguments.videos,
        partial(face_reader, arguments.faces),
        expression=arguments.expression or "builtin",
        folder=arguments.data,
        sounds=arguments.sounds,
        phones=arguments.phones,
        progress=show,
    )
