"""Linear layers with laid-out weights against torch's plain ones."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F

from gohd_core.kernels import linear as products
from gohd_core.kernels.linear import Linear


@pytest.fixture(params=[True, False], ids=["oneDNN", "plain"])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With oneDNN's layout where torch offers it, and as on a machine without."""
    if request.param and not products._ONEDNN:
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(products, "_ONEDNN", request.param)
    return request.param


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(100, 24), (2, 64, 24), (3, 25, 2, 24)])
def test_a_laid_out_weight_gives_the_plain_product(layout: bool, bias: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer, x = Linear(24, 40, bias), torch.randn(shape)
    with torch.no_grad():
        found = layer(x)
        assert layer._laid_out._made[1].is_mkldnn == layout
        assert torch.allclose(found, F.linear(x, layer.weight, layer.bias), atol=1e-5)


def test_short_sequences_gradients_and_other_dtypes_take_the_plain_way() -> None:
    layer = Linear(8, 8)
    with torch.no_grad():
        layer(torch.randn(63, 8))
        layer.bfloat16()(torch.randn(100, 8, dtype=torch.bfloat16))
    layer.float()(torch.randn(100, 8)).sum().backward()
    assert layer._laid_out._made is None
    assert layer.weight.grad is not None


def test_new_weights_are_noticed() -> None:
    layer, x = Linear(8, 8, bias=False), torch.randn(100, 8)
    with torch.no_grad():
        first = layer(x)
        layer.weight.mul_(2)
        assert torch.allclose(layer(x), 2 * first, atol=1e-5)
        layer.weight.data = layer.weight.data.clone() * 2
        assert torch.allclose(layer(x), 4 * first, atol=1e-5)


def test_weights_made_in_inference_mode_work() -> None:
    with torch.inference_mode():
        layer, x = Linear(8, 8), torch.randn(100, 8)
        assert torch.allclose(layer(x), F.linear(x, layer.weight, layer.bias), atol=1e-5)


def test_copies_start_without_the_layout_and_files_never_hold_it() -> None:
    layer, x = Linear(8, 8), torch.randn(100, 8)
    with torch.no_grad():
        wanted = layer(x)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert twin._laid_out._made is None
            assert torch.equal(twin(x), wanted)
    assert list(layer.state_dict()) == ["weight", "bias"]
