"""Head motion of a speaker: posture drifts between phrases, sway with pitch and energy, nods.

Head motion in speech follows pitch and loudness (K. G. Munhall et al., Psychological Science 2004)
and is strongest at low frequencies, about 0.2 to 2 Hz, with faster nods at stresses (U. Hadar et
al., Human Movement Science 1983). The share that sound does not determine is random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.stylised.camera import neck_translation
from gohd_core.stylised.motion.curves import bump, ease, smooth, wander
from gohd_core.stylised.motion.prosody import STEP, Prosody

ANGLE_LIMIT = np.array([0.40, 0.70, 0.30])
"""Largest pitch, yaw and roll, radians."""
SLOW, FAST = 0.16, 0.055
"""Gaussian widths, s, whose difference keeps about 0.7 to 2.5 Hz of the speech's rhythm."""


@dataclass(frozen=True)
class HeadStyle:
    """A speaker's habits of the head; amplitudes in radians."""

    rhythm: tuple[float, float, float] = (0.018, 0.009, 0.007)
    """Pitch, yaw and roll per unit of the speech's 1 to 2 Hz rhythm; signs are the speaker's."""
    nod: float = 0.035
    nods: float = 0.35
    """Chance that a stressed syllable takes a nod."""
    posture: tuple[float, float, float] = (0.04, 0.08, 0.04)
    """Deviation of the postures taken from phrase to phrase."""
    drift: float = 0.02
    stance: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Resting pose of the head in this clip (how the camera stands)."""
    distance: float = 0.0
    neck: float = 0.6
    """Share of the rotation that is about the neck rather than the head's centre."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> HeadStyle:
        """A random speaker, from nearly still to lively."""
        life = float(np.exp(rng.normal(0, 0.40)))
        side = rng.normal(0, 1, 2)
        return cls(
            rhythm=(0.020 * life, 0.010 * life * float(side[0]), 0.008 * life * float(side[1])),
            nod=0.040 * life * float(rng.uniform(0.6, 1.3)),
            nods=float(rng.uniform(0.1, 0.6)),
            posture=tuple(np.array([0.035, 0.085, 0.040]) * life),
            drift=0.016 * life,
            stance=tuple(np.array([0.05, 0.13, 0.03]) * rng.normal(size=3)),
            distance=float(rng.normal(0, 0.10)),
            neck=float(rng.uniform(0.3, 0.9)),
        )


def rhythm_curve(prosody: Prosody) -> np.ndarray:
    """`[n]` at 100 Hz: the 1 to 2 Hz part of pitch and loudness, of about unit deviation."""
    carried = _hold(prosody.pitch / 4.0, prosody.voiced)
    driver = 0.6 * carried + 1.8 * prosody.energy
    band = smooth(driver, FAST / STEP) - smooth(driver, SLOW / STEP)
    return band / 0.20


def _hold(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Values with gaps bridged linearly."""
    if not valid.any():
        return np.zeros(len(values))
    where = np.flatnonzero(valid)
    return np.interp(np.arange(len(values)), where, values[where])


def head_pose(
    rng: np.random.Generator, prosody: Prosody, times: np.ndarray, style: HeadStyle | None = None
) -> np.ndarray:
    """Pose `[len(times), 6]` at `times` (s): Euler angles x, y, z (rad; x > 0 nods), translation."""
    style = style or HeadStyle()
    at = prosody.times
    activity = 0.35 + 0.65 * np.clip(smooth(prosody.energy, 0.25 / STEP) * 1.6, 0, 1)
    angles = np.zeros((len(times), 3))
    rhythm = np.interp(times, at, rhythm_curve(prosody))
    own = wander(rng, len(times), 5.0, 3)
    lively = np.interp(times, at, activity)[:, None]
    # what sound decides and what it does not, about half of the variance each
    angles += (rhythm[:, None] + 0.8 * own * lively) * -np.array(style.rhythm) * [1, 1, 1]
    angles[:, 0] += _nods(rng, prosody, times, style)
    angles += _postures(rng, prosody, times, style)
    angles += wander(rng, len(times), 25.0, 3) * style.drift * lively
    angles = ANGLE_LIMIT * np.tanh((angles + np.array(style.stance)) / ANGLE_LIMIT)
    shift = wander(rng, len(times), 30.0, 3) * np.array([0.010, 0.008, 0.020])
    shift += rng.normal(0, 1, 3) * np.array([0.030, 0.020, 0.0]) + [0, 0, style.distance]
    shift += style.neck * neck_translation(angles)
    return np.concatenate([angles, shift], 1)


def _nods(rng: np.random.Generator, prosody: Prosody, times: np.ndarray, style: HeadStyle) -> np.ndarray:
    """Quick downward nods on stressed syllables, a little before the loudest moment."""
    total, last = np.zeros(len(times)), -1.0
    for middle, length, stress in prosody.syllables:
        if stress < 0.66 or middle - last < 0.50 or rng.random() > style.nods:
            continue
        last = middle
        peak = middle + rng.normal(0.02, 0.03)
        size = style.nod * (0.4 + stress) * rng.uniform(0.5, 1.3)
        total += size * bump(times, peak - 0.24, peak, 0.02, peak + 0.34 + length)
    return total


def _postures(rng: np.random.Generator, prosody: Prosody, times: np.ndarray, style: HeadStyle) -> np.ndarray:
    """A new resting posture at most phrase starts, reached in about half a second."""
    spread = np.array(style.posture)
    place = rng.normal(0, 1, 3) * spread
    angles = np.tile(place, (len(times), 1))
    for start, _ in prosody.phrases:
        if rng.random() < 0.25:
            continue
        target = 0.3 * place + rng.normal(0, 1, 3) * spread
        length = rng.uniform(0.5, 1.1)
        angles += (target - place) * ease((times - start + 0.25) / length)[:, None]
        place = target
    return angles
