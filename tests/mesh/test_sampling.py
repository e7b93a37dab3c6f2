import pytest
import torch

from gohd_core.mesh.sampling import doubled, extend_sides, margin, sample

SIZE = 64


def person():
    """Premultiplied colours and a matte [1,4,S,S] of somebody who crosses the left half of the upper side."""
    torch.manual_seed(0)
    alpha = torch.zeros(1, 1, SIZE, SIZE)
    alpha[..., :32] = 1
    alpha[:, :, 8:, 40:56] = 1
    return torch.cat([torch.rand(1, 3, SIZE, SIZE) * alpha, alpha], 1)


def test_who_crosses_a_side_is_mirrored_beyond_it_and_who_does_not_ends():
    layer, beyond = person(), margin(SIZE)
    wide = extend_sides(layer)
    assert torch.equal(wide[..., beyond:-beyond, beyond:-beyond], layer)
    above = wide[0, :, :beyond, beyond : beyond + SIZE]
    torch.testing.assert_close(above[:, :, :32], layer[0, :, 1 : beyond + 1, :32].flip(1))
    assert not above[3, :, 32:].any()


@pytest.mark.parametrize("reflected", [True, False])
def test_the_pictures_own_pixels_are_exact_whatever_is_grown(reflected):
    layer = person()
    line = 2.0 * (torch.arange(SIZE) + margin(SIZE))  # texels of the doubled picture
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None]
    found = sample(doubled(extend_sides(layer)), at, reflected=reflected)
    torch.testing.assert_close(found, layer, atol=1e-6, rtol=0)
