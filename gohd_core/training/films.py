"""Short films of what a trainer hears and moves: the face's lines, truth beside prediction, with sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gohd_core.clips import Clip
from gohd_core.constants import SAMPLES_PER_FRAME
from gohd_core.expression import ExpressionNetwork
from gohd_core.training.draws import audio_frames
from gohd_core.training.expression_geometry import FaceGeometry
from gohd_core.training.sound import read_sound
from gohd_core.training.task import Sample

LINES = (
    (slice(0, 17), False),
    (slice(17, 22), False),
    (slice(22, 27), False),
    (slice(27, 31), False),
    (slice(31, 36), False),
    (slice(36, 42), True),
    (slice(42, 48), True),
    (slice(48, 60), True),
    (slice(60, 68), True),
)
"""Which of the 68 landmarks are joined by a line, and whether it closes."""

_MARGIN = 0.1


def landmark_film(tracks: Sequence[Tensor], size: int = 192) -> Tensor:
    """Faces as lines, side by side, all to one scale.

    tracks: landmarks [T, 68, 2], x right and y up, in any unit. Returns frames [T, 3, size, n * size]
    in [-1, 1]; `size` must be even.
    """
    from PIL import Image, ImageDraw

    points = torch.stack([track.detach().float().cpu() for track in tracks], 1).numpy()
    low, high = points.min((0, 1, 2)), points.max((0, 1, 2))
    scale = size * (1 - 2 * _MARGIN) / max((high - low).max(), 1e-6)
    centred = (points - (low + high) / 2) * scale * np.array([1, -1]) + size / 2
    frames = []
    for faces in centred:
        picture = Image.new("L", (size * len(tracks), size), 20)
        draw = ImageDraw.Draw(picture)
        for column, face in enumerate(faces):
            for rows, closed in LINES:
                line = face[rows] + [column * size, 0]
                line = np.concatenate([line, line[:1]]) if closed else line
                draw.line([tuple(point) for point in line.tolist()], fill=235)
        frames.append(np.asarray(picture))
    grey = torch.from_numpy(np.stack(frames)).float() / 127.5 - 1
    return grey[:, None].expand(-1, 3, -1, -1)


def expression_film(
    network: ExpressionNetwork,
    geometry: FaceGeometry,
    clip: Clip,
    device: torch.device,
    *,
    frames: int = 250,
    keep: bool = True,
) -> Sample:
    """The beginning of a talking clip: its face at the left, the predicted one at the right.

    A stage 1 network is given the clip's own eye motion; with stage 2 it is generated from the first
    frame. `keep` as for `read_sound`.
    """
    count = min(frames, len(clip), audio_frames(clip))
    truth = torch.from_numpy(clip.read("expression", 0, count))[None].to(device)
    chunks = torch.from_numpy(read_sound(clip, slice(0, count), keep=keep)["chunks"])[None].to(device)
    real = geometry.face(truth)
    given, noise = None, None
    if network.eyes is not None:
        noise = torch.randn(1, count, network.eyes.noise_width, device=device)
    elif network.config.eye_motion_input:
        given = real.eye_motion
    predicted, _ = network(chunks, truth[:, 0], real.eye_motion[:, 0], eye_motion=given, noise=noise)
    made = geometry.face(predicted.float())
    sound = clip.read("audio", 0, count * SAMPLES_PER_FRAME).astype(np.float32) / 32768
    film = landmark_film([real.landmarks[0, ..., :2], made.landmarks[0, ..., :2]])
    return Sample(film, torch.from_numpy(sound))
