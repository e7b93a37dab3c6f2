"""`gohd benchmark pictures`: photographs, paintings and drawings as portraits."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from gohd_core.commands.benchmark.options import add_timing
from gohd_core.commands.inputs import PICTURES, files, options_of, show, whole_numbers
from gohd_core.commands.report_options import add_report_options


def add_command(kinds: Any) -> None:
    """Adds the benchmark to those of `gohd benchmark`."""
    parser = kinds.add_parser(
        "pictures",
        help="photographs, paintings and drawings as portraits: which of them talk, and how well",
        description="Prepares every picture of a folder, draws it after commands and after a shipped sound, "
        "and reads its face on the drawn frames.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of pictures, or one picture")
    parser.add_argument(
        "--size", type=int, default=512, help="side of the frames; 0 takes each face's own (512)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="the first N pictures only")
    parser.add_argument(
        "--sheets", type=Path, metavar="DIR", help="write contact sheets here, to be looked at"
    )
    parser.add_argument("--step", type=int, default=4, help="read every N-th frame of the clip (4)")
    parser.add_argument(
        "--speeds",
        type=whole_numbers,
        default=(),
        metavar="SIZES",
        help="also measure speed and memory at these: 256,512,768,1024",
    )
    add_timing(parser)
    add_report_options(parser, "pictures", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    import torch

    from gohd_core.evaluation.pictures.run import PicturePlan, pictures
    from gohd_core.evaluation.pictures.sheets import Sheets
    from gohd_core.images import read_picture
    from gohd_core.models import Models

    paths = files(arguments.folder, PICTURES, "picture")[: arguments.limit]
    plan = options_of(PicturePlan, arguments, size=arguments.size or None, speed_sizes=arguments.speeds)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    sheets = Sheets(arguments.sheets) if arguments.sheets is not None else None
    report = pictures(
        Models.load(device=arguments.device),
        [(path.name, partial(read_picture, path)) for path in paths],
        plan,
        look=None if sheets is None else sheets.add,
        progress=show,
    )
    if sheets is not None:
        sheets.finish()
    return report
