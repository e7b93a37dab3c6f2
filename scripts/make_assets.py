"""Makes the sample portraits and speech in assets/: held-out stylised people and synthesised voices.

Needs what drawing and speaking need (`gohd doctor` says); run it in an environment with the train extra.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SIZE = 512
JPEG_QUALITY = 92

SMILE = 0.25
"""Smile coefficient of the portraits: a friendly mouth, closed."""

PEOPLE = (19, 39, 69, 49, 199, 209, 79, 99, 59, 119, 189, 29, 149, 309, 129, 159)
PEOPLE += (289, 269, 449, 479, 489, 509, 579, 599)
"""Seeds of 24 identities of the test split: no weights were trained on them."""

SPEECH = {
    "hello": ("flite/slt", "Hello! I am a stylised portrait, and every word I say comes from this sound."),
    "pangram": ("flite/awb", "The quick brown fox jumps over the lazy dog, and my mouth follows each sound."),
    "numbers": ("espeak/en-us+f5", "One, two, three, four, five. Papa buys my mom a big blue balloon."),
}
"""Name: (voice, text)."""


def portraits() -> None:
    """24 calm portraits that look at the camera."""
    from PIL import Image

    from gohd_core.stylised.expressions import INDEX
    from gohd_core.stylised.identity import Identity
    from gohd_core.stylised.renderer import HeadRenderer

    folder = ASSETS / "portraits"
    folder.mkdir(parents=True, exist_ok=True)
    expression, pose, gaze = np.zeros(64), np.zeros(6), np.zeros(2)
    expression[[INDEX["smile_left"], INDEX["smile_right"]]] = SMILE
    with HeadRenderer(SIZE) as renderer:
        for number, seed in enumerate(PEOPLE, 1):
            pose[1] = math.radians(6.0) * math.sin(number)
            frame = renderer.render(Identity.random(seed), expression, pose, gaze)
            Image.fromarray(frame.image).save(folder / f"{number:02d}.jpg", quality=JPEG_QUALITY)


def speech() -> None:
    """Three sentences whose text is known, 16 kHz mono."""
    import soundfile

    from gohd_core.stylised.voices import find_voice, say

    folder = ASSETS / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {}
    for name, (voice, text) in SPEECH.items():
        made = say(text, find_voice(*voice.split("/")))
        soundfile.write(folder / f"{name}.wav", 0.7 * made.audio / np.abs(made.audio).max(), made.rate)
        texts[f"{name}.wav"] = {"voice": voice, "text": text}
    (folder / "texts.json").write_text(json.dumps(texts, indent=2) + "\n")


if __name__ == "__main__":
    portraits()
    speech()
