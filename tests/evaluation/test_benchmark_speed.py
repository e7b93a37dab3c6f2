"""`gohd benchmark speed` runs, scales and compares; its clock and its plan."""

from __future__ import annotations

import json
import time

import pytest
import torch

from gohd_core.cli import main
from gohd_core.errors import BadInput
from gohd_core.evaluation.speed import SpeedPlan, timed


def test_the_median_of_a_known_time():
    taken = timed(lambda: time.sleep(0.02), SpeedPlan(), 3)
    assert 0.02 <= taken < 0.2
    assert timed(lambda: time.sleep(0.02), SpeedPlan(clock="processor"), 3) < 0.02


def test_a_plan_that_can_not_be():
    for wrong in ({"dtypes": ("int8",)}, {"seconds": (0.1,)}, {"clock": "sun"}, {"batches": (0,)}):
        with pytest.raises(BadInput):
            SpeedPlan(**wrong)
    if not torch.cuda.is_available():
        with pytest.raises(BadInput, match="GPU"):
            SpeedPlan(device="cuda")


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
    ]
    assert main([*command, "--json", str(first), "--markdown", str(tmp_path / "R.md")]) == 0
    tables = {table["title"]: table["rows"] for table in json.loads(first.read_text())["tables"]}
    assert tables["Stages"]["head pose"]["ms"] > 0 and tables["Stages"]["gaze"]["against reference"] > 0
    frames = tables["Drawing frames"]
    assert frames["fp32, batch 2"]["error dB"] == 100 and 30 < frames["bf16, batch 2"]["error dB"] < 100
    assert tables["Length"]["1 s"]["growth against shortest"] == 1
    assert "speed: begin" in (tmp_path / "R.md").read_text()
    capsys.readouterr()
    assert main(["evaluate", "--compare", str(first), str(first)]) == 0
    assert "frames a second ratio" in capsys.readouterr().out
    assert torch.get_num_threads() == threads
    assert main(["benchmark", "speed", "--seconds", "x"]) == 1
