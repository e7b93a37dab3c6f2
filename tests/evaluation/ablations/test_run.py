"""Ablations train their configs at equal budgets, beside the paper's figures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gohd_core.checkpoints import save_network
from gohd_core.cli import main
from gohd_core.clips import ClipDataset, Entry, save_clip, write_index
from gohd_core.commands.train import CONFIGS
from gohd_core.errors import BadInput, Interrupted
from gohd_core.evaluation.ablations import run as made
from gohd_core.evaluation.ablations.effects import ablation_table, interval, verdict
from gohd_core.evaluation.ablations.measures import denoised_share
from gohd_core.evaluation.ablations.tables import ABLATIONS, Ablation, Variant
from gohd_core.evaluation.report import Report
from gohd_core.face.segmentation.parsing_network import ParsingNetwork
from gohd_core.pose.config import DiffusionConfig
from gohd_core.pose.schedule import NoiseSchedule
from gohd_core.training.framework.config import is_on, load_config
from gohd_core.training.registry import find_task
from tests.support import tiny_stills


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """Five seconds of bursts of noise with a jaw that follows, for training, validation and test."""
    folder, rng = tmp_path_factory.mktemp("talk"), np.random.default_rng(0)
    entries, frames = [], 125
    for split in ("train", "train", "validation", "test", "test"):
        name = f"{split}-{len(entries)}"
        loud = (np.sin(np.arange(frames) / 3) > 0).astype(np.float32)
        expression = np.zeros((frames, 64), np.float32)
        expression[:, 0] = 0.6 * loud
        expression[40:45, 10:12] = 1
        arrays = {
            "expression": expression,
            "pose": np.cumsum(rng.normal(0, 0.01, (frames, 6)), 0).astype(np.float32),
            "gaze": np.zeros((frames, 2), np.float32),
            "audio": (np.repeat(loud, 640) * rng.normal(0, 3000, frames * 640)).astype(np.int16),
        }
        save_clip(
            folder / split / f"{name}.safetensors", arrays, {"space": "stylised", "fps": 25, "name": name}
        )
        entries.append(Entry(name, split, name, name, name, frames))
    write_index(folder, {"space": "stylised", "fps": 25, "size": 64, "seed": 0, "kind": "talk"}, entries)
    return folder


def by_number(table: int) -> Ablation:
    return next(ablation for ablation in ABLATIONS if ablation.table == table)


@pytest.mark.parametrize("table", [3, 7])
def test_two_steps_of_a_table(talk, tmp_path, table):
    plan = made.AblationPlan((talk,), (table,), steps=2, seeds=(0,), clips=1)
    assert len(ClipDataset(talk).select("test")) == 2
    report = made.ablations(plan, tmp_path)
    (found,) = report.tables
    assert list(found.rows) == [variant.name for variant in by_number(table).variants]
    for variant in by_number(table).variants:
        row = found.rows[variant.name]
        for ours, (theirs, _) in by_number(table).measures.items():
            assert row[f"paper {theirs}"] == variant.paper[theirs]
            assert (row.get(ours) is None) == bool(variant.left_out)
    if table == 3:
        assert found.rows["w/o Distillation"]["MLD px agrees"] == "not trained"
        assert "w/o Distillation is not trained: the stylised world's lips are exact" in found.note
        assert report.setting["steps"] == "expression-stage1 2, expression-stage2 2"
        again = made.ablations(plan, tmp_path)
        assert again.tables[0].rows == found.rows, "what is trained is not trained again"


def test_trained_weights_are_reused_only_under_the_same_settings(talk, tmp_path, monkeypatch):
    plan = made.AblationPlan((talk,), (7,), steps=1, seeds=(0,), clips=1)
    ablation = by_number(7)
    weights = made.train_variant(ablation, ablation.full, 0, plan, tmp_path)
    monkeypatch.setattr(made, "train", lambda *a, **k: pytest.fail("it was trained again"))
    assert made.train_variant(ablation, ablation.full, 0, plan, tmp_path) == weights
    config = weights.parent / "config.yaml"
    config.write_text(config.read_text().replace("batch: 16", "batch: 4"))
    with pytest.raises(BadInput, match="other settings"):
        made.train_variant(ablation, ablation.full, 0, plan, tmp_path)


def test_a_stopped_training_is_named(talk, tmp_path, monkeypatch):
    monkeypatch.setattr(made, "train", lambda *a, **k: None)
    plan = made.AblationPlan((talk,), (7,), steps=1, seeds=(0,))
    with pytest.raises(Interrupted, match="to go on"):
        made.ablations(plan, tmp_path)


def test_each_variant_leaves_out_one_thing(talk):
    plan = made.AblationPlan((talk,), steps=7)
    for table, name, losses in (
        (5, "w/o L_lms", {"landmarks"}),
        (5, "w/o L_shut", {"mouth_closing"}),
        (6, "w/o D_te", {"eye_motion_discriminator"}),
        (6, "w/o L_ssim", {"similarity"}),
    ):
        ablation = by_number(table)
        variant = next(v for v in ablation.variants if v.name == name)
        less_of = [made._difference(ablation.module, variant.config)]
        full, less = (made.config_of(ablation.module, s, 3, plan) for s in ([], less_of))
        on = [
            {k for k, v in vars(c.losses).items() if k != "distillation" and is_on(v)} for c in (full, less)
        ]
        assert on[0] - on[1] == losses and not on[1] - on[0]
        assert (less.loop.steps, less.loop.seed, less.loop.max_minutes) == (7, 3, None)
        assert less.network == full.network if hasattr(full, "network") else less.generator == full.generator
    plan = replace(plan, stills=(talk,))
    for ablation in ABLATIONS:
        for variant in filter(lambda v: v.config, ablation.variants):
            module, _, name = variant.config.rpartition("/")
            module = module or ablation.module
            changed = made.config_of(module, [made._difference(module, name)], 3, plan)
            assert (changed == made.config_of(module, [], 3, plan)) == bool(variant.left_out)
    attention = made.config_of("pose", [made._difference("pose", "without_attention")], 0, plan)
    assert not attention.network.attention


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
def test_the_share_that_a_denoiser_finds(share):
    """A stand-in that knows the movement and tells a share of it."""
    true = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (60, 6)), 0).astype(np.float32)
    config = DiffusionConfig(window=50, overlap=10, residual_scale=(0.1, 0.2, 0.3, 0.1, 0.1, 0.1))
    schedule = NoiseSchedule.of(config)

    def denoise(x, mel, initial, step):
        kept = schedule.alpha_bar_at(int(step))
        movement = torch.from_numpy(true[:50] - true[:1]) / torch.tensor(config.residual_scale)
        return (x - kept**0.5 * share * movement) / (1 - kept) ** 0.5

    model = SimpleNamespace(config=config, schedule=schedule, denoise=denoise)
    found = denoised_share(model, torch.zeros(60, 320), true)
    assert found == pytest.approx(1 - (1 - share) ** 2, abs=1e-4)


def test_verdicts_need_more_than_noise():
    assert verdict(np.array([0.1, 0.11, 0.09]), 0.05) == "yes"
    assert verdict(np.array([0.1, 0.11, 0.09]), -0.05) == "no"
    assert verdict(np.array([0.1, -0.2, 0.15]), 0.05) == "unclear"
    assert verdict(np.array([0.1]), 0.05) == "unclear"
    assert verdict(np.zeros(3), 0.05) == "unclear"
    # The tables' 4.303 for two degrees of freedom; a deviation of 0.1 over three seeds.
    assert interval(np.array([0.1, 0.2, 0.3])) == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert verdict(np.array([0.1, 0.2, 0.3]), 0.05) == "unclear"


def test_the_table_states_effects():
    ablation = Ablation(
        5,
        "x",
        "pose",
        {"m": ("M", False)},
        (Variant("less", "c", {"M": 2.0}), Variant("full", None, {"M": 1.5})),
    )
    found = {"less": [{"m": 3.0}, {"m": 3.2}], "full": [{"m": 1.0}, {"m": 1.3}]}
    row = ablation_table(ablation, found).rows["less"]
    assert (
        row["effect m"] == pytest.approx(1.95) and row["paper effect M"] == 0.5 and row["m agrees"] == "yes"
    )


def test_impossible_trainings_are_refused(talk):
    for wrong in (
        {"tables": (8,)},
        {"steps": 0},
        {"steps": {"pose": 0}},
        {"steps": {"posture": 9}},
        {"seeds": ()},
        {"tables": (4,)},
    ):
        with pytest.raises(BadInput):
            made.AblationPlan((talk,), **wrong)


@pytest.fixture(scope="module")
def stills(tmp_path_factory):
    """Stills with exact correspondences, some of them for test."""
    folder = tiny_stills.write(tmp_path_factory.mktemp("stills"), clips=2, size=128)
    (folder / "validation").rename(folder / "test")
    index = folder / "dataset.json"
    index.write_text(index.read_text().replace("validation", "test"))
    return folder


def test_two_steps_of_the_animator(talk, stills, tmp_path):
    parser = load_config(find_task("face-parsing").Config, CONFIGS / "face-parsing" / "stylised.yaml").network
    weights = tmp_path / "face_parsing.safetensors"
    torch.manual_seed(0)  # or now and then a parser teaches nothing that a report's digits show
    save_network(weights, ParsingNetwork(parser), component="face_parsing", config=parser, space="stylised")
    plan = made.AblationPlan((talk,), (4,), 2, (0,), (stills,), weights, clips=1)
    report = made.ablations(plan, tmp_path / "out")
    rows = report.tables[0].rows
    figures = [row["mouth PSNR dB"] for row in rows.values()]
    assert len(set(figures)) == 3 and all(0 < figure < 100 for figure in figures)
    assert report.setting["data"] == stills.name and report.setting["steps"] == "animator 2"
    without = made.ablations(replace(plan, parsing=None), tmp_path / "other").tables[0]
    assert "w/o L_pars is not trained: it needs a face parser" in without.note
    assert "mouth PSNR dB" not in without.rows["w/o L_pars"]


def test_the_command(talk, tmp_path, capsys):
    command = ["benchmark", "ablations", "--data", str(talk), "--out", str(tmp_path), "--seeds", "0,1"]
    figures = tmp_path / "figures.json"
    given = ["--tables", "7", "--steps", "pose=1", "--clips", "1", "--json", str(figures)]
    assert main([*command, *given]) == 0
    assert "unclear" in capsys.readouterr().out
    report = Report.read(figures)
    assert report.setting["steps"] == "pose 1" and report.tables[0].rows["Full"]["SSIM_p"] < 1
    assert main([*command, "--tables", "4"]) == 1
    assert "--stills" in capsys.readouterr().err
