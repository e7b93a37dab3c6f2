"""A whole performance of one utterance: mouth, eyes, brows, head and gaze of one random speaker."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gohd_core.constants import FPS, SAMPLES_PER_FRAME
from gohd_core.stylised.motion.behaviour import EyeHabit, eyes_and_brows
from gohd_core.stylised.motion.head_motion import HeadStyle, head_pose
from gohd_core.stylised.motion.prosody import STEP, analyse
from gohd_core.stylised.motion.stills import limit_gaze
from gohd_core.stylised.motion.visemes import MouthHabit, frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech


@dataclass(frozen=True)
class Speaker:
    """The habits of one speaker."""

    mouth: MouthHabit
    eyes: EyeHabit
    head: HeadStyle

    @classmethod
    def random(cls, rng: np.random.Generator) -> Speaker:
        """A random speaker."""
        return cls(MouthHabit.random(rng), EyeHabit.random(rng), HeadStyle.random(rng))

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, for a clip's description."""
        return asdict(self)


@dataclass(frozen=True)
class Performance:
    """Coefficients at 25 frames a second: expression [T, 64], pose [T, 6], gaze [T, 2] float32."""

    expression: np.ndarray
    pose: np.ndarray
    gaze: np.ndarray

    def __len__(self) -> int:
        return len(self.pose)


def perform(speech: Speech, rng: np.random.Generator, speaker: Speaker | None = None) -> Performance:
    """Act out clean speech at 16 kHz; frame k is the face at (k + 1/2) / 25 s."""
    speaker = speaker or Speaker.random(rng)
    frames = max(1, -(-len(speech.audio) // SAMPLES_PER_FRAME))
    times = frame_times(frames, FPS)
    prosody = analyse(speech.audio, speech.phones)
    louder = louder_syllables(prosody.energy, times)
    mouth = mouth_curves(speech.phones, times, speaker.mouth, louder)
    eyes, gaze = eyes_and_brows(rng, prosody, times, speaker.eyes)
    pose = head_pose(rng, prosody, times, speaker.head)
    gaze = limit_gaze(pose, gaze)
    return Performance((mouth + eyes).astype(np.float32), pose.astype(np.float32), gaze.astype(np.float32))


def louder_syllables(energy: np.ndarray, times: np.ndarray) -> np.ndarray:
    """`prosody.loudness` [n] at `times` (s) against its mean in speech, [len(times)] in -1..1."""
    speaking = energy > 0.3
    mean = energy[speaking].mean() if speaking.any() else 1.0
    heard = (np.arange(len(energy)) + 0.5) * STEP
    return np.clip(np.interp(times, heard, (energy - mean) / 0.25), -1, 1)
