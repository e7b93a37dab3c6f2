"""`gohd benchmark quality`: the weights against exact truth of the stylised world."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gohd_core.commands.inputs import options_of, show
from gohd_core.commands.report_options import add_report_options
from gohd_core.components import ROLES

_ROLES = tuple(role.replace("_", "-") for role in ROLES)


def add_command(kinds: Any) -> None:
    """Adds the benchmark to those of `gohd benchmark`."""
    quality = kinds.add_parser(
        "quality",
        help="weights against exact truth on held-out stylised heads, voices and texts",
        description="Runs the built-in weights (or those given) over held-out heads, voices and texts of the "
        "stylised world. The data is made once (about 300 MB) and kept; making it needs the renderer and "
        "speech engines of `gohd stylised make`.",
    )
    for role in _ROLES:
        quality.add_argument(f"--{role}", type=Path, metavar="FILE", help=f"{role} weights to measure")
    quality.add_argument("--data", type=Path, metavar="DIR", help="where the data is kept (the user's cache)")
    quality.add_argument(
        "--parts",
        default="animator,motion,talk",
        help="single pictures (animator), motion from sound (motion), both together (talk), and where asked "
        "for single pictures by the mesh animator (mesh)",
    )
    quality.add_argument("--identities", type=int, default=8, help="heads drawn over the factor sheet (8)")
    quality.add_argument("--clips", type=int, default=6, help="talking heads that are drawn (6)")
    quality.add_argument("--speech-clips", type=int, default=16, help="talking clips that are measured (16)")
    quality.add_argument("--seed", type=int, default=90_009, help="of the data (90009)")
    quality.add_argument(
        "--speech", type=Path, nargs="+", default=(), metavar="FILE", help="real recordings to measure too"
    )
    add_report_options(quality, "quality", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    from gohd_core.evaluation.quality.data import Plan
    from gohd_core.evaluation.quality.run import Weights, quality

    given = {role.replace("-", "_"): getattr(arguments, role.replace("-", "_")) for role in _ROLES}
    return quality(
        Weights({role: path for role, path in given.items() if path is not None}),
        options_of(Plan, arguments, speech=arguments.speech_clips),
        arguments.data,
        parts=tuple(part.strip() for part in arguments.parts.split(",") if part.strip()),
        speech=arguments.speech,
        progress=show,
    )
