"""One clip of the stylised world from (recipe, number): plan, speech, performance, pictures.

Clip `k` of a data set depends on the seed, the kind and `k` alone, never on other clips, so that
any number of workers and any interruption give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from gohd_core.choices import CLIP_KINDS, SPLITS
from gohd_core.clips import Entry
from gohd_core.constants import FPS, SAMPLES_PER_FRAME, STYLISED
from gohd_core.errors import BadInput
from gohd_core.stylised.ground_truth.face_tracks import face_tracks
from gohd_core.stylised.motion.performance import Performance, Speaker, perform
from gohd_core.stylised.motion.stills import random_stills
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.rendering.renderer import HeadRenderer, RenderedFrame
from gohd_core.stylised.speech.engines import ENGINES, USUAL
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.room import Room, place
from gohd_core.stylised.speech.text import paragraph
from gohd_core.stylised.speech.voices import Manner, Voice, draw_manner, draw_voice, say

SHARES = (0.8, 0.1, 0.1)
"""Shares of train, validation and test."""
SECONDS = (5.0, 10.0)
"""Shortest and longest intended talk clip, s."""
LETTERS_PER_SECOND = 14.0
PIXEL_SCALE = 8192
"""Vertices are stored as pixel * PIXEL_SCALE / size: a picture's width is 8192 steps."""
DEPTH_SCALE = 2000
"""Steps of stored vertex depth per model unit."""
UNITS = {
    "pose": "radians (Euler angles x, y, z), then model units",
    "gaze": "radians (pitch up, yaw to the image's left, camera's axes)",
    "landmarks": "pixels, x right, y down, pixel centres at integers",
    "phonemes": "seconds; frame k is seen at (k + 0.5) / fps",
}


@dataclass(frozen=True)
class Recipe:
    """Everything that a data set's bytes depend on, beside the number of clips.

    kind: "talk" (speech-driven sequences) or "stills" (bursts of one identity); size: pixels;
    pictures: frames, parsing and visibility (stills always have them); correspondence: exact
    triangle, barycentric and depth buffers (stills); engines: speech engines to draw from (talk).
    """

    seed: int
    kind: str = "talk"
    size: int = 256
    pictures: bool = True
    correspondence: bool = True
    burst: int = 20
    engines: tuple[str, ...] = field(default=USUAL)

    def __post_init__(self) -> None:
        if self.kind not in CLIP_KINDS:
            raise BadInput(f"Unknown kind of data set '{self.kind}'; use one of {', '.join(CLIP_KINDS)}.")
        if self.seed < 0:
            raise BadInput(f"The seed must be 0 or more, not {self.seed}.")
        if not 16 <= self.size <= 2048:
            raise BadInput(f"The picture size must be between 16 and 2048, not {self.size}.")
        if self.kind == "stills" and not self.pictures:
            raise BadInput("Stills without pictures hold nothing to learn from; drop --no-frames.")
        for engine in self.engines:
            if engine not in ENGINES:
                raise BadInput(f"Unknown speech engine '{engine}'; use {', '.join(ENGINES)}.")
        if not self.engines:
            raise BadInput(f"Name at least one speech engine of {', '.join(ENGINES)}.")

    def header(self) -> dict[str, Any]:
        """The part of `dataset.json` that identifies this recipe."""
        about = asdict(self) | {"engines": list(self.engines), "space": STYLISED, "fps": FPS}
        if self.kind == "talk":
            del about["correspondence"], about["burst"]
        else:
            del about["engines"], about["pictures"]
        return about


def draw_identity(rng: np.random.Generator, split: str) -> int:
    """The seed of a random identity of `split`; its last digit is that of the split, in any data set."""
    digit = {"train": int(rng.integers(8)), "validation": 8, "test": 9}[split]
    return int(rng.integers(100_000)) * 10 + digit


def clip_rng(recipe: Recipe, number: int) -> np.random.Generator:
    """The random numbers of clip `number`."""
    return np.random.default_rng([recipe.seed, CLIP_KINDS.index(recipe.kind), number])


def clip_place(recipe: Recipe, number: int) -> tuple[str, str]:
    """(split, name) of a clip; costs next to nothing."""
    split = SPLITS[int(clip_rng(recipe, number).choice(len(SPLITS), p=SHARES))]
    return split, f"{recipe.kind}-{recipe.seed}-{number:06d}"


