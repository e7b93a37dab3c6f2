"""Options of a talking clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gohd_core.choices import GAZES, MOODS
from gohd_core.constants import FPS
from gohd_core.errors import BadInput

LARGEST_SCALE = 3
"""Largest factor on pose, expression and strength; beyond, frames are noise."""
STEEPEST_GAZE = math.pi / 3
"""Largest gaze up, down and to the sides, radians."""


@dataclass(frozen=True)
class TalkOptions:
    """Options of a clip.

    Attributes:
        seed: of head pose, eye motion and sampled gaze; the same seed gives the same clip.
        gaze: "hold" keeps the portrait's own gaze (as in the paper's experiments), "sample" draws it from
            the gaze diffusion, a pair sets (pitch, yaw) in radians.
        sampler, steps, guidance: of the diffusion; None takes the model's own default (gamma 0.4 of eq. 3).
        pose_scale: factor on the head's movement around the portrait's own pose. The official script
            multiplies the whole pose, the portrait's own part included, by 1.2.
        expression_scale: factor on the expression (official script: 1.5).
        mouth_scale, eyes_scale: factors on the mouth, and on brows and lids, on top of it.
        mood, mood_amount: one of `choices.MOODS` and how much of it (`motion.mood`); built-in weights only.
        strength: factor on the navigation vector (Fig. 8).
        fps: frames a second of the clip, 1 to 120.
        batch_size: frames drawn at once; the frames do not depend on it.
    """

    seed: int = 0
    gaze: str | tuple[float, float] = "hold"
    sampler: str = "dpmpp_2m"
    steps: int | None = 20
    guidance: float | None = None
    pose_scale: float = 1.0
    expression_scale: float = 1.0
    mouth_scale: float = 1.0
    eyes_scale: float = 1.0
    mood: str = MOODS[0]
    mood_amount: float = 0.7
    strength: float = 1.0
    batch_size: int = 8
    fps: Fraction | int | float = FPS

    def __post_init__(self) -> None:
        if isinstance(self.gaze, str) and self.gaze not in GAZES:
            raise BadInput(f"{self.gaze!r} is no gaze; use {', '.join(GAZES)} or a pitch and a yaw.")
        for name in ("pose_scale", "expression_scale", "mouth_scale", "eyes_scale", "strength"):
            if not 0 <= getattr(self, name) <= LARGEST_SCALE:
                raise BadInput(f"{name} is {getattr(self, name)}; give 0 to {LARGEST_SCALE}.")
        if self.mood not in MOODS:
            raise BadInput(f"{self.mood!r} is no mood; use one of {', '.join(MOODS)}.")
        angles = () if isinstance(self.gaze, str) else self.gaze
        if not all(abs(angle) <= STEEPEST_GAZE + 1e-6 for angle in angles):
            raise BadInput(f"The gaze {self.gaze} is beyond 60 degrees (pi / 3 radians); look less far.")

    @property
    def sampling(self) -> dict[str, Any]:
        """Options of the samplers of head poses and gaze."""
        return {name: getattr(self, name) for name in ("seed", "sampler", "steps", "guidance")}
