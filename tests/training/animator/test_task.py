"""The animator's trainer: examples, exact flow, both families, overfitting, resuming, every config."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.animator import Animator, AnimatorConfig
from gohd_core.clips import Clip, ClipDataset
from gohd_core.constants import BFM09
from gohd_core.errors import BadInput
from gohd_core.training import registry
from gohd_core.training.animator import task as training
from gohd_core.training.animator.config import AnimatorTraining
from gohd_core.training.animator.examples import AnimatorDraw, PairShares, RegionWeights, stored_flow
from gohd_core.training.animator.task import AnimatorTask
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.data import checked, clip_examples, collate
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig
from gohd_core.training.framework.task import Moment
from tests.support import tiny_stills

CONFIGS = registry.CONFIGS / "animator"
COMPOSITE = AnimatorConfig(
    size=32,
    encoder_size=16,
    flow_size=16,
    channels=(32, 32, 24),
    identity_dim=48,
    descriptor_dim=48,
    n_directions=8,
    decoder="composite",
    motion="frame",
    head_channels=12,
    surroundings=True,
    teeth=True,
)
PYRAMID = AnimatorConfig(
    size=32,
    encoder_size=32,
    flow_size=32,
    channels=(16, 16, 12, 8),
    identity_dim=32,
    n_directions=6,
    descriptor_dim=24,
    modulate_from=16,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_stills.write(tmp_path_factory.mktemp("stills"))


@pytest.fixture(scope="module")
def clip(data):
    """The first one to train on."""
    return ClipDataset(data).clip(ClipDataset(data).select("train")[0])


def config(folder, network=COMPOSITE, **changes) -> AnimatorTraining:
    base = load_config(AnimatorTraining, CONFIGS / "stylised.yaml")
    return replace(
        base,
        data=DataConfig(folders=(str(folder),), batch=4, validation_batches=1),
        loop=LoopConfig(steps=4, device="cpu", log_every=2, checkpoint_every=2),
        optimiser=OptimiserConfig(learning_rate=6e-3, betas=(0.9, 0.99), clip_norm=2.0),
        network=network,
        flow_size=16,
        whole_from=0.0,
        **changes,
    )


def batch_of(task, settings):
    examples = clip_examples(settings.data, task.draw("train"), seed=0, split="train")
    return checked(collate([examples[n] for n in range(settings.data.batch)]))


def draw(**changes) -> AnimatorDraw:
    settings = {
        "size": 32,
        "flow_size": 32,
        "still": True,
        "told_share": 0.5,
        "planes_share": 0.6,
        "gain": 0.1,
    }
    return AnimatorDraw(**{**settings, **changes}, pairs=PairShares(), regions=RegionWeights())


def test_stored_flow_finds_where_each_pixel_comes_from(clip):
    frames = clip.read("frames")
    flow, visible, parsing = stored_flow(clip, 0, 1, 32)
    y, x = np.nonzero(visible & (parsing > 0))
    came = np.round(np.stack([x, y], -1) + flow[y, x]).astype(int)
    assert len(y) > 100 and np.abs(flow).max() > 1
    assert (frames[0][came[:, 1], came[:, 0]] == frames[1][y, x]).all()
    covered = (clip.read("parsing")[0] > 0) & (parsing == 0)
    assert covered.any() and not visible[covered].any()  # background that the square hid is not known
    half, _, _ = stored_flow(clip, 0, 1, 16)
    assert np.allclose(half[parsing[::2, ::2] > 0], flow[::2, ::2][parsing[::2, ::2] > 0] / 2, atol=0.05)


def test_examples_hold_a_pair_with_its_coefficients(clip):
    kinds = set()
    for seed in range(60):
        example = draw()(clip, np.random.default_rng(seed))
        rows = np.concatenate([clip.read("expression"), clip.read("pose"), clip.read("gaze")[:, ::-1]], 1)
        target = np.flatnonzero((rows == example["window"][:, 13]).all(1))[0]
        source = np.flatnonzero((rows == example["own"]).all(1))[0]
        assert source != target
        assert (example["window"] == example["window"][:, :1]).all()
        assert np.array_equal(example["target"], clip.read("frames")[target].transpose(2, 0, 1))
        weight = example["flow_weight"]
        assert weight.min() == pytest.approx(0.15) and weight.max() == 10  # hidden; the mouth's box
        kinds.add((tiny_stills.CHANGES[source], tiny_stills.CHANGES[target]))
    assert {("base", "mouth"), ("gaze", "gaze"), ("free", "base")} & kinds
    window = draw(still=False)(clip, np.random.default_rng(0))["window"]
    assert not (window == window[:, :1]).all()


def test_the_sources_own_planes_are_given_in_a_share_of_the_examples(clip):
    for share, given in ((0.0, {False}), (1.0, {True}), (0.5, {False, True})):
        made = [draw(planes_share=share)(clip, np.random.default_rng(seed)) for seed in range(12)]
        sums = {float(example["source_planes"].sum(0).max()) for example in made}
        assert {total == 1 for total in sums} == given and sums <= {1.0, 3.0}


def test_the_heads_outline_counts_more(clip):
    regions = RegionWeights(*[1.0] * 5, outline=7.0, face=2.0, background=3.0, hidden=1.0)
    example = replace(draw(), regions=regions)(clip, np.random.default_rng(0))
    background = example["planes"][2] > 0
    near = np.zeros_like(background)
    for y, x in zip(*np.nonzero(background), strict=True):
        diamond = [(i, j) for i in range(32) for j in range(32) if abs(i - y) + abs(j - x) <= 2]
        near[y, x] = not all(background[at] for at in diamond)
    assert near.any() and (example["region"][0][near] == 7).all()
    assert (example["region"][0][background & ~near] == 3).all()


@pytest.mark.parametrize(
    ("change", "message"), [({"size": 64}, "64 x 64"), ({"flow_size": 32}, "correspondences")]
)
def test_unfit_clips_are_named(tmp_path, change, message):
    dataset = ClipDataset(tiny_stills.write(tmp_path, 1, correspondences=False))
    clip = dataset.clip(dataset.select("train")[0])
    with pytest.raises(BadInput, match=message):
        draw(**change)(clip, np.random.default_rng(0))


def test_builtin_form_overfits_four_clips(data):
    torch.manual_seed(0)
    settings = config(data)
    task = AnimatorTask(settings)
    task.networks.train()
    optimiser = torch.optim.Adam(task.animator.parameters(), 6e-3, betas=(0.9, 0.99))
    examples = clip_examples(settings.data, task.draw("train"), seed=0, split="train")
    batches = [checked(collate([examples[4 * k + n] for n in range(4)])) for k in range(3)]
    first = last = None
    for step in range(48):
        terms = task.losses("generator", batches[step % 3], Moment(step, 0.5))
        optimiser.zero_grad()
        terms.total().backward()
        optimiser.step()
        last = {name: float(value.detach()) for name, (_, value) in terms.items()}
        first = first or last
    assert last["flow"] < 0.4 * first["flow"], (first, last)
    assert last["reconstruction"] < 0.6 * first["reconstruction"], (first, last)
    assert last["visibility"] < 0.6 * first["visibility"], (first, last)


def test_first_part_leaves_the_head_alone(data):
    settings = replace(config(data), whole_from=0.5)
    task = AnimatorTask(settings)
    batch = batch_of(task, settings)
    early = task.losses("generator", batch, Moment(0, 0.2))
    assert "reconstruction" not in early and {"flow", "visibility", "coarse"} <= set(early)
    early.total().backward()
    assert all(p.grad is None for p in task.animator.decoder.head.parameters())
    assert task.animator.decoder.trunk.flows[0].weight.grad.abs().sum() > 0
    assert "reconstruction" in task.losses("generator", batch, Moment(1, 0.5))


def test_adversarial_game_reaches_its_own_players_alone(data):
    settings = config(data, discriminator_width=4)
    settings = replace(settings, losses=replace(settings.losses, adversarial=1.0), penalty_every=1)
    task = AnimatorTask(settings)
    batch = batch_of(task, settings)
    _, discriminator = task.players()
    moment = Moment(0, 0.5)
    made = task.losses("generator", batch, moment)
    assert made["adversarial"][0] == 1.0
    told = task.losses("discriminator", batch, moment)
    assert set(told) == {"discrimination", "penalty"}
    told.total().backward()
    assert all(p.grad is None for p in task.animator.parameters())
    assert all(p.grad is not None for p in discriminator.parameters)


class Stub(torch.nn.Module):
    """Stands for a feature network: its features are the picture itself, scaled."""

    def forward(self, images):
        return (images * 2,)


def test_feature_losses_use_their_networks(data, monkeypatch):
    names = ("perceptual", "expression", "gaze", "parsing")
    stubs = torch.nn.ModuleDict({name: Stub() for name in names})
    monkeypatch.setattr(training, "load_features", lambda *_: (stubs, ["note"]))
    settings = config(data)
    weights = dict.fromkeys(names, 2.0)
    task = AnimatorTask(replace(settings, losses=replace(settings.losses, **weights)))
    terms = task.losses("generator", batch_of(task, settings), Moment(0, 0.5))
    assert all(terms[name][0] == 2.0 and terms[name][1] > 0 for name in names)
    picture = float(terms["reconstruction"][1].detach())
    assert float(terms["perceptual"][1].detach()) == pytest.approx(2 * picture, rel=1e-4)
    assert list(task.notes()) == ["note"]


def test_a_loss_without_its_network_must_be_switched_off(data):
    settings = config(data)
    with pytest.raises(BadInput, match="features.gaze.weights"):
        AnimatorTask(replace(settings, losses=replace(settings.losses, gaze=100.0)))


def test_run_resumes_exports_and_animates(data, tmp_path):
    settings = config(data)
    settings = replace(settings, loop=replace(settings.loop, validate_every=4, picture_every=4))
    whole = train(AnimatorTask, settings, tmp_path / "whole")
    assert "psnr" in whole.figures and len(whole.exported) == 1
    half = replace(settings, loop=replace(settings.loop, steps=2))
    train(AnimatorTask, half, tmp_path / "half")
    train(AnimatorTask, settings, tmp_path / "half", resume=True)
    one, two = (Animator.load(tmp_path / n / "animator.safetensors") for n in ("whole", "half"))
    for key, value in one.network.state_dict().items():
        assert torch.equal(value, two.network.state_dict()[key]), key
    source = one.encode_source(torch.zeros(1, 3, 32, 32))
    assert one.decode(source, torch.zeros(2, 8)).shape == (2, 3, 32, 32)
    begun = AnimatorTask(replace(settings, start=str(tmp_path / "whole" / "animator.safetensors")))
    assert begun.animator.directions.weight.requires_grad
    other = replace(settings, network=replace(COMPOSITE, n_directions=4))
    with pytest.raises(BadInput, match="architecture"):
        AnimatorTask(replace(other, start=str(tmp_path / "whole" / "animator.safetensors")))


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_every_config_runs_two_steps(name, data, tmp_path, monkeypatch):
    names = ("perceptual", "expression", "gaze", "parsing")
    settings = load_config(AnimatorTraining, CONFIGS / f"{name}.yaml")
    on = [n for n in names if getattr(settings.losses, n) != "off"]
    stubs = torch.nn.ModuleDict({n: Stub() for n in on})
    monkeypatch.setattr(training, "load_features", lambda *_: (stubs, []))
    official = settings.network.decoder == "pyramid"
    if official:
        folder = tmp_path / "real"
        monkeypatch.setattr(tiny_stills, "STYLISED", BFM09)
        tiny_stills.write(folder, 2, correspondences=False)
    run = replace(
        settings,
        data=replace(settings.data, folders=(str(folder if official else data),), batch=2, workers=0),
        loop=replace(settings.loop, steps=2, max_minutes=None, device="cpu"),
        network=PYRAMID if official else COMPOSITE,
        discriminator_width=4,
        flow_size=16,
    )
    summary = train(AnimatorTask, run, tmp_path / "run")
    assert summary.step == 2 and len(summary.exported) == 1


def test_a_sample_starts_as_the_clip_and_is_driven_by_it(data):
    for network in (COMPOSITE, PYRAMID):
        settings = config(data, network)
        task = AnimatorTask(settings)
        examples = clip_examples(settings.data, task.draw("train"), seed=0, split="train")
        batch = checked(collate([examples[0], examples[1]]))
        sample = task.samples(batch)["driven"]
        count = len(sample.frames)
        assert sample.frames.shape == (count, 3, 32, 64) and sample.audio is None
        clip = Clip(batch["path"][0])
        shown = torch.from_numpy(clip.read("frames", 0, count)).permute(0, 3, 1, 2) / 127.5 - 1
        assert torch.allclose(sample.frames[..., :32], shown)
        assert sample.frames[..., 32:].std() > 0
