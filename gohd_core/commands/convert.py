"""`gohd convert`: any weights file that GoHD recognises, as safetensors with its config in the header."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("convert", help="rewrite official weights as safetensors")
    parser.add_argument("source", type=Path, help="an official file, or one of ours")
    parser.add_argument("target", type=Path, nargs="?", help="default: the source's name with .safetensors")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit status."""
    from gohd_core.checkpoints import convert, read_checkpoint
    from gohd_core.errors import BadInput

    target = arguments.target or arguments.source.with_suffix(".safetensors")
    if target.exists():
        raise BadInput(f"{target} is there already; delete it or give another target.")
    convert(arguments.source, target)
    component = read_checkpoint(target).component
    if arguments.json:
        sys.stdout.write(json.dumps({"target": str(target), "component": component}) + "\n")
    else:
        sys.stdout.write(f"{target}: {component}, {target.stat().st_size / 2**20:.1f} MiB\n")
    return 0
