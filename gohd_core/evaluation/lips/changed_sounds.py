"""The same speech whispered, shouted, telephoned, in rooms, crowds and music: do the lips stay the same?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from gohd_core.audio import audio_features
from gohd_core.clips import Clip
from gohd_core.constants import SAMPLE_RATE, SAMPLES_PER_FRAME, STYLISED
from gohd_core.evaluation.lips.scores import correlation
from gohd_core.evaluation.quality.bilabials import labial_spans
from gohd_core.evaluation.report import Table
from gohd_core.expression import ExpressionPredictor
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.measures.mouth_sync import CLOSED, closed_share, mouth_opening
from gohd_core.training.audio.augmentation import below, in_room
from gohd_core.training.audio.channels import coded, overdriven, shouted, telephoned, whispered
from gohd_core.training.audio.noises import beats, hiss, struck_notes

Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""(speech [S], other speech [S], random numbers) -> changed sound [S]."""

OPEN = 0.35
"""Share of a clip's widest predicted opening from which a mouth is open enough to be silenced."""
SILENCE = 25
"""Frames of silence that follow."""
MOMENTS = 8
"""Times in a clip at which its sound is cut off."""


def _mixed(sound: np.ndarray, added: np.ndarray, decibel: float) -> np.ndarray:
    """Speech with another sound `decibel` below it (root mean squares)."""
    level, other = (max(float(np.sqrt(np.mean(x**2))), 1e-9) for x in (sound, added))
    return sound + added * level / other * 10 ** (-decibel / 20)


