"""Losses of face parts by geometry, alone or with all of the animator, from older weights too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.animator.geometry.eyes import Eyeballs, eyes_in_frame
from gohd_core.animator.geometry.linear_shape import MODES
from gohd_core.animator.geometry.shape_encoder import ShapeEncoder
from gohd_core.errors import BadInput
from gohd_core.stylised.ground_truth import stored_heads
from gohd_core.training.animator.geometry_losses import add_eyeballs, add_shape, true_shape
from gohd_core.training.animator.task import AnimatorTask
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.task import Moment, Terms
from tests.support import tiny_stills
from tests.training.animator.test_task import COMPOSITE, batch_of, config

PLACE = np.array([0.3, 0.04, 0.36], np.float32)
WITH_PARTS = replace(COMPOSITE, face_parts=True)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_heads, "eye_place", lambda clip, frame: PLACE)
    return tiny_stills.write(tmp_path / "stills")


@pytest.mark.parametrize(("first", "only"), [("shape", "eyes"), ("eyes", "shape")])
def test_weights_without_parts_are_begun_with_and_a_reader_alone_learns(first, only, data, tmp_path):
    train(AnimatorTask, config(data), tmp_path / "without")
    start = str(tmp_path / "without" / "animator.safetensors")
    settings = config(data, network=WITH_PARTS, start=start, only=first)
    push_pull_inpaint = AnimatorTask(settings).animator.state_dict()
    older = AnimatorTask(config(data, start=start)).animator.state_dict()
    assert all(torch.equal(value, push_pull_inpaint[name]) for name, value in older.items())
    train(AnimatorTask, settings, tmp_path / "first")
    settings = replace(settings, start=str(tmp_path / "first" / "animator.safetensors"), only=only)
    before = AnimatorTask(settings).animator.state_dict()
    train(AnimatorTask, settings, tmp_path / "alone")
    after = AnimatorTask(
        replace(settings, start=str(tmp_path / "alone" / "animator.safetensors"))
    ).animator.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith(f"{only}.") for name in changed)


def learnt(task, batch, part, steps: int, rate: float) -> list[float]:
    """The losses of so many steps of a part's on one batch."""
    optimiser = torch.optim.Adam(part.parameters(), lr=rate)
    losses = []
    for step in range(steps):
        terms = task.losses("generator", batch, Moment(step, 1.0))
        losses.append(float(terms.total().detach()))
        optimiser.zero_grad()
        terms.total().backward()
        optimiser.step()
    return losses


@pytest.mark.parametrize("only", ["eyes", "shape"])
def test_an_encoder_overfits_a_batch(only, data):
    torch.manual_seed(0)
    task = AnimatorTask(config(data, network=WITH_PARTS, only=only))
    batch = batch_of(task, task.config)
    batch["eyeballs"] = torch.ones_like(batch["eyeballs"])
    losses = learnt(task, batch, getattr(task.animator, only), steps=60, rate=1e-2)
    assert losses[-1] < 0.5 * losses[0]


def test_teeth_overfit_the_inside_of_mouths_by_themselves(data):
    torch.manual_seed(0)
    task = AnimatorTask(config(data, network=replace(WITH_PARTS, teeth=True), only="teeth"))
    batch = batch_of(task, task.config)
    batch["mouth"] = torch.ones_like(batch["mouth"])
    losses = learnt(task, batch, task.animator.decoder.teeth, steps=40, rate=3e-2)
    assert losses[-1] < 0.8 * losses[0]


def test_all_of_the_animator_learns_with_its_eyes(data):
    task = AnimatorTask(config(data, network=WITH_PARTS))
    batch = batch_of(task, task.config)
    terms = task.losses("generator", batch, Moment(0, 1.0))
    terms.total().backward()
    assert "eyeballs" in terms
    assert "shape" in terms
    for part in (task.animator.eyes, task.animator.shape, task.animator.decoder):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


@pytest.mark.parametrize(("network", "only"), [(WITH_PARTS, "decoder"), (COMPOSITE, "eyes")])
def test_only_a_part_that_can_learn_alone_does(network, only, data):
    task = AnimatorTask(config(data, network=network, only=only))
    with pytest.raises(BadInput, match="alone"):
        task.players()


def test_the_loss_is_least_at_the_truth():
    size = 64
    charts = torch.full((1, 2, 4, 8, 8), -6.0)
    whites = torch.full((1, 2, 4, 8, 8), 0.5)
    true = Eyeballs(torch.from_numpy(PLACE)[None], charts, whites, charts[:, 0])

    def eyes(found: Eyeballs = true):
        return eyes_in_frame(found, torch.zeros(1, 72), torch.ones(1), size)

    shown = (eyes().opacity > 0.5).float().flatten(1)
    seen = eyes().window.write(torch.zeros(1, 1, size, size), shown[:, None])
    target = eyes().composite_over(torch.zeros(1, 3, size, size), seen)
    batch = {"eyeballs": seen, "eye_place": true.place}

    def value(found) -> float:
        terms = Terms()
        add_eyeballs(terms, config("", network=WITH_PARTS).losses, batch, found, target)
        return float(terms.total())

    best = value(eyes())
    assert value(eyes(replace(true, whites=whites + 0.2))) > best + 0.02
    assert value(eyes(replace(true, place=true.place + 0.02))) > best + 0.05


def test_a_shape_owes_nothing_at_the_truth_and_more_the_farther_it_is_off():
    losses, reader = config("", network=WITH_PARTS).losses, ShapeEncoder()
    for buffer in (*reader.contours.buffers(), *reader.mesh.buffers()):
        buffer.copy_(torch.randn(buffer.shape) * 0.1)
    own = torch.zeros(2, 72)
    own[:, 0] = 0.4
    modes = torch.zeros(2, MODES)
    batch = {"contours": reader.contours.neutral(modes), "lashes": torch.full((2, 1), 0.3), "own": own}
    batch |= {"mesh": reader.mesh.neutral(modes), "skin": torch.zeros(2, 1, 64, 64)}
    batch["skin"][:, :, :, 32:] = 1
    truth = true_shape(batch, reader.mesh)
    assert set(truth.skin.unique().tolist()) == {0.0, 1.0}

    def value(**off: torch.Tensor) -> float:
        terms = Terms()
        add_shape(terms, losses, batch, reader, [replace(truth, **off)])
        return float(terms.total())

    assert value() == pytest.approx(0, abs=1e-4)
    further = [value(neutral=truth.neutral + by) for by in (0.01, 0.03, 0.1)]
    assert 0.001 < further[0] < further[1] < further[2]
    assert value(descriptor=own * 1.5) > 0.01
    assert value(lashes=truth.lashes + 0.2) > 0.01
    assert value(skin=truth.skin * 0 + 0.5) > 0.05


def test_clips_without_correspondences_are_refused_in_a_sentence(data, tmp_path):
    folder = tiny_stills.write(tmp_path / "plain", correspondences=False)
    task = AnimatorTask(config(folder, network=WITH_PARTS, only="eyes"))
    with pytest.raises(BadInput, match="eyeballs=off"):
        batch_of(task, task.config)
