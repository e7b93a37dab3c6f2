"""`gohd watermark`: detects GoHD's invisible mark in videos and pictures."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

UNMARKED = 3
"""Exit status when a file carries no mark: neither an error nor a yes."""


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("watermark", help="look for the invisible mark in a video or picture")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    read = actions.add_parser("read", help="exit status 0 where every file is marked, 3 where one is not")
    read.add_argument("files", nargs="+", type=Path, help="videos or pictures")
    read.add_argument("--key", default="gohd", help="the mark's key, if it was made with another one")
    read.add_argument("--json", action="store_true", help="print the findings as JSON")
    read.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reads each file; returns the exit status."""
    from gohd_core.render import read_watermark

    readings = [(path, read_watermark(path, arguments.key)) for path in arguments.files]
    if arguments.json:
        rows = [{"file": str(path), **asdict(reading)} for path, reading in readings]
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{path}: {reading}\n" for path, reading in readings)
    return 0 if all(reading.found for _, reading in readings) else UNMARKED