def _louder(decibel: float) -> Change:
    """Speech at a level in dB of full scale (root mean square), clipped where it must be."""

    def change(sound: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        level = max(float(np.sqrt(np.mean(sound**2))), 1e-9)
        return np.clip(sound * 10 ** (decibel / 20) / level, -1, 1)

    return change


CHANGES: dict[str, Change] = {
    "as it is": lambda sound, others, rng: sound,
    "whispered": lambda sound, others, rng: whispered(sound, rng),
    "shouted": lambda sound, others, rng: shouted(sound, rng),
    "overdriven": lambda sound, others, rng: overdriven(sound, rng),
    "telephone": lambda sound, others, rng: telephoned(sound, rng),
    "codec": lambda sound, others, rng: coded(sound, rng),
    "nothing above 3 kHz": lambda sound, others, rng: below(sound, 3000.0),
    "room, 0.6 s": lambda sound, others, rng: in_room(sound, rng, 0.6),
    "hiss, 10 dB below": lambda sound, others, rng: _mixed(sound, hiss(len(sound), rng), 10),
    "music, 10 dB below": lambda sound, others, rng: _mixed(sound, struck_notes(len(sound), rng), 10),
    "music and beat, 5 dB below": lambda sound, others, rng: _mixed(
        sound, beats(len(sound), rng) / 3 + struck_notes(len(sound), rng), 5
    ),
    "crowd, 10 dB below": lambda sound, others, rng: _mixed(sound, others.sum(0), 10),
    "second voice, 10 dB below": lambda sound, others, rng: _mixed(sound, others[0], 10),
    "level of -40 dB": _louder(-40),
    "level of -10 dB": _louder(-10),
    "level of 0 dB, clipped": _louder(0),
}


def changed_table(predictor: ExpressionPredictor, clips: Sequence[Clip], seed: int = 5) -> Table:
    """Figures of every change of the sound, over held-out talking clips with exact truth."""
    table = Table(
        "Lips when the sound is changed",
        note="Held-out voices and texts of the stylised world, their truth exact. Opening of the inner lips "
        "against the truth's, and against what is predicted from the unchanged sound; closed: less than "
        f"{CLOSED:g} px apart on some frame of the phone; at rest: opening in pauses; px of a 224-pixel "
        "face. A crowd is four other clips at once. Changes: channels.py, noises.py, augmentation.py.",
    )
    geometry = FaceGeometry.load(None, STYLISED)
    rng = np.random.default_rng(seed)
    sounds = [clip.read("audio").astype(np.float64) / 32768 for clip in clips]
    plain: list[np.ndarray] = []
    for name, change in CHANGES.items():
        found: list[tuple[float, float, float, float, int, float]] = []
        for k, (clip, sound) in enumerate(zip(clips, sounds, strict=True)):
            others = np.stack([np.resize(sounds[(k + j) % len(sounds)], len(sound)) for j in range(1, 5)])
            heard = change(sound, others, rng)
            made = opening(predictor, geometry, heard, clip.read("expression")[0])
            if len(plain) <= k:
                plain.append(made)
            true = lips_gap(geometry, clip.read("expression")[: len(made)])
            spans = labial_spans(clip)
            closed = closed_share(made, *spans.T) if len(spans) else 0.0
            slope = float(np.polyfit(true, made, 1)[0])
            rest = made[true < CLOSED / 2]
            pair = correlation(made, true), correlation(made, plain[k])
            found.append((*pair, slope, closed, len(spans), float(rest.mean()) if len(rest) else np.nan))
        figures = np.array(found)
        table.put(
            name,
            {
                "opening correlation": figures[:, 0].mean(),
                "with unchanged": figures[:, 1].mean(),
                "opening slope": figures[:, 2].mean(),
                "closed on p b m": (figures[:, 3] * figures[:, 4]).sum() / max(figures[:, 4].sum(), 1),
                "at rest px": np.nanmean(figures[:, 5]),
            },
        )
    return table


def silence_table(predictor: ExpressionPredictor, clips: Sequence[Clip], seed: int = 6) -> Table:
    """Delay until an open mouth shuts once the sound is gone."""
    table = Table(
        "Frames until the mouth is shut in silence",
        note=f"Speech is cut off where the predicted mouth is open ({OPEN:g} of the clip's widest); shut: "
        f"less than {CLOSED:g} px, and so for the rest of a second. The noise is 50 dB below the speech.",
    )
    geometry = FaceGeometry.load(None, STYLISED)
    rng = np.random.default_rng(seed)
    for name in ("silence", "faint hiss"):
        waits: list[int] = []
        later: list[float] = []
        for clip in clips:
            sound = clip.read("audio").astype(np.float64) / 32768
            e0 = clip.read("expression")[0]
            made = opening(predictor, geometry, sound, e0)
            wide = np.flatnonzero(made > OPEN * made.max())
            for frame in wide[np.linspace(0, len(wide) - 1, min(MOMENTS, len(wide))).round().astype(int)]:
                after = np.zeros(SILENCE * SAMPLES_PER_FRAME)
                if name != "silence":
                    level = float(np.sqrt(np.mean(sound**2))) * 10 ** (-50 / 20)
                    noise = hiss(len(after), rng)
                    after = noise * level / np.sqrt(np.mean(noise**2))
                cut = np.concatenate([sound[: (frame + 1) * SAMPLES_PER_FRAME], after])
                tail = opening(predictor, geometry, cut, e0)[frame + 1 :]
                still = np.flatnonzero(tail >= CLOSED)
                waits.append(int(still[-1]) + 1 if len(still) else 0)
                later.append(float(tail[3:].max()))
        table.put(
            name,
            {
                "cuts": len(waits),
                "median": float(np.median(waits)),
                "95 %": float(np.percentile(waits, 95)),
                "within 3 frames": float(np.mean(np.array(waits) <= 3)),
                "largest gap after 3 px": max(later),
            },
        )
    return table


def opening(
    predictor: ExpressionPredictor, geometry: FaceGeometry, sound: np.ndarray, e0: np.ndarray
) -> np.ndarray:
    """Predicted opening [T] of the inner lips in pixels of a 224-pixel face."""
    features = audio_features(sound.astype(np.float32), SAMPLE_RATE)
    predicted, _ = predictor.predict(features, torch.from_numpy(np.array(e0, np.float32)), seed=1)
    return lips_gap(geometry, predicted.numpy())


def lips_gap(geometry: FaceGeometry, expression: np.ndarray) -> np.ndarray:
    """Opening [T] of the inner lips of expressions [T, 64], in pixels of a 224-pixel face."""
    face = geometry.face(torch.from_numpy(np.ascontiguousarray(expression, np.float32))[None])
    return mouth_opening(face.landmarks[0].numpy())
