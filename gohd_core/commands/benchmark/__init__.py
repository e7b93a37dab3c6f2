"""`gohd benchmark`: figures with exact truth, as tables, JSON, a chart and Markdown; a module for each."""

from __future__ import annotations

from typing import Any

from gohd_core.commands.benchmark import ablations, heads, lips, pictures, quality, speed


def add_commands(commands: Any) -> None:
    """Adds `benchmark` with one command per benchmark to an argparse subparsers object."""
    benchmark = commands.add_parser("benchmark", help="measure quality, speed and the paper's ablations")
    kinds = benchmark.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    for module in (quality, speed, ablations, lips, heads, pictures):
        module.add_command(kinds)
