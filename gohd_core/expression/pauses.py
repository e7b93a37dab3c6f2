"""Pauses of a speaker whom others are heard behind: frames below the speech around them, in a noisy clip."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gohd_core.constants import FPS
from gohd_core.expression.frames import over_frames, smoothed

MIDDLE = slice(6, 10)
"""Rows of a lip chunk that are the frame's own 40 ms."""
DECIBELS = 12.5
"""Of a unit of the spectrogram."""
NEPERS = math.log(10) / 10
"""Natural logarithm of a power, for a decibel."""
LOUDEST, FAINTEST = 8.0 / FPS, 2.0 / FPS
"""By how many dB a frame the envelopes let go: a speaker who grows fainter is soon believed."""
REACH = 4
"""Frames on both sides that are below the speech, too: consonants are shorter."""
NOISY, SOFT = (26.0, 30.0), 2.0
"""Distance of the envelopes in dB up to which a clip is noisy, and from which on it is not; the range of
levels, in dB, over which a pause sets in."""


def loudness(chunks: Tensor) -> Tensor:
    """Loudness in dB [...] of the frames of lip chunks [..., 80, 16], float32."""
    power = torch.logsumexp(NEPERS * DECIBELS * chunks[..., MIDDLE].float(), dim=(-2, -1))
    return power / NEPERS


def pauses(loud: Tensor, below: float) -> Tensor:
    """0 where clips' loudness [B, T] is speech, 1 in pauses, [B, T].

    A frame is of a pause where it and its neighbours are `below` dB or more under the loudest around, held
    against an envelope that lets go slowly, forwards and backwards in time. Clips that are quiet in pauses
    have none: a network hears quiet by itself, and people's lips stay open in short pauses.
    """
    loudest = _held(loud, LOUDEST)
    least = over_frames((loudest - loud)[..., None], REACH, lambda x: x.amin(-1))[..., 0]
    span = loudest + _held(-loud, FAINTEST)
    noisy = ((NOISY[1] - span) / (NOISY[1] - NOISY[0])).clamp(0, 1)
    share = noisy * ((least - below) / SOFT + 0.5).clamp(0, 1)
    return smoothed(share[..., None])[..., 0]


def _held(values: Tensor, release: float) -> Tensor:
    """Upper envelope of sequences [..., T] that falls by `release` a frame before and after its peaks."""
    fall = release * torch.arange(values.shape[-1], dtype=values.dtype, device=values.device)
    after = (values + fall).cummax(-1).values - fall
    before = (values - fall).flip(-1).cummax(-1).values.flip(-1) + fall
    return torch.maximum(before, after)
