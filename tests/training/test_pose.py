"""The trainers of the pose and gaze diffusion: eq. 2, trained weights, overfitting."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from gohd_core.clips import Clip, ClipDataset
from gohd_core.commands.train import CONFIGS
from gohd_core.errors import BadInput
from gohd_core.measures.motion_statistics import (
    audio_beats,
    beat_alignment,
    beat_locking,
    motion_beats,
    motion_figures,
)
from gohd_core.pose import GazeDiffusion, PoseDiffusion
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.data import clip_examples, collate
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.run import Counters, Run
from gohd_core.training.framework.task import Moment
from gohd_core.training.losses.diffusion import diffuse, noise_prediction, sample_prediction
from gohd_core.training.pose import GazeConfig, GazeTask, PoseConfig, PoseDraw, PoseTask
from tests.support.clip_sets import write_pose_clips
from tests.support.small_runs import two_steps

NETWORK = (
    "{width: 32, blocks: 3, conformers: 1, heads: 2, kernels: 4, feedforward: 2, dilations: [1, 2], "
    "step_code: 32, step_width: 32, step_scale: 0.01, step_decades: 2.0, training_steps: 60, "
    "beta_end: 0.25, clamp: 6.0, form: %s}"
)
START = Moment(0, 0.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pose_clips(tmp_path_factory.mktemp("pose"))


@pytest.fixture(scope="module")
def clip(clips: Path) -> Clip:
    """The first one to train on."""
    return ClipDataset(clips).clip(ClipDataset(clips).select("train")[0])


def config(
    clips: Path, *settings: str, kind: type = PoseConfig, form: str = "dropout", file: Path | None = None
) -> PoseConfig:
    sizes = ["loop.ema=0", "frames=32", "sampled=2", "sampled_steps=4", "network=" + NETWORK % form]
    return load_config(kind, file, [*two_steps(clips, 8), *sizes, *settings])


def test_loss_is_eq_2_in_plain_numbers() -> None:
    rng = np.random.default_rng(0)
    x0, eps, predicted = (rng.standard_normal((3, 5, 6)).astype(np.float32) for _ in range(3))
    bar = np.array([0.9, 0.5, 0.1], np.float32)
    noisy, total = np.zeros_like(x0), 0.0
    for b in range(3):
        for t in range(5):
            for c in range(6):
                noisy[b, t, c] = math.sqrt(bar[b]) * x0[b, t, c] + math.sqrt(1 - bar[b]) * eps[b, t, c]
                total += float(eps[b, t, c] - predicted[b, t, c]) ** 2 / (3 * 5 * 6)
    tensors = [torch.from_numpy(value) for value in (x0, eps, bar, predicted)]
    assert np.allclose(diffuse(*tensors[:3]).numpy(), noisy, atol=1e-6)
    assert float(noise_prediction(tensors[1], tensors[3])) == pytest.approx(total, rel=1e-5)


def test_sample_prediction_is_the_squared_error_of_the_implied_x0() -> None:
    rng = np.random.default_rng(1)
    x0, eps, predicted = (rng.standard_normal((3, 5, 6)) for _ in range(3))
    bar = np.array([0.9, 0.5, 0.1])
    total = 0.0
    for b in range(3):
        noisy = math.sqrt(bar[b]) * x0[b] + math.sqrt(1 - bar[b]) * eps[b]
        implied = (noisy - math.sqrt(1 - bar[b]) * predicted[b]) / math.sqrt(bar[b])
        total += float(((implied - x0[b]) ** 2).mean()) / 3
    tensors = [torch.from_numpy(value) for value in (eps, predicted, bar)]
    assert float(sample_prediction(*tensors)) == pytest.approx(total, rel=1e-6)


def test_a_drawn_example_has_the_documented_fields(clips: Path, clip: Clip) -> None:
    settings = config(clips, "network.residual_scale=[0.1,0.2,0.3,0.4,0.5,0.6]")
    pose = clip.read("pose")
    example = PoseDraw("pose", settings)(clip, np.random.default_rng(3))
    sequence = example["x0"] * np.arange(1, 7, dtype=np.float32) / 10 + example["initial"]
    starts = [s for s in range(17) if np.allclose(pose[s : s + 32], sequence, atol=1e-6)]
    assert len(starts) == 1 and np.array_equal(example["initial"], pose[starts[0]])
    from gohd_core.audio import audio_features

    mel = audio_features(clip.read("audio") / np.float32(32768), 16_000).mel[starts[0] : starts[0] + 32]
    assert np.allclose(example["mel"], mel, atol=1e-6)
    again = PoseDraw("pose", settings)(clip, np.random.default_rng(3))
    assert all(np.array_equal(example[key], again[key]) for key in example)


def test_gaze_is_trained_in_the_files_order_and_p0_may_be_any_frame(clips: Path, clip: Clip) -> None:
    gaze = clip.read("gaze")
    settings = config(clips, "initial=any", "network.channels=2", kind=GazeConfig)
    seen = set()
    for seed in range(20):
        example = PoseDraw("gaze", settings)(clip, np.random.default_rng(seed))
        absolute = (example["x0"] + example["initial"])[:, ::-1]
        assert any(np.allclose(gaze[s : s + 32], absolute, atol=1e-6) for s in range(17))
        seen.add(int(np.abs(gaze - example["initial"][::-1]).sum(axis=1).argmin()))
    assert len(seen) > 5


def test_mirrored_examples_turn_yaw_roll_and_sideways_over(clips: Path, clip: Clip) -> None:
    plain = PoseDraw("pose", config(clips))(clip, np.random.default_rng(1))
    mirrored = PoseDraw("pose", config(clips, "mirror_share=1.0"))(clip, np.random.default_rng(1))
    assert np.allclose(mirrored["x0"], plain["x0"] * [1, -1, -1, -1, 1, 1])
    assert np.allclose(mirrored["initial"], plain["initial"] * [1, -1, -1, -1, 1, 1])


@pytest.mark.parametrize("form", ["dropout", "pair", "conditional", "unconditional"])
def test_each_loss_moves_its_own_network_and_nothing_else(clips: Path, form: str) -> None:
    run = Run(PoseTask, config(clips, "optimiser.learning_rate=0.01", form=form))
    batch = next(run.batches())
    terms = run.task.losses("denoiser", batch, START)
    wanted = {"dropout": ["conditional"], "pair": ["conditional", "unconditional"]}.get(form, [form])
    assert list(terms) == wanted
    for name in wanted:
        run.task.networks.zero_grad()
        torch.nn.init.normal_(run.task.networks["denoisers"].main.output_projection.weight)
        other = run.task.networks["denoisers"]
        for denoiser in filter(None, (other.conditional, other.unconditional)):
            torch.nn.init.normal_(denoiser.output_projection.weight)
        run.task.losses("denoiser", batch, START)[name][1].backward()
        moved = {key.split(".")[0] for key, p in other.named_parameters() if p.grad is not None}
        assert moved == {name}


def test_dropped_p0_does_not_reach_the_network(clips: Path) -> None:
    run = Run(PoseTask, config(clips))
    denoiser = run.task.networks["denoisers"].conditional
    torch.nn.init.normal_(denoiser.output_projection.weight)
    batch = next(run.batches())
    batch["known"] = torch.zeros(8, dtype=torch.bool)
    first = run.task.losses("denoiser", batch, START)["conditional"][1]
    batch["initial"] = batch["initial"] + 5
    assert torch.equal(first, run.task.losses("denoiser", batch, START)["conditional"][1])
    batch["known"][0] = True
    assert not torch.equal(first, run.task.losses("denoiser", batch, START)["conditional"][1])


def test_overfits_four_clips_and_the_export_samples_them(clips: Path, tmp_path: Path) -> None:
    settings = [
        "loop.steps=450",
        "loop.ema=0.98",
        "optimiser.learning_rate=0.004",
        "optimiser.warmup_steps=20",
        "optimiser.schedule=cosine",
        "network.prediction=sample",
        "network.residual_scale=[0.1,0.05,0.05,0.025,0.025,0.025]",
        "condition_dropout=0.1",
        "data.batch=16",
    ]
    summary = train(PoseTask, config(clips, *settings), tmp_path / "run")
    model = PoseDiffusion.load(summary.exported[0])
    assert model.info["training"]["steps"] == 450
    assert model.info["training"]["figures"]["beat_alignment"] > 0
    data = clip_examples(config(clips).data, PoseTask(config(clips)).draw("train"), seed=1, split="train")
    batch = collate([data[n] for n in range(8)])
    made = torch.stack(
        [
            model.sample(mel, p0, sampler="dpmpp_2m", steps=20, guidance=1.0, seed=n)
            for n, (mel, p0) in enumerate(zip(batch["mel"], batch["initial"], strict=True))
        ]
    )
    truth = batch["x0"] + batch["initial"][:, None]
    nods, true_nods = (value[..., 0] - value[..., 0].mean(1, keepdim=True) for value in (made, truth))
    assert np.corrcoef(nods.flatten(), true_nods.flatten())[0, 1] > 0.8
    assert 0.6 < float(nods.std() / true_nods.std()) < 1.8


class Gaussian(Dataset):
    """Residuals that are independent Gaussians in every frame, whatever the sound."""

    mean, deviation = torch.tensor([0.5, -0.3]), torch.tensor([0.9, 0.6])

    def __getitem__(self, number: int) -> dict:
        rng = np.random.default_rng(number)
        x0 = rng.standard_normal((4, 2)) * self.deviation.numpy() + self.mean.numpy()
        return {
            "mel": np.zeros((4, 320), np.float32),
            "x0": x0.astype(np.float32),
            "initial": rng.standard_normal(2).astype(np.float32),
            "noise": rng.standard_normal((4, 2)).astype(np.float32),
            "step": int(rng.integers(60)),
            "known": bool(rng.random() < 0.8),
        }


class GaussianTask(GazeTask):
    """The gaze trainer on those."""

    def dataset(self, split: str) -> Dataset | None:
        return Gaussian()


@pytest.mark.parametrize("prediction", ["noise", "sample"])
def test_a_sampler_trained_on_a_known_gaussian_returns_its_mean_and_variance(
    clips: Path, tmp_path: Path, prediction: str
) -> None:
    settings = [
        "network.channels=2",
        "network.blocks=1",
        "network.attention=false",
        "network.dilations=[0]",
        f"network.prediction={prediction}",
        "loop.steps=700",
        "loop.ema=0.99",
        "optimiser.learning_rate=0.005",
        "optimiser.warmup_steps=30",
        "optimiser.schedule=cosine",
        "data.batch=64",
        "data.validation_batches=0",
    ]
    summary = train(GaussianTask, config(clips, *settings, kind=GazeConfig), tmp_path / "run")
    model = GazeDiffusion.load(summary.exported[0])
    assert isinstance(model, GazeDiffusion)
    mel, p0 = torch.zeros(600, 320), torch.zeros(2)  # its frames are independent: no attention, no taps
    for sampler, steps in (("ddpm", 60), ("dpmpp_2m", 20)):
        made = model.sample_residual(mel, p0, sampler=sampler, steps=steps, window=0, seed=5)
        assert torch.allclose(made.mean(0), Gaussian.mean, atol=0.1)
        assert torch.allclose(made.std(0), Gaussian.deviation, rtol=0.2)


def test_resuming_equals_no_interruption(clips: Path, tmp_path: Path) -> None:
    whole = train(PoseTask, config(clips, "loop.steps=6", "sampled=0"), tmp_path / "whole")
    pause = ["loop.steps=6", "sampled=0", "loop.pause_after_minutes=0"]
    first = train(PoseTask, config(clips, *pause), tmp_path / "parts")
    assert first.reason == "paused" and 0 < first.step < 6
    second = train(PoseTask, config(clips, "loop.steps=6", "sampled=0"), tmp_path / "parts", resume=True)
    assert second.figures == whole.figures
    one, other = (PoseDiffusion.load(s.exported[0]).network.state_dict() for s in (whole, second))
    assert all(torch.equal(one[key], other[key]) for key in one)


SHIPPED = [
    pytest.param(kind, file, id=f"{kind}-{file.stem}")
    for kind in ("pose", "gaze")
    for file in sorted((CONFIGS / kind).glob("*.yaml"))
]


@pytest.mark.parametrize(("kind", "file"), SHIPPED)
def test_every_shipped_config_runs_two_steps(kind: str, file: Path, clips: Path) -> None:
    task = {"pose": PoseTask, "gaze": GazeTask}[kind]
    small = ["network.width=16", "network.blocks=2", "network.heads=2", "network.step_width=16"]
    small += [*two_steps(clips, 2), "data.space=stylised", "frames=12"]
    run = Run(task, load_config(task.Config, file, small))
    batches = run.batches()
    for _ in range(2):
        run.take_step([next(batches)], START, Counters())
    assert run.step == 2 and run.skipped["steps"] == 0
    assert [one.component for one in run.task.exports()] == [f"{kind}_diffusion"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["network.channels=2"], "channels"),
        (["gain=[-6.0, 6.0]", "network.alignment=mel100"], "mel100"),
        (["mirror_share=1.5"], "mirror_share"),
        (["condition_dropout=-0.1"], "condition_dropout"),
        (["initial=last"], "initial"),
        (["network.form=both"], "both"),
    ],
)
def test_settings_that_make_no_sense_are_refused(clips: Path, settings: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        PoseTask(config(clips, *settings))


def test_figures_know_a_lively_copy_from_a_still_one() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(100)
    loud = np.clip(np.sin(time / 4), 0, 1)
    mel = torch.from_numpy(np.repeat(loud[:, None] * 4, 320, 1).astype(np.float32))
    truth = torch.from_numpy(np.stack([np.sin(time / 4 - 0.3)] * 6, 1).astype(np.float32))
    noise = torch.from_numpy(rng.standard_normal((100, 6)).astype(np.float32))
    same = motion_figures(mel[None], [truth], [[truth, truth]])
    assert same["deviation_share"] == pytest.approx(1) and same["speed_share"] == pytest.approx(1)
    assert same["beat_alignment"] == pytest.approx(same["beat_alignment_of_truth"])
    assert same["variety_over_seeds"] == 0 and same["correlation"] == pytest.approx(1)
    still = motion_figures(mel[None], [truth], [[0 * truth, 0 * truth]])
    assert still["deviation_share"] == 0 and still["correlation"] == 0
    varied = motion_figures(mel[None], [truth], [[0.5 * truth, 0.5 * truth + noise]])
    assert varied["variety_over_seeds"] > 0.3 and varied["speed_share"] > 1


def test_beats_lie_where_loudness_rises_and_motion_turns() -> None:
    loud = np.zeros(60)
    loud[20:30] = loud[45:50] = 3.0
    assert audio_beats(np.repeat(loud[:, None], 320, 1)).tolist() == [20, 45]
    values = np.sin(np.arange(60) * 2 * np.pi / 20)[:, None]
    turns = motion_beats(values)
    assert all(min(abs(t - turn) for turn in (4.5, 14.5, 24.5, 34.5, 44.5, 54.5)) <= 1 for t in turns)
    assert beat_alignment(values, turns) == 1.0
    assert beat_alignment(values, turns + 5) < 0.5
    assert beat_alignment(values, np.array([], int)) == 0.0


def test_nods_at_a_constant_phase_to_beats_are_above_chance() -> None:
    rng = np.random.default_rng(0)
    beats = np.sort(rng.choice(np.arange(20, 380), 30, replace=False))
    free = rng.standard_normal((400, 3))
    chance = [beat_locking(rng.standard_normal((400, 3)).cumsum(0), beats) for _ in range(20)]
    assert 0.6 < np.mean(chance) < 1.4
    nods = free.cumsum(0)
    for beat in beats:
        nods[beat + 3 :, 0] += 2.0
        nods[beat + 6 :, 0] -= 2.0
    assert beat_locking(nods, beats) > 3
    assert np.isnan(beat_locking(free[:20], beats[:1])) and np.isnan(beat_locking(free, beats[:0]))


@pytest.mark.parametrize(("task", "kind"), [(PoseTask, PoseConfig), (GazeTask, GazeConfig)])
def test_a_run_writes_a_film_with_sound(task, kind, clips: Path, tmp_path: Path) -> None:
    import av

    network = "network.channels=2" if kind is GazeConfig else "network.channels=6"
    train(task, config(clips, "loop.steps=1", "loop.sample_every=1", network, kind=kind), tmp_path)
    with av.open(str(tmp_path / "samples" / f"{task.values}_00000001.mp4")) as film:
        assert film.streams.video[0].frames == 48 and len(film.streams.audio) == 1
