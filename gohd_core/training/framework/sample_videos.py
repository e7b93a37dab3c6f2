"""Sample videos of a training run, truth beside prediction, with sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from gohd_core.clips import Clip
from gohd_core.constants import SAMPLES_PER_FRAME
from gohd_core.expression import ExpressionNetwork
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.landmarks68 import EYES, LINES
from gohd_core.training.audio.features import read_sound
from gohd_core.training.framework.sampling import audio_frames
from gohd_core.training.framework.task import Sample

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
        noise = torch.randn(1, count, network.eyes.noise_width, device=device, dtype=torch.float32)
    elif network.config.eye_motion_input:
        given = real.eye_motion
    predicted, _ = network(chunks, truth[:, 0], real.eye_motion[:, 0], eye_motion=given, noise=noise)
    made = geometry.face(predicted.float())
    film = landmark_film([real.landmarks[0, ..., :2], made.landmarks[0, ..., :2]])
    return Sample(film, clip_sound(clip, count))


def head_film(poses: Sequence[Tensor], gazes: Sequence[Tensor] | None = None) -> Tensor:
    """A neutral face as lines under poses [T, 6] and gazes [T, 2], side by side.

    It is the stylised face whatever the coefficient space: both share camera and angles. A gaze turns
    the eyes' lines by as much as it turns the eyes.
    """
    from gohd_core.face.geometry.morphable import MorphableModel

    model = MorphableModel.stylised().landmarks_only()
    tracks = []
    for index, pose in enumerate(poses):
        points = model.landmarks_2d(pose=pose.detach().float().cpu())
        if gazes is not None:
            pitch, yaw = gazes[index].detach().float().cpu().unbind(-1)
            # The eye lines are 24 pixels wide, an eyeball's radius is about half of that.
            points[:, EYES] += 12 * torch.stack([-yaw.sin(), -pitch.sin()], -1)[:, None]
        tracks.append(points * torch.tensor([1.0, -1.0], dtype=torch.float32, device="cpu"))
    return landmark_film(tracks)


def driven_film(
    draw: Callable[[Tensor, Tensor, Tensor], Tensor],
    clip: Clip,
    windows: Callable[[np.ndarray, Sequence[int]], np.ndarray],
    *,
    frames: int = 100,
    batch: int = 8,
) -> Sample:
    """The beginning of a clip at the left; at the right its first frame, driven by the clip's motion.

    draw: (source [1, 3, S, S], its own descriptor [1, 72], windows [b, 72, W]) -> frames [b, 3, S, S].
    windows: (descriptors [T, 72], frame numbers) -> [b, W, 72]; see `draws.coefficient_windows`.
    """
    count = min(frames, len(clip))
    parts = [clip.read("expression"), clip.read("pose"), clip.read("gaze")[:, ::-1]]
    descriptors = np.concatenate(parts, 1)
    truth = (
        rearrange(torch.from_numpy(clip.read("frames", 0, count)), "t h w c -> t c h w").float() / 127.5 - 1
    )
    own, made = torch.from_numpy(descriptors[:1]), []
    for start in range(0, count, batch):
        numbers = list(range(start, min(start + batch, count)))
        window = torch.from_numpy(np.ascontiguousarray(windows(descriptors, numbers).transpose(0, 2, 1)))
        made.append(draw(truth[:1], own, window).float().cpu().clamp(-1, 1))
    return Sample(torch.cat([truth, torch.cat(made)], 3), clip_sound(clip, count))


def clip_sound(clip: Clip, frames: int) -> Tensor | None:
    """The clip's sound up to a frame, [N] at 16 kHz, or None where it has none."""
    if "audio" not in clip:
        return None
    return torch.from_numpy(clip.read("audio", 0, frames * SAMPLES_PER_FRAME).astype(np.float32) / 32768)
