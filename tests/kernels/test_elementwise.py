"""Operations on bands by one thread, against PyTorch's."""

import pytest
import torch

from gohd_core.kernels.elementwise import add_and_clamp, clamp, clone, is_finite, lerp_into


@pytest.fixture
def values() -> torch.Tensor:
    whole = 3 * torch.randn(3, 70, 90, generator=torch.Generator().manual_seed(1))
    return whole[:, 3:40, 5:85]  # a part of a picture, not contiguous


def test_sums_and_limits_are_those_of_pytorch(values) -> None:
    more = torch.randn(37, 80, generator=torch.Generator().manual_seed(2))
    out = torch.empty(3, 37, 80)
    assert add_and_clamp(values, more, -1, 1, out=out) is out
    assert torch.equal(out, (values + more).clamp(-1, 1))
    assert torch.equal(clamp(values, -0.5, 2), values.clamp(-0.5, 2))


def test_a_copy_has_memory_of_its_own(values) -> None:
    before = values.clone()
    clone(values).zero_()
    assert torch.equal(values, before)


def test_blending_is_exact_where_only_one_is_seen(values) -> None:
    under = torch.randn(3, 37, 80, generator=torch.Generator().manual_seed(3))
    weight = torch.rand(37, 80, generator=torch.Generator().manual_seed(4))
    weight[:9], weight[20:] = 0, 1
    own, wanted = values.clone(), torch.lerp(under, values, weight)
    lerp_into(values, under, weight)
    assert torch.equal(values, wanted)
    assert torch.equal(values[:, :9], under[:, :9]) and torch.equal(values[:, 20:], own[:, 20:])


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_finite_values_are_told_from_others_even_if_their_sum_is_not(values, wrong) -> None:
    large = torch.full_like(values, 3e38)
    assert is_finite(values) and is_finite(large)
    values[1, 2, 3] = wrong
    assert not is_finite(values)
