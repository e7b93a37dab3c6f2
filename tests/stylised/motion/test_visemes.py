"""Visemes: closures close, contacts touch, coarticulation equals its definition, zero lag."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.motion.prosody import STEP, loudness
from gohd_core.stylised.motion.visemes import (
    CHANNELS,
    DECAY,
    TARGETS,
    MouthHabit,
    _pull,
    contacts,
    dominance_curves,
    frame_times,
    mouth_curves,
    mouth_opening,
)
from gohd_core.stylised.speech.phones import BILABIAL, LABIODENTAL, PAUSE, Phone

INNER = ((61, 67), (62, 66), (63, 65))


def frames_of(phones) -> np.ndarray:
    return frame_times(int(np.ceil(phones[-1].end * 25)))


def gap(expression: np.ndarray) -> np.ndarray:
    """Mean distance of the inner lips' landmarks `[T]`, from the head's own geometry."""
    basis = stylised_basis()
    where = basis.landmark_indices
    mean = basis.mean_shape[where, 1]
    height = mean + expression @ basis.expression_basis[where, 1].T
    return np.mean([height[:, a] - height[:, b] for a, b in INNER], 0)


def test_opening_is_measured_on_the_head():
    rng = np.random.default_rng(0)
    expression = rng.uniform(0, 1, (5, 64))
    rest = gap(np.zeros((1, 64)))
    np.testing.assert_allclose(mouth_opening(expression), gap(expression) - rest, atol=1e-5)
    only_jaw = np.zeros(64)
    only_jaw[INDEX["jaw_open"]] = 1
    assert 0.12 < mouth_opening(only_jaw) < 0.4


@pytest.mark.parametrize("seed", range(8))
def test_p_b_m_close_the_lips_on_a_frame_for_every_speaker(phones, seed):
    rng = np.random.default_rng(seed)
    offset = rng.uniform(0, 0.04)
    moved = [Phone(p.name, p.start + offset, p.end + offset) for p in phones]
    times = frames_of(moved)
    louder = rng.uniform(-1, 1, len(times))
    opening = gap(mouth_curves(moved, times, MouthHabit.random(rng), louder))
    rest = gap(np.zeros((1, 64)))[0]
    shut = contacts(moved, BILABIAL)
    assert len(shut) >= 9
    for middle, _ in shut:
        nearest = int(np.abs(times - middle).argmin())
        assert opening[nearest] - rest < 0.012


@pytest.mark.parametrize("seed", range(4))
def test_f_and_v_show_teeth_over_a_raised_lower_lip(phones, seed):
    times = frames_of(phones)
    curves = mouth_curves(phones, times, MouthHabit.random(np.random.default_rng(seed)))
    for middle, _ in contacts(phones, LABIODENTAL):
        frame = curves[int(np.abs(times - middle).argmin())]
        assert frame[INDEX["upper_lip_raise"]] == pytest.approx(0.4, abs=0.02)
        assert frame[INDEX["lower_lip_drop"]] < 0.02
        assert frame[INDEX["jaw_open"]] < 0.05


def test_vowels_open_and_rounded_ones_pucker(phones):
    times = frames_of(phones)
    curves = mouth_curves(phones, times)
    opening = mouth_opening(curves)
    for phone in phones:
        if phone.name in ("aa", "ae") and phone.end - phone.start > 0.08:
            at = int(np.abs(times - (phone.start + phone.end) / 2).argmin())
            assert opening[at] > 0.09
        if phone.name == "uw" and phone.end - phone.start > 0.08:
            at = int(np.abs(times - (phone.start + phone.end) / 2).argmin())
            assert curves[at, INDEX["lip_pucker"]] > 0.5
    assert opening[times < phones[0].end - 0.12].max() < 0.03


def test_mouth_closes_in_long_pauses():
    phones = [Phone("aa", 0, 0.4), Phone(PAUSE, 0.4, 1.4), Phone("ae", 1.4, 1.8)]
    times = frame_times(45)
    opening = mouth_opening(mouth_curves(phones, times))
    silent = (times > 0.6) & (times < 1.2)
    assert opening[silent].max() < 0.01
    assert opening[times < 0.3].min() > 0.12


def test_dominance_equals_its_definition(phones):
    times = np.linspace(0, phones[-1].end, 40)
    fast = dominance_curves(phones, times, 1.2)
    slow = np.zeros_like(fast)
    for row, time in enumerate(times):
        for k in range(len(CHANNELS)):
            above = below = 0.0
            for phone in phones:
                length = phone.end - phone.start
                away = max(abs(time - (phone.start + phone.end) / 2) - length / 4, 0.0)
                at_end = phone.name == PAUSE and phone in (phones[0], phones[-1])
                pull = 1.2 if at_end else _pull(phone)[k]
                weight = pull * np.exp(-away / (DECAY[k] * 1.2))
                above += weight * TARGETS[phone.name][k]
                below += weight
            slow[row, k] = above / below
    np.testing.assert_allclose(fast, slow, atol=1e-9)


def test_long_silence_does_not_divide_by_zero():
    phones = [Phone("aa", 0, 0.2), Phone(PAUSE, 0.2, 90.0)]
    curves = dominance_curves(phones, np.array([0.1, 45.0, 89.0]))
    assert np.isfinite(curves).all()


def test_opening_follows_the_viseme_track_and_the_sound_at_zero_lag(speech):
    times = frames_of(speech.phones)
    opening = mouth_opening(mouth_curves(speech.phones, times))
    track = np.zeros(len(times))
    for phone in speech.phones:
        target = np.zeros(64)
        target[[INDEX[name] for name in CHANNELS]] = TARGETS[phone.name]
        track[(times >= phone.start) & (times < phone.end)] = mouth_opening(target)
    energy = np.interp(times, (np.arange(len(loudness(speech.audio))) + 0.5) * STEP, loudness(speech.audio))
    for reference, least in ((track, 0.75), (energy, 0.45)):
        found = [np.corrcoef(np.roll(opening, -lag), reference)[0, 1] for lag in range(-4, 5)]
        assert int(np.argmax(found)) - 4 == 0
        assert max(found) > least


def test_habits_scale_the_movement(phones):
    times = frames_of(phones)
    small = mouth_curves(phones, times, MouthHabit(jaw=0.7))
    large = mouth_curves(phones, times, MouthHabit(jaw=1.1))
    jaw = INDEX["jaw_open"]
    assert large[:, jaw].max() == pytest.approx(small[:, jaw].max() * 1.1 / 0.7, rel=0.03)
    assert large.min() >= 0
    assert large.max() <= 1
