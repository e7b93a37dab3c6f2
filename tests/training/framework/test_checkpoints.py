"""Checkpoints: atomic round trips; the last few are kept."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
import torch

from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.training.framework.checkpointing import (
    Checkpoints,
    load_tree,
    rng_state,
    save_tree,
    set_rng_state,
)
from gohd_core.training.framework.log import RunLog


def test_trees_come_back_as_they_were(tmp_path):
    shared = torch.rand(3)
    tree = {
        "tensors": {0: torch.arange(4), "view": torch.rand(4, 4).t(), "bf16": torch.rand(2).bfloat16()},
        "twice": [shared, shared],
        "array": np.arange(5, dtype=np.uint32),
        "plain": (1, 2.5, "a", None, True),
        "nested": [{"x": (torch.tensor(True), [])}, ()],
        "empty": {},
    }
    save_tree(tmp_path / "t.safetensors", tree)
    back = load_tree(tmp_path / "t.safetensors")
    assert torch.equal(back["tensors"][0], torch.arange(4))
    assert torch.equal(back["tensors"]["view"], tree["tensors"]["view"])
    assert back["tensors"]["bf16"].dtype == torch.bfloat16
    assert torch.equal(back["twice"][1], shared)
    assert back["array"].dtype == np.uint32 and np.array_equal(back["array"], tree["array"])
    assert back["plain"] == tree["plain"] and back["empty"] == {}
    assert back["nested"][0]["x"][0].item() is True and back["nested"][1] == ()


def test_generators_go_on_where_they_were(tmp_path):
    device = torch.device("cpu")
    random.gauss(0, 1), np.random.standard_normal(3), torch.rand(2)
    save_tree(tmp_path / "g.safetensors", rng_state(device))
    expected = [random.gauss(0, 1), np.random.rand(), torch.rand(2).tolist()]
    set_rng_state(load_tree(tmp_path / "g.safetensors"), device)
    assert [random.gauss(0, 1), np.random.rand(), torch.rand(2).tolist()] == expected


def test_the_last_few_stay(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c", keep=2)
    assert checkpoints.load_latest() is None
    for step in (5, 90, 100, 1000):
        checkpoints.save(step, {"step": step})
    assert [load_tree(path)["step"] for path in checkpoints.paths()] == [100, 1000]
    assert checkpoints.load_latest()[1]["step"] == 1000


@pytest.mark.parametrize("where", ["write", "replace"])
def test_a_write_that_fails_leaves_the_one_before(tmp_path, monkeypatch, where):
    checkpoints = Checkpoints(tmp_path / "c", keep=1)
    checkpoints.save(1, {"step": 1})

    def fail(*_):
        raise OSError(28, "No space left on device")

    target = (os, "fsync" if where == "write" else "replace")
    monkeypatch.setattr(*target, fail)
    with pytest.raises(BadInput, match="full"):
        checkpoints.save(2, {"step": 2})
    monkeypatch.undo()
    assert checkpoints.load_latest()[1] == {"step": 1}


def test_half_written_files_are_passed_over_and_removed(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c", keep=2)
    path = checkpoints.save(1, {"step": 1})
    (tmp_path / "c" / "step_00000002.safetensors.part").write_bytes(path.read_bytes()[:50])
    assert checkpoints.load_latest()[1] == {"step": 1}
    checkpoints.save(3, {"step": 3})
    assert sorted(file.name for file in (tmp_path / "c").iterdir()) == [
        "step_00000001.safetensors", "step_00000003.safetensors",
    ]  # fmt: skip


def test_a_damaged_checkpoint_is_named(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c", keep=2)
    path = checkpoints.save(1, {"step": torch.zeros(100)})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadCheckpoint, match="step_00000001.*resume from the one before"):
        checkpoints.load_latest()


def test_a_half_written_log_line_does_not_spoil_the_next(tmp_path):
    import json

    (tmp_path / "log.jsonl").write_text('{"event": "train", "st')
    with RunLog(tmp_path, active=True, total=1, done=0, unit="step", bar=False) as log:
        log.event("resumed", 3)
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[1])["step"] == 3
