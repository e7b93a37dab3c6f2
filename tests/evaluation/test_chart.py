"""Charts of figures: bars as long as their values, every column of numbers, no wrong ending."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gohd_core.errors import BadInput
from gohd_core.evaluation.chart import write_chart
from gohd_core.evaluation.report import Report, Table
from gohd_core.render.plot import COLOURS


def bars(path, colour) -> list[int]:
    """Widths of the bars of one colour, from above, those side by side in one sum; text is no bar."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    widths = (picture == colour).all(-1).sum(1)
    starts = np.flatnonzero(
        (widths[1:-1] > 12) & (widths[:-2] != widths[1:-1]) & (widths[2:] == widths[1:-1])
    )
    return [int(widths[1 + k]) for k in starts]


def report(columns: int) -> Report:
    table = Table("t", ("said", *(f"c{k}" for k in range(columns))))
    table.put("half", {"said": "yes", **{f"c{k}": 0.5 for k in range(columns)}})
    table.put("whole", {f"c{k}": 1.0 for k in range(columns)})
    return Report("quality", {}, {}, [table])


def test_a_bar_is_as_long_as_its_value(tmp_path):
    path = tmp_path / "chart.png"
    write_chart(path, report(1))
    half, whole = bars(path, COLOURS[0])
    assert half == pytest.approx(whole / 2, abs=1)


def test_every_column_of_numbers_is_drawn(tmp_path):
    path = tmp_path / "chart.png"
    drawn = []
    for columns in (len(COLOURS), 3 * len(COLOURS)):
        write_chart(path, report(columns))
        drawn.append(sum(sum(bars(path, colour)) for colour in COLOURS))
    assert drawn[0] > 0 and drawn[1] == 3 * drawn[0]


def test_a_wrong_ending_is_an_error_and_nothing_is_written(tmp_path):
    with pytest.raises(BadInput, match="end"):
        write_chart(tmp_path / "chart.pdf", report(1))
    assert not list(tmp_path.iterdir())
