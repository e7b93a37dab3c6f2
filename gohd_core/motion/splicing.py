"""Motions one after another, joined without a jump and without changing their timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from gohd_core.choices import TRACKS
from gohd_core.errors import BadInput
from gohd_core.motion import Motion
from gohd_core.motion import Sequence as Track
from gohd_core.motion.curves import nearest_turn, smoothstep

BLEND = 0.2
"""Seconds on each side of a seam over which its jump is spread."""


def spliced(motions: Sequence[Motion], *, blend: float = BLEND) -> Motion:
    """Plays motions one after another, at the first one's frame rate.

    At each seam both sides are bent towards its middle, all the way at the seam and not at all
    `blend` seconds from it, so that every frame keeps its time and a sound stays in step. Head and
    eyes take the nearer way round.

    Args:
        motions: at least one, of one coefficient space.
        blend: seconds on each side; 0 leaves the jump. Half of a shorter motion's length at most is used.
    Raises: `BadInput` for none, for spaces that differ, or a negative blend.
    """
    if not motions:
        raise BadInput("There is no motion to splice; give at least one.")
    if blend < 0:
        raise BadInput(f"The blend is {blend:g} s; it can't be negative.")
    first = motions[0]
    for motion in motions[1:]:
        if motion.space != first.space:
            raise BadInput(
                f"Motions of the {first.space!r} and the {motion.space!r} coefficient space can't be spliced."
            )
    even = [motion.resampled(first.fps) for motion in motions]
    frames = round(blend * float(first.fps))
    return Motion(*(_joined([getattr(motion, part) for motion in even], frames) for part in TRACKS))


def _joined(tracks: list[Track], frames: int) -> Track:
    pieces = [track.values.clone() for track in tracks]
    for before, after in pairwise(pieces):
        jump = nearest_turn(after[0] - before[-1], tracks[0].angles)
        after += (before[-1] + jump) - after[0]
        left, right = (min(frames, len(piece) // 2) for piece in (before, after))
        if left:
            before[-left:] += _rise(left)[:, None] * jump / 2
        if right:
            after[:right] -= _rise(right).flip(0)[:, None] * jump / 2
    valid = torch.cat([track.valid for track in tracks])
    return replace(tracks[0], values=torch.cat(pieces), valid=valid)


def _rise(frames: int) -> Tensor:
    """From above 0 to 1 in so many frames, smoothly."""
    return smoothstep(0, 1, torch.arange(1, frames + 1, dtype=torch.float32, device="cpu") / frames)
