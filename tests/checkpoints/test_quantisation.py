"""Weights in eight bits."""

from __future__ import annotations

import torch

from gohd_core.checkpoints import load_network, save_network
from gohd_core.checkpoints.quantisation import SCALE, dequantise, quantise


def weights() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(3)
    kernel = torch.randn(6, 4, 3, 3, generator=random) * torch.logspace(-3, 1, 6)[:, None, None, None]
    return {"kernel": kernel, "bias": torch.randn(6, generator=random), "count": torch.tensor(7)}


def test_a_weight_is_off_by_half_a_step_of_its_channel_at_most() -> None:
    given = weights()
    stored = quantise(given)
    assert stored["kernel"].dtype == torch.int8 and stored["kernel" + SCALE].shape == (6,)
    back = dequantise(stored)
    assert back.keys() == given.keys() and back["kernel"].dtype == torch.float32
    largest = given["kernel"].abs().flatten(1).amax(1)
    off = (back["kernel"] - given["kernel"]).abs().flatten(1).amax(1)
    assert (off <= largest / 127 * 0.501).all() and (off > 0).all()


def test_vectors_and_counts_stay_bit_for_bit() -> None:
    given, back = weights(), dequantise(quantise(weights()))
    assert torch.equal(back["bias"], given["bias"]) and torch.equal(back["count"], given["count"])


def test_channels_of_zeros_stay_zero() -> None:
    assert torch.equal(dequantise(quantise({"w": torch.zeros(2, 3)}))["w"], torch.zeros(2, 3))


def test_files_without_scales_are_as_they_were() -> None:
    assert dequantise(weights()).keys() == weights().keys()


def test_a_file_in_eight_bits_loads_as_the_network_and_is_half_of_float16(tmp_path) -> None:
    loaded = load_network("builtin", "gaze_diffusion")
    what = {"component": loaded.component, "config": loaded.config, "space": loaded.space}
    half = save_network(tmp_path / "half.safetensors", loaded.network, **what, dtype=torch.float16)
    small = save_network(
        tmp_path / "small.safetensors", loaded.network, **what, dtype=torch.float16, eight_bits=True
    )
    assert small.stat().st_size < 0.7 * half.stat().st_size
    wanted = dequantise(quantise(loaded.network.state_dict()))
    read = load_network(small, "gaze_diffusion").network.state_dict()
    matrices = [key for key, value in wanted.items() if value.ndim > 1]
    assert matrices and all(torch.equal(read[key], wanted[key]) for key in matrices)
