"""The predictor at run time: chunks, seeds, edited eye motion, bad input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gohd_core.constants import FPS
from gohd_core.errors import BadInput, Interrupted
from gohd_core.expression import ExpressionConfig, EyeMotionState, frame_noise, predictor
from gohd_core.expression.noise import space_blinks
from tests.support import recipe
from tests.support.expression_recipe import clip, small_predictor

GENERATORS = [
    ("lstm", {}),
    ("transformer", {}),
    ("transformer", {"attention": "causal", "attention_frames": 6}),
]


@pytest.mark.parametrize(("kind", "changes"), GENERATORS)
@pytest.mark.parametrize("sizes", [[23], [1, 22], [1, 1, 5, 16], [20, 3]])
def test_chunked_is_whole(kind: str, changes: dict[str, object], sizes: list[int]) -> None:
    model = small_predictor(kind, **changes)
    chunks, e0, eye0 = clip(23)
    whole = model.predict(chunks, e0, eye0, seed=7)
    state, parts = EyeMotionState(), []
    for part in torch.split(chunks, sizes):
        parts.append(model.predict(part, e0, eye0, seed=7, state=state))
    for index, expected in enumerate(whole):
        got = torch.cat([part[index] for part in parts])
        recipe.assert_close(got, expected, 1e-6)
    fresh = model.predict(chunks[1:], e0, eye0, seed=7)[1]
    assert (fresh - whole[1][1:]).abs().max() > 1e-3, "the state must matter"


@pytest.mark.parametrize(("kind", "changes"), GENERATORS)
def test_block_size_does_not_show(
    kind: str, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_predictor(kind, **changes)
    whole = model.predict(*clip(21), seed=3)
    monkeypatch.setattr(predictor, "BLOCK", 4)
    for got, expected in zip(model.predict(*clip(21), seed=3), whole, strict=True):
        recipe.assert_close(got, expected, 1e-6)


@pytest.mark.parametrize(("kind", "changes"), GENERATORS)
def test_seed_decides(kind: str, changes: dict[str, object]) -> None:
    model = small_predictor(kind, **changes)
    first = model.predict(*clip(9), seed=1)
    assert torch.equal(first[1], model.predict(*clip(9), seed=1)[1])
    assert not torch.equal(first[1], model.predict(*clip(9), seed=2)[1])


def test_lstm_is_its_equations_step_by_step() -> None:
    model = small_predictor("lstm")
    eyes = model.network.eyes
    chunks, e0, eye0 = clip(6)
    noise = frame_noise(5, 0, 6, 10)
    audio = model.network.lips.audio_encoder(chunks)
    omega0 = eyes.embedding(eye0)
    hidden = [(torch.zeros(16), torch.zeros(16)) for _ in range(2)]
    expected = [eye0]
    for t in range(1, 6):
        x = torch.cat([audio[t], omega0, e0, noise[t]])
        for layer in range(2):
            w, u, b, c = (
                getattr(eyes.lstm, f"{name}_l{layer}")
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h, cell = hidden[layer]
            i, f, g, o = (w @ x + b + u @ h + c).split(16)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            x = o.sigmoid() * cell.tanh()
            hidden[layer] = (x, cell)
        expected.append(eyes.output(omega0 + x))
    result = model.predict(chunks, e0, eye0, noise=noise)[1]
    torch.testing.assert_close(result, torch.stack(expected), atol=1e-6, rtol=1e-5)


def test_official_transformer_sees_one_frame_only() -> None:
    model = small_predictor("transformer")
    chunks, e0, eye0 = clip(8)
    noise = frame_noise(0, 0, 8, 16)
    before = model.predict(chunks, e0, eye0, noise=noise)[1]
    chunks[3] += 1
    changed = (model.predict(chunks, e0, eye0, noise=noise)[1] - before).abs().amax(dim=1)
    assert changed[3] > 1e-4 and changed[[0, 1, 2, 4, 5, 6, 7]].max() < 1e-6


def test_causal_transformer_sees_its_past_frames() -> None:
    model = small_predictor("transformer", attention="causal", attention_frames=3, decoder_layers=1)
    chunks, e0, eye0 = clip(9)
    before = model.predict(chunks, e0, eye0, seed=0)[1]
    chunks[3] += 1
    changed = (model.predict(chunks, e0, eye0, seed=0)[1] - before).abs().amax(dim=1) > 1e-6
    assert changed.tolist() == [3 <= frame <= 5 for frame in range(9)]


def test_given_eye_motion_takes_the_place_of_generation() -> None:
    model = small_predictor("lstm")
    chunks, e0, eye0 = clip(7)
    edited = torch.linspace(-1, 1, 7 * 21).reshape(7, 21)
    expression, eye_motion = model.predict(chunks, e0, eye_motion=edited)
    assert torch.equal(eye_motion, edited)
    audio = model.network.lips.audio_encoder(chunks[None])
    torch.testing.assert_close(expression, model.network.lips(audio, e0[None], edited[None])[0])
    generated = model.predict(chunks, e0, eye0, seed=0)
    again = model.predict(chunks, e0, eye_motion=generated[1])
    torch.testing.assert_close(again[0], generated[0])


@pytest.mark.parametrize(("kind", "changes"), GENERATORS)
def test_brows_go_further_from_the_sources_and_lids_do_not(kind: str, changes: dict[str, object]) -> None:
    chunks, e0, eye0 = clip(9)
    plain = small_predictor(kind, **changes).predict(chunks, e0, eye0, seed=2)[1]
    lively = small_predictor(kind, brow_gain=1.5, **changes).predict(chunks, e0, eye0, seed=2)[1]
    assert torch.equal(lively[:, 0], plain[:, 0])
    torch.testing.assert_close(lively[:, 1:] - eye0[1:], 1.5 * (plain[:, 1:] - eye0[1:]))


def test_stage_1_with_eye_motion_input_needs_it() -> None:
    model = small_predictor("stage1", eye_motion_input=True)
    chunks, e0, eye0 = clip(4)
    with pytest.raises(BadInput, match="does not generate eye motion"):
        model.predict(chunks, e0, eye0)
    assert model.predict(chunks, e0, eye_motion=eye0.expand(4, 21))[0].shape == (4, 64)


def test_long_clip_has_a_frame_for_each_chunk() -> None:
    calls = []
    model = small_predictor("lstm")
    expression, eyes = model.predict(
        *clip(601), seed=0, progress=lambda done, total: calls.append((done, total))
    )
    assert expression.shape == (601, 64) and eyes.shape == (601, 21)
    assert calls == [(250, 601), (500, 601), (601, 601)]
    with pytest.raises(Interrupted):
        model.predict(*clip(3), should_stop=lambda: True)


def test_noise_depends_on_seed_and_frame_alone() -> None:
    whole = frame_noise(3, 0, 400, 32)
    assert torch.equal(frame_noise(3, 250, 5, 32), whole[250:255])
    assert abs(float(whole.mean())) < 0.03 and float(whole.std()) == pytest.approx(1, abs=0.03)
    assert len({row.numpy().tobytes() for row in whole}) == 400


def test_blinks_are_spaced_as_people_space_theirs() -> None:
    """Bentivoglio et al. 1997: 26 a minute in conversation; intervals of a Poisson process vary by 1."""
    noise = frame_noise(4, 0, 60_000, 3)
    spaced, _ = space_blinks(noise, 2.25, 1.0)
    intervals = {}
    for name, values in (("independent", noise), ("spaced", spaced)):
        intervals[name] = np.diff(np.flatnonzero(values[:, 0] > 2.25)) / FPS
    assert 18 < 60 / intervals["spaced"].mean() < 27
    assert intervals["spaced"].min() > 0.4 > intervals["independent"].min()
    spread = {name: float(times.std() / times.mean()) for name, times in intervals.items()}
    assert 0.5 < spread["spaced"] < 0.7 < 0.9 < spread["independent"]
    assert np.quantile(intervals["spaced"], 0.99) < 9 < np.quantile(intervals["independent"], 0.99)
    assert torch.equal(spaced[:, 1:], noise[:, 1:])
    assert abs(float(spaced[:, 0].mean())) < 0.05


def test_spacing_goes_on_from_chunk_to_chunk() -> None:
    noise = frame_noise(4, 0, 900, 1)
    whole, last = space_blinks(noise, 2.25, 0.7)
    parts, since = [], 0.7
    for part in noise.split([1, 300, 599]):
        spaced, since = space_blinks(part, 2.25, since)
        parts.append(spaced)
    assert torch.equal(torch.cat(parts), whole) and since == last


def call(**changes: object) -> Callable[[], object]:
    chunks, e0, eye0 = clip(4)
    values = {"chunks": chunks, "e0": e0, "eye0": eye0, **changes}
    return lambda: small_predictor("lstm").predict(
        values.pop("chunks"), values.pop("e0"), values.pop("eye0"), **values
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"chunks": torch.zeros(0, 80, 16)}, "no frames to predict"),
        ({"chunks": torch.zeros(4, 16, 80)}, r"\[T, 80, 16\] is expected"),
        ({"chunks": torch.full((4, 80, 16), float("nan"))}, "chunks holds NaN"),
        ({"chunks": torch.zeros(4, 80, 16, dtype=torch.int32)}, "give floating-point values"),
        ({"e0": torch.zeros(1, 64)}, r"e0 has shape \[1, 64\]; \[64\] is expected"),
        ({"eye0": torch.zeros(20)}, r"\[21\] is expected"),
        ({"eye0": None}, "needs the source's eye motion"),
        ({"eye_motion": torch.zeros(3, 21)}, r"\[4, 21\] is expected"),
        ({"noise": torch.zeros(2, 10)}, r"\[4, 10\] is expected"),
    ],
)
def test_bad_input_gets_one_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        call(**changes)()


def test_the_released_model_takes_no_eye_motion() -> None:
    with pytest.raises(BadInput, match="takes no eye motion"):
        small_predictor("stage1").predict(*clip(4)[:2], eye_motion=torch.zeros(4, 21))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kind": "gru"}, "kind is 'gru'"),
        ({"kind": "lstm"}, "needs eye_motion_input"),
        ({"audio_widths": (1, 2)}, "needs five widths"),
        ({"attention": "all"}, "attention is 'all'"),
    ],
)
def test_bad_config_is_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        ExpressionConfig(**settings)
