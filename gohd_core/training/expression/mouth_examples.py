"""Training examples of a mouth network: stylised clips and recordings, augmented in sound and tempo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gohd_core.audio import chunk_index, spectrogram_80
from gohd_core.audio.mel import HOP_80
from gohd_core.clips import Clip
from gohd_core.constants import FPS, SAMPLE_RATE
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.performance import louder_syllables
from gohd_core.stylised.motion.prosody import loudness
from gohd_core.stylised.motion.visemes import CHANNELS, MouthHabit, frame_times, mouth_curves
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import IDS, PAUSE, Phone
from gohd_core.stylised.speech.vocal_events import coughs, laughter
from gohd_core.stylised.speech.voices import draw_voice
from gohd_core.training.audio.augmentation import AugmentationConfig, augment, recolour
from gohd_core.training.audio.interpolation import interpolate_rows
from gohd_core.training.audio.spectrogram_augmentation import augment_spectrogram

COEFFICIENTS = tuple(INDEX[name] for name in CHANNELS)
"""Predicted coefficients: the mouth modes that speech drives."""

SUNG, SUNG_TEMPO = 0.12, (1.3, 4.0)
"""Share of examples that are drawn out as if sung, and by which factors."""
UNEVEN, UNEVEN_TEMPO = 0.18, (0.85, 1.2)
"""Share of those that are a little slower or faster than they were spoken."""
SECOND_VOICE, BELOW = 0.15, (6.0, 22.0)
"""Share of those with another speaker in the background, and dB by which that one is below."""
LAUGHS, COUGHS, EVENT_SECONDS = 0.07, 0.05, (3.0, 5.0)
"""Shares of examples that are laughter and coughs, and how long these are."""
TRACT = (0.89, 1.13)
"""Factors on the formants of recordings."""
AUGMENTED = 0.75
"""Share of examples whose spectrogram is augmented."""
JAW, SLUGGISH, LOUDNESS = (0.9, 1.1), (0.9, 1.15), (0.0, 0.15)
"""Speakers' factors: narrower than in the clips, since who speaks can hardly be heard."""

CHANGES = AugmentationConfig(
    gain=(-26.0, 8.0),
    noise_share=0.45,
    snr=(3.0, 40.0),
    room_share=0.3,
    reverberation=(0.1, 0.6),
    band_share=0.2,
    highest=(2800.0, 7500.0),
    whisper_share=0.1,
    drive_share=0.12,
    telephone_share=0.08,
    codec_share=0.1,
    microphone=4.0,
    colour=8.0,
    warp=0.18,
    quiet_share=0.04,
)


