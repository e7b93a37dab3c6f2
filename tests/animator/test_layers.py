"""The styled convolution in parts, and the flow head in float64, against the plain sums."""

from __future__ import annotations

import copy

import pytest
import torch

from gohd_core.animator.layers import StyledConv, upsample
from gohd_core.animator.pyramid_decoder import FlowHead


@torch.no_grad()
@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_chunks_change_nothing_but_rounding(up: bool, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    whole = StyledConv(40, 6, 11, up=up).eval()
    chunked = copy.deepcopy(whole)
    chunked.chunks = 3
    x, latent = torch.randn(2, 40, 8, 8).contiguous(memory_format=layout), torch.randn(2, 11)
    found, plain = chunked(x, latent), whole(x, latent)
    exact = copy.deepcopy(whole).double()(x.double(), latent.double())
    assert not torch.equal(found, plain)  # another order of summation was taken
    for result in (found, plain):
        assert float((result - exact).abs().max()) < 1e-6 * float(exact.abs().max())


def test_chunks_are_for_exact_inference_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = StyledConv(8, 6, 11, accumulation_chunks=4)
    calls = []
    convolve = torch.nn.functional.conv2d
    monkeypatch.setattr(
        "gohd_core.animator.layers.F.conv2d", lambda *a, **k: calls.append(1) or convolve(*a, **k)
    )
    x, latent = torch.randn(1, 8, 8, 8), torch.randn(1, 11)
    layer(x, latent)
    assert len(calls) == 1, "gradients are wanted"
    with torch.no_grad():
        layer(x.bfloat16(), latent)
        assert len(calls) == 2, "bfloat16 rounds far more"
        layer(x, latent)
    assert len(calls) == 6


def test_flow_head_adds_up_in_float64_for_inference_on_the_cpu() -> None:
    torch.manual_seed(1)
    head = FlowHead(96, 11)
    x, latent, below = torch.randn(2, 96, 8, 8), torch.randn(2, 11), torch.randn(2, 3, 4, 4)
    trained = head(x, latent, below).detach()
    with torch.no_grad():
        found = head(x, latent, below.double())
        wide = copy.deepcopy(head).double()
        style = latent.double() @ (wide.modulation.weight / 11**0.5).T + wide.modulation.bias
        kernel = wide.weight * style[:, None] / 96**0.5
        exact = torch.einsum("bkc,bchw->bkhw", kernel, x.double()) + wide.bias[:, None, None]
        exact += upsample(below.double())
    assert (trained.dtype, found.dtype) == (torch.float32, torch.float64)
    error = [float((result - exact).abs().max()) for result in (found, trained)]
    assert error[0] < error[1] / 3 < 1e-5
