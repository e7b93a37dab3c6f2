"""Phones to mouth coefficients with coarticulation, full lip closures and speakers' habits.

Coarticulation by dominance functions: M. M. Cohen and D. W. Massaro, "Modeling coarticulation in
synthetic visual speech", in Models and Techniques in Computer Animation (1993). Every phone pulls
each mouth mode towards its target, with a weight that decays exponentially on both sides of the
phone; the curve is the weighted mean. Closures of p, b, m and the lip-teeth contact of f, v are
then imposed, since a mean would leave the lips ajar in fast speech. Lips that round come closer together at
the same jaw: C. Abry and L.-J. Boe, "Laws for lips", Speech Communication 5 (1986).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core.constants import FPS, N_EXPRESSION
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.head.fields import smoothstep
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.speech.phones import BILABIAL, LABIODENTAL, PAUSE, VOWELS, Phone

CHANNELS = ("jaw_open", "lip_pucker", "lip_spread", "lip_press", "upper_lip_raise", "lower_lip_drop")
"""Mouth modes that speech drives; smiles are the speaker's mood."""

_T = {
    #      jaw  pucker spread press upper lower
    PAUSE: (0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
    "aa": (0.72, 0.00, 0.10, 0.00, 0.15, 0.22),
    "ae": (0.70, 0.00, 0.35, 0.00, 0.22, 0.25),
    "ah": (0.50, 0.00, 0.12, 0.00, 0.12, 0.20),
    "ao": (0.50, 0.55, 0.00, 0.00, 0.08, 0.10),
    "ax": (0.28, 0.05, 0.10, 0.00, 0.08, 0.15),
    "eh": (0.55, 0.00, 0.35, 0.00, 0.18, 0.22),
    "er": (0.22, 0.38, 0.00, 0.00, 0.05, 0.06),
    "ey": (0.48, 0.00, 0.50, 0.00, 0.18, 0.22),
    "ih": (0.32, 0.00, 0.42, 0.00, 0.16, 0.22),
    "iy": (0.34, 0.00, 0.70, 0.00, 0.20, 0.28),
    "ow": (0.36, 0.78, 0.00, 0.00, 0.02, 0.05),
    "uh": (0.26, 0.62, 0.00, 0.00, 0.04, 0.08),
    "uw": (0.18, 0.95, 0.00, 0.00, 0.00, 0.00),
    "ue": (0.14, 0.90, 0.00, 0.00, 0.05, 0.05),
    "oe": (0.30, 0.70, 0.00, 0.00, 0.06, 0.08),
    "p": (0.05, 0.00, 0.00, 0.70, 0.00, 0.00),
    "b": (0.05, 0.00, 0.00, 0.60, 0.00, 0.00),
    "m": (0.04, 0.00, 0.00, 0.55, 0.00, 0.00),
    "f": (0.04, 0.00, 0.12, 0.00, 0.42, 0.00),
    "v": (0.05, 0.00, 0.10, 0.00, 0.36, 0.00),
    "t": (0.16, 0.00, 0.18, 0.00, 0.06, 0.10),
    "d": (0.14, 0.00, 0.16, 0.00, 0.06, 0.10),
    "n": (0.16, 0.00, 0.14, 0.00, 0.05, 0.09),
    "l": (0.20, 0.00, 0.12, 0.00, 0.06, 0.10),
    "dx": (0.16, 0.00, 0.12, 0.00, 0.05, 0.09),
    "s": (0.12, 0.00, 0.42, 0.00, 0.16, 0.24),
    "z": (0.12, 0.00, 0.38, 0.00, 0.14, 0.23),
    "th": (0.16, 0.00, 0.15, 0.00, 0.07, 0.10),
    "dh": (0.14, 0.00, 0.12, 0.00, 0.06, 0.09),
    "sh": (0.22, 0.62, 0.00, 0.00, 0.18, 0.22),
    "zh": (0.22, 0.58, 0.00, 0.00, 0.17, 0.20),
    "ch": (0.20, 0.58, 0.00, 0.00, 0.17, 0.20),
    "jh": (0.20, 0.55, 0.00, 0.00, 0.16, 0.19),
    "k": (0.24, 0.00, 0.10, 0.00, 0.04, 0.06),
    "g": (0.24, 0.00, 0.10, 0.00, 0.04, 0.06),
    "ng": (0.24, 0.00, 0.10, 0.00, 0.04, 0.06),
    "ny": (0.18, 0.00, 0.30, 0.00, 0.05, 0.08),
    "x": (0.24, 0.00, 0.12, 0.00, 0.05, 0.07),
    "hh": (0.30, 0.00, 0.08, 0.00, 0.03, 0.06),
    "r": (0.12, 0.45, 0.00, 0.00, 0.05, 0.06),
    "rr": (0.22, 0.05, 0.10, 0.00, 0.05, 0.08),
    "w": (0.00, 1.00, 0.00, 0.00, 0.00, 0.00),
    "y": (0.26, 0.00, 0.50, 0.00, 0.16, 0.22),
    "q": (0.25, 0.00, 0.08, 0.00, 0.03, 0.05),
}
TARGETS = {name: np.array(values) for name, values in _T.items()}
"""Mouth target per phone, in the order of `CHANNELS`."""

DECAY = np.array([0.090, 0.080, 0.065, 0.022, 0.050, 0.050])
"""Seconds in which a phone's pull on each mode falls to 1/e; rounding spreads furthest."""
_VOWEL_PULL = np.array([1.0, 0.8, 0.8, 0.3, 0.7, 0.7])
_CONSONANT_PULL = np.array([0.45, 0.25, 0.30, 0.3, 0.60, 0.60])
_ROUNDED = frozenset(("w", "r", "sh", "zh", "ch", "jh"))
_JAW_PULL = {
    **dict.fromkeys(("s", "z", "sh", "zh", "ch", "jh"), 0.9),
    **dict.fromkeys(("t", "d"), 0.8),
    **dict.fromkeys(("n", "dh", "th", "r"), 0.7),
    **dict.fromkeys(("k", "g", "ng"), 0.35),
    "w": 1.0,
    "y": 0.6,
    "l": 0.5,
    "hh": 0.15,
}
"""Dominance of consonants over the jaw: those of the tongue's blade most, k and g
little, h takes over its neighbours' (P. A. Keating et al., "Variability in jaw height for segments in
English and Swedish VCVs", Journal of Phonetics 22 (1994))."""
_PAUSE_LENGTH, _PAUSE_PULL = 0.3, (0.05, 1.2)
"""Seconds of a pause that pulls as a vowel does, and the least and most that pauses pull."""
INNER_UPPER, INNER_LOWER = (61, 62, 63), (67, 66, 65)
"""Landmarks of the inner lips, from the middle outwards on both sides."""
HOLD = 0.021
"""Half of the shortest full contact, s: just over half a frame, so that one frame always shows it."""
NARROWING, LEAST_JAW = 0.35, 0.2
"""Jaw that full rounding takes away, and the share of its own that it always keeps.

The mouth of our heads opens a little as it rounds, where people's lips draw together. Without this the
predicted jaw and real lips' gaps correlate by .44, with it by .52, before any training (`benchmark lips`).
"""
RAMP, SHORT_RAMP = 0.080, 0.050
"""Seconds in which lips come together before a contact, and part after it; the second on and beside teeth."""


@dataclass(frozen=True)
class MouthHabit:
    """A speaker's habits of the mouth: factors on amplitude, and the mood between words."""

    jaw: float = 1.0
    rounding: float = 1.0
    spreading: float = 1.0
    lips: float = 1.0
    sluggish: float = 1.0
    """Factor on the decay times: above 1 mumbles."""
    smile_left: float = 0.0
    smile_right: float = 0.0
    parted: float = 0.0
    """Jaw opening at rest: some speakers wait with lips apart."""
    loudness: float = 0.08
    """Gain of loudness on the opening of a syllable."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> MouthHabit:
        """A random speaker."""
        smile = max(0.0, rng.normal(0.06, 0.10))
        tilt = rng.normal(0, 0.15)
        return cls(
            jaw=float(rng.uniform(0.72, 1.18)),
            rounding=float(rng.uniform(0.75, 1.10)),
            spreading=float(rng.uniform(0.70, 1.20)),
            lips=float(rng.uniform(0.70, 1.20)),
            sluggish=float(rng.uniform(0.85, 1.25)),
            smile_left=float(np.clip(smile * (1 + tilt), 0, 0.35)),
            smile_right=float(np.clip(smile * (1 - tilt), 0, 0.35)),
            parted=float(max(0.0, rng.normal(0, 0.02))),
            loudness=float(rng.uniform(0.0, 0.15)),
        )

    def gains(self) -> np.ndarray:
        """Amplitude factor per channel."""
        return np.array([self.jaw, self.rounding, self.spreading, 1.0, self.lips, self.lips], np.float64)


def frame_times(frames: int, fps: float = FPS) -> np.ndarray:
    """Times in seconds of frames 0..n-1: the middle of the time each is shown."""
    return (np.arange(frames) + 0.5) / fps


def dominance_curves(phones: Sequence[Phone], times: np.ndarray, sluggish: float = 1.0) -> np.ndarray:
    """Targets blended by dominance: `[len(times), 6]` in the order of `CHANNELS`."""
    start = np.array([p.start for p in phones])
    length = np.array([p.end for p in phones]) - start
    target = np.stack([TARGETS[p.name] for p in phones])
    pull = np.stack([_pull(p) for p in phones])
    for end in (0, -1):
        if phones[end].name == PAUSE:  # before and after all speech lips are closed, however short the pause
            pull[end] = _PAUSE_PULL[1]
    away = np.abs(times[:, None] - (start + length / 2)) - 0.25 * length
    away = np.maximum(away, 0.0)
    # subtracting the nearest phone's distance scales all weights alike and avoids 0 / 0
    away = away - away.min(1, keepdims=True)
    curves = np.empty((len(times), len(CHANNELS)))
    for k, decay in enumerate(DECAY * sluggish):
        weight = pull[:, k] * np.exp(-away / decay)
        curves[:, k] = weight @ target[:, k] / weight.sum(1)
    return curves


def _pull(phone: Phone) -> np.ndarray:
    """Dominance of a phone per channel: how strongly it insists on its target."""
    if phone.name == PAUSE:
        # a short gap between words hardly closes the mouth, a real pause does
        return np.full(len(CHANNELS), float(np.clip((phone.end - phone.start) / _PAUSE_LENGTH, *_PAUSE_PULL)))
    pull = (_VOWEL_PULL if phone.name in VOWELS else _CONSONANT_PULL).copy()
    if phone.name in _ROUNDED:
        pull[1] = 0.9
    pull[0] = _JAW_PULL.get(phone.name, pull[0])
    if phone.name in BILABIAL:
        pull[[0, 3]] = 0.9, 2.5
    if phone.name in LABIODENTAL:
        pull[[0, 4, 5]] = 1.0, 1.2, 1.2
    return pull


def contacts(phones: Sequence[Phone], kinds: frozenset[str]) -> np.ndarray:
    """`[n, 2]`: middle and half-length in s of the full contact of each phone in `kinds`."""
    found = []
    for phone in phones:
        if phone.name in kinds:
            length = phone.end - phone.start
            # the burst and breath of a p come after its closure
            middle = phone.start + length * (0.38 if phone.name == "p" else 0.48)
            found.append((middle, max(HOLD, 0.30 * length)))
    return np.array(found).reshape(-1, 2)


def contact_curve(spans: np.ndarray, times: np.ndarray, ramp: float = RAMP) -> np.ndarray:
    """`[len(times)]` in 0..1: 1 during a contact of `spans [n, 2]`, smooth ramps of `ramp` s around it."""
    if not len(spans):
        return np.zeros(len(times))
    outside = np.abs(times[:, None] - spans[:, 0]) - spans[:, 1]
    return smoothstep(1 - outside / ramp, 0.0, 1.0).max(1)


def mouth_curves(
    phones: Sequence[Phone],
    times: np.ndarray,
    habit: MouthHabit | None = None,
    loudness: np.ndarray | None = None,
) -> np.ndarray:
    """Expression `[len(times), 64]` of the mouth at `times` (s).

    loudness: `[len(times)]` around 0, positive where speech is louder than its mean.
    """
    habit = habit or MouthHabit()
    curves = dominance_curves(phones, times, habit.sluggish) * habit.gains()
    if loudness is not None:
        curves[:, 0] *= np.clip(1 + habit.loudness * loudness, 0.6, 1.4)
    curves[:, 0] = habit.parted + curves[:, 0]
    bite = contact_curve(contacts(phones, LABIODENTAL), times, SHORT_RAMP)[:, None]
    teeth = np.array([0.03, 0.0, 0.0, 0.0, 0.40, 0.0])
    keep = np.array([0.0, 0.45, 1.0, 0.0, 0.0, 0.0])
    curves = curves * (1 - bite) + bite * (teeth + keep * curves)
    pressed = contacts(phones, BILABIAL)
    # closed lips do not reach into the teeth's contact before or after them
    shut = contact_curve(pressed, times)[:, None] * (1 - bite)
    shut = np.maximum(shut, contact_curve(pressed, times, SHORT_RAMP)[:, None])
    lips = np.array([0.0, 0.0, 0.0, 0.60, 0.0, 0.0])
    keep = np.array([0.0, 0.12, 0.7, 0.0, 0.0, 0.0])
    curves = curves * (1 - shut) + shut * (lips + keep * curves)
    curves[:, 0] = np.maximum(curves[:, 0] - NARROWING * curves[:, 1], LEAST_JAW * curves[:, 0])
    expression = np.zeros((len(times), N_EXPRESSION))
    expression[:, [INDEX[name] for name in CHANNELS]] = np.clip(curves, 0, 1)
    # a smile gives way to rounding and to lips that close
    relaxed = 1 - 0.7 * np.clip(curves[:, 1], 0, 1)
    expression[:, INDEX["smile_left"]] = habit.smile_left * relaxed
    expression[:, INDEX["smile_right"]] = habit.smile_right * relaxed
    return expression


@lru_cache(maxsize=1)
def opening_weights() -> np.ndarray:
    """`[64]`: gap between the inner lips at each mode's full movement, model units."""
    basis = stylised_basis()
    upper, lower = (basis.landmark_indices[list(rows)] for rows in (INNER_UPPER, INNER_LOWER))
    weights = (basis.expression_basis[upper, 1] - basis.expression_basis[lower, 1]).mean(0)
    weights.setflags(write=False)
    return weights


def mouth_opening(expression: np.ndarray) -> np.ndarray:
    """Opening of the inner lips over rest `[...]`, for `[..., 64]`, model units."""
    return expression @ opening_weights()
