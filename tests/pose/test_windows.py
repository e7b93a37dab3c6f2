"""Long audio in windows: every frame covered, no seam, and close to one long run."""

from __future__ import annotations

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.pose.windows import Windows
from tests.support.small_diffusions import condition, small_model


@pytest.mark.parametrize(
    ("frames", "window", "overlap"),
    [
        (1, 250, 50),
        (250, 250, 50),
        (251, 250, 50),
        (1000, 250, 50),
        (97, 16, 3),
        (40, 10, 9),
        (40, 10, 0),
        (3, 1, 0),
    ],
)
def test_shares_sum_to_one_and_blending_undoes_splitting(frames: int, window: int, overlap: int) -> None:
    windows = Windows.plan(frames, window, overlap)
    assert windows.starts[0] == 0 and windows.starts[-1] + windows.length == frames
    gaps = [b - a for a, b in zip(windows.starts, windows.starts[1:], strict=False)]
    assert all(0 < gap <= windows.length - min(overlap, windows.length - 1) for gap in gaps)
    sequence = torch.randn(frames, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(windows.blend(windows.split(sequence)), sequence, atol=1e-6)
    assert (windows.weights >= 0).all()


def test_a_window_has_no_say_at_its_own_edge() -> None:
    windows = Windows.plan(450, 250, 50)
    assert windows.starts == (0, 200)
    assert (windows.weights[0, -12:] == 0).all() and (windows.weights[1, :12] == 0).all()
    assert (windows.weights[0, :200] == 1).all() and (windows.weights[1, 50:] == 1).all()
    assert torch.allclose(windows.weights[0, 200:] + windows.weights[1, :50], torch.ones(50))


def test_windows_and_whole_agree() -> None:
    model = small_model()
    mel, p0 = condition(120), torch.full((6,), 0.1)
    whole = model.sample(mel, p0, sampler="dpmpp_2m", steps=10, window=0, seed=3)
    parts = model.sample(mel, p0, sampler="dpmpp_2m", steps=10, window=60, overlap=40, seed=3)
    other = model.sample(mel, p0, sampler="dpmpp_2m", steps=10, window=60, overlap=40, seed=4)
    difference = float((whole - parts).abs().max())
    assert difference < 0.01 * float((whole - other).abs().max())


def test_no_jump_at_the_joins() -> None:
    """Frame-to-frame change at the joins is what it is elsewhere, even with windows of 20 frames."""
    model = small_model()
    model.network.conditional.output_projection.weight.mul_(3)
    mel = condition(200)
    values = model.sample(mel, None, sampler="dpmpp_2m", steps=12, window=20, overlap=4, seed=0)
    whole = model.sample(mel, None, sampler="dpmpp_2m", steps=12, window=0, seed=0)
    starts = Windows.plan(200, 20, 4).starts[1:]
    change = values.diff(dim=0).norm(dim=1)
    joins = torch.tensor([s + offset for s in starts for offset in range(4)])
    elsewhere = torch.ones(199, dtype=torch.bool)
    elsewhere[joins] = False
    usual = whole.diff(dim=0).norm(dim=1)
    assert float(change[joins].mean()) < 1.2 * float(change[elsewhere].mean())
    assert float(change[joins].mean()) < 1.2 * float(usual[joins].mean())


def test_window_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from gohd_core.pose import guidance

    model = small_model(form="dropout")
    run = {"steps": 5, "window": 20, "overlap": 5, "seed": 0}
    together = model.sample(condition(150), torch.zeros(6), **run)
    monkeypatch.setattr(guidance, "_WINDOWS_AT_ONCE", 1)
    single = model.sample(condition(150), torch.zeros(6), **run)
    monkeypatch.setattr(guidance, "_FRAMES_KEPT", 0)
    recomputed = model.sample(condition(150), torch.zeros(6), **run)
    assert torch.allclose(together, single, atol=1e-5)
    assert torch.allclose(together, recomputed, atol=1e-5)


@pytest.mark.parametrize(("window", "overlap"), [(10, 10), (10, 11), (-1, 0), (10, -1)])
def test_impossible_windows_are_refused(window: int, overlap: int) -> None:
    with pytest.raises(BadInput, match="overlap"):
        small_model().sample(condition(30), window=window, overlap=overlap, steps=2)
