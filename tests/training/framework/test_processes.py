"""Two processes equal one with twice the batch, and they can be resumed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import torch
from torch import multiprocessing

from gohd_core.training.framework.checkpointing import Checkpoints
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.loop import train
from tests.support.toy import ToyConfig, ToyTask

SETTINGS = ["dropout=0", "loop.steps=6", "loop.checkpoint_every=3", "loop.keep=2"]


def one_of_two(rank: int, port: int, out: str, resumed: str) -> None:
    """A training process as `accelerate launch` would start it."""
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    torch.set_num_threads(1)
    two = load_config(ToyConfig, None, [*SETTINGS, "data.batch=4", "loop.accumulate=2"])
    train(ToyTask, two, out)
    paused = load_config(ToyConfig, None, [*SETTINGS, "data.batch=4", "loop.pause_after_minutes=0"])
    train(ToyTask, paused, resumed)
    train(ToyTask, load_config(ToyConfig, None, [*SETTINGS, "data.batch=4"]), resumed, resume=True)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state = Checkpoints(folder / "checkpoints", 2).load_latest()[1]
    return {**state["networks"], **state["ema"]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(one_of_two, (port, str(folder / "two"), str(folder / "resumed")), nprocs=2)
    return folder


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for key, value in a.items():
        assert torch.allclose(value, b[key], atol=2e-6), key


def test_two_processes_equal_one_with_twice_the_batch(trained, tmp_path):
    train(ToyTask, load_config(ToyConfig, None, [*SETTINGS, "data.batch=16"]), tmp_path)
    assert_same(weights(tmp_path), weights(trained / "two"))


def test_two_processes_resume(trained, tmp_path):
    train(ToyTask, load_config(ToyConfig, None, [*SETTINGS, "data.batch=8"]), tmp_path)
    assert_same(weights(tmp_path), weights(trained / "resumed"))
