"""Figures with the setting that they were made under: tables as text, Markdown and JSON, and comparison."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gohd_core.errors import BadInput
from gohd_core.files import atomic_write, file_digest

FORMAT = 1
Value = float | int | str | None
_NOTHING = 5e-5
"""Smaller figures are shown as 0, and no ratio to them is formed."""
_MOST_COLUMNS = 12
"""A table with more columns is shown with its columns down, unless its rows are more still."""


@dataclass
class Table:
    """Rows of figures under named columns.

    Attributes:
        title: the subject.
        columns: names with units, in order; where none are given, those that the rows bring.
        rows: row name -> column -> figure; missing ones and None are shown as a dash.
        note: how it is measured, and from what source.
    """

    title: str
    columns: tuple[str, ...] = ()
    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    note: str = ""

    def add(self, row: str, **figures: Value) -> None:
        """Adds a row by keyword; underscores in the keywords become blanks."""
        self.put(row, {name.replace("_", " "): value for name, value in figures.items()})

    def __post_init__(self) -> None:
        self._open = not self.columns

    def put(self, row: str, figures: Mapping[str, Value]) -> None:
        """Adds to a row; a figure without a column is a programming error where columns were given."""
        unknown = [name for name in figures if name not in self.columns]
        if unknown and not self._open:
            raise KeyError(f"the table {self.title!r} has no column {unknown[0]!r}")
        self.columns += tuple(unknown)
        self.rows.setdefault(row, {}).update({k: _plain(v) for k, v in figures.items()})

    def cells(self) -> list[list[str]]:
        """Header and rows as text; where columns are many and rows few, turned, for the eye's sake."""
        lines = [["", *self.columns]]
        for name, figures in self.rows.items():
            lines.append([name, *(format_figure(figures.get(column)) for column in self.columns)])
        turned = len(self.columns) > max(_MOST_COLUMNS, len(self.rows))
        return [list(line) for line in zip(*lines, strict=True)] if turned else lines

    def text(self) -> str:
        """The table for a terminal."""
        cells = self.cells()
        widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
        lines = [self.title, "-" * len(self.title)]
        for line in cells:
            first = line[0].ljust(widths[0])
            rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
            lines.append("  ".join([first, *rest]).rstrip())
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def markdown(self, level: int = 3) -> str:
        """The table for a document."""
        header, *rows = self.cells()
        lines = [f"{'#' * level} {self.title}", "", _row(header), "|" + "---|" * len(header)]
        lines += map(_row, rows)
        return "\n".join([*lines, *(["", self.note] if self.note else [])])


@dataclass
class Report:
    """Everything that one run of a benchmark says.

    Attributes:
        kind: "quality", "speed", "ablations" or "evaluate".
        setting: whatever else than the subject the figures depend on; reports are comparable where
            these agree.
        subject: what was measured, e.g. the weights; may differ between compared reports.
        tables: the figures.
        seconds: how long it took, as its command measures it.
    """

    kind: str
    setting: dict[str, Any]
    subject: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    seconds: float = 0.0

    def text(self) -> str:
        """All tables for a terminal, with subject and setting."""
        about = [f"{name}: {value}" for name, value in {**self.subject, **self.setting}.items()]
        return "\n\n".join([*(table.text() for table in self.tables), "\n".join(about)]) + "\n"

    def markdown(self, command: str = "") -> str:
        """All tables for a document, after the command that made them and the setting."""
        parts = [f"`{command}`"] if command else []
        about = {**self.subject, **self.setting, "seconds": round(self.seconds)}
        parts.append("; ".join(f"{name}: {value}" for name, value in about.items()))
        return "\n\n".join([*parts, *(table.markdown() for table in self.tables)]) + "\n"

    def write(self, path: str | Path) -> None:
        """Writes JSON, whole or not at all."""
        content = {"format": FORMAT, **asdict(self)}
        atomic_write(
            path, (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
        )

    @classmethod
    def read(cls, path: str | Path) -> Report:
        """Reads what `write` wrote; `BadInput` when it is something else."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if content.pop("format") != FORMAT:
                raise BadInput(f"{path} was written by another version of GoHD; measure again.")
            tables = [
                Table(**{**table, "columns": tuple(table["columns"])}) for table in content.pop("tables")
            ]
            return cls(**content, tables=tables)
        except OSError as error:
            raise BadInput(f"{path} can't be read ({error.strerror}); check the path.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"{path} is no file of figures ({error}); give one that --json wrote.") from error


def compare(old: Report, new: Report) -> Report:
    """Both reports' figures side by side: old, new and what changed.

    Raises `BadInput` when they are of different kinds or were made under different settings.
    """
    if old.kind != new.kind:
        raise BadInput(f"Figures of {old.kind!r} and {new.kind!r} can't be compared.")
    differing = [
        f"{key} is {old.setting.get(key)!r} in one and {new.setting.get(key)!r} in the other"
        for key in sorted({*old.setting, *new.setting})
        if old.setting.get(key) != new.setting.get(key)
    ]
    if differing:
        raise BadInput(
            f"These figures were made under different settings and can't be compared: {'; '.join(differing)}."
        )
    known = {table.title: table for table in old.tables}
    tables = []
    for table in new.tables:
        before = known.get(table.title)
        if before is None:
            continue
        columns = [c for c in table.columns if c in before.columns]
        names = tuple(f"{c}{part}" for c in columns for part in (" old", " new", " ratio"))
        both = Table(table.title, names)
        for row, figures in table.rows.items():
            if row not in before.rows:
                continue
            for column in columns:
                first, second = before.rows[row].get(column), figures.get(column)
                numbers = isinstance(first, (int, float)) and isinstance(second, (int, float))
                ratio = second / first if numbers and abs(first) >= _NOTHING else None
                both.put(row, {f"{column} old": first, f"{column} new": second, f"{column} ratio": ratio})
        tables.append(both)
    return Report(f"{new.kind} compared", new.setting, {"old": old.subject, "new": new.subject}, tables)


def refresh_section(path: str | Path, name: str, text: str) -> None:
    """Puts `text` between the marks of section `name` of a Markdown file; appends both where missing."""
    path = Path(path)
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    content = path.read_text(encoding="utf-8") if path.is_file() else ""
    section = f"{first}\n{text.rstrip()}\n{last}"
    if first in content and last in content:
        before, rest = content.split(first, 1)
        content = before + section + rest.split(last, 1)[1]
    else:
        content = f"{content.rstrip()}\n\n{section}\n".lstrip()
    atomic_write(path, content.encode())


def format_figure(value: Value) -> str:
    """A figure in three significant digits."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if abs(value) < _NOTHING:
        return "0"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _plain(value: Any) -> Value:
    """Numpy and torch numbers as Python's; None where they are not finite."""
    if value is None or isinstance(value, (str, int)):
        return value
    number = float(value)
    return float(f"{number:.6g}") if math.isfinite(number) else None


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def provenance(path: str | Path, name: str | None = None) -> str:
    """A file's name (or the given one) and the first digits of its SHA-256."""
    return f"{name or Path(path).name} {file_digest(path)[:8]}"


def machine() -> str:
    """The machine in words: processor or GPU, threads, libraries."""
    import torch

    processor = platform.machine()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{processor} {capability}, {torch.get_num_threads()} threads, {device}, torch {torch.__version__}"
