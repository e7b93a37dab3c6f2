"""Jobs of a command: their paths, shards and processes, progress and report."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gohd_core.commands.inputs import is_folder, result_names, show
from gohd_core.errors import BadInput, GohdError, Interrupted
from gohd_core.files import atomic_write, check_target

logger = logging.getLogger(__name__)

_BAR = 24
"""Width of the overall progress bar, in characters."""


@dataclass(frozen=True)
class Job:
    """One result of a command.

    Attributes:
        sources: what it is made of, by name; None where that is left out.
        target: where it goes; None where the command does not write one file.
        arguments: the options for it.
        name: what it is called, without an ending.
        place: the beginning of a line of progress; None shows no progress.
    """

    sources: dict[str, Path | None]
    target: Path | None
    arguments: argparse.Namespace
    name: str = ""
    place: str | None = ""

    def exists(self) -> bool:
        """Whether its result is there; files of ours appear whole or not at all."""
        if self.target is None:
            return False
        first = self.target.with_stem(f"{self.target.stem}-1")
        return (first if getattr(self.arguments, "people", False) else self.target).is_file()

    def source_paths(self) -> dict[str, str]:
        """Paths of its sources, by name."""
        return {name: str(path) for name, path in self.sources.items() if path is not None}


Make = Callable[[Job], "dict[str, Any]"]


def add_batch_options(parser: argparse.ArgumentParser, *, lists: bool = True) -> None:
    """Which results are made, by how many processes, and how the outcome is reported."""
    group = parser.add_argument_group("many of them")
    if lists:
        group.add_argument(
            "--list",
            type=Path,
            help="a .csv, .json or .jsonl with a row for each result: its inputs, output and options",
        )
    group.add_argument(
        "--jobs", type=_count, default=1, help="jobs at once, each in a process with its own models (1)"
    )
    group.add_argument(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="I/N",
        help="run only the I-th of N shards, counted from 1",
    )
    group.add_argument("--skip-existing", action="store_true", help="skip results that exist already")
    group.add_argument(
        "--report", type=Path, help="list results, and failures with their reasons, in this .json"
    )
    group.add_argument("--json", action="store_true", help="print a line of JSON for each result")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 2/5, from 1/5 to 5/5")
    return int(part), int(parts)


def result_paths(
    output: Path,
    groups: Sequence[Sequence[Path]],
    ending: str | Sequence[str],
    *,
    several: bool,
    what: str = "videos",
) -> list[Path]:
    """Result path of each group of input files: `output` itself, or a file in that folder.

    Files in a folder are named after their sources, with one `ending`, or one each.
    """
    if several and output.suffix and not is_folder(output):
        raise BadInput(f"Several {what} need a folder to go to; {output} looks like a file.")
    if not several and not is_folder(output):
        return [output]
    endings = [ending] * len(groups) if isinstance(ending, str) else ending
    return [output / f"{name}{end}" for name, end in zip(result_names(groups), endings, strict=True)]


def job_for_each(
    source: str,
    paths: Sequence[Path],
    arguments: argparse.Namespace,
    ending: str | Sequence[str],
    what: str = "videos",
) -> list[Job]:
    """A job for each file of the argument `source`; without `--output` it has no target."""
    groups = [(path,) for path in paths]
    targets: Sequence[Path | None] = [None] * len(paths)
    if arguments.output is not None:
        several = is_folder(getattr(arguments, source))
        targets = result_paths(arguments.output, groups, ending, several=several, what=what)
    return [
        Job({source: path}, target, arguments, name)
        for path, target, name in zip(paths, targets, result_names(groups), strict=True)
    ]


def run_batch(
    jobs: Sequence[Job],
    maker: Callable[[argparse.Namespace], Make],
    arguments: argparse.Namespace,
    *,
    sentence: Callable[[dict[str, Any]], str],
    status: Callable[[dict[str, Any]], int] = lambda made: 0,
) -> int:
    """Runs this shard's jobs; where one of several fails, its error is logged and the others go on.

    Each result is written out as it comes: as a line of JSON (without "text") where that is asked for.

    Args:
        jobs: all of them, so that their names do not depend on the shard.
        maker: loads the models and returns a function that runs a job; picklable, as is a job.
        sentence: the text that reports a result.
        status: exit status of a result.
    Returns: the greatest status; 1 where one of several failed.
    """
    if arguments.report is not None:
        check_target(arguments.report, (".json",))
    part, parts = arguments.shard
    mine = list(jobs[len(jobs) * (part - 1) // parts : len(jobs) * part // parts])
    waiting = [job for job in mine if not (arguments.skip_existing and job.exists())]
    log = _Log(arguments, len(mine), len(mine) - len(waiting))
    try:
        if waiting:
            for job, made in _run_jobs(waiting, maker, arguments, log, alone=len(jobs) == 1):
                log.add(job, made, 1 if "error" in made else status(made), sentence)
    finally:
        log.end()
    return log.status


def _run_jobs(
    jobs: list[Job],
    maker: Callable[[argparse.Namespace], Make],
    arguments: argparse.Namespace,
    log: _Log,
    *,
    alone: bool,
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Jobs and what became of them, in the order in which they are done."""
    workers = min(arguments.jobs, len(jobs))
    if workers > 1:
        from gohd_core.workers import in_processes

        quiet = [replace(job, place=None) for job in jobs]
        yield from in_processes(_make_here, quiet, workers, _begin, (maker, arguments, workers))
        return
    make = maker(arguments)
    for job in jobs:
        log.show()
        here = replace(job, place=None if arguments.json else log.place())
        yield (job, make(here)) if alone else _attempt(make, here)