def make_clip(recipe: Recipe, number: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and description of clip `number`, as `clips.save_clip` takes them."""
    rng = clip_rng(recipe, number)
    rng.choice(len(SPLITS), p=SHARES)  # drawn by clip_place
    split, name = clip_place(recipe, number)
    identity = Identity.random(draw_identity(rng, split))
    make = _talk if recipe.kind == "talk" else _stills
    arrays, about = make(recipe, rng, identity, split)
    arrays["identity"] = np.asarray(identity.coefficients, np.float32)
    info = about | {
        "name": name,
        "split": split,
        "kind": recipe.kind,
        "identity_seed": identity.seed,
        "style": asdict(identity.style),
        "fps": FPS,
        "space": STYLISED,
        "size": recipe.size,
        "units": UNITS,
    }
    return arrays, info


def entry_of(info: Mapping[str, Any], frames: int) -> Entry:
    """The index line of a clip, from its description."""
    identity = f"stylised-{info['identity_seed']}"
    return Entry(info["name"], info["split"], identity, info.get("speaker", ""), info.get("text", ""), frames)


@lru_cache(maxsize=2)
def _renderer(size: int) -> HeadRenderer:
    return HeadRenderer(size)


def render_sequence(
    identity: Identity, performance: Performance, size: int, *, correspondence: bool = False
) -> list[RenderedFrame]:
    """Every frame of a performance, drawn by this process's renderer."""
    renderer = _renderer(size)
    rows = zip(performance.expression, performance.pose, performance.gaze, strict=True)
    return [renderer.render(identity, *row, correspondence=correspondence) for row in rows]


def speech_for(
    rng: np.random.Generator, split: str, engines: tuple[str, ...], seconds: float
) -> tuple[Speech, str, Voice, Manner]:
    """Random speech of a split, of about `seconds`: (speech, text, voice, manner)."""
    voice = draw_voice(rng, split, engines)
    manner = draw_manner(rng)
    letters = int(seconds * LETTERS_PER_SECOND * manner.rate)
    text = paragraph(rng, letters, voice.language, split)
    return say(text, voice, manner), text, voice, manner


def _talk(
    recipe: Recipe, rng: np.random.Generator, identity: Identity, split: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    seconds = float(rng.uniform(*SECONDS))
    speech, text, voice, manner = speech_for(rng, split, recipe.engines, seconds)
    speaker, room = Speaker.random(rng), Room.random(rng)
    performance = perform(speech, rng, speaker)
    heard = place(speech.audio, room, rng)
    sound = np.zeros(len(performance) * SAMPLES_PER_FRAME, np.int16)
    sound[: len(heard)] = np.round(heard * 32767).astype(np.int16)
    arrays = {
        "audio": sound,
        "expression": performance.expression,
        "pose": performance.pose,
        "gaze": performance.gaze,
        "valid": np.ones(len(performance), bool),
        "phoneme_start": np.array([p.start for p in speech.phones], np.float32),
        "phoneme_end": np.array([p.end for p in speech.phones], np.float32),
    }
    if recipe.pictures:
        arrays |= picture_arrays(render_sequence(identity, performance, recipe.size))
    else:
        arrays |= face_tracks(
            identity, performance.expression, performance.pose, performance.gaze, recipe.size
        )
    about = {
        "text": text,
        "language": voice.language,
        "phonemes": [p.name for p in speech.phones],
        "engine": voice.engine,
        "voice": voice.name,
        "speaker": voice.speaker,
        "manner": asdict(manner),
        "room": room.to_json(),
        "habits": speaker.to_json(),
    }
    return arrays, about


def _stills(
    recipe: Recipe, rng: np.random.Generator, identity: Identity, split: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    expression, pose, gaze, changes = random_stills(rng, recipe.burst)
    performance = Performance(expression, pose, gaze)
    frames = render_sequence(identity, performance, recipe.size, correspondence=recipe.correspondence)
    arrays = {
        "expression": expression,
        "pose": pose,
        "gaze": gaze,
        "valid": np.ones(len(pose), bool),
        **picture_arrays(frames),
    }
    about: dict[str, Any] = {"changes": changes}
    if recipe.correspondence:
        arrays |= correspondence_arrays(frames, recipe.size)
        scale = {"xy": PIXEL_SCALE / recipe.size, "depth": DEPTH_SCALE}
        about["vertex_scale"] = scale
    return arrays, about


def picture_arrays(frames: list[RenderedFrame]) -> dict[str, np.ndarray]:
    """The clip fields of drawn frames: pictures, landmarks, irises, visibility, parsing."""
    names = ("landmarks", "landmarks_3d", "irises", "visible", "parsing")
    arrays = {name: np.stack([getattr(frame, name) for frame in frames]) for name in names}
    return arrays | {"frames": np.stack([frame.image for frame in frames])}


def correspondence_arrays(frames: list[RenderedFrame], size: int) -> dict[str, np.ndarray]:
    """The clip fields of frames that were drawn with exact correspondences."""
    found = [frame.correspondence for frame in frames]
    scale = np.array([PIXEL_SCALE / size, PIXEL_SCALE / size, DEPTH_SCALE])
    vertices = np.stack([np.round(c.vertices * scale) for c in found])
    barycentric = np.stack([np.round(c.barycentric * 255) for c in found])
    return {
        "triangle": np.stack([c.triangle for c in found]).astype(np.uint16),
        "barycentric": barycentric.astype(np.uint8),
        "depth": np.stack([c.depth for c in found]).astype(np.float16),
        "vertices": np.clip(vertices, -32768, 32767).astype(np.int16),
        "faces": found[0].faces.astype(np.uint16),
        "material": found[0].material,
    }
