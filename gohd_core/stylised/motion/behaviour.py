"""Eyes and brows of a speaker: blinks, saccades and fixations, brow raises with stress.

Everything is random beyond what sound decides, as in life. Figures:
- blinks: about 26 a minute in conversation (A. R. Bentivoglio et al., Movement Disorders 1997),
  crowding at pauses of speech (T. Nakano, S. Kitazawa, Experimental Brain Research 2010); lids
  close faster than they open, 100 to 400 ms in all (F. VanderWerf et al., J. Neurophysiology 2003);
- gaze: spells of looking at and away from the listener, and sizes of saccades, of a talking person
  (S. P. Lee, J. B. Badler, N. I. Badler, "Eyes Alive", SIGGRAPH 2002); duration of a saccade
  21 ms + 2.2 ms per degree (A. T. Bahill, M. R. Clark, L. Stark, Mathematical Biosciences 1975);
- brows: raises go along with rises of pitch, but not always (C. Cave et al., ICSLP 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gohd_core.constants import N_EXPRESSION
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.curves import bump, ease, wander
from gohd_core.stylised.motion.prosody import Prosody

AT_CAMERA = (3.13, 3.16)
"""Mean and deviation of a spell of looking at the listener, s (93.9 and 94.9 frames at 30 fps)."""
AWAY = (0.93, 0.80)
"""The same for looking away (27.8 and 24.0 frames)."""
LARGEST_SACCADE = np.radians(27.5)
EVENT_RATE = 100
"""Steps a second in which the random processes are drawn."""


@dataclass(frozen=True)
class EyeHabit:
    """A speaker's habits of eyes and brows."""

    blinks: float = 26.0
    """Blinks a minute."""
    blink_length: float = 0.26
    """Seconds from open to open."""
    contact: float = 1.0
    """Factor on the time spent looking at the camera."""
    saccade: float = 1.0
    """Factor on the size of gaze shifts."""
    brows: float = 0.4
    """Chance that a stressed syllable raises the brows."""
    brow_size: float = 0.6
    frown: float = 0.05

    @classmethod
    def random(cls, rng: np.random.Generator) -> EyeHabit:
        """A random speaker."""
        return cls(
            blinks=float(np.clip(26 * np.exp(rng.normal(0, 0.45)), 9, 60)),
            blink_length=float(np.clip(rng.normal(0.26, 0.05), 0.16, 0.38)),
            contact=float(np.exp(rng.normal(0, 0.4))),
            saccade=float(np.exp(rng.normal(-0.1, 0.3))),
            brows=float(np.clip(rng.beta(2, 3), 0.05, 0.95)),
            brow_size=float(rng.uniform(0.3, 0.95)),
            frown=float(max(0.0, rng.normal(0.02, 0.08))),
        )


def blink_times(rng: np.random.Generator, prosody: Prosody, duration: float, habit: EyeHabit) -> list[float]:
    """Seconds at which blinks begin: a renewal process, denser where phrases end and in pauses."""
    steps = np.arange(int(duration * EVENT_RATE)) / EVENT_RATE
    weight = np.full(len(steps), 0.7)
    for start, end in prosody.phrases:
        weight[(steps > end - 0.15) & (steps < end + 0.35)] = 4.0
        weight[(steps > start - 0.2) & (steps < start)] = 2.0
    rate = habit.blinks / 60 * weight / max(weight.mean(), 1e-6)
    found: list[float] = []
    for time, drawn, per_second in zip(steps, rng.random(len(steps)), rate, strict=True):
        since = time - found[-1] if found else 1.0
        # a blink is followed by at least 0.35 s of open eyes, and seldom soon by another
        ready = np.clip((since - 0.35) / 1.2, 0, 1)
        if drawn < per_second * ready * 1.35 / EVENT_RATE:
            found.append(float(time))
    return found


def lid_curves(
    rng: np.random.Generator, starts: list[float], times: np.ndarray, habit: EyeHabit
) -> np.ndarray:
    """`[len(times), 2]` left and right lid: 0 open, 1 shut. Full blinks reach 1 on some frame."""
    lids = np.zeros((len(times), 2))
    for start in starts:
        length = float(np.clip(habit.blink_length * np.exp(rng.normal(0, 0.18)), 0.12, 0.40))
        depth = 1.0 if rng.random() < 0.88 else float(rng.uniform(0.45, 0.85))
        # one frame is 40 ms: shut for just that long, so that a frame shows it
        closing, shut = 0.30 * length, 0.0405
        curve = depth * bump(times, start, start + closing, shut, start + max(length, closing + 0.1))
        uneven = np.clip(1 + rng.normal(0, 0.01, 2), 0.97, 1.0) if depth < 1 else np.ones(2)
        lids = np.maximum(lids, curve[:, None] * uneven)
    return lids


