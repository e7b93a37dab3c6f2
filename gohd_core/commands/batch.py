"""One result or many: where each goes, and making one after the other past those that fail."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gohd_core.commands.inputs import is_folder, result_names, show
from gohd_core.errors import BadInput, GohdError, Interrupted


def result_paths(
    output: Path,
    groups: Sequence[Sequence[Path]],
    ending: str | Sequence[str],
    *,
    several: bool,
    what: str = "videos",
) -> list[Path]:
    """Where the result made of each group of files goes: `output` itself, or a file in that folder.

    Files in a folder are named after what they are made of, with one `ending`, or one each.
    """
    if several and output.suffix and not is_folder(output):
        raise BadInput(f"Several {what} need a folder to go to; {output} looks like a file.")
    if not several and not is_folder(output):
        return [output]
    endings = [ending] * len(groups) if isinstance(ending, str) else ending
    return [output / f"{name}{end}" for name, end in zip(result_names(groups), endings, strict=True)]


def make_each(
    jobs: Sequence[tuple[Any, ...]],
    make: Callable[..., dict[str, Any] | None],
    arguments: argparse.Namespace,
    *,
    sources: Callable[..., dict[str, Any]],
    sentence: Callable[[dict[str, Any]], str],
) -> Iterator[dict[str, Any]]:
    """What `make(*job)` says of each job; one of several that fails is an "error", and the next follow.

    Each is written out as it comes: as a line of JSON (without "text") where that is asked for.

    Args:
        jobs: arguments of `make`.
        make: makes one result; None where there is nothing to say.
        sources: what a job is made of, by name, for its error.
        sentence: what is written of a result.
    """
    for job in jobs:
        try:
            made = make(*job)
        except Interrupted:
            raise
        except GohdError as error:
            if len(jobs) == 1:
                raise
            made = {**{name: str(path) for name, path in sources(*job).items()}, "error": str(error)}
        if made is None:
            continue
        if arguments.json:
            sys.stdout.write(json.dumps({key: value for key, value in made.items() if key != "text"}) + "\n")
        elif "error" in made:
            *names, error = made.values()
            sys.stderr.write(f"gohd: {' with '.join(names)}: {error}\n")
        else:
            sys.stdout.write(sentence(made) + "\n")
        yield made


def make_all(jobs: Sequence[tuple[Any, ...]], make: Callable[..., Any], *given: Any, **options: Any) -> int:
    """`make_each` to the end; exit status 1 where one of several failed."""
    return int(max(["error" in made for made in make_each(jobs, make, *given, **options)], default=False))


def progress_of(arguments: argparse.Namespace, stage: str) -> Callable[[int, int], None] | None:
    """A line of progress, unless JSON is asked for."""
    return None if arguments.json else lambda done, total: show(stage, done, total)
