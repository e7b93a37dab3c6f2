"""Moods as facial action units on top of any motion; speech keeps the lips.

Units and their effects are those of P. Ekman, W. V. Friesen, J. C. Hager, "Facial Action Coding System"
(2002), whose Investigator's Guide lists the prototypes of six emotions: happy 6+12, sad 1+4+15, surprised
1+2+5, afraid 1+2+4+5+20, angry 4+5+7+23, disgusted 9+10+15. Tender joins the slanted brows of compassion
(J. L. Goetz, D. Keltner, E. Simon-Thomas, Psychological Bulletin 2010) and the smile of affection (G. C.
Gonzaga et al., J. Personality and Social Psychology 2001). Sadness bows the head and surprise raises it
(M. Coulson, J. Nonverbal Behavior 2004); how other moods hold it, and how strong each unit is, was chosen by
eye on photographs.

The smile that is felt raises the cheeks (P. Ekman, R. J. Davidson, W. V. Friesen, J. Personality and Social
Psychology 1990), and so does a wrinkled nose, whose unit pulls up the skin beside it. Units that part or shut
the lips (10, 23, 25, 26) would fight with speech and are left out; cheeks are raised and noses wrinkled on
photographs alone, so that drawn heads show joy and disgust by brows, lids and corners.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gohd_core.choices import MOODS
from gohd_core.constants import N_EXPRESSION, STYLISED
from gohd_core.errors import BadInput
from gohd_core.motion.keyframes import Keyframes
from gohd_core.motion.movements import LIDS
from gohd_core.motion.sequence import Motion

UNITS: dict[str, dict[str, float]] = {
    "1": {"brow_inner_up": 1.0},
    "2": {"brow_outer_up_left": 1.0, "brow_outer_up_right": 1.0},
    "4": {"frown": 1.0},
    "5": {"blink_left": -0.22, "blink_right": -0.22},
    "6": {"squint": 1.0},
    "7": {"blink_left": 0.22, "blink_right": 0.22},
    "9": {"nose_wrinkle": 1.0},
    "12": {"smile_left": 1.0, "smile_right": 1.0},
    "15": {"smile_left": -0.7, "smile_right": -0.7},
    "20": {"lip_spread": 1.0},
}
"""Expression that a full unit adds to movements of the stylised head (`stylised.expressions`)."""

PROTOTYPES: dict[str, dict[str, float]] = {
    "neutral": {},
    "happy": {"6": 0.45, "12": 1.0, "7": 0.2},
    "sad": {"1": 0.9, "4": 0.4, "15": 0.9, "7": 0.6},
    "angry": {"4": 1.0, "7": 0.9, "15": 0.35},
    "surprised": {"1": 0.9, "2": 1.0, "5": 1.0},
    "afraid": {"1": 1.1, "2": 0.5, "4": 0.6, "5": 1.0, "20": 0.7},
    "disgusted": {"9": 0.95, "6": 0.3, "4": 0.4, "7": 0.7, "15": 0.7},
    "tender": {"1": 0.35, "6": 0.3, "12": 0.55, "7": 0.2},
}
"""Strength of each unit in a mood."""

HEADS: dict[str, tuple[float, float, float]] = {
    "sad": (5.0, 0.0, 0.0),
    "angry": (3.0, 0.0, 0.0),
    "surprised": (-3.0, 0.0, 0.0),
    "afraid": (-2.0, 0.0, 0.0),
    "disgusted": (-2.0, 4.0, 0.0),
    "tender": (1.0, 0.0, 5.0),
}
"""Posture of the head: degrees of nod (down), turn and tilt."""

CORNERS = ("smile_left", "smile_right", "lip_spread")
"""Movements that give way where the lips are rounded, so that an "oo" stays one."""
LIMITS = (-0.6, 1.3)
"""Limits of brows and mouth corners after a mood is added; lids stay between -0.25 and 1."""


def mood_offset(name: str) -> Tensor:
    """Offset of a mood to an expression, [64]."""
    if name not in MOODS:
        raise BadInput(f"{name!r} is no mood; use one of {', '.join(MOODS)}.")
    from gohd_core.stylised.head.expressions import INDEX

    offset = torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu")
    for unit, strength in PROTOTYPES[name].items():
        for movement, share in UNITS[unit].items():
            offset[INDEX[movement]] += strength * share
    return offset


def with_mood(motion: Motion, amounts: dict[str, float | Keyframes], *, head: bool = True) -> Motion:
    """The motion in a mood, or in several that come and go.

    Jaw, pucker, press and both lips stay as they are; blinks still shut; corners give way to rounded lips.

    Args:
        motion: in the stylised space.
        amounts: how much of each mood, 1 in full, constant or over time.
        head: whether the head is held accordingly too.

    Raises:
        BadInput: another space, an unknown mood, or an amount beyond -2..2.
    """
    if motion.space != STYLISED:
        raise BadInput(
            f"Moods are told in movements that the {motion.space!r} space has no names for; use the built-in "
            "weights."
        )
    from gohd_core.stylised.head.expressions import INDEX

    values = motion.expression.values.clone()
    added, turn = torch.zeros_like(values), torch.zeros_like(motion.pose.values)
    for name, amount in amounts.items():
        share = over_time(amount, len(motion), motion.fps)
        if bool((share.abs() > 2).any()):
            raise BadInput(f"The amount of {name} goes beyond 2; give -2 to 2, 1 is the mood in full.")
        added += share * mood_offset(name)
        degrees = values.new_tensor(HEADS.get(name, (0.0, 0.0, 0.0)))
        turn[:, :3] += share * torch.deg2rad(degrees)
    rounded = values[:, INDEX["lip_pucker"]].clamp(0, 1)
    for movement in CORNERS:
        added[:, INDEX[movement]] *= 1 - rounded
    lids = [INDEX[movement] for movement in LIDS]
    # A lid on its way down loses the mood's share, so that a blink shuts and shuts no further.
    added[:, lids] *= 1 - values[:, lids].clamp(0, 1)
    changed = added.abs().sum(0) > 0
    held = (values + added).clamp(*LIMITS)
    held[:, lids] = (values + added)[:, lids].clamp(-0.25, 1)
    values[:, changed] = held[:, changed]
    pose = motion.pose
    if head:
        pose = replace(pose, values=pose.values + turn)
    return replace(motion, pose=pose, expression=replace(motion.expression, values=values))


def over_time(amount: float | Keyframes, frames: int, fps: float) -> Tensor:
    """An amount that is constant or keyed, frame by frame: [T or 1, 1]."""
    if isinstance(amount, Keyframes):
        return amount.frames(frames, fps)
    return torch.tensor([[float(amount)]], dtype=torch.float32, device="cpu")