def gaze_curve(
    rng: np.random.Generator, prosody: Prosody, times: np.ndarray, habit: EyeHabit
) -> tuple[np.ndarray, list[float]]:
    """Gaze `[len(times), 2]` (pitch, yaw; rad, camera's axes) and when large saccades begin (s)."""
    gaze = np.zeros((len(times), 2))
    duration = float(times[-1]) + 1.0
    time, place, looking = 0.0, np.zeros(2), rng.random() < 0.8
    large: list[float] = []
    if not looking:
        place = _away(rng, habit)
    gaze += place
    next_change = _spell(rng, looking, habit)
    while time < duration:
        time += float(rng.gamma(3.0, 0.22)) + 0.12
        target = place
        if time >= next_change:
            looking = not looking
            target = np.zeros(2) if looking else _away(rng, habit)
            next_change = time + _spell(rng, looking, habit)
        elif looking:
            # between the listener's eyes and mouth
            target = rng.normal(0, np.radians(0.7), 2)
        elif rng.random() < 0.5:
            target = _away(rng, habit)
        shift = target - place
        degrees = float(np.degrees(np.hypot(*shift)))
        gaze += shift * ease((times - time) / (0.021 + 0.0022 * degrees))[:, None]
        if degrees > 9:
            large.append(time)
        place = target
    drift = wander(rng, len(times), 6.0, 2) * np.radians(0.15)
    return gaze + drift, large


def _spell(rng: np.random.Generator, looking: bool, habit: EyeHabit) -> float:
    mean, deviation = AT_CAMERA if looking else AWAY
    shape = (mean / deviation) ** 2
    return float(rng.gamma(shape, mean / shape)) * (habit.contact if looking else 1.0) + 0.25


def _away(rng: np.random.Generator, habit: EyeHabit) -> np.ndarray:
    """A place to look at: sizes as in Eyes Alive, more to the sides than up or down."""
    size = np.radians(-6.9 * np.log(rng.uniform(0.3, 13.0) / 15.7)) * habit.saccade
    size = min(size, LARGEST_SACCADE)
    angle = rng.normal(0, 0.55) + (np.pi if rng.random() < 0.5 else 0.0)
    return np.array([0.7 * size * np.sin(angle), size * np.cos(angle)])


def brow_curves(rng: np.random.Generator, prosody: Prosody, times: np.ndarray, habit: EyeHabit) -> np.ndarray:
    """`[len(times), 4]`: inner up, outer up left, outer up right, frown, each 0 to 1."""
    raised, knit = np.zeros(len(times)), np.zeros(len(times))
    last = -1.0
    for middle, length, stress in prosody.syllables:
        if stress < 0.62 or middle - last < 0.35 or rng.random() > habit.brows * 1.3 * stress:
            continue
        last = middle
        size = habit.brow_size * stress * rng.uniform(0.5, 1.2)
        start = middle - rng.uniform(0.14, 0.28)
        end = middle + length + rng.uniform(0.2, 0.7)
        hold = rng.uniform(0.0, 0.25)
        curve = size * bump(times, start, middle, hold, end + hold)
        if rng.random() < 0.1 + habit.frown:
            knit = np.maximum(knit, 0.8 * curve)
        else:
            raised = np.maximum(raised, curve)
    drift = np.maximum(wander(rng, len(times), 40.0, 2) * 0.06, 0.0)
    inner = raised * rng.uniform(0.6, 1.0) + drift[:, 0]
    outer = raised * rng.uniform(0.7, 1.0)
    tilt = rng.normal(0, 0.12)
    sides = np.stack([outer * (1 + tilt), outer * (1 - tilt)], 1) + drift[:, 1:]
    frown = knit + habit.frown
    return np.clip(np.column_stack([inner, sides, frown]), 0, 1)


def eyes_and_brows(
    rng: np.random.Generator, prosody: Prosody, times: np.ndarray, habit: EyeHabit | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Expression `[len(times), 64]` of lids and brows, and gaze `[len(times), 2]` (rad)."""
    habit = habit or EyeHabit()
    gaze, large = gaze_curve(rng, prosody, times, habit)
    starts = blink_times(rng, prosody, float(times[-1]), habit)
    for time in large:
        # large gaze shifts often take a blink along (C. Evinger et al. 1994)
        if rng.random() < 0.45 and all(abs(time - other) > 0.5 for other in starts):
            starts.append(time)
    lids = lid_curves(rng, sorted(starts), times, habit)
    brows = brow_curves(rng, prosody, times, habit)
    expression = np.zeros((len(times), N_EXPRESSION))
    names = ("blink_left", "blink_right", "brow_inner_up", "brow_outer_up_left")
    names += ("brow_outer_up_right", "frown")
    expression[:, [INDEX[name] for name in names]] = np.concatenate([lids, brows], 1)
    return expression, gaze
