"""The eyes' reader learns what it owes, by itself or with all of the animator, from older weights too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_stills
import torch
from test_animator_training import COMPOSITE, batch_of, config

from gohd_core.animator.eyeballs import Eyeballs
from gohd_core.errors import BadInput
from gohd_core.stylised import eye_places
from gohd_core.training.animator import AnimatorTask
from gohd_core.training.animator_exact import add_eyeballs
from gohd_core.training.loop import train
from gohd_core.training.task import Moment, Terms

PLACE = np.array([0.3, 0.04, 0.36], np.float32)
WITH_EYES = replace(COMPOSITE, eyeballs=True)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(eye_places, "eye_place", lambda clip, frame: PLACE)
    return tiny_stills.write(tmp_path / "stills")


def test_weights_without_eyeballs_are_begun_with_and_eyes_alone_learn(data, tmp_path):
    train(AnimatorTask, config(data), tmp_path / "without")
    start = str(tmp_path / "without" / "animator.safetensors")
    settings = config(data, network=WITH_EYES, start=start, only="eyes")
    task = AnimatorTask(settings)
    before = {name: value.clone() for name, value in task.animator.state_dict().items()}
    older = AnimatorTask(config(data, start=start)).animator.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in older.items())
    train(AnimatorTask, settings, tmp_path / "eyes")
    after = AnimatorTask(
        replace(settings, start=str(tmp_path / "eyes" / "animator.safetensors"))
    ).animator.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("eyes.") for name in changed)


def test_the_reader_learns_a_batch_by_heart(data):
    torch.manual_seed(0)
    task = AnimatorTask(config(data, network=WITH_EYES, only="eyes"))
    batch = batch_of(task, task.config)
    assert torch.equal(batch["look"], batch["window"][:, 64:, 13])
    batch["eyeballs"] = torch.ones_like(batch["eyeballs"])
    optimiser = torch.optim.Adam(task.animator.eyes.parameters(), lr=1e-2)
    losses = []
    for step in range(60):
        terms = task.losses("generator", batch, Moment(step, 1.0))
        losses.append(float(terms.total().detach()))
        optimiser.zero_grad()
        terms.total().backward()
        optimiser.step()
    assert losses[-1] < 0.5 * losses[0]


def test_all_of_the_animator_learns_with_its_eyes(data):
    task = AnimatorTask(config(data, network=WITH_EYES))
    batch = batch_of(task, task.config)
    terms = task.losses("generator", batch, Moment(0, 1.0))
    terms.total().backward()
    assert "eyeballs" in terms
    for part in (task.animator.eyes, task.animator.decoder):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


@pytest.mark.parametrize(("network", "only"), [(WITH_EYES, "decoder"), (COMPOSITE, "eyes")])
def test_only_a_part_that_can_learn_alone_does(network, only, data):
    task = AnimatorTask(config(data, network=network, only=only))
    with pytest.raises(BadInput, match="alone"):
        task.players()


def test_the_loss_is_least_at_the_truth():
    size = 64
    charts = torch.full((1, 2, 4, 8, 8), -6.0)
    whites = torch.full((1, 2, 4, 8, 8), 0.5)
    true = Eyeballs(torch.from_numpy(PLACE)[None], charts, whites, charts[:, 0])
    look = torch.zeros(1, 8)
    seen = torch.ones(1, 1, size, size)
    target = true.laid(torch.zeros(1, 3, size, size), seen, look)
    batch = {"eyeballs": seen, "eye_place": true.place, "look": look}

    def value(found: Eyeballs) -> float:
        terms = Terms()
        weights = config("", network=WITH_EYES).losses
        add_eyeballs(terms, weights, batch, found, target)
        return float(terms.total())

    assert value(true) < 2e-3  # a ball's soft edge lets the target through twice
    assert value(replace(true, whites=whites + 0.2)) > 0.02
    assert value(replace(true, place=true.place + 0.02)) > 0.05