def _attempt(make: Make, job: Job) -> tuple[Job, dict[str, Any]]:
    """The result of a job, or its error."""
    try:
        return job, make(job)
    except Interrupted:
        raise
    except GohdError as error:
        return job, {**job.source_paths(), "error": str(error)}
    except Exception as error:  # One clip must not take the others with it.
        logger.info("%s", error, exc_info=True)
        first = next(iter(str(error).splitlines()), "")
        return job, {**job.source_paths(), "error": f"{type(error).__name__}: {first} (see --verbose)."}


_worker: dict[str, Make] = {}
"""A worker process's function that runs jobs."""


def _begin(maker: Callable[[argparse.Namespace], Make], arguments: argparse.Namespace, workers: int) -> None:
    """Loads the models of a worker, which takes its share of the cores."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // workers, 1)))
    _worker["make"] = maker(arguments)


def _make_here(job: Job) -> tuple[Job, dict[str, Any]]:
    return _attempt(_worker["make"], job)


class _Log:
    """Outcome of the jobs: printed as they end, shown as a bar, and written as a report."""

    def __init__(self, arguments: argparse.Namespace, total: int, skipped: int) -> None:
        self.arguments, self.total, self.skipped = arguments, total, skipped
        self.made: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.status = 0
        self._started = time.monotonic()

    @property
    def done(self) -> int:
        return self.skipped + len(self.made) + len(self.failed)

    def place(self) -> str:
        """Prefix of the next job's line of progress."""
        return f"{self.done + 1} of {self.total}, " if self.total > 1 else ""

    def add(self, job: Job, made: dict[str, Any], status: int, sentence: Callable[[dict], str]) -> None:
        """Records and reports a result."""
        self.status = max(self.status, status)
        (self.failed if "error" in made else self.made).append(
            {**job.source_paths(), **{key: value for key, value in made.items() if key != "text"}}
        )
        if self.arguments.json:
            line = {key: value for key, value in made.items() if key != "text"}
            sys.stdout.write(json.dumps(line) + "\n")
        elif "error" in made:
            *names, error = made.values()
            sys.stderr.write(f"gohd: {' with '.join(names)}: {error}\n")
        else:
            sys.stdout.write(sentence(made) + "\n")
        self.show()

    def show(self) -> None:
        """Draws the overall progress bar, on a terminal."""
        if self.arguments.json or self.total < 2 or not sys.stderr.isatty():
            return
        full = _BAR * self.done // self.total
        parts = [f"{self.done} of {self.total}"]
        parts += [f"{len(self.failed)} failed"] if self.failed else []
        new = self.done - self.skipped
        if new > 0 and self.done < self.total:
            left = (time.monotonic() - self._started) / new * (self.total - self.done)
            parts.append(f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left")
        end = "\n" if self.done == self.total else ""
        sys.stderr.write(f"\r[{'#' * full}{'-' * (_BAR - full)}] {', '.join(parts)}   {end}")
        sys.stderr.flush()

    def end(self) -> None:
        """Writes the report, and says where not all was made."""
        if self.arguments.report is not None:
            part, parts = self.arguments.shard
            about = {"command": self.arguments.command, "shard": f"{part}/{parts}", "jobs": self.total}
            about |= {"skipped": self.skipped, "made": self.made, "failed": self.failed}
            atomic_write(self.arguments.report, (json.dumps(about, indent=1) + "\n").encode())
        said = [f"{len(self.failed)} failed"] if self.failed and self.total > 1 else []
        said += [f"{self.skipped} were there already"] if self.skipped else []
        if said and not self.arguments.json:
            sys.stderr.write(f"gohd: of {self.total}, {' and '.join(said)}.\n")


def progress_of(job: Job, stage: str) -> Callable[[int, int], None] | None:
    """A line of progress, unless none is wanted."""
    return None if job.place is None else lambda done, total: show(f"{job.place}{stage}", done, total)
