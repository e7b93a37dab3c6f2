"""Lists of results to make: a CSV or JSON file with a row for each, its inputs, output and options."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gohd_core.commands.batch import Job
from gohd_core.commands.inputs import alike, result_names
from gohd_core.errors import BadInput

_OF_MODELS, _OF_BATCHES = {"help", "models", "device", "dtype"}, {"jobs", "shard", "skip_existing", "report"}
_OF_ALL = _OF_MODELS | _OF_BATCHES | {"output", "list", "json"}
"""Options that hold for all rows: models are loaded once."""
_FALSE, _TRUE = ("false", "no", "0"), ("true", "yes", "1")


def listed_jobs(
    arguments: argparse.Namespace,
    add_commands: Callable[[Any], None],
    inputs: Sequence[str],
    ending: str,
    *,
    optional: Sequence[str] = (),
) -> list[Job]:
    """A job for each row of `--list`.

    Paths in a list are relative to its folder, outputs to `--output`. An input that the command line names is
    that of rows without one. Rows without an output are named after their inputs, as files of a folder are;
    two rows never have one name.

    Args:
        add_commands: of the command's module; rows may set its options that are no files.
        inputs: columns that name files; `optional` ones may be left out or empty.
        ending: of results.
    Raises: `BadInput` for a list that can't be read, or a row that can't be made.
    """
    path = arguments.list
    rows = read_rows(path)
    jobs, outputs, options = [], [], _parser(add_commands, arguments.command)
    for number, row in enumerate(rows, 1):
        where = f"Row {number} of {path.name}"
        sources: dict[str, Path | None] = {}
        for name in inputs:
            value = row.pop(name, "")
            sources[name] = path.parent / value if value else getattr(arguments, name)
            if sources[name] is None and name not in optional:
                raise BadInput(f"{where} has no {name}; give it one, or --{name} for all rows.")
        outputs.append(_output(row.pop("output", ""), ending, where))
        jobs.append((sources, _row_arguments(options, arguments, row, where)))
    names = _names([sources for sources, _ in jobs], outputs, path.name)
    folder = arguments.output
    if folder is not None and folder.suffix and not folder.is_dir():
        raise BadInput(f"The rows of a list need a folder to go to; {folder} looks like a file.")
    targets = [None if folder is None else folder / f"{name}{ending}" for name in names]
    return [
        Job(sources, target, own, name)
        for (sources, own), target, name in zip(jobs, targets, names, strict=True)
    ]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a .csv (with a head), .json (an array of objects) or .jsonl, as words."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read as a list ({error}); give a .csv or .json in UTF-8.") from error
    try:
        rows = _csv_rows(text) if path.suffix.lower() in (".csv", ".tsv") else _json_rows(text, path)
    except (ValueError, csv.Error) as error:
        raise BadInput(f"{path} is no list of rows ({error}).") from error
    if not rows:
        raise BadInput(f"{path} holds no rows; give a row for each result.")
    return rows


def _csv_rows(text: str) -> list[dict[str, str]]:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    rows = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=delimiter), 1):
        if None in row:
            raise ValueError(f"row {number} has more columns than the head")
        rows.append({_key(key): (value or "").strip() for key, value in row.items()})
    return rows


def _json_rows(text: str, path: Path) -> list[dict[str, str]]:
    whole = path.suffix.lower() != ".jsonl"
    rows = json.loads(text) if whole else [json.loads(line) for line in text.splitlines() if line.strip()]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("an array of objects is wanted")
    return [{_key(key): _word(value) for key, value in row.items()} for row in rows]


def _key(name: str) -> str:
    return name.strip().lstrip("-").replace("-", "_").lower()


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_word, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _parser(add_commands: Callable[[Any], None], command: str) -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(exit_on_error=False).add_subparsers()
    add_commands(commands)
    return commands.choices[command]


def _row_arguments(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, row: dict[str, str], where: str
) -> argparse.Namespace:
    """The command's options with those of a row."""

    def refuse(message: str) -> None:
        raise BadInput(f"{where}: {message}.")

    parser.error = refuse  # type: ignore[method-assign,assignment]
    actions = {action.dest: action for action in parser._actions if action.option_strings}
    words = []
    for name, value in row.items():
        action = actions.get(name)
        if action is None or name in _OF_ALL or action.type is Path:
            refuse(f"{name!r} is no input, and no option that a row can set")
        elif value and action.nargs == 0:
            words += _switch(action, value, refuse)
        elif value:
            words.append(f"{action.option_strings[0]}={value}")
    output = [] if arguments.output is None else ["--output", str(arguments.output)]
    return parser.parse_args([*output, *words], argparse.Namespace(**vars(arguments)))


def _switch(action: argparse.Action, value: str, refuse: Callable[[str], None]) -> list[str]:
    """The spelling of an option that takes no value."""
    if value.lower() not in (*_TRUE, *_FALSE):
        refuse(f"{action.dest} is {value!r}; give true or false")
    off = next((option for option in action.option_strings if option.startswith("--no-")), None)
    if value.lower() in _TRUE:
        return [action.option_strings[0]]
    return [off] if off and len(action.option_strings) > 1 else []


def _output(value: str, ending: str, where: str) -> str | None:
    """A row's own output, without its ending; None where it has none."""
    if Path(value).is_absolute() or ".." in Path(value).parts:
        raise BadInput(f"{where}: the output {value} must lie within the folder that --output names.")
    return (value[: -len(ending)] if value.lower().endswith(ending) else value) or None


def _names(sources: Sequence[dict[str, Path | None]], outputs: Sequence[str | None], name: str) -> list[str]:
    """The name of each row's result, without its ending: its own, or one of its inputs."""
    given = [output for output in outputs if output]
    often = Counter(map(alike, given))
    twice = next((output for output in given if often[alike(output)] > 1), None)
    if twice:
        raise BadInput(f"Two rows of {name} have the output {twice}; give each its own.")
    groups = [[path for path in row.values() if path is not None] for row in sources]
    free = [group for group, output in zip(groups, outputs, strict=True) if output is None]
    names = iter(result_names(free, given))
    return [output or next(names) for output in outputs]
