"""A command that copies words, for tests of `gohd_core.commands.batch`; worker processes import it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from gohd_core.commands.batch import Job, add_batch_options
from gohd_core.errors import BadInput, Interrupted


def add_commands(commands: Any) -> None:
    """`copy`, with an option of each kind."""
    parser = commands.add_parser("copy")
    parser.add_argument("--word", type=Path)
    parser.add_argument("--mask", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--look", default="hold", choices=("hold", "away"))
    parser.add_argument("--marked", action="store_true")
    parser.add_argument("--whole", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--models", default="builtin")
    parser.set_defaults(command="copy")
    add_batch_options(parser)


def arguments(*words: object) -> argparse.Namespace:
    """The command's, of such words."""
    top = argparse.ArgumentParser()
    add_commands(top.add_subparsers(dest="command"))
    return top.parse_args(["copy", *map(str, words)])


def maker(given: argparse.Namespace) -> Any:
    """Writes a source's name as often as its options say; some names go wrong."""

    def make(job: Job) -> dict[str, Any]:
        name = job.sources["word"].stem
        if name == "bad":
            raise BadInput("No face.")
        if name == "worse":
            raise ZeroDivisionError("by zero\nand more")
        if name == "stop":
            raise Interrupted("Stopped.")
        if name == "gone":
            os._exit(3)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        job.target.write_text(name * job.arguments.times)
        return {"made": str(job.target), "process": os.getpid(), "text": f"{name} is done"}

    return make


def sentence(made: dict[str, Any]) -> str:
    """The text that reports a result."""
    return made["text"]


def status(made: dict[str, Any]) -> int:
    """3 for what was made of "odd"."""
    return 3 if "odd" in made["made"] else 0
