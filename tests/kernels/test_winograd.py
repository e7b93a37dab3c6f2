"""The fast convolution over time against torch's plain one."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F

from gohd_core.kernels.winograd import TimeConvolution, transform_kernel, winograd


@pytest.mark.parametrize("dilation", [1, 2, 4])
@pytest.mark.parametrize("frames", [1, 2, 7, 64, 65, 130])
@pytest.mark.parametrize("batch", [1, 3])
def test_winograd_equals_the_plain_convolution(dilation: int, frames: int, batch: int) -> None:
    torch.manual_seed(frames)
    x = torch.randn(batch, frames, 8)
    weight, bias = torch.randn(10, 8, 3), torch.randn(10)
    plain = F.conv1d(x.transpose(1, 2), weight, bias, padding=dilation, dilation=dilation).transpose(1, 2)
    fast = winograd(x, transform_kernel(weight), bias, dilation)
    assert float((fast - plain).abs().max()) < 1e-5 * float(plain.abs().max())


def test_long_sequences_take_the_fast_way_and_notice_new_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from gohd_core.kernels import winograd as convolution

    calls = []
    monkeypatch.setattr(convolution, "winograd", lambda *a: calls.append(a[0].shape) or winograd(*a))
    layer = TimeConvolution(8, 10, 1)
    x = torch.randn(1, 100, 8)
    with torch.no_grad():
        layer(x[:, :20])
        assert not calls
        first = layer(x)
        assert calls == [x.shape]
        layer.weight.mul_(2)
        assert torch.allclose(layer(x) - layer.bias, 2 * (first - layer.bias), atol=1e-4)
    layer(x)
    assert len(calls) == 2, "with gradients the plain way is taken"
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_copies_start_without_the_transform_and_replaced_weights_are_noticed() -> None:
    layer, x = TimeConvolution(8, 10, 2), torch.randn(1, 100, 8)
    with torch.no_grad():
        wanted = layer(x)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert twin._transformed._made is None
            assert torch.equal(twin(x), wanted)
        layer.weight.data = layer.weight.data.clone() * 2
        assert torch.allclose(layer(x) - layer.bias, 2 * (wanted - layer.bias), atol=1e-4)


def test_weights_made_in_inference_mode_work() -> None:
    with torch.inference_mode():
        layer, x = TimeConvolution(8, 10, 1), torch.randn(1, 100, 8)
        plain = torch.nn.Conv1d.forward(layer, x.transpose(1, 2)).transpose(1, 2)
        assert torch.allclose(layer(x), plain, atol=1e-5)
