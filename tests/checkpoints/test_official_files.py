"""Every official file, filled by the recipe: recognised, refused when damaged, the same once converted."""

from __future__ import annotations

import pytest
import torch

from gohd_core.checkpoints import convert, read_checkpoint
from gohd_core.errors import BadCheckpoint
from tests.support import recipe

FILES = {
    "animator": "animator",
    "pose_diffusion": "pose_diffusion",
    "gaze_diffusion": "gaze_diffusion",
    "expression": "expression",
    "expression_two_stage": "expression",
    "face_recon": "extractor",
    "gaze": "gaze_estimator",
    "face_parsing": "face_parsing",
    "lip_sync": "lip_sync",
}
"""Golden file -> the component that it must be recognised as."""


@pytest.fixture(params=FILES, scope="module")
def official(request, tmp_path_factory):
    """(name, content, path) of one official file."""
    content, _ = recipe.load_small_golden(request.param)
    path = tmp_path_factory.mktemp(request.param) / "weights.bin"
    torch.save(content, path)
    yield request.param, content, path
    path.unlink()


def innermost(content: dict) -> dict:
    """The state dict inside a nested file: the dictionary whose values are tensors."""
    while not any(isinstance(value, torch.Tensor) for value in content.values()):
        content = max((v for v in content.values() if isinstance(v, dict)), key=len)
    return content


def test_recognised_whatever_its_name_and_the_same_when_converted(official, tmp_path) -> None:
    name, _, path = official
    loaded = read_checkpoint(path)
    assert (loaded.component, loaded.space) == (FILES[name], "bfm09")
    again = read_checkpoint(convert(path, tmp_path / "a.safetensors"))
    assert again.config == loaded.config
    ours = again.network.state_dict()
    assert all(torch.equal(value, ours[key]) for key, value in loaded.network.state_dict().items())


def test_damage_is_named(official, tmp_path) -> None:
    _, content, path = official
    state = innermost(content)
    floats = [key for key, value in state.items() if value.is_floating_point() and value.ndim > 1]
    middle = floats[len(floats) // 2]
    whole = state[middle]
    damaged = tmp_path / "damaged.bin"
    try:
        state[middle] = torch.full_like(whole, torch.nan)
        torch.save(content, damaged)
        with pytest.raises(BadCheckpoint, match="not finite"):
            read_checkpoint(damaged)
        del state[middle]
        state["stranger"] = torch.zeros(2)
        torch.save(content, damaged)
        with pytest.raises(BadCheckpoint):
            read_checkpoint(damaged)
    finally:
        state.pop("stranger", None)
        state[middle] = whole
    with path.open("rb") as file:
        damaged.write_bytes(file.read(path.stat().st_size // 2))
    with pytest.raises(BadCheckpoint, match="cut off|damaged|not a weights file"):
        read_checkpoint(damaged)
