"""Figures as a picture: a panel or more per table, one bar per row, without a plotting library."""

from __future__ import annotations

from pathlib import Path

from gohd_core.errors import BadInput
from gohd_core.evaluation.report import Report, Table, format_figure
from gohd_core.files import atomic_path
from gohd_core.render.plot import BACKGROUND, COLOURS, GRID, INK

_WIDTH = 980
"""Pixels: width of a chart, of a name and of a bar, height of a line, padding."""
_NAME = 190
_BAR = 120
_LINE = 16
_PAD = 10
_COLUMNS = (_WIDTH - _NAME) // _BAR
_FORMATS = (".png", ".jpg", ".jpeg", ".webp")


def write_chart(path: str | Path, report: Report) -> None:
    """Draws a report's tables: bars for each column of numbers, scaled to its largest value."""
    from PIL import Image, ImageDraw

    path = Path(path)
    check_ending(path)
    panels = [(table, part) for table in report.tables for part in _parts(table)]
    height = sum(_height(table) for table, _ in panels) + _PAD
    picture = Image.new("RGB", (_WIDTH, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    top = _PAD
    for table, columns in panels:
        _panel(draw, table, columns, top)
        top += _height(table)
    with atomic_path(path) as part:
        picture.save(part, "JPEG" if path.suffix.lower().startswith(".j") else path.suffix[1:].upper())


def check_ending(path: Path) -> None:
    """`BadInput` where a chart can't be written by that name."""
    if path.suffix.lower() not in _FORMATS:
        raise BadInput(f"Charts are written as {', '.join(_FORMATS)}; {path.name} ends otherwise.")


def _height(table: Table) -> int:
    return (len(table.rows) + 3) * _LINE


def _parts(table: Table) -> list[list[str]]:
    """The columns that hold numbers, as many at a time as a panel is wide; at least one panel."""
    numeric = [c for c in table.columns if any(_number(row.get(c)) for row in table.rows.values())]
    return [numeric[k : k + _COLUMNS] for k in range(0, max(len(numeric), 1), _COLUMNS)]


def _panel(draw: object, table: Table, columns: list[str], top: int) -> None:
    draw.text((_PAD, top), table.title, fill=INK)
    for k, column in enumerate(columns):
        left = _NAME + k * _BAR
        draw.text((left, top + _LINE), column[:18], fill=COLOURS[k % len(COLOURS)])
        values = [row.get(column) for row in table.rows.values()]
        largest = max((abs(v) for v in values if _number(v)), default=0) or 1
        for line, value in enumerate(values, start=2):
            y = top + line * _LINE
            if _number(value):
                length = (_BAR - 54) * abs(value) / largest
                colour = COLOURS[k % len(COLOURS)] if value >= 0 else GRID
                draw.rectangle((left, y + 3, left + length, y + _LINE - 4), fill=colour)
            draw.text((left + _BAR - 50, y), format_figure(value), fill=INK)
    for line, name in enumerate(table.rows, start=2):
        draw.text((_PAD, top + line * _LINE), name[:28], fill=INK)


def _number(value: object) -> bool:
    return isinstance(value, (int, float))
