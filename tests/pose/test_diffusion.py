"""PoseDiffusion: guidance, determinism, typed results, bad input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gohd_core.checkpoints import save_network
from gohd_core.constants import BFM09, STYLISED
from gohd_core.errors import BadInput, Interrupted
from gohd_core.motion import Gaze, Pose
from gohd_core.pose import DiffusionConfig, GazeDiffusion, PoseDiffusion
from tests.support.small_diffusions import condition, small_config, small_model

P0 = torch.tensor([0.1, -0.2, 0.05, 0.3, -0.1, 0.2])
FAST = {"steps": 4, "sampler": "dpmpp_2m"}


@pytest.mark.parametrize("prediction", ["noise", "sample"])
@pytest.mark.parametrize("form", ["pair", "dropout"])
@pytest.mark.parametrize("gamma", [0.0, 0.4, 1.0])
def test_guidance_is_eq_3(form: str, gamma: float, prediction: str) -> None:
    """One step to x_0 shows the mixed noise; it equals eq. 3 of the two networks run one by one."""
    model = small_model(form=form, clamp=1e6, prediction=prediction)
    mel, noise = condition(8), torch.randn(1, 8, 6, generator=torch.Generator().manual_seed(5))
    last = torch.tensor([39.0])
    with_p0 = model.denoise(noise, mel[None], P0[None], last)
    without = model.denoise(noise, mel[None], None, last)
    assert not torch.allclose(with_p0, without, atol=1e-3)
    eps = gamma * with_p0 + (1 - gamma) * without
    bar = float(model.schedule.alpha_bar[-1])
    wanted = (noise - (1 - bar) ** 0.5 * eps) / bar**0.5
    found = model.sample_residual(mel, P0, steps=1, sampler="ddim", guidance=gamma, noise=noise)
    assert torch.allclose(found, wanted[0], rtol=1e-4, atol=1e-4)


def test_guidance_of_the_paper_is_the_default() -> None:
    assert DiffusionConfig().guidance == 0.4
    model = small_model(form="pair")
    found = model.sample(condition(8), P0, seed=1, **FAST)
    assert torch.equal(found, model.sample(condition(8), P0, seed=1, guidance=0.4, **FAST))
    assert not torch.equal(found, model.sample(condition(8), P0, seed=1, guidance=0.9, **FAST))


def test_one_network_without_a_free_form_takes_no_p0_as_zero() -> None:
    model = small_model()
    zero = model.sample(condition(8), torch.zeros(6), seed=1, **FAST)
    assert torch.equal(model.sample(condition(8), None, seed=1, **FAST), zero)
    assert torch.equal(model.sample(condition(8), None, seed=1, guidance=0.7, **FAST), zero)


def test_a_dropout_network_distinguishes_no_p0_from_a_p0_of_zero() -> None:
    model = small_model(form="dropout")
    zero = model.sample(condition(8), torch.zeros(6), seed=1, guidance=1.0, **FAST)
    assert not torch.allclose(model.sample(condition(8), None, seed=1, **FAST), zero, atol=1e-3)


def test_two_files_make_a_pair(tmp_path: Path) -> None:
    pair = small_model(form="pair")
    paths = []
    for form in ("conditional", "unconditional"):
        single = small_model(form=form)
        setattr(single.network, form, getattr(pair.network, form))
        paths.append(
            save_network(
                tmp_path / f"{form}.safetensors",
                single.network,
                component="pose_diffusion",
                config=single.config,
                space=STYLISED,
            )
        )
    loaded = PoseDiffusion.load(paths[0], unconditional=paths[1])
    assert loaded.config.form == "pair"
    found = loaded.sample(condition(6), P0, seed=2, **FAST)
    assert torch.equal(found, pair.sample(condition(6), P0, seed=2, **FAST))
    with pytest.raises(BadInput, match="in this order"):
        PoseDiffusion.load(paths[1], unconditional=paths[0])


def test_sample_adds_p0_to_the_residual() -> None:
    model = small_model()
    residual = model.sample_residual(condition(7), P0, seed=1, **FAST)
    assert torch.equal(model.sample(condition(7), P0, seed=1, **FAST), P0 + residual)
    assert residual.abs().max() <= 1


def test_residual_scale_gives_the_units_and_the_clamp_counts_before_it() -> None:
    model = small_model(clamp=0.5)
    plain = model.sample_residual(condition(7), P0, seed=1, **FAST)
    model.config = replace(model.config, residual_scale=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    scaled = model.sample_residual(condition(7), P0, seed=1, **FAST)
    assert torch.allclose(scaled, plain * torch.arange(1.0, 7.0))
    assert plain.abs().max() <= 0.5


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpmpp_2m"])
def test_same_seed_same_motion(sampler: str) -> None:
    model = small_model()
    run = {"steps": 5, "sampler": sampler}
    torch.manual_seed(1)
    first = model.sample(condition(9), P0, seed=7, **run)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    assert torch.equal(first, model.sample(condition(9), P0, seed=7, **run))
    assert torch.equal(state, torch.random.get_rng_state())
    assert not torch.allclose(first, model.sample(condition(9), P0, seed=8, **run), atol=1e-2)
    assert torch.equal(model.sample(condition(9), P0, **run), model.sample(condition(9), P0, seed=0, **run))


def test_given_noise_is_used_draw_by_draw() -> None:
    model = small_model()
    noise = torch.randn(5, 9, 6, generator=torch.Generator().manual_seed(7))
    by_seed = model.sample(condition(9), P0, steps=5, seed=7)
    generator = torch.Generator().manual_seed(7)
    drawn = torch.stack([torch.randn(9, 6, generator=generator) for _ in range(5)])
    assert torch.equal(by_seed, model.sample(condition(9), P0, steps=5, noise=drawn))
    flat = model.sample(condition(9), P0, steps=5, noise=noise)
    assert torch.equal(flat, model.sample(condition(9), P0, steps=5, noise=noise[:, None]))
    one = model.sample(condition(9), P0, steps=5, sampler="ddim", noise=noise[:1])
    assert torch.equal(one, model.sample(condition(9), P0, steps=5, sampler="ddim", noise=noise))


def test_scores_are_made_anew_when_the_weights_change() -> None:
    model = small_model()
    before = model.sample(condition(6), P0, seed=1, **FAST)
    attention = model.network.conditional.blocks[1].stack.conformers[0].attention
    with torch.no_grad():
        attention.positional.bias.add_(20)
        attention.positional.amplitudes.mul_(-3)
    after = model.sample(condition(6), P0, seed=1, **FAST)
    assert not torch.equal(before, after)
    fresh = PoseDiffusion(model.network, model.config, STYLISED)
    assert torch.equal(after, fresh.sample(condition(6), P0, seed=1, **FAST))


def test_typed_poses_and_gaze() -> None:
    pose = small_model().sample_pose(condition(5), P0, seed=1, **FAST)
    assert isinstance(pose, Pose) and len(pose) == 5 and pose.fps == 25 and pose.space == STYLISED
    start = Pose(P0[None], space=STYLISED)
    again = small_model().sample_pose(condition(5), start, seed=1, **FAST)
    assert torch.equal(pose.values, again.values)
    with pytest.raises(BadInput, match="bfm09"):
        small_model().sample_pose(condition(5), Pose(P0[None], space=BFM09), **FAST)
    with pytest.raises(BadInput, match="2"):
        small_model().sample_gaze(condition(5), **FAST)


def test_gaze_is_turned_from_horizontal_vertical_to_pitch_yaw() -> None:
    plain = small_model(channels=2)
    model = GazeDiffusion(plain.network, plain.config, STYLISED)
    pitch, yaw = 0.2, -0.1
    raw = model.sample(condition(5), torch.tensor([yaw, pitch]), seed=1, **FAST)
    gaze = model.sample_gaze(condition(5), torch.tensor([pitch, yaw]), seed=1, **FAST)
    assert isinstance(gaze, Gaze)
    assert torch.equal(gaze.values[:, 0], raw[:, 1]) and torch.equal(gaze.values[:, 1], raw[:, 0])
    typed = model.sample_gaze(condition(5), Gaze.constant(pitch, yaw, 3, space=STYLISED), seed=1, **FAST)
    assert torch.equal(typed.values, gaze.values)


def test_one_frame_works() -> None:
    model = small_model()
    assert model.sample(condition(1), P0, steps=3).shape == (1, 6)
    assert model.denoise(torch.zeros(2, 1, 6), torch.zeros(2, 1, 12), None, torch.zeros(2)).shape == (2, 1, 6)


def test_progress_and_stop() -> None:
    seen: list[tuple[int, int]] = []
    model = small_model()
    model.sample(condition(4), P0, steps=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Interrupted, match="after 2 of 3"):
        model.sample(condition(4), P0, steps=3, should_stop=iter([False, False, True]).__next__)


def test_bfloat16_is_near_float32() -> None:
    model = small_model()
    exact = model.sample(condition(9), P0, seed=1, **FAST)
    model.network.to(torch.bfloat16)
    rough = model.sample(condition(9), P0, seed=1, **FAST)
    assert rough.dtype == torch.float32 and not torch.equal(exact, rough)
    assert float((exact - rough).abs().max()) < 0.1


GOOD = condition(8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mel": GOOD[:, :5]}, r"mel has shape \[8, 5\]"),
        ({"mel": GOOD[None]}, "mel has shape"),
        ({"mel": GOOD[:0]}, "at least one frame"),
        ({"mel": GOOD.long()}, "int64"),
        ({"mel": GOOD.numpy()}, "ndarray"),
        ({"mel": GOOD.clone().fill_(float("nan"))}, "NaN"),
        ({"initial": torch.zeros(5)}, "initial has shape"),
        ({"initial": torch.zeros(1, 6)}, "initial has shape"),
        ({"initial": torch.full((6,), float("inf"))}, "initial holds NaN or infinity"),
        ({"guidance": 1.2}, "between 0"),
        ({"guidance": -0.1}, "between 0"),
        ({"guidance": float("nan")}, "between 0"),
        ({"sampler": "euler"}, "ddpm, ddim, dpmpp_2m"),
        ({"steps": 0}, "between 1 and 40"),
        ({"steps": 41}, "between 1 and 40"),
        ({"steps": 2.5}, "whole number"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 1, "noise": torch.zeros(40, 8, 6)}, "one of them"),
        ({"noise": torch.zeros(40, 7, 6)}, "noise has shape"),
        ({"noise": torch.zeros(39, 8, 6)}, "39 draws for 40 steps"),
        ({"noise": torch.zeros(39, 8, 6), "sampler": "ddim", "steps": 40}, "39 draws"),
    ],
)
def test_bad_input_gets_one_sentence(arguments: dict, message: str) -> None:
    call = {"mel": GOOD, "initial": P0, **arguments}
    with pytest.raises(BadInput, match=message) as raised:
        small_model().sample(call.pop("mel"), call.pop("initial"), **call)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("x", "mel", "initial", "step", "message"),
    [
        ((1, 8, 5), (1, 8, 12), (1, 6), [3.0], "x has shape"),
        ((1, 8, 6), (1, 7, 12), (1, 6), [3.0], "mel has shape"),
        ((2, 8, 6), (2, 8, 12), (1, 6), [3.0, 3.0], "initial has shape"),
        ((2, 8, 6), (2, 8, 12), (2, 6), [3.0], "one step for each"),
        ((1, 8, 6), (1, 8, 12), (1, 6), [40.0], "from 0 to 39"),
        ((1, 8, 6), (1, 8, 12), (1, 6), [-1.0], "from 0 to 39"),
    ],
)
def test_denoise_refuses_wrong_shapes(x: tuple, mel: tuple, initial: tuple, step: list, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        small_model().denoise(torch.zeros(x), torch.zeros(mel), torch.zeros(initial), torch.tensor(step))


@pytest.mark.parametrize(
    "change",
    [
        {"form": "both"},
        {"prediction": "score"},
        {"alignment": "late"},
        {"heads": 3},
        {"step_code": 7},
        {"dilations": ()},
        {"residual_scale": (1.0,)},
        {"beta_end": 1.5},
        {"training_steps": 0},
        {"overlap": 250},
        {"guidance": 2.0},
    ],
)
def test_configs_that_make_no_sense_are_refused(change: dict) -> None:
    with pytest.raises(BadInput):
        small_config(**change)


def test_samples_are_ordinary_tensors_and_the_network_still_learns() -> None:
    model = small_model()
    found = model.sample_residual(condition(120), P0, seed=0, **FAST)
    assert not found.is_inference()
    denoiser = model.network.conditional.requires_grad_(True)
    noise = denoiser(found[None], denoiser.condition(condition(120)[None], P0[None]), torch.tensor([3.0]))
    noise.square().mean().backward()
    assert all(value.grad is not None for value in denoiser.blocks[0].parameters())
    assert torch.equal(model.sample_residual(condition(120), P0, seed=0, **FAST), found)
