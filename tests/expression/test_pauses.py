"""Pauses in a noisy clip: against envelopes by hand, at any level, and none in a clip without noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features
from gohd_core.expression.pauses import FAINTEST, LOUDEST, NOISY, REACH, SOFT, loudness, pauses

BELOW = 4.0


def by_hand(loud: list[float]) -> list[float]:
    """Shares [T] frame by frame."""
    frames = range(len(loud))
    loudest = [max(loud[s] - LOUDEST * abs(t - s) for s in frames) for t in frames]
    faintest = [min(loud[s] + FAINTEST * abs(t - s) for s in frames) for t in frames]
    shares = []
    for t in frames:
        near = [min(max(t + k, 0), len(loud) - 1) for k in range(-REACH, REACH + 1)]
        least = min(loudest[s] - loud[s] for s in near)
        noisy = min(max((NOISY[1] - (loudest[t] - faintest[t])) / (NOISY[1] - NOISY[0]), 0), 1)
        shares.append(noisy * min(max((least - BELOW) / SOFT + 0.5, 0), 1))
    padded = [shares[0], *shares, shares[-1]]
    return [padded[t] / 4 + padded[t + 1] / 2 + padded[t + 2] / 4 for t in frames]


def sound_of(*decibels: float) -> np.ndarray:
    """Noise at these levels, half a second each."""
    rng = np.random.default_rng(0)
    return np.concatenate([10 ** (level / 20) * rng.standard_normal(8_000) for level in decibels])


def test_pauses_are_their_envelopes_frame_by_frame() -> None:
    loud = 1.5 * torch.randn(3, 200, generator=torch.Generator().manual_seed(0))
    loud[:, 60:90] -= torch.tensor([[12.0], [26.0], [40.0]])
    found = pauses(loud, BELOW)
    for one, wanted in zip(found, loud.tolist(), strict=True):
        torch.testing.assert_close(one, torch.tensor(by_hand(wanted)), atol=1e-4, rtol=1e-4)
    assert found[0, 66:84].min() == 1 and found[2].max() == 0
    assert ((found[1] > 0.1) & (found[1] < 0.9)).sum() > 5, "between noisy and quiet"


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_sound_behind_speech_is_a_pause_and_speech_is_none(gain: float) -> None:
    heard = audio_features(gain * sound_of(-20, -32, -20), 16_000).chunks
    found = pauses(loudness(heard)[None], BELOW)[0]
    assert found[18:20].min() == 1 and found[:10].max() == 0 and found[-10:].max() == 0


def test_a_clip_that_is_quiet_in_pauses_has_none() -> None:
    heard = audio_features(sound_of(-20, -70, -20), 16_000).chunks
    assert pauses(loudness(heard)[None], BELOW).max() == 0


def test_a_speaker_who_grows_fainter_is_soon_believed() -> None:
    heard = audio_features(sound_of(-20, -30, -30, -30, -30, -50), 16_000).chunks
    found = pauses(loudness(heard)[None], BELOW)[0]
    assert found[35:55].max() == 0


def test_loudness_is_in_decibels() -> None:
    chunks = torch.full((1, 80, 16), -1.0)
    louder = loudness(chunks + 0.08) - loudness(chunks)
    torch.testing.assert_close(louder, torch.tensor([1.0]), atol=1e-4, rtol=0)
    changed = chunks.clone()
    changed[..., :6], changed[..., 10:] = 3, 3
    torch.testing.assert_close(loudness(changed), loudness(chunks))
