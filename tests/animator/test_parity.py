"""The animator against the official implementation's stored outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gohd_core.animator import Animator
from gohd_core.animator.windows import windows_at
from tests.support import recipe


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    golden = recipe.golden("animator")
    path = recipe.write_official("animator", tmp_path_factory.mktemp("animator") / "FaceAnimator_GoHD.pt")
    animator = Animator.load(path)
    source = torch.from_numpy(golden["source_u8"].astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    return golden, animator, animator.encode_source(source)


def test_codes_and_features(full):
    golden, animator, source = full
    recipe.assert_close(source.identity_code, golden["identity_code"], 1e-5)
    for feature in source.features:
        side, channels = feature.shape[-1], feature.shape[1]
        step = max(1, side // 16)
        part = feature[:, :: channels // 16, ::step, ::step]
        recipe.assert_close(part, golden[f"feat{side}_sub"], 1e-5)
    windows = torch.from_numpy(golden["semantics"])
    recipe.assert_close(animator.network.motion.encoder(windows), golden["semantic_code"], 1e-5)
    recipe.assert_close(animator.network.directions.used(), golden["directions"], 1e-5)
    magnitudes = animator.magnitudes(source, windows)
    recipe.assert_close(magnitudes, golden["motion"], 1e-5)
    recipe.assert_close(animator.network.directions(magnitudes), golden["navigation"], 1e-5)
    recipe.assert_close(animator.network.latent(source, magnitudes), golden["latent"], 1e-5)


def test_frame_pyramid_and_flows(full):
    golden, animator, source = full
    latent = torch.from_numpy(golden["latent"])
    with torch.inference_mode():
        decoded = animator.network.decoder(latent, source.features)
    for flow, mask in zip(decoded.flows, decoded.occlusion_logits, strict=True):
        side = flow.shape[-1]
        step = max(1, side // 32)
        raw = golden[f"flow{side}_sub"]
        recipe.assert_close(flow[..., ::step, ::step], np.tanh(raw[:, :2]), 1e-4)
        recipe.assert_close(mask[..., ::step, ::step], raw[:, 2:], 1e-4)
    for picture in decoded.pyramid[1:]:
        recipe.assert_close(picture, golden[f"pyramid{picture.shape[-1]}"], 1e-4)
    magnitudes = animator.magnitudes(source, torch.from_numpy(golden["semantics"]))
    recipe.assert_close(animator.decode(source, magnitudes), golden["frame"], 1e-4)


def test_clip(full):
    golden, animator, source = full
    target = torch.from_numpy(golden["clip_target"][0])
    windows = windows_at(target, range(len(target)), 27)
    assert torch.equal(windows, target[torch.from_numpy(golden["clip_index"]).long()].transpose(1, 2))
    magnitudes = animator.magnitudes(source, windows)
    recipe.assert_close(magnitudes, golden["clip_motion"], 1e-5)
    frames = animator.decode(source, magnitudes)
    recipe.assert_close(frames[:, :, ::4, ::4], golden["clip_frames_sub"], 1e-4)


def test_bfloat16_stays_near(full):
    golden, animator, source = full
    half = Animator(animator.network, animator.config, animator.space, dtype=torch.bfloat16)
    try:
        picture = torch.from_numpy(golden["source_u8"].astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
        source = half.encode_source(picture)
        frame = half.decode(source, half.magnitudes(source, torch.from_numpy(golden["semantics"])))
    finally:
        animator.network.freeze(torch.float32)
    reference = torch.from_numpy(golden["frame"])
    error = float((frame - reference).norm() / reference.norm())
    assert 1e-4 < error < 0.05


def test_small_golden_on_a_clean_clone(tmp_path):
    content, arrays = recipe.load_small_golden("animator")
    path = tmp_path / "FaceAnimator_GoHD.pt"
    torch.save(content, path)
    animator = Animator.load(path)
    coarse = torch.from_numpy(arrays["source_u8"].astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    source = animator.encode_source(F.interpolate(coarse, size=(256, 256), mode="bilinear"))
    recipe.assert_close(source.identity_code[:, ::8], arrays["identity_code"], 1e-5)
    magnitudes = animator.magnitudes(source, torch.from_numpy(arrays["semantics"]))
    recipe.assert_close(magnitudes, arrays["motion"], 1e-5)
    frame = animator.decode(source, magnitudes)
    recipe.assert_close(frame[:, :, 4::8, 4::8], arrays["frame"], 1e-4)