@dataclass(frozen=True, eq=False)
class MouthExample:
    """One sequence: spectrogram rows [N, 80] (float16), their phones [N] (`phones.IDS`), and coefficients
    [T, 6] at 25 a second."""

    rows: np.ndarray
    phones: np.ndarray
    mouth: np.ndarray

    def window(self, start: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Lip chunks [frames, 80, 16] and coefficients [frames, C] from frame `start` on."""
        index = np.clip(chunk_index(10**6, start, start + frames), 0, len(self.rows) - 1)
        chunks = self.rows[index].astype(np.float32).transpose(0, 2, 1)
        return np.ascontiguousarray(chunks), self.mouth[start : start + frames]


def speech_of(clip: Clip) -> Speech:
    """Sound and phones of a talking clip."""
    audio = clip.read("audio").astype(np.float32) / 32768
    spans = zip(clip.read("phoneme_start").tolist(), clip.read("phoneme_end").tolist(), strict=True)
    names = clip.info["phonemes"]
    phones = tuple(Phone(name, start, end) for name, (start, end) in zip(names, spans, strict=True))
    return Speech(audio, SAMPLE_RATE, phones)


def vocal_event(rng: np.random.Generator) -> Speech | None:
    """Laughter or coughs at their shares, else None; in silence before and after."""
    drawn = rng.random()
    if drawn < COUGHS:
        return coughs(rng, float(rng.uniform(*EVENT_SECONDS)))
    if drawn > COUGHS + LAUGHS:
        return None
    voice = draw_voice(rng, "train", ("espeak", "flite"))
    while voice.language != "en":
        voice = draw_voice(rng, "train", ("espeak", "flite"))
    laugh = laughter(rng, voice)
    before, after = (round(rng.uniform(0.3, 1.2) * SAMPLE_RATE) for _ in range(2))
    moved = tuple(
        Phone(p.name, p.start + before / SAMPLE_RATE, p.end + before / SAMPLE_RATE) for p in laugh.phones
    )
    return Speech(np.pad(laugh.audio, (before, after)), SAMPLE_RATE, moved)


def example(
    speech: Speech, rng: np.random.Generator, other: np.ndarray | None = None, habit: MouthHabit | None = None
) -> MouthExample:
    """Speech at 16 kHz, changed at random as a recording might be, with the mouth that says it.

    Args:
        other: samples of another speaker, who is heard in the background at times.
        habit: the speaker's; some of its values are drawn at random.
    """
    audio = speech.audio.astype(np.float64)
    habit = replace(
        habit or MouthHabit(),
        jaw=float(rng.uniform(*JAW)),
        sluggish=float(rng.uniform(*SLUGGISH)),
        loudness=float(rng.uniform(*LOUDNESS)),
        parted=0.0,
    )
    tempo, drawn = 1.0, rng.random()
    if drawn < SUNG:
        tempo = float(np.exp(rng.uniform(*np.log(SUNG_TEMPO))))
    elif drawn < SUNG + UNEVEN:
        tempo = float(rng.uniform(*UNEVEN_TEMPO))
    heard = audio
    if other is not None and rng.random() < SECOND_VOICE:
        second = np.resize(np.roll(other, int(rng.integers(len(other)))), len(audio)).astype(np.float64)
        level, under = (max(float(np.sqrt(np.mean(x**2))), 1e-9) for x in (audio, second))
        heard = audio + second * level / under * 10 ** (-rng.uniform(*BELOW) / 20)
    sound, quiet = augment(heard, rng, CHANGES)
    # notes that are coloured like vowels would teach singers to close their mouths
    changes = replace(CHANGES, microphone=0.0) if quiet else CHANGES
    rows = drawn_out(recolour(spectrogram_80(sound), rng, changes), tempo)
    rows = augment_spectrogram(rows, rng) if rng.random() < AUGMENTED else rows
    times = frame_times(int((len(rows) - 1) * HOP_80 / SAMPLE_RATE * FPS))
    phones = [Phone(p.name, p.start * tempo, p.end * tempo) for p in speech.phones]
    mouth = mouth_curves(phones, times, habit, louder_syllables(loudness(audio), times / tempo))
    told = phones_of_rows(phones, len(rows))
    if quiet:
        mouth, told = np.zeros_like(mouth), np.full_like(told, IDS[PAUSE])
    return MouthExample(rows.astype(np.float16), told, mouth[:, COEFFICIENTS].astype(np.float32))


def phones_of_rows(phones: Sequence[Phone], rows: int) -> np.ndarray:
    """Numbers [N] (int16, `phones.IDS`) of the phones that are said at spectrogram rows 0..N-1."""
    times = np.arange(rows) * HOP_80 / SAMPLE_RATE
    ends = np.array([phone.end for phone in phones])
    index = np.clip(np.searchsorted(ends, times, side="right"), 0, len(phones) - 1)
    return np.array([IDS[phone.name] for phone in phones], np.int16)[index]


def drawn_out(rows: np.ndarray, tempo: float) -> np.ndarray:
    """Spectrogram rows [N, 80] that last `tempo` times as long, [round-down N tempo, 80]."""
    if tempo == 1:
        return rows
    return interpolate_rows(rows, np.arange(int(len(rows) * tempo)) / tempo)


def other_tract(speech: Speech, rng: np.random.Generator) -> Speech:
    """A recorded speaker as if with a longer or shorter vocal tract: resampled, phones with it."""
    import soxr

    factor = float(np.exp(rng.uniform(*np.log(TRACT))))
    audio = soxr.resample(speech.audio, SAMPLE_RATE * factor, SAMPLE_RATE)
    audio = (audio / max(1.0, float(np.abs(audio).max()))).astype(np.float32)
    scale = len(audio) / len(speech.audio)
    phones = tuple(Phone(p.name, p.start * scale, p.end * scale) for p in speech.phones)
    return Speech(audio, SAMPLE_RATE, phones)


def shard_of_recordings(clips: Sequence[Clip], count: int, rng: np.random.Generator) -> list[MouthExample]:
    """`count` examples of random speakers' random recordings, each with a random speaker's habits."""
    speakers: dict[str, list[Clip]] = {}
    for clip in clips:
        speakers.setdefault(clip.info["speaker"], []).append(clip)
    found, other, names = [], None, sorted(speakers)
    chance = np.sqrt([len(speakers[name]) for name in names])
    for _ in range(count):
        own = speakers[names[int(rng.choice(len(names), p=chance / chance.sum()))]]
        speech = other_tract(speech_of(own[int(rng.integers(len(own)))]), rng)
        found.append(example(speech, rng, other, MouthHabit.random(rng)))
        other = speech.audio
    return found


def shard(clips: Sequence[Clip], count: int, rng: np.random.Generator) -> list[MouthExample]:
    """`count` examples of random clips, laughs and coughs."""
    found, other = [], None
    while len(found) < count:
        speech = vocal_event(rng)
        habit = None
        if speech is None:
            clip = clips[int(rng.integers(len(clips)))]
            speech, habit = speech_of(clip), MouthHabit(**clip.info["habits"]["mouth"])
        found.append(example(speech, rng, other, habit))
        other = speech.audio
    return found
