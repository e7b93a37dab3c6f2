"""The lip-sync expert: parity with the official networks, gradients, bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.expression import LipSync, LipSyncConfig, LipSyncNetwork
from tests.support import expression_recipe, recipe


def compare(path: Path, golden: dict) -> None:
    expert = LipSync.load(path)
    chunks, faces = golden["audio"][:, 0], golden["faces_u8"] / 255.0
    recipe.assert_close(expert.embed_audio(chunks), golden["audio_unit"], 1e-4)
    recipe.assert_close(expert.embed_faces(faces), golden["face_unit"], 1e-4)
    recipe.assert_close(expert.similarity(chunks, faces), golden["cosine"], 1e-4)


def test_small_golden(tmp_path: Path) -> None:
    compare(*expression_recipe.small_golden("lip_sync", tmp_path))


def test_full_parity(tmp_path: Path) -> None:
    golden = recipe.golden("syncnet")
    path = recipe.write_official("syncnet", tmp_path / "lipsync_expert.pth")
    compare(path, golden)
    network = LipSync.load(path).network
    chunks = torch.from_numpy(golden["audio"][:, 0])
    recipe.assert_close(network.audio(chunks), golden["audio_raw"], 1e-4)
    faces = torch.from_numpy(golden["faces_u8"]) / 255
    recipe.assert_close(network.face(faces), golden["face_raw"], 1e-4)


def small() -> LipSync:
    config = LipSyncConfig(
        audio_widths=(4, 4, 6, 8, 12),
        audio_residuals=1,
        face_widths=(4, 4, 6, 8, 8, 12),
        face_residuals=(1, 0, 1, 0),
    )
    return LipSync(LipSyncNetwork(config), config, "stylised")


def test_gradients_reach_the_picture() -> None:
    torch.manual_seed(0)  # some starts leave a network this small without a live unit
    faces = torch.rand(2, 15, 48, 96, requires_grad=True)
    expert = small()
    unit = expert.embed_faces(faces)
    torch.testing.assert_close(unit.norm(dim=-1), torch.ones(2), atol=1e-5, rtol=0)
    expert.similarity(torch.randn(2, 80, 16), faces).sum().backward()
    assert faces.grad is not None and faces.grad.abs().max() > 0


def test_bad_input_gets_one_sentence() -> None:
    with pytest.raises(BadInput, match=r"\[B, 80, 16\] is expected"):
        small().embed_audio(torch.zeros(2, 16, 80))
    with pytest.raises(BadInput, match=r"\[B, 15, 48, 96\] is expected"):
        small().embed_faces(torch.zeros(2, 3, 48, 96))
    with pytest.raises(BadInput, match="same embedding width"):
        LipSyncConfig(audio_widths=(4, 4, 6, 8, 16))
    with pytest.raises(BadInput, match="48 x 96"):
        LipSyncConfig(face_height=96)
