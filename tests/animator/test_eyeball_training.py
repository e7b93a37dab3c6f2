"""The eyes' reader learns what it owes, by itself or with all of the animator, from older weights too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_stills
import torch
from test_animator_training import COMPOSITE, batch_of, config

from gohd_core.animator.eyeballs import Eyeballs, eyes_in_frame
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
    rest = torch.zeros(1, 4, size, size), torch.zeros(1, 1), torch.zeros(1, 72), torch.ones(1)
    true = Eyeballs(torch.from_numpy(PLACE)[None], charts, whites, charts[:, 0], *rest)
    lids = torch.tensor([0.3, -0.2])[:, None].expand(1, 2, 2, 13)

    def eyes(found: Eyeballs = true, curves: torch.Tensor = lids):
        return eyes_in_frame(found, torch.zeros(1, 72), curves, size)

    inner = torch.tensor([0.0, 1.0, 0.0])[:, None, None].expand(1, 3, size, size)
    seen = (eyes().parted(inner)[:, 1:2] > 0.5) & (eyes().parted(1 - inner)[:, 1:2] < 0.5)
    elsewhere = torch.ones(1, 1, size * size)
    for k in range(2):
        elsewhere.scatter_(2, eyes().pixels[:, k].flatten(1)[:, None], 0.0)
    seen = (seen & (elsewhere.view(1, 1, size, size) == 0)).float()
    target = eyes().laid(torch.zeros(1, 3, size, size), seen)
    batch = {"eyeballs": seen, "eye_place": true.place, "lids_seen": torch.ones_like(seen)}

    def value(found) -> float:
        terms = Terms()
        add_eyeballs(terms, config("", network=WITH_EYES).losses, batch, found, target)
        return float(terms.total())

    best = value(eyes())
    assert value(eyes(replace(true, whites=whites + 0.2))) > best + 0.02
    assert value(eyes(replace(true, place=true.place + 0.02))) > best + 0.05
    assert value(eyes(curves=lids + 0.1)) > best + 0.05
    assert value(eyes(curves=lids * 0.5)) > best + 0.05


def test_clips_without_correspondences_are_refused_in_a_sentence(data, tmp_path):
    folder = tiny_stills.write(tmp_path / "plain", correspondences=False)
    task = AnimatorTask(config(folder, network=WITH_EYES, only="eyes"))
    with pytest.raises(BadInput, match="eyeballs=off"):
        batch_of(task, task.config)
