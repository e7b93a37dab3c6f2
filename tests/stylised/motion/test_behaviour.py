"""Blinks, gaze, brows and head: figures of the literature, tied to speech yet not decided by it."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.stylised.camera import gaze_in_head
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.behaviour import EyeHabit, blink_times, brow_curves, gaze_curve, lid_curves
from gohd_core.stylised.motion.curves import bump, smooth, wander
from gohd_core.stylised.motion.head_motion import ANGLE_LIMIT, HeadStyle, head_pose, rhythm_curve
from gohd_core.stylised.motion.performance import Speaker, perform
from gohd_core.stylised.motion.prosody import Prosody, analyse, pitch_track
from gohd_core.stylised.motion.stills import GAZE_LIMIT
from gohd_core.stylised.motion.visemes import frame_times


def long_prosody(seconds: float = 120.0) -> Prosody:
    """Phrases of 2 s with pauses of 0.5 s, a syllable every 0.2 s, every fourth stressed."""
    count = int(seconds * 100)
    times = (np.arange(count) + 0.5) / 100
    speaking = times % 2.5 < 2.0
    syllables = [
        (t, 0.12, 0.95 if k % 4 == 0 else 0.3)
        for k, t in enumerate(np.arange(0.1, seconds, 0.2))
        if t % 2.5 < 2.0
    ]
    rng = np.random.default_rng(9)
    swing = smooth(rng.normal(size=count), 8.0)
    swing /= swing.std()
    energy = np.where(speaking, np.clip(0.7 + 0.15 * swing, 0, 1), 0.0)
    starts = np.arange(0, seconds, 2.5)
    phrases = tuple((float(s), float(s + 2.0)) for s in starts)
    return Prosody(energy, np.where(speaking, 2 * swing, 0.0), speaking, phrases, np.array(syllables))


@pytest.fixture(scope="module")
def prosody() -> Prosody:
    return long_prosody()


def test_blink_rate_and_phrase_ends(prosody):
    starts = np.concatenate(
        [blink_times(np.random.default_rng(k), prosody, 120.0, EyeHabit()) for k in range(20)]
    )
    assert 18 < len(starts) / 20 / 2 < 32
    into = starts % 2.5
    near_end = ((into > 1.85) & (into < 2.35)).mean()
    assert near_end > 2 * 0.2
    gaps = np.diff(blink_times(np.random.default_rng(1), prosody, 120.0, EyeHabit()))
    assert gaps.min() >= 0.35


def test_blinks_last_100_to_400_ms_and_close_on_a_frame():
    rng = np.random.default_rng(0)
    fine = np.arange(0, 1, 0.001)
    lengths = []
    for k in range(200):
        habit = EyeHabit.random(rng)
        lids = lid_curves(np.random.default_rng(k), [0.3], fine, habit)
        shown = lid_curves(np.random.default_rng(k), [0.3], frame_times(25) + k % 40 / 1000, habit)
        lengths.append((lids.max(1) > 0.05).sum() / 1000)
        if lids.max() == 1:
            assert shown.max() == 1
        open_half, shut_half = np.flatnonzero(lids[:, 0] > 0.5 * lids.max())[[0, -1]]
        peak = lids[:, 0].argmax()
        assert peak - open_half < shut_half - peak
    assert min(lengths) >= 0.1
    assert max(lengths) <= 0.4
    assert np.ptp(lengths) > 0.1


def test_gaze_is_mostly_at_the_camera_and_jumps_within_two_frames(prosody):
    times = frame_times(3000)
    shares, sizes = [], []
    for k in range(12):
        gaze, _ = gaze_curve(np.random.default_rng(k), prosody, times, EyeHabit())
        away = np.degrees(np.hypot(*gaze.T))
        shares.append((away < 3).mean())
        sizes.append(away.max())
        moving = np.degrees(np.hypot(*np.diff(gaze, axis=0).T)) > 1.0
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], moving, [0]]))))[::2]
        # a saccade of 27 degrees takes 81 ms
        assert runs.max() <= 5
        assert np.median(runs) <= 2
    assert 0.6 < np.mean(shares) < 0.9
    assert 10 < np.median(sizes) < 45


def test_brows_rise_with_stress_and_not_always(prosody):
    times = frame_times(3000)
    stressed = np.array([t for t, _, s in prosody.syllables if s > 0.6])
    at = np.searchsorted(times, stressed).clip(0, 2999)
    habit = EyeHabit(brows=0.6)
    brows = brow_curves(np.random.default_rng(0), prosody, times, habit)[:, 1]
    assert brows[at].mean() > 1.15 * brows.mean()
    raised = brows[at] > 0.2
    assert 0.2 < raised.mean() < 0.95
    still = brow_curves(np.random.default_rng(0), prosody, times, EyeHabit(brows=0.0))[:, 1]
    assert still.mean() < 0.3 * brows.mean()


def test_head_follows_speech_in_part(prosody):
    times = frame_times(3000)
    driver = np.interp(times, prosody.times, rhythm_curve(prosody))
    found = []
    for k in range(10):
        pose = head_pose(np.random.default_rng(k), prosody, times, HeadStyle())
        nodding = pose[:, 0] - smooth(pose[:, 0], 12.0)
        found.append(np.corrcoef(nodding, driver)[0, 1])
    assert 0.3 < abs(np.mean(found)) < 0.9


def test_head_moves_slowly_and_within_limits(prosody):
    times = frame_times(3000)
    for k in range(8):
        rng = np.random.default_rng(k)
        pose = head_pose(rng, prosody, times, HeadStyle.random(rng))
        assert (np.abs(pose[:, :3]) <= ANGLE_LIMIT).all()
        assert np.abs(pose[:, 3:]).max() < 0.6
        power = np.abs(np.fft.rfft(pose[:, :3] - pose[:, :3].mean(0), axis=0)) ** 2
        hertz = np.fft.rfftfreq(len(times), 0.04)
        assert power[hertz < 3].sum() / power.sum() > 0.95


def test_head_is_calmer_in_silence():
    times = frame_times(2000)
    loud, still = long_prosody(80), long_prosody(80)
    silent = Prosody(still.energy * 0, still.pitch * 0, still.voiced & False, (), np.zeros((0, 3)))

    def speed(prosody):
        poses = [head_pose(np.random.default_rng(k), prosody, times, HeadStyle()) for k in range(4)]
        return np.mean([np.abs(np.diff(p[:, :3], axis=0)).mean() for p in poses])

    assert speed(silent) < 0.6 * speed(loud)


def test_pitch_of_a_gliding_tone():
    time = np.arange(32000) / 16000
    hertz = 110 * 2 ** (time / 2)
    phase = 2 * np.pi * np.cumsum(hertz) / 16000
    tone = sum(np.sin(k * phase) / k for k in range(1, 8)) * 0.2
    semitones, voiced = pitch_track(np.concatenate([tone, np.zeros(8000)]))
    assert voiced[10:190].all()
    assert not voiced[206:].any()
    truth = 12 * np.log2(110 * 2 ** ((np.arange(200) + 0.5) / 200))
    shift = np.median(truth[10:190] - semitones[10:190])
    np.testing.assert_allclose(semitones[12:188] + shift, truth[12:188], atol=0.6)


def test_stress_prefers_the_loud_high_and_long(speech):
    prosody = analyse(speech.audio, speech.phones)
    assert len(prosody.phrases) >= 1
    loudest = [prosody.energy[int(t / 0.01)] for t, _, _ in prosody.syllables]
    assert np.corrcoef(loudest, prosody.syllables[:, 2])[0, 1] > 0.4
    assert prosody.syllables[:, 2].max() <= 1


def test_performance_is_seeded_complete_and_random_beyond_sound(speech):
    first = perform(speech, np.random.default_rng(1))
    again = perform(speech, np.random.default_rng(1))
    other = perform(speech, np.random.default_rng(2))
    for name in ("expression", "pose", "gaze"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert getattr(first, name).dtype == np.float32
        assert not np.allclose(getattr(first, name), getattr(other, name))
    assert len(first) == int(np.ceil(len(speech.audio) / 640))
    unused = [k for k in range(64) if k not in {INDEX[n] for n in _USED}]
    assert not first.expression[:, unused].any()
    in_head = gaze_in_head(first.pose, first.gaze)
    assert (np.abs(in_head) <= np.array(GAZE_LIMIT) + 1e-5).all()


def test_short_and_silent_speech_can_be_acted(speech):
    from gohd_core.stylised.speech.engines.base import Speech
    from gohd_core.stylised.speech.phones import Phone

    silent = Speech(np.zeros(700, np.float32), 16000, (Phone("pau", 0, 700 / 16000),))
    acted = perform(silent, np.random.default_rng(0), Speaker.random(np.random.default_rng(0)))
    assert len(acted) == 2
    assert np.isfinite(acted.pose).all()


def test_curves():
    values = smooth(np.r_[np.zeros(50), np.ones(50)], 3.0)
    assert values[49] == pytest.approx(1 - values[50])
    assert wander(np.random.default_rng(0), 20000, 5.0, 2).std() == pytest.approx(1, abs=0.1)
    shape = bump(np.array([0.0, 1.0, 2.0, 3.0, 9.0]), 0.5, 1.0, 1.0, 4.0)
    assert shape[0] == shape[4] == 0
    assert shape[1] == shape[2] == 1


_USED = (
    *("jaw_open", "lip_pucker", "lip_spread", "lip_press", "upper_lip_raise", "lower_lip_drop"),
    *("smile_left", "smile_right", "blink_left", "blink_right", "brow_inner_up"),
    *("brow_outer_up_left", "brow_outer_up_right", "frown"),
)
