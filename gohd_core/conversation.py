"""Several faces of one picture talk, each by its own voice; who is silent listens to who speaks.

picture -> prepare_portraits -> converse(voices) -> motions, frames of the whole picture
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gohd_core.audio import AudioFeatures, audio_features
from gohd_core.audio.turns import pad_to_longest
from gohd_core.constants import FPS
from gohd_core.errors import BadInput
from gohd_core.face.portrait import Portrait
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.motion.editing import exact_fps
from gohd_core.motion.idle import SHORTEST, idle_motion
from gohd_core.motion.listening import direction, listening
from gohd_core.motion.silence import silence
from gohd_core.pipeline import Progress, draw, frame_count, motion_from_audio
from gohd_core.render.paste_back import paste_back
from gohd_core.render.paste_mask import paste_mask
from gohd_core.talk_options import TalkOptions

LENS = 1.2
"""Focal length of the camera, in longer sides of the picture: a usual portrait lens."""
SEAM = 0.06
"""Width over which two crops that overlap go over into one another, in heights of a face."""


def converse(
    portraits: Sequence[Portrait],
    voices: Sequence[tuple[Any, int] | None],
    models: Models,
    options: TalkOptions | None = None,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[list[Motion], Iterator[Tensor]]:
    """Lets the faces of one picture speak and listen.

    Args:
        portraits: of one picture, read by their meshes (`portraits.prepare_portraits`).
        voices: for each of them a waveform [C, N] and its rate, or None where it listens only. They begin
            together, and the longest says how long the conversation is.
        options: of all; each face has a seed of its own, counted from theirs.

    Returns: a motion for each portrait, and the frames of the whole picture as they are drawn,
        [b, 3, H, W] in [-1, 1], both at the options' rate.
    Raises: `BadInput` for numbers that differ, no voice, or portraits of several pictures.
    """
    _check(portraits, voices)
    options = options or TalkOptions()
    heard = [
        None if voice is None else audio_features(*voice, models.pose.alignment)
        for voice in pad_to_longest(voices)
    ]
    frames = max(frame_count(voice) for voice in heard if voice is not None)
    motions = [
        _motion_of_one(
            portrait, voice, frames, k, models, options, _part(progress, k, len(portraits)), should_stop
        )
        for k, (portrait, voice) in enumerate(zip(portraits, heard, strict=True))
    ]
    shares = torch.stack([_silence(voice, frames) for voice in heard])
    motions = [
        listening(motion, portrait.motion, shares[k], _towards(portraits, shares, k), seed=options.seed + k)
        for k, (portrait, motion) in enumerate(zip(portraits, motions, strict=True))
    ]
    motions = [motion.resampled(exact_fps(options.fps)) for motion in motions]
    return motions, _draw_faces(portraits, motions, models, options, progress, should_stop)


def speakers_among(
    portraits: Sequence[Portrait], voices: Sequence[tuple[Any, int]]
) -> list[tuple[Any, int] | None]:
    """Voices for all portraits of a picture: the largest faces speak, from left to right; others listen.

    Raises `BadInput` for fewer faces than voices.
    """
    if len(portraits) < len(voices):
        raise BadInput(f"There are {len(voices)} voices and {len(portraits)} faces; give a face for each.")
    heights = [float(face_of(portrait)[2]) for portrait in portraits]
    largest = sorted(range(len(portraits)), key=lambda k: -heights[k])[: len(voices)]
    spoken = dict(zip(sorted(largest), voices, strict=True))
    return [spoken.get(k) for k in range(len(portraits))]


def face_of(portrait: Portrait) -> Tensor:
    """(x, y, height) of the face in pixels of the picture."""
    points = portrait.mesh[:, :2]
    low, high = points.amin(0), points.amax(0)
    return torch.cat([(low + high) / 2, (high - low)[1:]])


def paste_masks(portraits: Sequence[Portrait]) -> list[Tensor]:
    """Masks [H, W] for `paste_back`, one face after the other, such that each pixel that crops share is the
    nearer face's, with soft borders between them.

    Weights W of the faces sum to what the crops cover; pasted over one another the k-th mask is
    W_k / (1 - W_k+1 - W_k+2 ...).
    """
    if len(portraits) == 1:
        return [torch.ones(portraits[0].frame.shape[:2], dtype=torch.float32, device="cpu")]
    covers = torch.stack([paste_mask(portrait) for portrait in portraits])
    height, width = covers.shape[1:]
    rows = torch.arange(height, dtype=torch.float32, device="cpu")[:, None]
    columns = torch.arange(width, dtype=torch.float32, device="cpu")
    faces = [face_of(portrait) for portrait in portraits]
    away = torch.stack([torch.hypot(columns - x, rows - y) / tall for x, y, tall in faces])
    near = covers * torch.softmax(-away / SEAM, 0)
    wanted = near / near.sum(0).clamp_min(1e-12) * covers.amax(0)
    left = torch.ones_like(wanted[0])
    masks = []
    for k in reversed(range(len(portraits))):
        # `paste_back` multiplies by the crop's own soft edge.
        masks.append((wanted[k] / (left * covers[k]).clamp_min(1e-6)).clamp(0, 1))
        left = left - wanted[k]
    return masks[::-1]


def _check(portraits: Sequence[Portrait], voices: Sequence[Any]) -> None:
    if len(portraits) != len(voices) or not portraits:
        raise BadInput(f"There are {len(portraits)} faces and {len(voices)} voices; give one for each face.")
    if all(voice is None for voice in voices):
        raise BadInput("Nobody speaks; give at least one voice.")
    if any(portrait.mesh is None for portrait in portraits):
        raise BadInput("A conversation needs faces that were read by their meshes (prepare_portraits).")
    if len({portrait.frame.shape for portrait in portraits}) > 1:
        raise BadInput("The faces of a conversation are in one picture; these come from several.")


def _motion_of_one(
    portrait: Portrait,
    voice: AudioFeatures | None,
    frames: int,
    number: int,
    models: Models,
    options: TalkOptions,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> Motion:
    """Motion of one face by itself, `frames` frames at 25 a second."""
    seed = options.seed + number
    if voice is None:
        idle = idle_motion(portrait.motion, max(frames / FPS, SHORTEST), seed=seed, loop=False)
        return idle.fitted(frames)
    own = replace(options, seed=seed)
    made = motion_from_audio(voice, portrait, models, own, progress=progress, should_stop=should_stop)
    return made.fitted(frames)


def _silence(voice: AudioFeatures | None, frames: int) -> Tensor:
    if voice is None:
        return torch.ones(frames, dtype=torch.float32, device="cpu")
    return silence(voice.waveform, frames)


def _towards(portraits: Sequence[Portrait], shares: Tensor, listener: int) -> Tensor:
    """[T,2] gaze of a listener to who speaks most, NaN where all others are silent."""
    focal = LENS * max(portraits[0].frame.shape[:2])
    faces = [face_of(portrait) for portrait in portraits]
    ways = torch.tensor(
        [direction(faces[listener], face, focal) for face in faces], dtype=torch.float32, device="cpu"
    )
    speaks = 1 - shares
    speaks[listener] = 0
    loudest = speaks.max(0)
    towards = ways[loudest.indices]
    return torch.where(loudest.values[:, None] > 0.5, towards, torch.full_like(towards, torch.nan))


def _draw_faces(
    portraits: Sequence[Portrait],
    motions: Sequence[Motion],
    models: Models,
    options: TalkOptions,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> Iterator[Tensor]:
    """Frames of all faces in the one picture, each pasted onto the last one's as they come."""
    pasted: Iterator[Tensor] | None = None
    drawing = None if progress is None else lambda done, total: progress("frames", done, total)
    for k, (portrait, motion, mask) in enumerate(
        zip(portraits, motions, paste_masks(portraits), strict=True), 1
    ):
        watched: Any = drawing if k == len(portraits) else None
        frames = draw(
            models.animator,
            portrait,
            motion,
            strength=options.strength,
            batch_size=options.batch_size,
            progress=watched,
            should_stop=should_stop,
        )
        pasted = paste_back(frames, portrait, pasted, mask=mask, colour="none")
    assert pasted is not None
    return pasted


def _part(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """Progress of one face among several."""
    if progress is None:
        return None
    return lambda stage, done, total: progress(stage, part * total + done, parts * total)
