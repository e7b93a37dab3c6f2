"""`gohd benchmark speed`: frames a second, memory and real-time factor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gohd_core.commands.benchmark.options import add_timing
from gohd_core.commands.inputs import numbers, options_of, show, whole_numbers
from gohd_core.commands.report_options import add_report_options


def add_command(kinds: Any) -> None:
    """Adds the benchmark to those of `gohd benchmark`."""
    parser = kinds.add_parser(
        "speed", help="frames a second, memory and real-time factor of each stage and of the whole"
    )
    parser.add_argument("--models", default="builtin", help="a folder with official weights (builtin)")
    parser.add_argument(
        "--official", type=Path, metavar="DIR", help="also measure the authors' inference code, a clone of it"
    )
    parser.add_argument(
        "--seconds",
        type=numbers,
        default=(10.0, 30.0),
        help="lengths of sound; 10,60,600 shows scaling (10,30)",
    )
    parser.add_argument(
        "--batches", type=whole_numbers, default=(1, 8), help="batch sizes of the animator (1,8)"
    )
    parser.add_argument("--dtypes", default="fp32,bf16", help="of fp32, bf16, fp16 (fp32,bf16)")
    parser.add_argument("--compiled", action="store_true", help="also with torch.compile")
    parser.add_argument("--frames", type=int, default=48, help="frames drawn for each figure (48)")
    add_timing(parser)
    add_report_options(parser, "speed", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    from gohd_core.evaluation.speed.plan import SpeedPlan
    from gohd_core.evaluation.speed.run import speed
    from gohd_core.models import Models

    plan = options_of(SpeedPlan, arguments, dtypes=tuple(arguments.dtypes.split(",")))

    def load(device: str, dtype: Any) -> Any:
        return Models.load(arguments.models, device=device, dtype=dtype)

    return speed(load, plan, progress=show)
