"""`gohd benchmark speed` runs, scales and compares; its clock, its plan and its memory."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from gohd_core.cli import main
from gohd_core.errors import BadInput
from gohd_core.evaluation.speed.memory import peak_mib, reset_peak
from gohd_core.evaluation.speed.plan import CLOCKS, SpeedPlan, measure_seconds


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_median_of_a_known_time(clock, monkeypatch):
    """By a clock that goes on while the work is done: the first call does not count."""
    lasting, now = iter([100.0, 1.0, 7.0, 2.0]), [0.0]
    monkeypatch.setitem(CLOCKS, clock, lambda: now[0])
    assert measure_seconds(lambda: now.append(now.pop() + next(lasting)), SpeedPlan(clock=clock), 3) == 2.0


def test_a_plan_that_can_not_be():
    for wrong in ({"dtypes": ("int8",)}, {"seconds": (0.1,)}, {"clock": "sun"}, {"batches": (0,)}):
        with pytest.raises(BadInput):
            SpeedPlan(**wrong)
    if not torch.cuda.is_available():
        with pytest.raises(BadInput, match="GPU"):
            SpeedPlan(device="cuda")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux begins a peak anew")
def test_the_peak_is_that_of_the_work_alone():
    reset_peak("cpu")
    before = peak_mib("cpu")
    kept = torch.ones(200, 2**18)
    assert peak_mib("cpu") - before == pytest.approx(200, abs=30)
    del kept
    reset_peak("cpu")
    assert peak_mib("cpu") - before < 100


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux begins a peak anew")
def test_cached_memory_of_the_allocator_hides_nothing():
    torch.ones(7, 2**20)  # once freed, blocks of up to its size are kept rather than returned
    blocks = [torch.ones(2**20) for _ in range(100)]
    pin = torch.ones(2**18)
    del blocks
    reset_peak("cpu")
    before = peak_mib("cpu")
    kept = torch.ones(200, 2**18)
    assert peak_mib("cpu") - before == pytest.approx(200, abs=30)
    assert len(pin) > len(kept)


def test_it_measures_and_compares(tmp_path, capsys):
    threads = torch.get_num_threads()
    first = tmp_path / "first.json"
    command = [
        "benchmark",
        "speed",
        "--seconds",
        "1,2",
        "--frames",
        "4",
        "--batches",
        "2",
        "--clock",
        "processor",
        "--threads",
        "1",
    ]
    assert main([*command, "--json", str(first), "--markdown", str(tmp_path / "R.md")]) == 0
    tables = {table["title"]: table["rows"] for table in json.loads(first.read_text())["tables"]}
    assert tables["Stages"]["head pose"]["ms"] > 0 and tables["Stages"]["gaze"]["against reference"] > 0
    frames = tables["Drawing frames"]
    assert frames["fp32, batch 2"]["error dB"] == 100 and 30 < frames["bf16, batch 2"]["error dB"] < 100
    lengths = tables["Length"]
    assert lengths["1 s"]["cost against shortest"] == 1 and lengths["2 s"]["cost against shortest"] > 0
    assert all(row["motion MiB"] > 50 and row["drawing ms a frame"] > 0 for row in lengths.values())
    assert "speed: begin" in (tmp_path / "R.md").read_text()
    capsys.readouterr()
    assert main(["evaluate", "--compare", str(first), str(first)]) == 0
    assert "frames a second ratio" in capsys.readouterr().out
    assert torch.get_num_threads() == threads
    with pytest.raises(SystemExit, match="2"):
        main(["benchmark", "speed", "--seconds", "x"])
    assert "'x' is not a number" in capsys.readouterr().err
