"""A stylised head that talks, as a video with sound: to see and hear what training learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gohd_core.constants import FPS, SAMPLE_RATE
from gohd_core.errors import BadInput
from gohd_core.stylised.making import render_sequence, speech_for
from gohd_core.stylised.motion.performance import Performance, perform
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.speech.engines import USUAL
from gohd_core.stylised.speech.voices import find_voice, say

BATCH = 25
"""Frames drawn at a time."""


@dataclass(frozen=True)
class StylisedClip:
    """A preview clip: its path, text and voice, frame by frame."""

    path: Path
    text: str
    voice: str
    phonemes: tuple[str, ...]
    """The phone in the middle of each frame."""


def stylised_clip(
    path: str | Path,
    seed: int = 0,
    seconds: float = 6.0,
    *,
    text: str | None = None,
    voice: str | None = None,
    identity: int | None = None,
    size: int = 256,
    engines: Sequence[str] = USUAL,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> StylisedClip:
    """Write an MP4 (H.264, AAC) of a random stylised head that speaks for about `seconds`.

    text and voice ("engine/voice", such as "flite/slt") replace the seed's choice.
    Raises BadInput for bad values, MissingDependency without an engine, graphics or PyAV.
    """
    from gohd_core.render import render_video

    if not 0.5 <= seconds <= 600:
        raise BadInput(f"The length must be between 0.5 and 600 seconds, not {seconds:g}.")
    if text is not None and not text.strip():
        raise BadInput("The text to speak is empty.")
    rng = np.random.default_rng([seed, 77])
    if voice is None and text is None:
        speech, text, chosen, _ = speech_for(rng, "train", tuple(engines), seconds)
    else:
        engine, _, name = (voice or "espeak/en-us").partition("/")
        chosen = find_voice(engine, name)
        if text is None:
            from gohd_core.stylised.speech.text import paragraph

            text = paragraph(rng, int(seconds * 14), chosen.language)
        speech = say(text, chosen)
    performance = perform(speech, rng)
    person = Identity.random(seed if identity is None else identity)
    written = render_video(
        path,
        _frames(person, performance, size),
        fps=FPS,
        audio=(speech.audio, SAMPLE_RATE),
        progress=progress,
        total=len(performance),
        should_stop=should_stop,
    )
    middles = (np.arange(len(performance)) + 0.5) / FPS
    starts = np.array([phone.start for phone in speech.phones])
    spoken = [speech.phones[max(0, k)].name for k in np.searchsorted(starts, middles) - 1]
    return StylisedClip(written, text, f"{chosen.engine}/{chosen.name}", tuple(spoken))


def _frames(identity: Identity, performance: Performance, size: int) -> Iterator:
    import torch

    for first in range(0, len(performance), BATCH):
        rows = slice(first, first + BATCH)
        part = Performance(performance.expression[rows], performance.pose[rows], performance.gaze[rows])
        images = np.stack([frame.image for frame in render_sequence(identity, part, size)])
        yield torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
