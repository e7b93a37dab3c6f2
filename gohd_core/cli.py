"""The `gohd` command: every task that works without ComfyUI."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from gohd_core import __version__
from gohd_core.commands.output_streams import forgiving_output
from gohd_core.errors import GohdError, Interrupted, missing_library

_COMMANDS = (
    "gohd_core.commands.talk",
    "gohd_core.commands.drive",
    "gohd_core.commands.extract",
    "gohd_core.commands.sync",
    "gohd_core.commands.gaze",
    "gohd_core.commands.blendshapes",
    "gohd_core.commands.watermark",
    "gohd_core.commands.download",
    "gohd_core.commands.convert",
    "gohd_core.commands.doctor",
    "gohd_core.commands.benchmark",
    "gohd_core.commands.evaluate",
    "gohd_core.commands.train",
    "gohd_core.commands.stylised",
)
"""Modules with an `add_commands(subparsers)`; each command sets `run`, which takes the arguments."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="gohd", description="Make any portrait talk: head pose, expression and gaze from audio or video."
    )
    top.add_argument("--version", action="version", version=f"gohd {__version__}")
    top.add_argument("--verbose", action="store_true", help="log progress in detail")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in _COMMANDS:
        import_module(module).add_commands(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Exit codes: 0 done, 1 an error (one sentence), 2 wrong usage, 130 stopped."""
    with forgiving_output():
        try:
            given = parser().parse_args(arguments)
            level = logging.INFO if given.verbose else logging.WARNING
            logging.basicConfig(level=level, format="%(message)s")
            return given.run(given) or 0
        except (Interrupted, KeyboardInterrupt):
            sys.stderr.write("gohd: stopped; nothing half-written was left behind.\n")
            return 130
        except ImportError as error:
            sys.stderr.write(f"gohd: {missing_library(error, 'This command')}\n")
            return 1
        except GohdError as error:
            sys.stderr.write(f"gohd: {error}\n")
            return 1


if __name__ == "__main__":
    raise SystemExit(main())
