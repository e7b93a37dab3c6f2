"""`gohd benchmark ablations`: the paper's Tables 3 to 7, trained small."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gohd_core.commands.inputs import options_of, show, whole_number, whole_numbers
from gohd_core.commands.report_options import add_report_options


def add_command(kinds: Any) -> None:
    """Adds the benchmark to those of `gohd benchmark`."""
    parser = kinds.add_parser(
        "ablations", help="the paper's Tables 3 to 7, trained small on the stylised world, beside its figures"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the runs go; run again to go on"
    )
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR",
        help="talking clips to train and measure on (the quality benchmark's own: few)",
    )
    parser.add_argument(
        "--stills",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="for table 4: stills of 128 pixels (gohd stylised make --kind stills --size 128)",
    )
    parser.add_argument("--parsing", type=Path, metavar="FILE", help="a face parser's weights, for table 4")
    parser.add_argument(
        "--tables", type=whole_numbers, default=(3, 5, 6, 7), help="of 3, 4, 5, 6, 7 (3,5,6,7)"
    )
    parser.add_argument(
        "--steps",
        type=_steps,
        default=150,
        help="optimiser steps of every run (150), or by module: pose=400,expression-stage1=300",
    )
    parser.add_argument("--seeds", type=whole_numbers, default=(0, 1, 2), help="(0,1,2)")
    parser.add_argument("--clips", type=int, default=16, help="held-out clips that are measured (16)")
    add_report_options(parser, "ablations", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    from gohd_core.evaluation.ablations.run import AblationPlan, ablations
    from gohd_core.evaluation.quality.data import Plan, default_folder, speech_data

    talk = arguments.data or [speech_data(default_folder(), Plan(), progress=show).folder]
    plan = options_of(AblationPlan, arguments, talk=tuple(talk), stills=tuple(arguments.stills))
    return ablations(plan, arguments.out, progress=show)


def _steps(text: str) -> int | dict[str, int]:
    """A number, or module -> number, for argparse."""
    if "=" not in text:
        return whole_number(text)
    named = [part.partition("=") for part in text.split(",")]
    return {name: whole_number(steps) for name, _, steps in named}
