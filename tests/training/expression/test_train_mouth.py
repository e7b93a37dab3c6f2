"""The script that trains the mouth: one step from nothing, and one from two earlier runs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.checkpoints import load_network
from gohd_core.training.expression.mouth_examples import COEFFICIENTS, MouthExample
from tests.support.clip_sets import write_talk_clips

SCRIPT = Path(__file__).parents[3] / "scripts" / "train_mouth.py"


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Runs the script for one step on random examples; the place of its weights."""
    spec = importlib.util.spec_from_file_location("train_mouth", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "BATCH", 2)
    monkeypatch.setattr(script, "SHARD", 2)
    monkeypatch.setattr(script, "shard", lambda _, count, rng: [random_example(rng) for _ in range(count)])
    data = write_talk_clips(tmp_path / "talk")
    threads = torch.get_num_threads()

    def run(name: str, *options: object) -> Path:
        out = tmp_path / f"{name}.safetensors"
        given = ["--data", data, "--examples", tmp_path / "examples", "--out", out, "--shards", 1, *options]
        monkeypatch.setattr(sys, "argv", ["train_mouth.py", *map(str, given), "--minutes", "1e-9"])
        script.main()
        return out

    yield run
    torch.set_num_threads(threads)


def random_example(rng: np.random.Generator) -> MouthExample:
    rows = rng.normal(0, 1, (200, 80)).astype(np.float16)
    return MouthExample(rows, rng.uniform(0, 1, (60, len(COEFFICIENTS))).astype(np.float32))


def test_the_mouth_alone_is_trained_and_may_follow_earlier_ones(train) -> None:
    first = train("first", "--width", 8)
    begun = first.with_suffix(".checkpoint")
    second = train("second", "--width", 8, "--begin", begun, "--teachers", begun, begun)
    before = load_network("builtin", "expression").network.state_dict()
    for path in (first, second):
        loaded = load_network(path, "expression")
        assert loaded.info["training"]["steps"] == 1 and loaded.config.mouth_width == 8
        assert ("teachers" in loaded.info["figures"]) == (path == second)
        for key, value in loaded.network.state_dict().items():
            if not key.startswith("mouth."):
                torch.testing.assert_close(value, before[key], atol=1e-6, rtol=1e-3)
    with pytest.raises(RuntimeError, match="size mismatch"):
        train("wide", "--width", 16, "--begin", begun)


def test_a_feature_map_that_an_earlier_run_lacked_begins_at_zero(train) -> None:
    begun = train("first", "--width", 8).with_suffix(".checkpoint")
    stored = torch.load(begun)
    stored["average"] = {k: v for k, v in stored["average"].items() if not k.startswith("map.")}
    torch.save(stored, begun)
    train("second", "--width", 8, "--begin", begun, "--rate", 0)
    found = torch.load(begun.with_name("second.checkpoint"))["network"]
    assert not found["map.weight"].any() and not found["map.bias"].any()
    for name, value in stored["average"].items():
        torch.testing.assert_close(found[name], value)
