"""audio_features: parity with the official features, any rate and channels, and bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features, mel, to_mono_16k
from gohd_core.audio.waveform import to_stereo
from gohd_core.errors import BadInput
from tests.support import recipe

SMALL = Path(__file__).resolve().parents[1] / "golden" / "audio.npz"


def test_small_golden() -> None:
    with np.load(SMALL) as file:
        golden = dict(file)
    waveform = golden["pcm16"][None] / 32768
    features = audio_features(waveform, 16_000, "release")
    assert len(features) == 24 and features.duration == pytest.approx(15570 / 16000)
    np.testing.assert_allclose(features.spectrogram[::4], golden["mel_rows"], atol=1e-5)
    np.testing.assert_allclose(features.chunks[-1], golden["chunks_last"], atol=1e-5)
    np.testing.assert_allclose(features.mel[::6], golden["cond_some"], atol=1e-5)
    rows = mel.spectrogram_100(features.waveform.double().numpy())
    np.testing.assert_allclose(rows[::6], golden["mel100_rows"], atol=1e-5)


@pytest.mark.parametrize("name", ["chirp", "sing", "edge"])
def test_full_parity(name: str) -> None:
    golden = recipe.golden("audio")
    features = audio_features(golden[f"{name}_pcm16"] / 32768, 16_000, "release")
    for ours, theirs in [
        (features.spectrogram, "mel"),
        (features.chunks, "chunks"),
        (features.mel, "cond"),
        (mel.spectrogram_100(golden[f"{name}_pcm16"] / 32768), "discarded_mel100"),
    ]:
        np.testing.assert_allclose(ours, golden[f"{name}_{theirs}"], atol=2e-6)


def test_every_alignment_from_one_call(sweep: np.ndarray) -> None:
    features = audio_features(torch.from_numpy(sweep).float()[None], 16_000)
    assert features.alignment == "aligned"
    for alignment in ("release", "aligned", "mel100"):
        direct = audio_features(sweep.astype(np.float32), 16_000, alignment)
        assert direct.mel.shape == (50, 320)
        torch.testing.assert_close(features.condition(alignment), direct.mel, atol=2e-6, rtol=0)
    assert not torch.equal(features.condition("release"), features.mel)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_is_the_same_at_any_rate(rate: int) -> None:
    def tone(at: int) -> np.ndarray:
        time = np.arange(2 * at) / at
        return 0.3 * np.sin(2 * np.pi * 440 * time) * np.hanning(2 * at)

    ours = audio_features(tone(rate), rate)
    reference = audio_features(tone(16_000), 16_000)
    assert len(ours) == 50 and ours.duration == 2.0
    loud = reference.spectrogram > -1
    assert (ours.spectrogram - reference.spectrogram)[loud].abs().max() < 0.02


def test_two_channels_are_averaged(sweep: np.ndarray) -> None:
    two = np.stack([sweep * 0.4, sweep * 1.6])
    torch.testing.assert_close(audio_features(two, 16_000).chunks, audio_features(sweep, 16_000).chunks)


@pytest.mark.parametrize(("channels", "centre"), [(3, 2), (5, 2), (6, 2), (7, 2), (8, 2)])
def test_a_voice_in_the_centre_of_surround_sound_is_as_loud_as_it_was(sweep, channels, centre) -> None:
    """ITU-R BS.775: -3 dB to either side, which is the same power."""
    many = np.zeros((channels, len(sweep)))
    many[centre] = sweep
    both = to_stereo(many)
    assert both.shape == (2, len(sweep)) and np.square(both).sum() == pytest.approx(np.square(sweep).sum())
    mono = to_mono_16k(many, 16_000)
    assert np.abs(mono - sweep * np.sqrt(0.5)).max() < 1e-9


def test_surround_sound_stays_on_its_side_and_does_not_clip(sweep: np.ndarray) -> None:
    six = np.zeros((6, len(sweep)))
    six[0], six[3], six[4] = 0.5 * sweep, sweep, 0.2 * sweep
    left, right = to_stereo(six)
    assert np.abs(left - (0.5 + 0.2 * np.sqrt(0.5)) * sweep).max() < 1e-12 and not right.any()
    loud = to_stereo(np.repeat(sweep[None] / np.abs(sweep).max(), 6, axis=0))
    assert np.abs(loud).max() == pytest.approx(1) and np.corrcoef(loud[0], sweep)[0, 1] > 0.999999
    assert to_stereo(np.repeat(sweep[None], 12, axis=0)).shape == (1, len(sweep))


def test_a_voice_whose_channels_cancel_out_is_heard(sweep: np.ndarray) -> None:
    mono = to_mono_16k(np.stack([sweep, -0.9 * sweep * 1.1]), 16_000)
    assert np.abs(mono - sweep).max() < 1e-9
    assert not to_mono_16k(np.zeros((2, 1000)), 16_000).any()


def test_silence_is_a_right_result() -> None:
    features = audio_features(torch.zeros(2, 16_000), 16_000, loudness=-20)
    assert (features.chunks == -4).all() and (features.mel == -4).all()
    assert (features.condition("mel100") == 0).all()


def test_one_frame_is_enough() -> None:
    features = audio_features(np.full(640, 0.1), 16_000)
    assert features.mel.shape == (1, 320) and features.chunks.shape == (1, 80, 16)


def test_some_lip_chunks_are_those_of_all(sweep: np.ndarray) -> None:
    features = audio_features(sweep, 16_000)
    assert features.chunks.shape == (50, 80, 16)
    for first, last in ((0, 1), (7, 20), (40, 99)):
        assert torch.equal(features.lip_chunks(first, last), features.chunks[first:last])


def test_loudness_brings_a_whisper_up(sweep: np.ndarray) -> None:
    loud = audio_features(sweep, 16_000, loudness=-23)
    quiet = audio_features(sweep * 0.01, 16_000, loudness=-23)
    torch.testing.assert_close(loud.chunks, quiet.chunks, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("waveform", "rate", "sentence"),
    [
        (np.zeros((1, 0)), 16_000, "audio is empty"),
        (np.zeros((1, 1)), 16_000, "one frame of motion needs 40 ms"),
        (np.zeros(639), 16_000, "one frame of motion needs 40 ms"),
        (np.r_[np.zeros(999), np.nan], 16_000, "holds 1 NaN"),
        (np.r_[np.zeros(999), np.inf], 16_000, "infinite samples"),
        (np.zeros((1, 2, 9_000)), 16_000, r"give one clip as \[channels, samples\]"),
        (np.zeros((9_000, 2)), 16_000, "transpose it"),
        (np.zeros(9_000, np.int16), 16_000, "divide 16-bit samples by 32768"),
        (torch.zeros(9_000, dtype=torch.int16), 16_000, "divide 16-bit samples by 32768"),
        (np.zeros(9_000), 0, "sample rate must be a whole number"),
        (np.zeros(9_000), float("nan"), "sample rate must be a whole number"),
    ],
)
def test_bad_input_gets_one_sentence(waveform: object, rate: float, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        audio_features(waveform, rate)


def test_unknown_alignment_is_refused(sweep: np.ndarray) -> None:
    with pytest.raises(BadInput, match="choose one of"):
        audio_features(sweep, 16_000, "fast")
    with pytest.raises(BadInput, match="choose one of"):
        audio_features(sweep, 16_000).condition("fast")
