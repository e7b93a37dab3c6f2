"""The mouth network with context: its receptive field, and seamless blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features
from gohd_core.errors import BadInput
from gohd_core.expression import ExpressionConfig, ExpressionNetwork, ExpressionPredictor
from gohd_core.expression import predictor as module
from gohd_core.expression.chunk_encoder import ChunkEncoder
from gohd_core.expression.lip_mapping import LipMapping
from gohd_core.expression.mouth import MouthNetwork

CONFIG = ExpressionConfig(
    audio_widths=(4, 4, 8, 8, 16),
    audio_residuals=0,
    embedding_width=16,
    mouth_coefficients=(0, 3),
    mouth_width=16,
    mouth_dilations=(1, 2),
)


@pytest.fixture(scope="module")
def network() -> ExpressionNetwork:
    torch.manual_seed(0)
    return ExpressionNetwork(CONFIG).eval()


def test_a_frame_hears_its_context_and_no_more(network: ExpressionNetwork) -> None:
    assert network.context == 3
    chunks = torch.randn(1, 20, 80, 16)
    changed = chunks.clone()
    changed[0, 10] += 1
    e0 = torch.zeros(1, 64)
    with torch.inference_mode():
        first, second = (network(x, e0)[0][0, :, list(CONFIG.mouth_coefficients)] for x in (chunks, changed))
    moved = (first - second).abs().sum(1) > 1e-7
    assert moved[7:14].all() and not moved[:7].any() and not moved[14:].any()


def test_only_its_coefficients_are_replaced(network: ExpressionNetwork) -> None:
    chunks, e0 = torch.randn(1, 9, 80, 16), torch.randn(1, 64)
    with torch.inference_mode():
        heard = network.lips.audio_encoder(chunks)
        plain = network.lips(heard, e0, None)
        mouth = network.mouth(heard, network.lips(heard, torch.zeros(1, 64), None)[..., [0, 3]])
        found = network(chunks, e0)[0]
    torch.testing.assert_close(found[..., [0, 3]], mouth)
    others = [k for k in range(64) if k not in (0, 3)]
    torch.testing.assert_close(found[..., others], plain[..., others])


def test_margins_are_heard_and_left_out(network: ExpressionNetwork) -> None:
    chunks, e0 = torch.randn(1, 30, 80, 16), torch.zeros(1, 64)
    with torch.inference_mode():
        whole = network(chunks, e0)[0][:, 10:20]
        part = network(chunks[:, 7:23], e0, margin=(3, 3))[0]
    torch.testing.assert_close(part, whole)


QUIET = replace(CONFIG, mouth_opening=(20.0, 0.0), mouth_closing=9.0, mouth_quiet=4.0)


@pytest.mark.parametrize("config", [CONFIG, QUIET], ids=["open", "quiet"])
def test_blocks_do_not_show(config: ExpressionConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    fainter = np.repeat([0.1, 0.02, 0.1, 0.02], 8_000)
    sound = fainter * np.random.default_rng(0).standard_normal(2 * 16_000)
    features, e0 = audio_features(sound, 16_000), torch.zeros(64)
    predictor = ExpressionPredictor(ExpressionNetwork(config).eval(), config, "stylised")
    whole = predictor.predict(features, e0)[0]
    monkeypatch.setattr(module, "BLOCK", 7)
    for heard in (features, features.chunks):
        torch.testing.assert_close(predictor.predict(heard, e0)[0], whole)


def test_at_rest_is_the_mapping_of_a_neutral_face_with_open_eyes() -> None:
    torch.manual_seed(2)
    mapping = LipMapping(replace(CONFIG, eye_motion_input=True, eye_ratio_offset=1.0, mapping_widths=(8,)))
    audio, eyes = torch.randn(2, 5, 16), torch.zeros(2, 5, 21)
    eyes[..., 0] = 1
    torch.testing.assert_close(mapping.at_rest(audio), mapping(audio, torch.zeros(2, 64), eyes))


def test_it_is_its_convolutions_one_by_one() -> None:
    """Against sums over frames by hand."""
    torch.manual_seed(1)
    mouth = MouthNetwork(replace(CONFIG, mouth_coefficients=(0,), mouth_width=8, mouth_dilations=(2,))).eval()
    audio, guess = torch.randn(1, 6, 16), torch.randn(1, 6, 1)
    heard = mouth.input(torch.cat([audio, guess], -1))[0]
    block, spread = mouth.frames[0], []
    for t in range(6):
        near = [heard[min(max(t + k, 0), 5)] for k in (-2, 0, 2)]
        spread.append(
            sum(block.over_frames.weight[..., k] @ near[k] for k in range(3)) + block.over_frames.bias
        )
    bent = torch.nn.functional.leaky_relu(torch.stack(spread), 0.1)
    hidden = heard + bent @ block.mix.weight[..., 0].T + block.mix.bias
    torch.testing.assert_close(mouth(audio, guess)[0], mouth.output(torch.cat([hidden, guess[0]], -1)))


def closed_by(gap: list[float]) -> torch.Tensor:
    """Gaps in pixels after `close_lips`; the first coefficient alone parts the lips."""
    mouth = MouthNetwork(replace(CONFIG, mouth_opening=(20.0, 0.0), mouth_closing=9.5))
    values = torch.tensor(gap, dtype=torch.float32) / 20
    found = mouth.close_lips(torch.stack([values, torch.full_like(values, 0.5)], -1)[None])[0]
    torch.testing.assert_close(found[:, 1], torch.full_like(values, 0.5))
    return 20 * found[:, 0]


def test_lips_close_where_they_come_nearest_and_nowhere_else() -> None:
    dip = closed_by([14, 14, 14, 14, 12, 6, 4, 6, 12, 14, 14, 14, 14])
    assert dip[6] < 0.2, "5 pixels after smoothing, and least among their neighbours"
    assert dip[4] > 8 and dip[0] > 12
    slope = closed_by([2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 12])
    assert slope[0] < 0.2 and slope[6] > 5.5, "as far apart as in the dip, on the way to wider"
    assert (closed_by([2] * 9) < 0.3).all() and (closed_by([-1] * 9) == 0).all(), "pauses close whole"
    torch.testing.assert_close(closed_by([25.0] * 9), torch.full((9,), 25 * 25**6 / (25**6 + 9.5**6)))
    with pytest.raises(BadInput, match="mouth_opening"):
        replace(CONFIG, mouth_closing=4.0)


def test_closing_lips_widens_the_context() -> None:
    torch.manual_seed(3)
    config = replace(CONFIG, mouth_opening=(20.0, 0.0), mouth_closing=9.5)
    network = ExpressionNetwork(config).eval()
    assert network.context == 8
    chunks, e0 = torch.randn(1, 40, 80, 16), torch.zeros(1, 64)
    with torch.inference_mode():
        whole = network(chunks, e0)[0][:, 15:25]
        part = network(chunks[:, 7:33], e0, margin=(8, 8))[0]
    torch.testing.assert_close(part, whole)


def test_with_a_map_it_hears_what_the_embedding_is_made_of() -> None:
    torch.manual_seed(0)
    network = ExpressionNetwork(replace(CONFIG, mouth_map=True)).eval()
    chunks = torch.randn(1, 9, 80, 16)
    with torch.inference_mode():
        audio, maps = network.lips.audio_encoder.with_map(chunks)
        assert maps.shape == (1, 9, 9 * CONFIG.audio_widths[3])
        torch.testing.assert_close(audio, network.lips.audio_encoder(chunks))
        guess = network.lips.at_rest(audio)[..., [0, 3]]
        found = network(chunks, torch.zeros(1, 64))[0][..., [0, 3]]
        torch.testing.assert_close(found, network.mouth(audio, guess, maps))
        assert not torch.allclose(found, network.mouth(audio, guess, torch.zeros_like(maps)), atol=1e-3)


def test_with_channels_it_hears_the_chunks_themselves() -> None:
    torch.manual_seed(0)
    network = ExpressionNetwork(replace(CONFIG, mouth_channels=4)).eval()
    assert network.context == 3 + 6
    chunks, e0 = torch.randn(1, 40, 80, 16), torch.zeros(1, 64)
    with torch.inference_mode():
        features = network.mouth.chunk_encoder(chunks)
        assert features.shape == (1, 40, CONFIG.mouth_width)
        whole = network(chunks, e0)[0]
        audio = network.lips.audio_encoder(chunks)
        guess = network.lips.at_rest(audio)[..., [0, 3]]
        torch.testing.assert_close(whole[..., [0, 3]], network.mouth(audio, guess, features=features))
        part = network(chunks[:, 6:34], e0, margin=(9, 9))[0]
    torch.testing.assert_close(part, whole[:, 15:25])


def test_the_chunk_encoder_is_convolutions_over_rows_and_frames() -> None:
    torch.manual_seed(0)
    encoder = ChunkEncoder(4, 8).eval()
    chunks = torch.randn(1, 9, 80, 16)

    def act(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.leaky_relu(x, 0.1)

    def convolved(conv: torch.nn.Conv1d, norm: torch.nn.BatchNorm1d, x: torch.Tensor) -> torch.Tensor:
        size, step = conv.kernel_size[0], conv.stride[0]
        starts = range(0, x.shape[1] - size + 1, step)
        made = [(conv.weight * x[:, k : k + size]).sum((1, 2)) + conv.bias for k in starts]
        return act(norm(torch.stack(made, 1)[None])[0])

    frames = []
    for chunk in 0.5 * chunks[0]:
        rows = convolved(encoder.rows, encoder.rows_norm, chunk)  # [4, 12]
        pool = convolved(encoder.pool, encoder.pool_norm, rows)  # [4, 3]
        frames.append(encoder.embed(pool.flatten()))
    hidden = torch.stack(frames, 1)  # [8, 9]
    for block, dilation in zip(encoder.frames, (1, 1, 2, 2), strict=True):
        normed = block.norm(hidden[None])[0]
        near = [normed[:, (torch.arange(9) + k * dilation).clamp(0, 8)] for k in (-1, 0, 1)]
        over = sum(block.over_frames.weight[..., k] @ near[k] for k in range(3))
        hidden = hidden + block.mix.weight[..., 0] @ act(over + block.over_frames.bias[:, None])
        hidden = hidden + block.mix.bias[:, None]
    with torch.inference_mode():
        torch.testing.assert_close(encoder(chunks)[0], hidden.T, atol=1e-5, rtol=1e-4)


def test_lips_rest_while_others_speak_behind_a_speaker() -> None:
    torch.manual_seed(4)
    network = ExpressionNetwork(QUIET).eval()
    with torch.no_grad():
        network.mouth.output.bias.fill_(1.0)
    sound = 0.1 * np.random.default_rng(0).standard_normal(3 * 16_000)
    fainter = sound * np.repeat([1.0, 0.2, 1.0], 16_000)
    jaws = [
        ExpressionPredictor(network, config, "stylised").predict(
            audio_features(heard, 16_000), torch.zeros(64)
        )
        for config, heard in ((QUIET, sound), (QUIET, fainter), (replace(QUIET, mouth_quiet=0.0), fainter))
    ]
    steady, paused, off = (expressions[:, 0] for expressions, _ in jaws)
    assert steady[32:43].min() > 0.5 and off[32:43].min() > 0.5
    assert paused[32:43].abs().max() == 0 and paused[:20].min() > 0.5 and paused[56:].min() > 0.5
    assert paused.diff().abs().max() < 0.6 * paused.max(), "shut in more than one frame"
    with pytest.raises(BadInput, match="mouth_quiet"):
        replace(CONFIG, mouth_quiet=4.0)
