"""A portrait that lives without speaking: it blinks, looks about and breathes, its mouth shut.

Eyes are those of `stylised.behaviour`, with its sources, looking at the viewer for longer, as listeners do.
An adult at rest takes 12 to 20 breaths a minute. How far head and breath move was chosen by eye.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import FPS, STYLISED
from gohd_core.errors import BadInput
from gohd_core.motion.editing import looped
from gohd_core.motion.movements import LIDS, MOUTH
from gohd_core.motion.sequence import Expression, Gaze, Motion, Pose

BREATHS = 15.0
"""Breaths a minute."""
NOD, RISE = np.radians(0.45), 0.006
"""Amplitudes of breathing: radians of nod, and model units of the head's rise."""
WANDER = np.radians((0.9, 1.3, 0.7))
"""Standard deviation of the head's slow wandering, radians about each axis; `WANDER_SECONDS` is its pace."""
WANDER_SECONDS = 1.6
BLINKS = 17.0
"""Blinks a minute at rest (A. R. Bentivoglio et al., Movement Disorders 1997)."""
BLEND = 1.0
"""Seconds over which the end of a loop becomes its beginning."""
SHORTEST, LONGEST = 2.0, 3600.0


def idle_motion(
    own: Motion,
    seconds: float,
    *,
    seed: int = 0,
    amount: float = 1.0,
    loop: bool = True,
) -> Motion:
    """Idle life of a portrait.

    Args:
        own: the portrait's own motion, one frame of the stylised space.
        seconds: how long, 2 to 3600; at 25 frames a second.
        seed: the same seed moves the same way.
        amount: factor on the movement of head and gaze; 0 blinks alone.
        loop: whether the last frame goes on into the first.

    Raises:
        BadInput: another space, or a length that is too short or too long.
    """
    if own.space != STYLISED:
        raise BadInput(f"Idle life is made for the stylised space, not for {own.space!r}.")
    if not SHORTEST <= seconds <= LONGEST:
        raise BadInput(f"{seconds:g} s can't be idled away; give {SHORTEST:g} to {LONGEST:g} seconds.")
    from gohd_core.stylised.head.expressions import INDEX
    from gohd_core.stylised.motion.behaviour import EyeHabit, blink_times, gaze_curve, lid_curves
    from gohd_core.stylised.motion.curves import wander
    from gohd_core.stylised.motion.prosody import Prosody

    frames = round(seconds * FPS)
    whole = frames + (round(BLEND * FPS) if loop else 0)
    times = np.arange(whole) / FPS
    rng = np.random.default_rng(seed)
    silence = Prosody(np.zeros(1), np.zeros(1), np.zeros(1, bool), (), np.zeros((0, 3)))
    habit = EyeHabit(blinks=BLINKS, contact=1.6, saccade=0.8)
    gaze, _ = gaze_curve(rng, silence, times, habit)
    # Nobody's lids are shut where a loop is joined: two halves of a blink would be blended.
    starts = blink_times(rng, silence, times[-1], habit)
    edge = BLEND + 0.5 if loop else 0.0
    starts = [start for start in starts if edge <= start <= times[-1] - edge] if loop else starts
    lids = lid_curves(rng, starts, times, habit)
    pose = np.zeros((whole, 6))
    pose[:, :3] = wander(rng, whole, WANDER_SECONDS * FPS, 3) * WANDER
    breaths = max(round(seconds * BREATHS / 60), 1)
    breath = np.sin(2 * np.pi * breaths * times / seconds)
    pose[:, 0] -= NOD * breath
    pose[:, 4] += RISE * breath
    expression = without_speech(own).expression.values[:1].repeat(whole, 1)
    for k, name in enumerate(LIDS):
        column = expression[:, INDEX[name]]
        expression[:, INDEX[name]] = torch.maximum(column, _tensor(lids[:, k]))
    made = Motion(
        Pose(own.pose.values[:1] + amount * _tensor(pose), own.space),
        Expression(expression, own.space),
        Gaze(own.gaze.values[:1] + amount * _tensor(gaze), own.space),
    )
    if not loop:
        return made
    seconds_of_blend = (whole - frames) / FPS
    return Motion(*(looped(track, seconds_of_blend) for track in (made.pose, made.expression, made.gaze)))


def without_speech(motion: Motion) -> Motion:
    """The motion with its mouth shut; unchanged in other spaces than the stylised one."""
    if motion.space != STYLISED:
        return motion
    from gohd_core.stylised.head.expressions import INDEX

    values = motion.expression.values.clone()
    values[:, [INDEX[name] for name in MOUTH]] = 0
    return replace(motion, expression=replace(motion.expression, values=values))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32, device="cpu")
