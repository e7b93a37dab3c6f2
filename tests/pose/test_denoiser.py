"""The denoiser against slow, obvious versions of its parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gohd_core.kernels.banded_attention import Band, reaches
from gohd_core.pose.conformer import Attention, Conformer, FeedForward, gated
from gohd_core.pose.denoiser import Denoiser, step_table
from gohd_core.pose.positional import PositionalScores, decay_slopes
from tests.support.small_diffusions import condition, small_config, small_model


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_positional_scores_equal_the_formula_pair_by_pair() -> None:
    torch.manual_seed(0)
    scores = PositionalScores(heads=2, kernels=3, nearest_view=5, farthest_view=75)
    torch.nn.init.normal_(scores.amplitudes, std=2)
    torch.nn.init.normal_(scores.offsets, std=3)
    found = scores(7).detach().numpy()
    value = {name: p.detach().double().numpy() for name, p in scores.named_parameters()}
    for head in range(2):
        for i in range(7):
            for j in range(7):
                total = 1e-8 + abs(value["bias"][head])
                for k in range(3):
                    a, o, s = (value[n][k, head] for n in ("amplitudes", "offsets", "sharpness"))
                    total += abs(a) * sigmoid(np.sign(a) * ((i - j) - o) / s)
                wanted = math.log(total) - float(scores.slopes[head]) * abs(i - j)
                assert found[head, i, j] == pytest.approx(wanted, abs=1e-5)


def test_decay_slopes_are_those_of_the_release() -> None:
    wanted = [7.3682723, 5.004407, 3.3989096, 2.3084824, 1.5678824, 1.0648795, 0.72324836, 0.49121818]
    assert decay_slopes(8, 5, 75).tolist() == pytest.approx(wanted, rel=1e-6)


def test_attention_equals_a_loop_over_heads_and_frames() -> None:
    torch.manual_seed(1)
    attention = Attention(small_config()).eval()
    x = torch.randn(1, 5, 16)
    scores = attention.positional(5)
    key, value, query = attention.key_value_query(x)[0].split(16, dim=-1)
    mixed = torch.zeros(5, 16)
    for head in range(2):
        part = slice(8 * head, 8 * head + 8)
        for i in range(5):
            logits = torch.stack(
                [query[i, part] @ key[j, part] / math.sqrt(8) + scores[head, i, j] for j in range(5)]
            )
            share = torch.exp(logits - logits.max())
            mixed[i, part] = sum(share[j] / share.sum() * value[j, part] for j in range(5))
    first, second = attention.gate(mixed).split(16, dim=-1)
    assert torch.allclose(attention(x)[0], first * torch.sigmoid(second), atol=1e-5)


@pytest.mark.parametrize("length", [150, 208, 250])
def test_a_long_sequence_attends_in_a_band_as_it_would_to_everything(length: int) -> None:
    torch.manual_seed(6)
    attention = Attention(small_config(nearest_view=5, farthest_view=75)).eval()
    torch.nn.init.normal_(attention.positional.amplitudes, std=2)
    x = torch.randn(2, length, 16)
    scores = attention.positional(length).detach()
    band = Band.of(scores)
    assert sum(group.scores.numel() for group in band.groups) < 0.7 * scores.numel()
    assert torch.allclose(attention(x, band), attention(x, scores), atol=1e-6)


def test_a_band_holds_the_score_of_each_pair_once_and_of_all_that_count() -> None:
    torch.manual_seed(6)
    positional = PositionalScores(heads=4, kernels=3, nearest_view=5, farthest_view=75)
    torch.nn.init.normal_(positional.amplitudes, std=2)
    scores = positional(250).detach()
    found = torch.full_like(scores, -math.inf)
    for group in Band.of(scores).groups:
        for index, part in enumerate(group.scores):
            for query in range(index * group.block, min((index + 1) * group.block, 250)):
                for key in range(query - 2 * group.reach, query + 2 * group.reach + group.block):
                    column = key - (index * group.block - group.reach)
                    if 0 <= key < 250 and 0 <= column < part.shape[-1]:
                        found[group.heads, query, key] = part[:, query - index * group.block, column]
    held = found > -math.inf
    assert torch.equal(found[held], scores[held])
    assert (held | (scores <= scores[:, :1, :1] - 30.0)).all()
    assert held.float().mean(dim=(1, 2)).tolist() == sorted(held.float().mean(dim=(1, 2)).tolist())


def test_reach_is_the_farthest_frame_that_counts() -> None:
    torch.manual_seed(7)
    positional = PositionalScores(heads=2, kernels=3, nearest_view=5, farthest_view=40)
    torch.nn.init.normal_(positional.amplitudes, std=2)
    scores = positional(120).detach()
    counts = [
        max(abs(i - j) for i in range(120) for j in range(120) if head[i][j] > head[i][i] - 30.0)
        for head in scores.tolist()
    ]
    assert reaches(scores) == counts and max(counts) < 60
    short = scores[:, :48, :48]
    assert Band.of(short) is short, "a short sequence sees itself whole"


def test_the_gate_is_a_sigmoid_times_a_hyperbolic_tangent() -> None:
    x = 4 * torch.randn(2, 90, 12, generator=torch.Generator().manual_seed(0))
    wanted = 1 / (1 + torch.exp(-x[..., :6])) * torch.tanh(x[..., 6:])
    with torch.no_grad():
        assert torch.allclose(gated(x), wanted, atol=1e-6)
    assert torch.allclose(gated(x.requires_grad_()), wanted, atol=1e-6)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("frames", [1, 3, 130])
@pytest.mark.parametrize("batch", [1, 2])
def test_dilated_feed_forward_equals_a_loop_over_taps(dilation: int, frames: int, batch: int) -> None:
    torch.manual_seed(2)
    layer = FeedForward(small_config(), dilation).eval()

    def slow(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        out = []
        for t in range(len(x)):
            total = bias.clone()
            for tap in range(3):
                source = t + (tap - 1) * dilation
                if 0 <= source < len(x):
                    total += weight[:, :, tap] @ x[source]
            out.append(total)
        return torch.stack(out)

    x = torch.randn(batch, frames, 16)
    with torch.no_grad():
        found = layer(x)
        for one, result in zip(x, found, strict=True):
            hidden = slow(one, layer.expand.weight, layer.expand.bias).clamp(min=0)
            wanted = slow(hidden, layer.contract.weight, layer.contract.bias)
            assert torch.allclose(result, wanted, atol=1e-5)


def test_step_table_interpolates_between_whole_steps() -> None:
    denoiser = small_model().network.conditional
    whole = denoiser.table[6] + 0.25 * (denoiser.table[7] - denoiser.table[6])
    embedded = denoiser.step_embedding(whole)
    wanted = torch.stack([block.step_projection(embedded) for block in denoiser.blocks])
    assert torch.allclose(denoiser.step_terms(torch.tensor([6.25]))[:, 0], wanted, atol=1e-6)
    last = denoiser.step_terms(torch.tensor([39.0]))
    assert torch.isfinite(last).all()


def test_step_table_stays_exact_in_bfloat16() -> None:
    network = small_model().network.to(torch.bfloat16)
    assert network.conditional.table.dtype == torch.float32
    assert torch.equal(network.conditional.table, step_table(40, 16))


def test_conformer_without_attention_has_no_attention_weights() -> None:
    conformer = Conformer(small_config(attention=False), 1)
    assert not any("attention" in name for name, _ in conformer.named_parameters())
    model = small_model(attention=False)
    out = model.sample(condition(9), steps=3, seed=0)
    assert out.shape == (9, 6)


def test_dropout_acts_in_training_alone() -> None:
    torch.manual_seed(3)
    denoiser = Denoiser(small_config(dropout=0.5))
    torch.nn.init.normal_(denoiser.output_projection.weight)
    x, c, n = torch.randn(1, 6, 6), torch.randn(1, 6, 18), torch.tensor([3.0])
    assert not torch.equal(denoiser(x, c, n), denoiser(x, c, n))
    denoiser.eval()
    assert torch.equal(denoiser(x, c, n), denoiser(x, c, n))


def test_precomputed_terms_and_scores_change_nothing() -> None:
    denoiser = small_model().network.conditional
    torch.manual_seed(4)
    x, c, n = torch.randn(2, 9, 6), torch.randn(2, 9, 18), torch.tensor([3.0, 30.0])
    plain = denoiser(x, c, n)
    kept = denoiser.run(x, denoiser.condition_terms(c), denoiser.step_terms(n), denoiser.positional_scores(9))
    assert torch.allclose(plain, kept, atol=1e-6)
    alone = torch.cat([denoiser(x[k : k + 1], c[k : k + 1], n[k : k + 1]) for k in range(2)])
    assert torch.allclose(plain, alone, atol=1e-5)


def test_all_weights_of_the_denoiser_matter() -> None:
    torch.manual_seed(5)
    model = small_model()
    denoiser = model.network.conditional.requires_grad_(True)
    out = denoiser(torch.randn(1, 12, 6), torch.randn(1, 12, 18), torch.tensor([5.0]))
    out.square().sum().backward()
    idle = [name for name, p in denoiser.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    last = "blocks.2.output_projection"
    assert [name for name in idle if not name.startswith(last)] == []


def test_a_network_that_predicts_x0_gives_the_noise_that_implies_it() -> None:
    model = small_model(prediction="sample")
    denoiser = model.network.conditional
    x, c, n = torch.randn(2, 5, 6), torch.randn(2, 5, 18), torch.tensor([3.0, 30.0])
    x0 = denoiser.run(x, denoiser.condition_terms(c), denoiser.step_terms(n))
    bar = model.schedule.alpha_bar[[3, 30]].view(2, 1, 1)
    assert torch.allclose(bar.sqrt() * x0 + (1 - bar).sqrt() * denoiser(x, c, n), x, atol=1e-5)
