from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from gohd_core.mesh.frame import Window
from gohd_core.mesh.geometry.contour_warp import ContourFlow
from gohd_core.mesh.geometry.warping import Cells, warp, warp_plain
from gohd_core.mesh.sampling import doubled, extend_sides

SIDE = 128


def smooth_noise(generator, *shape, cells):
    """Noise [*shape] between -1 and 1 that changes over `cells` pixels."""
    coarse = [max(2, n // cells) for n in shape[-2:]]
    noise = torch.rand(*shape[:-2], *coarse, generator=generator) * 2 - 1
    return F.interpolate(noise, size=shape[-2:], mode="bicubic", align_corners=False).clamp(-1, 1)


def layered(size, *, matted, seed):
    """Blobs and a hair's width of somebody before a wall, with a fringe beside them."""
    generator = torch.Generator().manual_seed(seed)
    image = smooth_noise(generator, 1, 3, size, size, cells=16)
    alpha = torch.ones(1, 1, size, size)
    wall, fringe = None, torch.zeros_like(image)
    if matted:
        alpha = (4 * smooth_noise(generator, 1, 1, size, size, cells=size // 5)).clamp(0, 1)
        alpha[..., : size // 4] = 0
        alpha[:, :, size // 3, : size // 4] = 0.7
        wall = smooth_noise(generator, 1, 3, size, size, cells=16)
        beside = (F.max_pool2d(alpha, 9, 1, 4) > 0) & (alpha < 1)
        fringe = 0.2 * smooth_noise(generator, 1, 3, size, size, cells=8) * beside
    texture = doubled(extend_sides(torch.cat([image * alpha, alpha], 1)))
    cells = Cells.of(alpha if matted else None, fringe, SIDE)
    return SimpleNamespace(texture=texture, background=wall, fringe=fringe, size=size, cells=cells)


def part(size, x, y, side, generator):
    """Skin of two frames in windows of so many pixels, moved by up to 20."""
    window = Window(torch.tensor([x, x + 5]), torch.tensor([y, y - 3]), side, side + 7, size)
    shift = 20 * smooth_noise(generator, 2, 2, side + 7, side, cells=10)
    weight = smooth_noise(generator, 2, 1, side + 7, side, cells=10).abs()
    return ContourFlow(window, None, shift, weight)


@pytest.mark.parametrize("matted", [True, False])
@pytest.mark.parametrize("size", [256, 320, 576])
def test_bands_draw_what_the_definition_says(size, matted):
    generator = torch.Generator().manual_seed(size)
    source = layered(size, matted=matted, seed=size + 1)
    skin = 0.08 * size * smooth_noise(generator, 2, 2, SIDE, SIDE, cells=24)
    skin[1] *= 0.05  # hardly moved: the fringe shows
    flows = [part(size, size // 8, size // 2, 40, generator), part(size, size // 2, 9, 61, generator)]
    fast, plain = torch.full((2, 2, 3, size, size), torch.nan)
    with torch.inference_mode():
        warp(source, skin, flows, fast)
        warp_plain(source, skin, flows, plain)
    torch.testing.assert_close(fast, plain, atol=2e-3, rtol=0)
    if matted:
        assert not source.cells.seen[..., 0].all()  # there is wall to leave out
        still = (plain[1] - source.background[0]).abs().amax(0) > 0.05
        assert 0.1 < still.float().mean() < 0.95


def test_cells_know_of_a_person_that_a_flow_into_them_may_meet():
    alpha, fringe = torch.zeros(1, 1, 256, 256), torch.zeros(1, 3, 256, 256)
    alpha[..., 100, 60] = 1
    fringe[:, 1, 200, 200] = 0.1
    cells = Cells.of(alpha, fringe, SIDE)
    person, wall = cells.seen.transpose(2, 0, 1)
    assert person[50, 30] and person[46, 34] and not person[50, 37] and wall.all()
    assert cells.fringe[100, 100] and cells.fringe.sum() == 9
