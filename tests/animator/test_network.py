"""The network against the official formulation written out plainly, and its parts against definitions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gohd_core.animator import Animator, AnimatorConfig
from gohd_core.animator.layers import StyledConv
from gohd_core.errors import BadInput
from gohd_core.kernels.warp import corner_grid, warp
from tests.support import recipe
from tests.support.plain_animator import PlainAnimator
from tests.support.small_animators import BUILTIN, SMALL, animator, image, network, official_state, windows


@pytest.fixture(scope="module")
def small():
    return animator(SMALL), PlainAnimator(official_state(network(SMALL)))


@torch.no_grad()
def test_small_size_equals_plain_formulation(small):
    ours, plain = small
    picture, steps = image(64), windows(3)
    source = ours.encode_source(picture)
    identity, features = plain.encode(picture)
    recipe.assert_close(source.identity_code, identity, 1e-5)
    for mine, theirs in zip(source.features, features, strict=True):
        recipe.assert_close(mine, theirs, 1e-5)
    magnitudes = ours.magnitudes(source, steps)
    expected = plain.magnitudes(identity.expand(3, -1), steps)
    recipe.assert_close(magnitudes, expected, 1e-5)
    features = [f.expand(3, -1, -1, -1) for f in features]
    for strength in (1.0, 0.3, -0.5):
        latent = plain.latent(identity.expand(3, -1), expected, strength)
        pyramid, _ = plain.decode(latent, features)
        frames = ours.decode(source, magnitudes, strength)
        recipe.assert_close(frames, pyramid[0], 1e-4)
        assert (pyramid[0][0] - pyramid[0][1]).abs().max() > 1e-2  # motion shows, so the check can fail


@pytest.mark.parametrize("config", [SMALL, BUILTIN], ids=["pyramid", "composite"])
def test_frozen_and_trainable_forms_agree(config):
    net = network(config)
    picture, steps = image(config.size, 2), windows(2)
    with torch.enable_grad():
        free = net(picture, steps).pyramid[0].detach()
    with torch.no_grad():
        frozen = net.freeze()(picture, steps).pyramid[0]
    recipe.assert_close(frozen, free, 1e-5)
    net.train()
    assert all(v is None for k, v in net.named_buffers() if "frozen" in k)


def test_every_weight_is_reached_by_gradients():
    for config in (SMALL, BUILTIN):
        net = network(config).train()
        decoded = net(image(config.size, 2), windows(2))
        # The mask is detached in the composite frame, so it needs its own loss, as in training.
        loss = decoded.pyramid[0].square().mean() + sum(m.mean() for m in decoded.occlusion_logits)
        loss.backward()
        missing = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        # The estimator has its own loss too; it only speaks here where no descriptor is given.
        assert not [n for n in missing if "estimator" not in n], missing


@torch.no_grad()
@pytest.mark.parametrize("up", [False, True])
def test_styled_conv_equals_per_sample_kernels(up):
    torch.manual_seed(0)
    layer = StyledConv(5, 7, 11, up=up).eval()
    layer.bias.normal_()
    x, latent = torch.randn(3, 5, 8, 8), torch.randn(3, 11)
    state = {"k.conv.weight": layer.weight[None], "k.activate.bias": layer.bias[:, None, None]}
    state |= {f"k.conv.modulation.{n}": p for n, p in layer.modulation.named_parameters()}
    recipe.assert_close(layer(x, latent), PlainAnimator(state)._styled("k", x, latent, up), 1e-5)


@torch.no_grad()
@pytest.mark.parametrize("channels", [6, 64])  # sampled, and gathered in rows
@pytest.mark.parametrize("border", [False, True])
def test_fast_warp_equals_grid_sample(border, channels):
    torch.manual_seed(0)
    features, mask = torch.randn(1, channels, 16, 16), torch.rand(4, 1, 16, 16)
    grid = corner_grid(16, features.device) + torch.randn(4, 16, 16, 2)  # a third lies outside
    grid[0, 0, 0] = torch.tensor([-1.0, 1.0])
    grid[1, 0, 0] = torch.tensor([1e6, -1e6])
    mode = "border" if border else "zeros"
    expected = F.grid_sample(features.expand(4, -1, -1, -1), grid, "bilinear", mode, False) * mask
    recipe.assert_close(warp(features, grid, mask, border=border), expected, 1e-5)


def test_directions_are_orthonormal_with_lapack_signs():
    import numpy as np

    directions = network().directions
    basis = directions.used().detach()
    assert torch.allclose(basis.T @ basis, torch.eye(6), atol=1e-5)
    weight = directions.weight.detach().double().numpy() + 1e-8
    recipe.assert_close(basis, np.linalg.qr(weight)[0], 1e-5)
    triangle = basis.T @ directions.weight.detach()
    assert (triangle.diagonal() < 0).any()  # a positive diagonal would be another convention


@pytest.mark.parametrize(
    "change",
    [{"size": 100}, {"channels": (8, 8)}, {"decoder": "unet"}, {"n_directions": 999}, {"encoder_size": 128}],
)
def test_impossible_configs_are_refused(change):
    with pytest.raises(BadInput):
        AnimatorConfig(**change)


def test_official_config_is_read_from_shapes(tmp_path):
    path = tmp_path / "small.pt"
    net = network(SMALL)
    torch.save({"gen_pose": official_state(net)}, path)
    loaded = Animator.load(path)
    assert loaded.config == SMALL
    source = loaded.encode_source(image(64))
    frame = loaded.decode(source, loaded.magnitudes(source, windows(1)))
    mine = animator(SMALL)
    source = mine.encode_source(image(64))
    assert torch.equal(frame, mine.decode(source, mine.magnitudes(source, windows(1))))


def test_composite_form_in_bfloat16_stays_near():
    picture, steps = image(64), windows(2)
    frames = []
    for dtype in (torch.float32, torch.bfloat16):
        ours = animator(BUILTIN, dtype=dtype)
        source = ours.encode_source(picture)
        frames.append(ours.decode(source, ours.magnitudes(source, steps)))
    assert frames[1].dtype == torch.float32
    error = float((frames[1] - frames[0]).norm() / frames[0].norm())
    assert 0 < error < 0.05
