"""Rows of teeth: drawn where their places say, not at all where they are unseen, and found in pictures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from gohd_core.animator.geometry.teeth import (
    ROWS,
    Layer,
    Teeth,
    ToothRows,
    composite_mouth_interior,
    composite_over,
)
from gohd_core.animator.geometry.window import Window
from gohd_core.stylised.ground_truth.stored_heads import teeth_places
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.identity import Identity
from gohd_core.training.animator.ground_truth import _teeth
from tests.support.small_animators import BUILTIN, animator, image, windows


def rows(side: int = 16) -> ToothRows:
    """Both rows upright in the middle, half as wide as the picture, a quarter as high."""
    line = (torch.arange(side) * 2 + 1) / side - 1
    down, along = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([along * 2, down * 4])[None, None].expand(1, ROWS, -1, -1, -1)
    return ToothRows(places, torch.ones(1, ROWS, 3))


def test_a_row_is_drawn_where_it_lies_and_nowhere_else():
    teeth = Teeth(8, 4)
    with torch.no_grad():
        teeth.picture[1, :3] = torch.tensor([0.8, 0.7, 0.6])[:, None, None]
        layer = teeth.draw(rows(), 64)[1]
    opacity = layer.opacity[0, 0]
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[26:38, 18:46] = True
    assert opacity[inside].min() > 0.9
    outside = torch.ones(64, 64, dtype=torch.bool)
    outside[22:42, 14:50] = False
    assert opacity[outside].max() < 0.05
    assert torch.allclose(layer.colour[0, :, 32, 32], torch.tensor([0.8, 0.7, 0.6]), atol=1e-5)


def test_outside_the_mouth_nothing_is_drawn():
    under = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        layers = Teeth(8, 4).draw(rows(), 32)
    assert torch.equal(composite_over(layers, under, torch.zeros(1, 1, 32, 32)), under)
    assert not torch.equal(composite_over(layers, under, torch.ones(1, 1, 32, 32)), under)


def test_the_upper_row_lies_over_the_lower_inside_the_mouth_alone():
    colours = [torch.full((1, 3, 2, 2), value) for value in (-1.0, 1.0)]
    layers = [
        Layer(colour, torch.full((1, 1, 2, 2), opacity))
        for colour, opacity in zip(colours, (1, 0.5), strict=True)
    ]
    mask = torch.tensor([[1.0, 0.55], [0.3, 0.0]])[None, None]
    made = composite_over(layers, torch.zeros(1, 3, 2, 2), mask)[0, 0]
    # 0 under -1 under +1, each by its opacity times the mask.
    assert torch.allclose(made, torch.tensor([[0.0, -0.125], [0.0, 0.0]]))


def test_a_mouth_known_by_its_window_gets_cavity_and_teeth_there_alone():
    teeth, size = Teeth(8, 4), 16
    row, column = torch.meshgrid(torch.arange(4, 12), torch.arange(2, 10), indexing="ij")
    window = Window(column[None], row[None])
    white = Layer(torch.ones(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
    white.opacity[..., 4:] = 1
    synthesis, inner = torch.zeros(1, 3, size, size), torch.ones(1, 1, size, size)
    inner[:, :, :, 2] = 0
    with torch.no_grad():
        made = composite_mouth_interior(teeth, synthesis, inner, window, [white, white])
    outside = torch.ones(size, size, dtype=torch.bool)
    outside[4:12, 3:10] = False  # its first column shows no inside
    assert torch.equal(made[:, :, outside], synthesis[:, :, outside])
    assert torch.allclose(made[0, :, 4:12, 6:10], torch.tensor(1.0))
    assert torch.allclose(made[0, :, 4:12, 3:6], teeth.cavity[:, None, None] * 0.75)


def test_light_colours_a_row():
    teeth, found = Teeth(8, 4), rows()
    lit = ToothRows(found.places, torch.full((1, ROWS, 3), 0.5))
    with torch.no_grad():
        teeth.picture[:, :3] = 0.6
        assert torch.allclose(teeth.draw(lit, 16)[0].colour[0, :, 8, 8], torch.tensor(0.8 - 1), atol=1e-5)


def test_a_decoder_with_teeth_lays_them_into_the_mouth_and_its_gradient_reaches_them():
    network = animator(replace(BUILTIN, teeth=True)).network
    source = network.encode(image(64))
    latent = network.latent(source, network.motion(source, windows(2)[:1]))
    plain = network.decoder(latent, source.features)
    with torch.no_grad():
        network.decoder.teeth.picture[:, :3].normal_(3)
    shown = network.decoder(latent, source.features)
    assert plain.teeth.shape == (1, ROWS, 64, 64) and plain.tooth_rows.places.shape[-1] == BUILTIN.flow_size
    assert not torch.equal(plain.synthesis, shown.synthesis)
    assert torch.equal(plain.warped, shown.warped)
    network.train().requires_grad_(True)
    network.decoder(latent, source.features).pyramid[0].sum().backward()
    unused = [n for n, p in network.decoder.teeth.named_parameters() if p.grad is None]
    assert unused == ["cavity"]  # which is for mouths whose window is known
    assert all(p.grad.abs().sum() > 0 for p in network.decoder.teeth.parameters() if p.grad is not None)


def stored(avatar: Avatar, row: int, upper: bool) -> SimpleNamespace:
    """A "clip" whose four pixels show the last corner of four faces of a row of teeth."""
    part = next(p for p in avatar.parts if p.name == ("teeth_upper" if upper else "teeth_lower"))
    begin = next(k for k, face in enumerate(avatar.faces) if face[2] == part.start)
    triangle = (begin + row * 48 + np.array([[0, 12], [24, 36]]) + 1).astype(np.uint16)
    weights = np.zeros((1, 2, 2, 2), np.uint8)
    arrays = {"triangle": triangle[None], "barycentric": weights, "faces": avatar.faces.astype(np.uint16)}

    def read(name, start=None, stop=None):
        return arrays[name] if start is None else arrays[name][start:stop]

    return SimpleNamespace(read=read, shapes={k: v.shape for k, v in arrays.items()})


def test_pictures_encode_row_and_place_of_a_pixel():
    avatar = Avatar(Identity.random(7))
    for upper in (False, True):
        places, seen = teeth_places(stored(avatar, 3, upper), 0, 2)
        assert seen[int(upper)].all() and not seen[1 - int(upper)].any()
        along, down = places[int(upper)]
        assert np.allclose(np.abs(along), np.abs([[-1, -0.5], [0, 0.5]]), atol=1e-6)
        assert np.allclose(np.abs(down), abs(2 * 3 / 7 - 1), atol=1e-6)


def test_the_loss_is_least_at_the_truth_and_takes_the_upper_row_for_the_one_in_front():
    found = rows()
    seen = torch.zeros(1, ROWS, 16, 16)
    seen[:, 1, 6:10, 4:12] = 1
    seen[:, 0, 9:12, 4:12] = 1
    drawn = seen.clone()
    seen[:, 0] *= 1 - seen[:, 1]
    kinds = torch.zeros(1, 3, 16, 16)
    kinds[:, 1, 5:13, 3:13] = 1
    batch = {"teeth_places": found.places * seen[:, :, None], "teeth_seen": seen, "planes": kinds}
    moved = ToothRows(found.places + 0.3, found.light)
    beyond = drawn.clone()
    beyond[:, :, 13:] = 1  # lips hide it
    values = [
        float(_teeth(SimpleNamespace(tooth_rows=each, teeth=opacity), batch))
        for each, opacity in ((found, drawn), (found, beyond), (moved, drawn), (found, 1 - drawn))
    ]
    assert max(values[:2]) < 1e-6 and min(values[2:]) > 0.2
