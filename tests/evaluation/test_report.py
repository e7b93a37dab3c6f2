"""Reports: written and read, compared only under one setting, sections refreshed in place."""

from __future__ import annotations

import pytest

from gohd_core.errors import BadInput
from gohd_core.evaluation.report import Report, Table, compare, format_figure, refresh_section


def make(psnr: float, **setting: object) -> Report:
    table = Table("frames", ("PSNR dB", "note"))
    table.put("result", {"PSNR dB": psnr, "note": "x"})
    return Report("quality", {"size": 256, **setting}, {"animator": "a"}, [table], 1.5)


def test_it_survives_writing(tmp_path):
    report = make(float("nan"))
    report.write(tmp_path / "a.json")
    again = Report.read(tmp_path / "a.json")
    assert again == report and again.tables[0].rows["result"]["PSNR dB"] is None
    assert "| result | - | x |" in again.markdown("gohd benchmark quality")
    assert "result" in again.text() and "size: 256" in again.text()


def test_comparison_refuses_other_settings():
    both = compare(make(20.0), make(30.0))
    assert both.tables[0].rows["result"] == {
        "PSNR dB old": 20.0,
        "PSNR dB new": 30.0,
        "PSNR dB ratio": 1.5,
        "note old": "x",
        "note new": "x",
        "note ratio": None,
    }
    nothing = compare(make(1e-7), make(3.0)).tables[0].rows["result"]
    assert nothing["PSNR dB ratio"] is None
    with pytest.raises(BadInput, match="crop is None in one and 'tight' in the other"):
        compare(make(20.0), make(20.0, crop="tight"))
    other = make(20.0)
    other.kind = "speed"
    with pytest.raises(BadInput, match="speed"):
        compare(make(20.0), other)


def test_other_files_are_no_report(tmp_path):
    path = tmp_path / "x.json"
    for content in ("{", "[]", "{}", '{"format": 1}', '{"format": 7, "tables": []}'):
        path.write_text(content)
        with pytest.raises(BadInput):
            Report.read(path)
    with pytest.raises(BadInput, match="can't be read"):
        Report.read(tmp_path / "none.json")


def test_sections_are_refreshed_in_place(tmp_path):
    path = tmp_path / "R.md"
    path.write_text("# Results\n")
    refresh_section(path, "quality", "one")
    refresh_section(path, "speed", "fast")
    refresh_section(path, "quality", "two")
    content = path.read_text()
    assert content.startswith("# Results\n") and "one" not in content
    assert content.index("two") < content.index("fast") and content.count("begin") == 2


def test_wide_tables_are_shown_turned():
    narrow, wide = (Table("t", tuple(f"c{k}" for k in range(count))) for count in (3, 20))
    for table in (narrow, wide):
        table.put("result", {"c2": 0.5})
    assert narrow.cells() == [["", "c0", "c1", "c2"], ["result", "-", "-", "0.5"]]
    assert wide.cells()[0] == ["", "result"] and wide.cells()[3] == ["c2", "0.5"]
    assert "| c2 | 0.5 |" in wide.markdown() and wide.rows["result"] == {"c2": 0.5}
    for k in range(20):
        wide.put(f"row {k}", {})
    assert wide.cells()[0][1:] == list(wide.columns)


def test_a_figure_needs_its_column():
    with pytest.raises(KeyError):
        Table("t", ("a",)).put("row", {"b": 1.0})
    assert [format_figure(v) for v in (None, 3, 0.12345, 1234.5, "x")] == ["-", "3", "0.123", "1234", "x"]


def test_targets_are_relative_to_the_reader():
    from gohd_core.evaluation.quality.targets import target_table

    table = Table(
        "Commanded against measured, one thing at a time",
        ("slope", "slope of truth", "correlation", "landmarks", "landmarks of truth"),
    )
    table.put("gaze yaw", {"slope": 0.5, "slope of truth": 0.5, "correlation": 0.9})
    table.put("smile", {"landmarks": 0.6, "landmarks of truth": 0.8})
    table.put("pucker", {"landmarks": None, "landmarks of truth": 0.8})
    rows = target_table([table]).rows
    assert rows["gaze yaw: amplitude"] == {"wanted": "0.9 to 1.1", "measured": 1.0, "met": "yes"}
    assert rows["gaze yaw: correlation"]["met"] == "no"
    assert rows["smile: displacement"]["measured"] == pytest.approx(0.75)
    assert rows["smile: displacement"]["met"] == rows["pucker: displacement"]["met"] == "no"
    assert set(rows) == {
        *("gaze yaw: amplitude", "gaze yaw: correlation", "smile: displacement", "pucker: displacement")
    }


def test_the_command_line_leaves_out_outputs_and_folders():
    from gohd_core.commands.report_options import command_line

    given = "benchmark quality --json a.json --speech x/y.wav --markdown R.md --plot=p.png --clips 3"
    assert command_line(given.split()) == "gohd benchmark quality --speech y.wav --clips 3"
