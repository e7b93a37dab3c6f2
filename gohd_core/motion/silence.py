"""Idle head and eyes while the sound is silent.

Samplers of head poses hold still in long silence; lips shut and lids blink by themselves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.constants import FPS, SAMPLES_PER_FRAME, STYLISED
from gohd_core.motion.curves import smoothstep
from gohd_core.motion.editing import blended
from gohd_core.motion.idle import SHORTEST, idle_motion
from gohd_core.motion.sequence import Motion, Sequence

PAUSE = 1.2
"""Seconds of silence that count; shorter pauses belong to the speech."""
BLEND = 0.6
"""Seconds from speech to idle life and back, within the silence."""
BELOW_SPEECH, QUIETEST, LOUDEST = -35.0, -55.0, -40.0
"""Threshold of silence in dB: relative to the sound's loud frames, and its limits re full scale."""


def silence(waveform: Tensor, frames: int) -> Tensor:
    """Silence of each of `frames` frames, [T] 0..1, with soft edges towards speech.

    waveform: 16 kHz mono samples [S], full scale 1. Clips that begin or end in silence are at 1 there.
    """
    padded = waveform.new_zeros(frames * SAMPLES_PER_FRAME)
    count = min(len(waveform), len(padded))
    padded[:count] = waveform[:count]
    power = padded.double().unflatten(0, (frames, SAMPLES_PER_FRAME)).square().mean(1)  # [T]
    level = 10 * torch.log10(power.clamp_min(1e-12))
    threshold = level.quantile(0.95).item() + BELOW_SPEECH
    quiet = (level < min(max(threshold, QUIETEST), LOUDEST)).tolist()
    share = torch.zeros(frames, dtype=torch.float32, device="cpu")
    ramp, first = BLEND * FPS, 0
    while first < frames:
        last = first
        while last < frames and quiet[last] == quiet[first]:
            last += 1
        if quiet[first] and last - first >= PAUSE * FPS:
            at = torch.arange(last - first, dtype=torch.float32, device="cpu")
            since = torch.full_like(at, ramp) if first == 0 else at
            until = torch.full_like(at, ramp) if last == frames else last - first - 1 - at
            share[first:last] = smoothstep(0, 1, torch.minimum(since, until) / ramp)
        first = last
    return share


def idle_where_silent(
    track: Sequence, own: Motion, share: Tensor, *, seed: int = 0, amount: float = 1.0
) -> Sequence:
    """A pose, expression or gaze at 25 frames a second with idle life where its sound is silent.

    Where all of it is silent, the last frame goes on into the first.

    Args:
        own: the portrait's own motion, one frame, around which it idles.
        share: of silence, [T]; all zero, or another space than the stylised one, changes nothing.
        amount: factor on the movement of head and gaze.
    """
    if own.space != STYLISED or not bool((share > 0).any()):
        return track
    seconds = max(len(track) / FPS, SHORTEST)
    idle = idle_motion(own, seconds, seed=seed, amount=amount, loop=bool((share == 1).all()))
    kinds = {type(part): part for part in (idle.pose, idle.expression, idle.gaze)}
    return blended(track, kinds[type(track)].fitted(len(track)), share)
