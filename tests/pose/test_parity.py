"""The pose and gaze diffusion against the official implementation's stored figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.checkpoints import convert
from gohd_core.errors import BadCheckpoint
from gohd_core.pose import GazeDiffusion, PoseDiffusion
from tests.support import recipe

COMPONENTS = ("pose_diffusion", "gaze_diffusion")


@pytest.fixture(scope="module", params=COMPONENTS)
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The model of the recipe's official file, and the full golden."""
    stored = recipe.golden(request.param)
    path = recipe.write_official(request.param, tmp_path_factory.mktemp("official") / "audio2x.pt")
    model = PoseDiffusion.load(path)
    assert model.component == request.param
    yield model, {key: torch.from_numpy(value) for key, value in stored.items() if value.dtype.kind == "f"}


def test_tables(official) -> None:
    model, stored = official
    assert torch.equal(model.network.conditional.table, stored["step_table"])
    assert torch.equal(model.schedule.beta, stored["beta"])
    assert torch.equal(model.schedule.alpha_bar, stored["alpha_bar"])


def test_positional_scores(official) -> None:
    model, stored = official
    scores = model.network.conditional.positional_scores(16)
    recipe.assert_close(scores[0][0][None], stored["mid_T16_t75_layer0_block0_position_scores"], 1e-5)
    recipe.assert_close(scores[1][1][None], stored["mid_T16_t75_layer1_block1_position_scores"], 1e-5)


@pytest.mark.parametrize("length", [16, 40])
def test_predicted_noise(official, length: int) -> None:
    model, stored = official
    for step, wanted in zip(stored["steps"], stored[f"eps_T{length}"], strict=True):
        p0 = stored[f"global_T{length}"][:, 0]
        found = model.denoise(stored[f"x_T{length}"], stored[f"cond_T{length}"], p0, step[None])
        recipe.assert_close(found, wanted, 1e-4)


def test_sampling_loop(official) -> None:
    model, stored = official
    found = model.sample_residual(
        stored["cond_T16"][0], stored["global_T16"][0, 0], sampler="ddpm", noise=stored["noise_T16"]
    )
    recipe.assert_close(found, stored["loop_out_T16"], 1e-3)


def test_converted_weights_give_identical_noise(official, tmp_path: Path) -> None:
    model, stored = official
    if model.component != COMPONENTS[0]:
        pytest.skip("one component suffices: both share layout and classes")
    source = recipe.write_official(model.component, tmp_path / "official.pt")
    converted = PoseDiffusion.load(convert(source, tmp_path / "ours.safetensors"))
    arguments = (stored["x_T16"], stored["cond_T16"], stored["global_T16"][:, 0], stored["steps"][3:4])
    assert torch.equal(model.denoise(*arguments), converted.denoise(*arguments))
    assert converted.config == model.config and converted.space == model.space


def test_a_pose_file_is_no_gaze_model(tmp_path: Path) -> None:
    content, _ = recipe.load_small_golden("pose_diffusion")
    torch.save(content, tmp_path / "audio2pose.pt")
    with pytest.raises(BadCheckpoint, match="pose_diffusion"):
        GazeDiffusion.load(tmp_path / "audio2pose.pt")


@pytest.mark.parametrize("component", COMPONENTS)
def test_small_golden(component: str, tmp_path: Path) -> None:
    """On any clone: predicted noise at three steps, and a short stretch of the reverse process."""
    content, stored = recipe.load_small_golden(component)
    torch.save(content, tmp_path / "official.pt")
    model = PoseDiffusion.load(tmp_path / "official.pt")
    mel, p0 = torch.from_numpy(stored["cond"]).float(), torch.from_numpy(stored["p0"])
    x = torch.from_numpy(stored["x"])
    for step, wanted in zip(stored["steps"], stored["eps"], strict=True):
        found = model.denoise(x[None], mel[None], p0[None], torch.tensor([float(step)]))
        recipe.assert_close(found[0], wanted, 1e-4)
    assert np.array_equal(model.network.conditional.table[-1].numpy(), stored["last_step_code"])
