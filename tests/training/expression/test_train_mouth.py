"""The script that trains the mouth: one step from nothing, and one from two earlier runs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.audio import chunk_index
from gohd_core.checkpoints import load_network
from gohd_core.stylised.speech.phones import IDS
from gohd_core.training.expression import mouth_shards
from gohd_core.training.expression.mouth_examples import COEFFICIENTS, MouthExample
from tests.support.clip_sets import write_talk_clips

SCRIPT = Path(__file__).parents[3] / "scripts" / "train_mouth.py"


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Runs the script for one step on random examples; the place of its weights."""
    spec = importlib.util.spec_from_file_location("train_mouth", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(mouth_shards, "BATCH", 2)
    monkeypatch.setattr(script, "SHARD", 2)
    for name in ("shard", "shard_of_recordings"):
        monkeypatch.setattr(script, name, lambda _, count, rng: [random_example(rng) for _ in range(count)])
    data = write_talk_clips(tmp_path / "talk")
    threads = torch.get_num_threads()

    def run(name: str, *options: object) -> Path:
        out = tmp_path / f"{name}.safetensors"
        given = ["--data", data, "--recordings", data, "--examples", tmp_path / "examples", "--out", out]
        given += ["--shards", 1, "--recorded-shards", 2, *options]
        monkeypatch.setattr(sys, "argv", ["train_mouth.py", *map(str, given), "--minutes", "1e-9"])
        script.main()
        return out

    yield run
    torch.set_num_threads(threads)


def random_example(rng: np.random.Generator) -> MouthExample:
    rows = rng.normal(0, 1, (200, 80)).astype(np.float16)
    phones = rng.integers(0, len(IDS), 200).astype(np.int16)
    return MouthExample(rows, phones, rng.uniform(0, 1, (60, len(COEFFICIENTS))).astype(np.float32))


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


def test_a_chunk_encoder_that_an_earlier_run_lacked_adds_nothing_at_first(train) -> None:
    begun = train("first", "--width", 8, "--channels", 0).with_suffix(".checkpoint")
    stored = torch.load(begun)["average"]
    assert not any(name.startswith("chunk_encoder") for name in stored)
    train("second", "--width", 8, "--begin", begun, "--rate", 0, "--teachers", begun)
    found = torch.load(begun.with_name("second.checkpoint"))["network"]
    assert not found["join.weight"].any() and not found["join.bias"].any()
    assert found["chunk_encoder.embed.weight"].any()
    for name, value in stored.items():
        torch.testing.assert_close(found[name], value)


def test_a_run_goes_on_where_it_was_left(train) -> None:
    first = train("first", "--width", 8, "--channels", 4)
    again = train("first", "--width", 8, "--channels", 4)
    assert first == again
    assert torch.load(first.with_suffix(".checkpoint"))["step"] == 1, "its time was used up"


def test_windows_are_what_the_example_says(tmp_path) -> None:
    one = random_example(np.random.default_rng(0))
    encoder = load_network("builtin", "expression").network.lips.audio_encoder
    mouth_shards.make_shards(tmp_path, 1, encoder, lambda _: [one, one], 0)
    pool = mouth_shards.read_shards(tmp_path)
    assert len(pool) == 2
    batch = mouth_shards.draw_batch([pool], [1.0], np.random.default_rng(1))
    for k in range(len(batch.mouth)):
        start = int((np.abs(one.mouth[:, None] - batch.mouth[k, 0].numpy()).sum(-1)).argmin())
        chunks, mouth = one.window(start, mouth_shards.FRAMES)
        np.testing.assert_array_equal(batch.chunks[k], chunks)
        np.testing.assert_array_equal(batch.mouth[k], mouth)
        index = np.clip(chunk_index(10**6, start, start + mouth_shards.FRAMES), 0, 199)
        np.testing.assert_array_equal(batch.phones[k], one.phones[index[:, [6, 9]]])
        with torch.inference_mode():
            torch.testing.assert_close(
                batch.audio[k], encoder(torch.from_numpy(chunks)), atol=2e-2, rtol=1e-2
            )
