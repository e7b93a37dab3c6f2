"""Planes of a portrait: each moves on its own, what parts them is a mask, the background stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.animator.config import BACKGROUND, FACE, INNER
from gohd_core.animator.geometry.push_pull import push_pull_inpaint
from gohd_core.animator.layered.background import inpaint_background
from gohd_core.animator.layered.motion_layers import MotionLayers
from gohd_core.kernels.resize import resize
from gohd_core.kernels.warp import blend
from gohd_core.training.animator.examples import visible_layers
from gohd_core.training.animator.ground_truth import true_confidence
from tests.support.small_animators import BUILTIN, animator, image

STEP = 2 / 8
"""One pixel of eight in half images."""


def shifted(pixels: float, side: int = 8) -> torch.Tensor:
    """A flow that looks that many pixels to the right."""
    flow = torch.zeros(1, 2, side, side)
    flow[:, 0] = pixels * STEP
    return flow


def certain(kinds: torch.Tensor) -> torch.Tensor:
    """Logits [1,3,S,S] that are sure of the layer of each pixel [S,S]."""
    return 60 * torch.nn.functional.one_hot(kinds, 3).permute(2, 0, 1)[None].float()


def test_each_pixel_is_sampled_by_its_layer():
    torch.manual_seed(0)
    picture, kinds = torch.rand(1, 3, 8, 8), torch.randint(0, 3, (8, 8))
    made = MotionLayers(shifted(1), shifted(-2), certain(kinds)).warp(picture)[0]
    step = {FACE: 1, INNER: -2, BACKGROUND: 0}
    for y in range(8):
        for x in range(8):
            source = min(max(x + step[int(kinds[y, x])], 0), 7)
            assert torch.allclose(made[:, y, x], picture[0, :, y, source], atol=1e-5)


def test_the_composed_flow_is_that_of_the_visible_layer():
    kinds = torch.arange(64).view(8, 8) % 3
    flow = MotionLayers(shifted(1), shifted(-2), certain(kinds)).flow()[0, 0] / STEP
    expected = torch.tensor([1.0, -2.0, 0.0])[kinds]
    assert torch.allclose(flow, expected, atol=1e-5)


def test_layers_are_blended_by_their_masks():
    samples = tuple(torch.full((1, 1, 2, 2), value) for value in (1.0, 10.0, 100.0))
    masks = torch.tensor([0.5, 0.3, 0.2])[None, :, None, None].expand(1, 3, 2, 2)
    assert torch.allclose(blend(samples, masks), torch.full((1, 1, 2, 2), 23.5))


@pytest.mark.parametrize("side", [4, 8, 16])
def test_maps_change_size_and_keep_their_mean(side):
    x = torch.rand(1, 2, 8, 8)
    assert resize(x, side).shape[-2:] == (side, side)
    assert torch.allclose(resize(x, side).mean(), x.mean(), atol=0.02)


def test_background_is_the_source_where_the_layers_say_so():
    model = animator(BUILTIN)
    decoder = model.network.decoder
    with torch.no_grad():
        for conv in (decoder.fine, decoder.head.out, *decoder.trunk.layer_heads.values()):
            conv.weight.zero_()
        fields = decoder.trunk.basis.bias.unflatten(0, (8, -1))
        fields[2], fields[7] = 10.0, 10.0  # all is shown by the source, and all is background
    decoder.freeze(torch.float32)
    for conv in (decoder.fine, decoder.head.out, *decoder.trunk.layer_heads.values()):
        conv.bias.zero_()
    decoder.trunk.basis.weight.zero_()
    decoder.trunk.basis.freeze()
    picture = image(BUILTIN.size)
    made = model.decode(model.encode_source(picture), torch.randn(2, BUILTIN.n_directions))
    assert torch.allclose(made, picture.expand(2, -1, -1, -1), atol=1e-4)


def test_layers_follow_from_the_parsing():
    parsing = np.array([[0, 1, 4, 5], [6, 11, 12, 17]])
    shown = visible_layers(parsing)
    assert (shown.sum(0) == 1).all()
    assert np.array_equal(shown.argmax(0), [[2, 0, 1, 1], [1, 1, 0, 0]])


@torch.no_grad()
def test_a_layer_is_sampled_where_the_source_shows_it():
    net = animator(BUILTIN).network
    source = net.encode(image(BUILTIN.size))
    latent = net.latent(source, torch.randn(1, BUILTIN.n_directions))
    plain = net.decoder(latent, source.features)
    ones = torch.ones(1, 3, BUILTIN.size, BUILTIN.size)
    all_confident, none_confident = (net.decoder(latent, (*source.features, own)) for own in (ones, 0 * ones))
    assert torch.allclose(all_confident.pyramid[0], plain.pyramid[0], atol=1e-5)
    assert torch.allclose(none_confident.pyramid[0], none_confident.synthesis, atol=1e-5)
    assert not torch.allclose(plain.pyramid[0], plain.synthesis, atol=1e-2)


def test_training_gives_true_confidence_as_run_time_gives_its_own():
    shown = torch.zeros(1, 3, 8, 8)
    shown[:, FACE, :, :4] = 1
    shown[:, BACKGROUND, :, 4:] = 1
    own = true_confidence(shown)
    assert (own[:, FACE, :, :4] == 1).all() and (own[:, BACKGROUND, :, 5:] == 1).all()
    assert not own[:, INNER].any() and not own[:, FACE, :, 5:].any()
    edge = own[0, :, 0, 4]
    assert 0 < edge[FACE] < 1 and 0 < edge[BACKGROUND] < 1, "an edge is both layers'"


@torch.no_grad()
def test_the_source_gets_its_own_layer_confidence():
    model = animator(BUILTIN)
    source = model.encode_source(image(BUILTIN.size))
    own = source.features[-2]
    assert own.shape == (1, 3, BUILTIN.size, BUILTIN.size)
    assert own.min() >= 0 and own.max() <= 1
    again = model.network.encode(image(BUILTIN.size))
    windows = again.descriptor[:, :, None].expand(-1, -1, BUILTIN.window)
    latent = model.network.latent(again, model.network.motion(again, windows))
    *_, low, _ = model.network.decoder(latent, again.features).layers
    assert low.logits.shape[-1] == BUILTIN.flow_size
    masks = low.resized(BUILTIN.size).masks
    for layer, low, high in ((FACE, 0.1, 0.5), (INNER, 0.25, 0.6), (BACKGROUND, 0.5, 0.9)):
        assert ((own[:, layer] == 1) == (masks[:, layer] >= high)).float().mean() > 0.999
        assert ((own[:, layer] == 0) == (masks[:, layer] <= low)).float().mean() > 0.999


def test_push_pull_inpaints_behind_the_head():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    background = torch.stack([0.5 * x, 0.5 * y, 0 * x + 0.3])[None]
    hidden = (x.square() + y.square() < 0.25).float()[None, None]
    inpainted = push_pull_inpaint(background * (1 - hidden) - hidden, 1 - hidden)
    assert (inpainted - background).abs().max() < 0.25 and (inpainted - background).abs().mean() < 0.03
    shown = hidden[0, 0] == 0
    assert torch.equal(inpainted[0, :, shown], background[0, :, shown])
    assert torch.equal(push_pull_inpaint(background, 0 * hidden), background), "nothing to inpaint from"


@torch.no_grad()
def test_disoccluded_background_is_inpainted_and_the_face_is_not():
    net = animator(BUILTIN).network
    source = net.encode(image(BUILTIN.size))
    latent = net.latent(source, torch.randn(1, BUILTIN.n_directions))
    own = torch.ones(1, 3, BUILTIN.size, BUILTIN.size)
    no_background = torch.zeros(1, 1, BUILTIN.size, BUILTIN.size)
    red, blue = (
        torch.cat([colour, no_background], 1) for colour in (torch.zeros_like(own), torch.ones_like(own))
    )
    first, second = (net.decoder(latent, (*source.features, own, inpainted)) for inpainted in (red, blue))
    background = first.layers[-1].masks[:, BACKGROUND, None]
    disocclusion = ((background - 0.25) / 0.2).clamp(0, 1)
    given = torch.sigmoid(first.occlusion_logits[-1])
    share = given * (1 - disocclusion) + (given * (1 - background) + background) * disocclusion
    gained = second.pyramid[0] - first.pyramid[0]
    assert torch.allclose(gained, (share * background * disocclusion).expand(-1, 3, -1, -1), atol=1e-5)
    still = torch.cat([torch.ones_like(own), torch.ones_like(no_background)], 1)
    plain = net.decoder(latent, (*source.features, own))
    kept = net.decoder(latent, (*source.features, own, still))
    assert torch.equal(kept.pyramid[0], plain.pyramid[0]), "what was background already stays the portrait's"


def test_a_heads_fringe_is_no_background():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    radius = (x.square() + y.square()).sqrt()[None, None]
    head, taken_for_background = (radius < 0.55).float(), (radius > 0.5).float()
    picture = (1 - head).expand(-1, 3, -1, -1)
    plain = push_pull_inpaint(picture, taken_for_background)
    both = inpaint_background(picture, taken_for_background, taken_for_background)
    assert plain.min() < 0.1, "taken as told, some of the head would stay"
    assert both[:, :3].min() > 0.99
    assert both[:, 3:].sum() < taken_for_background.sum()
