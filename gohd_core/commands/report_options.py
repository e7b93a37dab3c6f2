"""Options that say where a report goes (JSON, Markdown, a chart, beside an earlier one), and its writing."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_OUTPUTS = ("--json", "--against", "--markdown", "--plot")
"""Options that say where figures go, and change none."""


def add_report_options(
    parser: argparse.ArgumentParser, section: str, measure: Callable[[argparse.Namespace], Any]
) -> None:
    """The arguments that say where figures go; the command measures, and writes its report there."""

    def run(arguments: argparse.Namespace) -> None:
        _check_outputs(arguments)
        begun = time.perf_counter()
        report = measure(arguments)
        report.seconds = time.perf_counter() - begun
        _write_report(report, arguments, section)

    parser.set_defaults(run=run)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with an earlier --json file")
    parser.add_argument(
        "--markdown",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=f"write or refresh the section '{section}' of a Markdown file; may be given several times",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures as a picture")


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuses at once what would fail after minutes of measuring."""
    from gohd_core.evaluation.chart import check_ending
    from gohd_core.evaluation.report import Report

    if arguments.plot is not None:
        check_ending(arguments.plot)
    if arguments.against is not None:
        Report.read(arguments.against)


def _write_report(report: Any, arguments: argparse.Namespace, section: str) -> None:
    """Prints a report and writes it wherever the arguments say."""
    from gohd_core.evaluation.report import Report, compare, refresh_section

    sys.stdout.write(report.text())
    if arguments.json is not None:
        report.write(arguments.json)
    for path in arguments.markdown:
        title = section if section == "evaluate" else f"benchmark {section}"
        refresh_section(path, section, f"## gohd {title}\n\n{report.markdown(command_line(sys.argv[1:]))}")
    if arguments.plot is not None:
        from gohd_core.evaluation.chart import write_chart

        write_chart(arguments.plot, report)
    if arguments.against is not None:
        sys.stdout.write("\n" + compare(Report.read(arguments.against), report).text())


def command_line(arguments: Sequence[str]) -> str:
    """Command line of this call, without outputs and local folders."""
    words, skip = [], False
    for word in arguments:
        if skip or word.split("=", 1)[0] in _OUTPUTS:
            skip = not skip and "=" not in word
            continue
        words.append(Path(word).name if "=" not in word and Path(word).name else word)
    return shlex.join(["gohd", *words])
