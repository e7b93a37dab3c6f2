"""The loop: resuming, killing, bad numbers, players, averages, schedules, and its files."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gohd_core.errors import BadInput, Interrupted
from gohd_core.training.framework.checkpointing import Checkpoints
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.dry_run import dry_run
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.optimisers import Ema, learning_rate_scale
from gohd_core.training.framework.run import Counters, Run
from gohd_core.training.framework.settings import OptimiserConfig
from gohd_core.training.framework.task import Moment
from tests.support.toy import ToyConfig, ToyTask, flat

ROOT = Path(__file__).parents[3]


def config(*overrides: str) -> ToyConfig:
    return load_config(ToyConfig, None, overrides)


def losses(folder: Path) -> dict[int, float]:
    """Loss by step from a run's log; a step that was done twice counts as done last."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return {line["step"]: line["line/square"] for line in lines if line["event"] == "train"}


def final(folder: Path) -> dict:
    return Checkpoints(folder / "checkpoints", 2).load_latest()[1]


def equal_trees(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal_trees(a[key], b[key]) for key in a)
    return torch.equal(a, b)


def test_resuming_equals_no_interruption(tmp_path):
    train(ToyTask, config(), tmp_path / "whole")
    with pytest.raises(Interrupted, match="step 5"):
        stop = iter([False] * 4 + [True])
        train(ToyTask, config(), tmp_path / "parts", should_stop=lambda: next(stop))
    torch.manual_seed(99)
    summary = train(ToyTask, config(), tmp_path / "parts", resume=True)
    assert summary.reason == "finished" and summary.step == 12
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    whole, parts = final(tmp_path / "whole"), final(tmp_path / "parts")
    for what in ("networks", "ema", "optimisers"):
        assert equal_trees(whole[what], parts[what]), what


def test_another_seed_gives_other_losses(tmp_path):
    train(ToyTask, config(), tmp_path / "a")
    train(ToyTask, config("loop.seed=1"), tmp_path / "b")
    assert losses(tmp_path / "a")[1] != losses(tmp_path / "b")[1]


def test_validation_and_pictures_leave_no_trace(tmp_path):
    train(ToyTask, config(), tmp_path / "plain")
    train(ToyTask, config("loop.validate_every=2", "loop.picture_every=3"), tmp_path / "watched")
    assert equal_trees(final(tmp_path / "plain")["networks"], final(tmp_path / "watched")["networks"])


def test_a_finished_folder_is_not_overwritten(tmp_path):
    train(ToyTask, config("loop.steps=2"), tmp_path)
    with pytest.raises(BadInput, match="--resume"):
        train(ToyTask, config("loop.steps=2"), tmp_path)


def test_resuming_with_another_network_is_refused(tmp_path):
    train(ToyTask, config("loop.steps=2"), tmp_path)
    with pytest.raises(BadInput, match="other shapes"):
        train(ToyTask, config("loop.steps=4", "width=9"), tmp_path, resume=True)


SCRIPT = """
import sys
from tests.support.toy import ToyConfig, ToyTask
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.loop import train
settings = ["loop.steps=100000", "loop.checkpoint_every=3", "loop.log_every=0", *sys.argv[2:]]
config = load_config(ToyConfig, None, settings)
train(ToyTask, config, sys.argv[1], resume=True)
"""
COMMAND = [sys.executable, "-c", SCRIPT]


