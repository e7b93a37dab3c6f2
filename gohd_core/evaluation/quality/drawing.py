"""Frames and flows that the animator draws for true coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from gohd_core.animator import Animator
from gohd_core.animator.encoder import Source
from gohd_core.animator.windows import network_descriptors, windows_at
from gohd_core.clips import Clip
from gohd_core.errors import BadInput
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.mesh.builtin import BuiltinAnimator
from gohd_core.mesh.source import MeshSource
from gohd_core.motion import Motion
from gohd_core.video.writer import frames_to_bytes

FLOW_SIZE = 128


@dataclass(frozen=True)
class DrawnFrames:
    """frames u8 [n, S, S, 3]; flows [n, 2, 128, 128] (x, y) in pixels of a 128-pixel picture, backward, or
    None of frames that are drawn by their mesh."""

    frames: np.ndarray
    flows: Tensor | None


def encode(
    animator: Animator | BuiltinAnimator, picture: np.ndarray, own: Motion, reader: FaceReader | None = None
) -> Source | MeshSource:
    """A picture [S, S, 3] u8 with its coefficients, one frame; with a reader, by the mesh that it reads."""
    image = rearrange(torch.from_numpy(np.array(picture)), "h w c -> 1 c h w") / 127.5 - 1
    if reader is None:
        return animator.encode_source(image, own)
    faces = reader.read(np.array(picture))
    if not faces:
        raise BadInput("No face is read in a head of the benchmark; it can't be drawn by its mesh.")
    mask = torch.from_numpy(reader.person_mask(np.array(picture)))
    given = {"mesh": torch.from_numpy(faces[0].points), "person_mask": mask, "held": (False,) * 4}
    return animator.encode_source(image, own, **given)


@torch.inference_mode()
def draw(
    animator: Animator | BuiltinAnimator,
    source: Source | MeshSource,
    motion: Motion,
    frames: range,
    *,
    strength: float = 1.0,
) -> DrawnFrames:
    """Frames of a motion. For stills, whose neighbours are unrelated, see `draw_stills`."""
    windows = windows_at(network_descriptors(motion), frames, animator.config.window, float(motion.fps))
    return _decode(animator, source, windows, strength)


@torch.inference_mode()
def draw_stills(
    animator: Animator | BuiltinAnimator,
    source: Source | MeshSource,
    motion: Motion,
    frames: list[int],
    *,
    strength: float = 1.0,
) -> DrawnFrames:
    """Single pictures: each descriptor is held over its whole window."""
    rows = network_descriptors(motion)[frames]
    return _decode(animator, source, rows[:, :, None].repeat(1, 1, animator.config.window), strength)


def _decode(
    animator: Animator | BuiltinAnimator, source: Source | MeshSource, windows: Tensor, strength: float
) -> DrawnFrames:
    magnitudes = animator.magnitudes(source, windows)
    if isinstance(source, MeshSource):
        return DrawnFrames(frames_to_bytes(animator.decode(source, magnitudes, strength)), None)
    network, pictures, flows = animator.network, [], []
    for row in magnitudes.split(1):
        decoded = network.draw(source, row, strength)
        pictures.append(frames_to_bytes(decoded.pyramid[0].float().cpu().clamp(-1, 1)))
        flow = decoded.flows[-1].float().cpu()
        flow = F.interpolate(flow, size=(FLOW_SIZE, FLOW_SIZE), mode="bilinear", antialias=True)
        flows.append(flow * (FLOW_SIZE / 2))
    return DrawnFrames(np.concatenate(pictures), torch.cat(flows))


def true_flow(clip: Clip, source: int, target: int) -> tuple[Tensor, Tensor]:
    """Exact flow [2, 128, 128], as `DrawnFrames` has it, and where the source shows the point [128, 128]."""
    from gohd_core.training.animator.examples import stored_flow

    flow, visible, _ = stored_flow(clip, source, target, FLOW_SIZE)
    return rearrange(torch.from_numpy(flow), "h w xy -> xy h w"), torch.from_numpy(visible)


def as_pictures(frames: np.ndarray) -> Tensor:
    """u8 [n, S, S, 3] -> float [n, 3, S, S] in 0..1, as the picture measures take them."""
    return rearrange(torch.from_numpy(np.ascontiguousarray(frames)), "t h w c -> t c h w").float() / 255
