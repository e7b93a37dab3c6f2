"""Listening behaviour of a portrait among others: mouth shut, eyes on the speaker, a nod now and then.

Listeners look at who speaks for most of the time, in looks of some seconds (A. Kendon, Acta Psychologica
1967), and nod in short bursts of a few quick movements (U. Hadar, T. J. Steiner, F. C. Rose, J. Nonverbal
Behavior 1985). How far heads turn and nod was chosen by eye.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gohd_core.motion import smoothing
from gohd_core.motion.movements import MOUTH
from gohd_core.motion.sequence import Motion

DELAY = 0.3
"""Seconds from the start of a turn until the others look."""
LOOK, AWAY = (2.5, 5.5), (0.7, 1.3)
"""Seconds of a look at the speaker, and of a glance elsewhere between two."""
EYES, HEAD = 0.05, 0.35
"""Standard deviations, in seconds, of the Gaussians that smooth the turns of eyes and head."""
SIDEWAYS, UPWARDS = np.radians(32.0), np.radians(12.0)
"""Largest turn of the eyes towards the speaker, sideways and upwards."""
TURN = 0.35
"""Share of it that the head turns by."""
MOST_TURN = np.radians(20.0)
"""Largest yaw of the head towards the speaker, unless the portrait's own head is turned further."""
NOD, NODS, NOD_RATE = np.radians(2.4), (2.5, 6.5), 2.2
"""Radians of a nod, seconds between two bursts, and nods a second within one."""


def direction(own: Tensor, other: Tensor, focal: float) -> tuple[float, float]:
    """Gaze (pitch, yaw), radians, from one face to another of a picture.

    Args:
        own, other: (x, y, height) of faces in pixels; faces are taken to be equally large.
        focal: of the camera, in pixels.
    """
    x, y, height = own.double().tolist()
    other_x, other_y, other_height = other.double().tolist()
    mean = (height + other_height) / 2
    across, up = (other_x - x) / mean, (y - other_y) / mean  # in heights of a face
    nearer = focal / height - focal / other_height
    yaw = -np.arctan2(across, max(nearer, 0.0) + 1e-6)
    pitch = np.arctan2(up, np.hypot(across, nearer))
    return float(np.clip(pitch, -UPWARDS, UPWARDS)), float(np.clip(yaw, -SIDEWAYS, SIDEWAYS))


def listening(motion: Motion, own: Motion, share: Tensor, towards: Tensor, *, seed: int = 0) -> Motion:
    """The motion, listening where it is silent and another speaks.

    Args:
        motion: of T frames, in the stylised space; idle where it is silent.
        own: the portrait's own motion, one frame.
        share: [T] how silent it is, 0..1: the mouth is shut as far as that.
        towards: [T,2] gaze (pitch, yaw) to the speaker, NaN in pauses.
    """
    from gohd_core.stylised.head.expressions import INDEX

    fps = float(motion.fps)
    rng = np.random.default_rng(seed)
    expression = motion.expression.values.clone()
    expression[:, [INDEX[name] for name in MOUTH]] *= 1 - share[:, None]
    listens = (share > 0.5) & ~towards.isnan().any(1)
    listens = _delayed(listens, round(DELAY * fps))
    looks = listens & _eye_contact(rng, len(motion), fps)
    goal = torch.nan_to_num(_held(towards))
    eyes, head = (smoothing.gaussian(looks.float()[:, None], s * fps).clamp(0, 1) for s in (EYES, HEAD))
    gaze = torch.lerp(motion.gaze.values, smoothing.gaussian(goal, EYES * fps), eyes)
    pose = motion.pose.values.clone()
    # A nose turns to the picture's right where gaze to its left is positive.
    turned = own.pose.values[:, 1] - TURN * smoothing.gaussian(goal[:, 1:], HEAD * fps)[:, 0]
    most = max(MOST_TURN, abs(own.pose.values[0, 1].item()))
    pose[:, 1] += head[:, 0] * (turned.clamp(-most, most) - own.pose.values[:, 1])
    pose[:, 0] += _nods(rng, listens, fps)
    return replace(
        motion,
        pose=replace(motion.pose, values=pose),
        expression=replace(motion.expression, values=expression),
        gaze=replace(motion.gaze, values=gaze),
    )


def _delayed(flags: Tensor, frames: int) -> Tensor:
    """Flags [T] some frames later."""
    late = torch.zeros_like(flags)
    if frames < len(flags):
        late[frames:] = flags[: len(flags) - frames]
    return late


def _held(towards: Tensor) -> Tensor:
    """Directions [T,2] with the last one, or else the first one, where there is none."""
    made, last = towards.clone(), None
    known = (~towards.isnan().any(1)).nonzero()[:, 0].tolist()
    if not known:
        return made
    last = towards[known[0]]
    for k in range(len(made)):
        if bool(made[k].isnan().any()):
            made[k] = last
        last = made[k]
    return made


def _eye_contact(rng: np.random.Generator, frames: int, fps: float) -> Tensor:
    """[T] where a listener looks at who speaks, and does not glance elsewhere."""
    made, at = torch.zeros(frames, dtype=torch.bool, device="cpu"), 0
    while at < frames:
        until = at + round(rng.uniform(*LOOK) * fps)
        made[at:until] = True
        at = until + round(rng.uniform(*AWAY) * fps)
    return made


def _nods(rng: np.random.Generator, listens: Tensor, fps: float) -> Tensor:
    """[T] radians of nods, in bursts, while it listens."""
    seconds = torch.arange(len(listens), dtype=torch.float32, device="cpu") / fps
    made, at = torch.zeros_like(seconds), rng.uniform(*NODS) / 2
    while at < len(listens) / fps:
        count, size = int(rng.integers(1, 4)), rng.uniform(0.6, 1.0)
        length = count / NOD_RATE
        within = (seconds - at) / length
        inside = (within > 0) & (within < 1)
        # Down and back up, the first the deepest; gentle at both ends.
        bob = 0.5 - 0.5 * torch.cos(2 * torch.pi * NOD_RATE * (seconds - at))
        first, last = round(at * fps), round((at + length) * fps)
        if last < len(listens) and bool(listens[first : last + 1].all()):
            made += inside * bob * (1 - 0.5 * within) * (NOD * size)
        at += length + rng.uniform(*NODS)
    return made
