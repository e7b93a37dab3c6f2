"""Makes the samples in assets/: held-out stylised people, synthesised voices, two videos, a background.

Needs what drawing and speaking need (`gohd doctor` says); run it in an environment with the train extra.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SIZE = 512
JPEG_QUALITY = 82

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

DRIVER = (839, 15, "flite/slt", "Who would have thought? Papa moves my big blue bowl, and I look up.")
"""The driving video: seed of a test identity, seed of the performance, voice, text."""
DRIVER_TURN = ((3.0, 14.0, 5.0), (6.0, 14.0))
"""Degrees of slow nod, turn and tilt, and of gaze up and aside, on top of what speech does."""
DRIVER_SIZE = 256
DRIVER_CRF = 23
SPEAKER_LOOKS = "0 -2 -12\n1.2 -5 -14\n1.4 -1 -9\n2.6 -3 -13 hold\n3.4 0 -10\n4.4 -4 -13"
"""Where the speaker of the photograph looks: seconds, degrees up and to the left, as one who reads aside."""
SPEAKER_SIZE, SPEAKER_CRF = 384, 26
"""Side of its video, which its face fills, and its encoding."""
BACKGROUND = 7
"""Seed of the lights of the background."""
TRUTH = ASSETS.parent / "tests" / "driving" / "driving_sample.safetensors"


def portraits() -> None:
    """24 calm portraits that look at the camera."""
    from PIL import Image

    from gohd_core.stylised.head.expressions import INDEX
    from gohd_core.stylised.person.identity import Identity
    from gohd_core.stylised.rendering.renderer import HeadRenderer

    folder = ASSETS / "portraits"
    folder.mkdir(parents=True, exist_ok=True)
    expression, pose, gaze = np.zeros(64), np.zeros(6), np.zeros(2)
    expression[[INDEX["smile_left"], INDEX["smile_right"]]] = SMILE
    with HeadRenderer(SIZE) as renderer:
        for number, seed in enumerate(PEOPLE, 1):
            pose[1] = math.radians(6.0) * math.sin(number)
            frame = renderer.render(Identity.random(seed), expression, pose, gaze)
            path = folder / f"{number:02d}.jpg"
            Image.fromarray(frame.image).save(path, quality=JPEG_QUALITY, optimize=True, progressive=True)


def speech() -> None:
    """Three sentences whose text is known, 16 kHz mono."""
    import soundfile

    from gohd_core.stylised.speech.voices import find_voice, say

    folder = ASSETS / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {}
    for name, (voice, text) in SPEECH.items():
        made = say(text, find_voice(*voice.split("/")))
        soundfile.write(folder / f"{name}.flac", 0.7 * made.audio / np.abs(made.audio).max(), made.rate)
        texts[f"{name}.flac"] = {"voice": voice, "text": text}
    (folder / "texts.json").write_text(json.dumps(texts, indent=2) + "\n")


def driving_sample() -> None:
    """A short video of a head that talks, and its true motion for the tests."""
    import torch

    from gohd_core.constants import FPS, SAMPLE_RATE, STYLISED
    from gohd_core.motion import Expression, Gaze, Motion, Pose
    from gohd_core.motion.file import save_motion
    from gohd_core.render import render_video
    from gohd_core.stylised.making import render_sequence
    from gohd_core.stylised.motion.performance import perform
    from gohd_core.stylised.person.identity import Identity
    from gohd_core.stylised.speech.voices import find_voice, say

    identity, seed, voice, text = DRIVER
    speech = say(text, find_voice(*voice.split("/")))
    performance = perform(speech, np.random.default_rng(seed))
    phase = 2 * np.pi * np.arange(len(performance)) / len(performance)
    head, eyes = (np.radians(turn) for turn in DRIVER_TURN)
    performance.pose[:, :3] += head * np.sin(np.stack([2 * phase, phase, 1.5 * phase], 1))
    performance.gaze[:] += eyes * np.sin(np.stack([1.5 * phase, 2 * phase], 1))
    frames = render_sequence(Identity.random(identity), performance, DRIVER_SIZE)
    batches = (torch.from_numpy(f.image)[None].permute(0, 3, 1, 2) / 127.5 - 1 for f in frames)
    sound = (0.7 * speech.audio / np.abs(speech.audio).max(), SAMPLE_RATE)
    render_video(ASSETS / "driving_sample.mp4", batches, fps=FPS, audio=sound, crf=DRIVER_CRF)
    parts = ((Pose, performance.pose), (Expression, performance.expression), (Gaze, performance.gaze))
    truth = Motion(*(kind(torch.from_numpy(values), STYLISED) for kind, values in parts))
    save_motion(TRUTH, truth, {"made_by": "scripts/make_assets.py", "text": text, "voice": voice})


def speaker_sample() -> None:
    """A short video of the face of a photograph that ships, which talks and looks beside the camera."""
    import gohd_core as gohd
    from gohd_core.constants import FPS
    from gohd_core.images import read_picture
    from gohd_core.motion.editing import gaze_path
    from gohd_core.motion.keyframes import Keyframes
    from gohd_core.pipeline import draw

    models = gohd.Models.load()
    sound = gohd.load_audio(ASSETS / "speech" / "pangram.flac")
    picture = read_picture(ASSETS / "portraits" / "astronaut.jpg")
    portrait = gohd.prepare_portrait(picture, reader=models.reader, size=SPEAKER_SIZE)
    motion = gohd.motion_from_audio(gohd.audio_features(*sound), portrait, models, gohd.TalkOptions(seed=3))
    looks = gaze_path(Keyframes.parse(SPEAKER_LOOKS, 2), len(motion), own=portrait.gaze)
    frames = gohd.finish(draw(models.animator, portrait, replace(motion, gaze=looks)), portrait)
    gohd.render_video(ASSETS / "speaker_sample.mp4", frames, fps=FPS, audio=sound, crf=SPEAKER_CRF)


def background() -> None:
    """Lights of a town out of focus, to stand behind somebody."""
    from PIL import Image, ImageDraw, ImageFilter

    rng = np.random.default_rng(BACKGROUND)
    rise = np.linspace(0, 1, SIZE)[:, None, None]
    sky = (1 - rise) * np.array([26, 34, 66]) + rise * np.array([120, 66, 58])
    picture = Image.fromarray(np.broadcast_to(sky, (SIZE, SIZE, 3)).astype(np.uint8))
    for _ in range(70):
        x, y, radius = *rng.uniform(0, SIZE, 2), rng.uniform(8, 30)
        colour = tuple(rng.integers((150, 100, 60), (255, 220, 180)).tolist())
        light = Image.new("RGB", picture.size)
        ImageDraw.Draw(light).ellipse([x - radius, y - radius, x + radius, y + radius], colour)
        share = Image.new("L", picture.size)
        strength = int(rng.uniform(30, 130) * (0.3 + 0.7 * y / SIZE))
        ImageDraw.Draw(share).ellipse([x - radius, y - radius, x + radius, y + radius], strength)
        picture.paste(light, mask=share.filter(ImageFilter.GaussianBlur(2)))
    picture.save(ASSETS / "background.jpg", quality=JPEG_QUALITY, optimize=True, progressive=True)


if __name__ == "__main__":
    portraits()
    speech()
    driving_sample()
    speaker_sample()
    background()