def test_a_killed_run_leaves_a_checkpoint_that_resumes(tmp_path):
    for delay in (0.05, 0.4):
        before = len(Checkpoints(tmp_path / "checkpoints", 2).paths())
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE
        )
        deadline = time.time() + 60
        first = Checkpoints(tmp_path / "checkpoints", 2).paths()
        while Checkpoints(tmp_path / "checkpoints", 2).paths() == first and time.time() < deadline:
            assert process.poll() is None, process.stderr.read().decode()[-2000:]
            time.sleep(0.02)
        time.sleep(delay)
        process.kill()
        process.communicate()
        path, state = Checkpoints(tmp_path / "checkpoints", 2).load_latest()
        assert state["step"] > 0 and state["step"] % 3 == 0, path
        assert before == 0 or state["step"] > int(first[-1].stem.split("_")[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_pauses(tmp_path, number):
    """Ctrl-C goes to the whole group, loader workers included; SIGTERM to the process alone."""
    command = [*COMMAND, str(tmp_path), "data.workers=1" if number == signal.SIGINT else "data.workers=0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.time() + 60
    while not (tmp_path / "checkpoints").is_dir() and time.time() < deadline:
        assert process.poll() is None, "it ended before it was stopped"
        time.sleep(0.02)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.terminate()
    assert process.wait(60) == 0
    events = [json.loads(line)["event"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert events[-1] == "paused"


def test_a_loss_that_is_not_finite_names_the_clips(tmp_path):
    with pytest.raises(BadInput, match=r"step 2 .*point10, point11, point8, point9"):
        train(ToyTask, config("bad_number=9"), tmp_path)


def test_a_bad_step_can_be_skipped_and_is_counted(tmp_path):
    train(ToyTask, config("bad_number=9", "loop.bad_loss=skip"), tmp_path)
    state = final(tmp_path)
    assert state["skipped"] == {"clips": 0, "steps": 1}
    assert all(torch.isfinite(value).all() for value in state["networks"].values())
    assert not any(math.isnan(value) for step, value in losses(tmp_path).items() if step != 3)


def test_every_loss_off_is_refused(tmp_path):
    class Silent(ToyTask):
        def losses(self, player, batch, moment):
            terms = super().losses(player, batch, moment)
            return type(terms)({name: (0.0, value) for name, (_, value) in terms.items()})

    with pytest.raises(BadInput, match="Every loss of the line is off"):
        train(Silent, config(), tmp_path)


def test_players_move_their_own_weights_only_and_wake_in_time():
    run = Run(ToyTask, config())
    batches = run.batches()
    line, critic = flat(run.task)[:-2].clone(), flat(run.task)[-2:].clone()
    run.take_step([next(batches)], Moment(0, 0.4), Counters())
    assert not torch.equal(flat(run.task)[:-2], line) and torch.equal(flat(run.task)[-2:], critic)
    run.take_step([next(batches)], Moment(1, 0.6), Counters())
    assert not torch.equal(flat(run.task)[-2:], critic)


def test_accumulation_equals_a_larger_batch():
    small = Run(ToyTask, config("dropout=0", "data.batch=4", "loop.accumulate=2"))
    large = Run(ToyTask, config("dropout=0", "data.batch=8"))
    for run in (small, large):
        batches = run.batches()
        for step in range(4):
            group = [next(batches) for _ in range(run.config.loop.accumulate)]
            run.take_step(group, Moment(step, 0.0), Counters())
    assert torch.allclose(flat(small.task), flat(large.task), atol=1e-6)


def test_the_average_is_the_recursion_of_its_definition():
    network = torch.nn.Linear(2, 1)
    ema = Ema({"one": network}, 0.75)
    expected = network.weight.detach().clone()
    for step in range(1, 40):
        with torch.no_grad():
            network.weight += 0.1 * step
        ema.update(step)
        decay = min(0.75, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach()
    live = network.weight.detach().clone()
    with ema.in_place():
        assert torch.allclose(network.weight, expected)
    assert torch.equal(network.weight, live)


@pytest.mark.parametrize(
    ("schedule", "fraction", "expected"),
    [
        ("constant", 0.9, 1.0),
        ("cosine", 0.0, 1.0),
        ("cosine", 0.5, 0.55),
        ("cosine", 1.0, 0.1),
        ("linear", 0.25, 0.775),
    ],
)
def test_schedules(schedule, fraction, expected):
    optimiser = OptimiserConfig(schedule=schedule, final_scale=0.1)
    assert learning_rate_scale(optimiser, Moment(1000, fraction)) == pytest.approx(expected)


def test_warm_up_is_a_line():
    optimiser = OptimiserConfig(warmup_steps=4)
    assert [learning_rate_scale(optimiser, Moment(step, 0)) for step in range(6)] == [
        0.25,
        0.5,
        0.75,
        1,
        1,
        1,
    ]


def test_a_run_by_the_clock_ends_and_its_schedule_with_it(tmp_path):
    summary = train(ToyTask, config("loop.steps=null", "loop.max_minutes=0.02", "loop.ema=0"), tmp_path)
    assert summary.reason == "finished" and 1.2 <= summary.seconds < 10 and summary.step > 3
    rates = [
        json.loads(line).get("line/learning_rate")
        for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    rates = [rate for rate in rates if rate is not None]
    assert rates[-1] < 0.01 * max(rates)


def test_a_pause_by_the_clock_is_resumed(tmp_path):
    paused = train(ToyTask, config("loop.pause_after_minutes=0"), tmp_path)
    assert paused.reason == "paused" and 0 < paused.step < 12
    done = train(ToyTask, config(), tmp_path, resume=True)
    assert done.reason == "finished" and done.seconds >= paused.seconds


def test_a_run_without_an_end_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"loop\.steps or loop\.max_minutes"):
        train(ToyTask, config("loop.steps=null"), tmp_path)


def test_files_of_a_run(tmp_path):
    settings = config("loop.validate_every=6", "loop.picture_every=6", "loop.sample_every=12", "loop.keep=1")
    summary = train(ToyTask, settings, tmp_path, command="gohd train toy")
    assert summary.figures.keys() == {"square", "judged", "mean"}
    assert load_config(ToyConfig, tmp_path / "config.yaml") == settings
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step_00000012.safetensors"]
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        "points_00000006.png", "points_00000012.png",
    ]  # fmt: skip
    assert list((tmp_path / "tensorboard").iterdir())
    import av

    with av.open(str(tmp_path / "samples" / "beep_00000012.mp4")) as container:
        assert container.streams.video[0].frames == 25
        assert container.streams.audio[0].duration * container.streams.audio[0].time_base == pytest.approx(
            1, abs=0.1
        )
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["event"] == "finished" and 0 <= last["wait_share"] <= 1


def test_slow_data_shows_as_waiting(tmp_path):
    class Slow(ToyTask):
        def dataset(self, split):
            points = super().dataset(split)

            class Sleepy(type(points)):
                def __getitem__(self, number):
                    time.sleep(0.03)
                    return super().__getitem__(number)

            return Sleepy(points.config)

    quick = train(ToyTask, config("data.validation_batches=0"), tmp_path / "quick")
    slow = train(Slow, config("data.validation_batches=0"), tmp_path / "slow")
    assert slow.wait_share > 0.5 and slow.wait_share > quick.wait_share


def test_bf16_runs_and_keeps_fp32_weights():
    run = Run(ToyTask, config("loop.precision=bf16"))
    run.take_step([next(run.batches())], Moment(0, 0.0), Counters())
    assert run.task.guess.dtype == torch.bfloat16
    assert {p.dtype for p in run.task.networks.parameters()} == {torch.float32}


def test_a_dry_run_reports_sizes_and_saves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = dry_run(ToyTask, replace(config(), width=16))
    assert "line: 81 parameters" in text and "x: [4, 3] float32" in text
    assert "steps/s" in text and "GiB" in text and "minutes for 12 steps" in text
    assert not list(tmp_path.iterdir())
