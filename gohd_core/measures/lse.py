"""LSE-C and LSE-D (Prajwal et al. 2020): how near sound and mouths are for a lip-sync network.

Distances are Euclidean, between embeddings of one 0.2 s window of mouths and of sound shifted by
-15..15 frames. LSE-D is the least mean distance over shifts, LSE-C the median over shifts less that.
The published figures use SyncNet's own network (1,024 features, not of unit length); the lip expert
taken here has unit embeddings, so these figures compare with each other, not with the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from gohd_core.errors import BadInput

SHIFTS = 15


@dataclass(frozen=True)
class LipScore:
    """LSE-D (small is good), LSE-C (large is good) and the shift in frames at which the distance is least.

    A positive shift means that the mouths come after the sound.
    """

    distance: float
    confidence: float
    shift: int


def lip_score(audio: Tensor, mouths: Tensor, shifts: int = SHIFTS) -> LipScore:
    """From embeddings [T, D] of every frame's sound and mouths."""
    if len(audio) != len(mouths) or len(mouths) <= 2 * shifts:
        raise BadInput(
            f"A lip-sync score needs more than {2 * shifts} frames of sound and mouths each; there are "
            f"{len(audio)} and {len(mouths)}."
        )
    means = []
    for shift in range(-shifts, shifts + 1):
        late = mouths[max(shift, 0) : len(mouths) + min(shift, 0)]
        heard = audio[max(-shift, 0) : len(audio) + min(-shift, 0)]
        means.append(float(torch.linalg.vector_norm(late - heard, dim=-1).mean()))
    best = int(np.argmin(means))
    return LipScore(means[best], float(np.median(means) - means[best]), best - shifts)


@torch.inference_mode()
def clip_score(expert: object, frames: np.ndarray, chunks: Tensor) -> LipScore:
    """Lip-sync errors of face crops u8 [T, S, S, 3] and lip chunks [T, 80, 16], with a `LipSync` network."""
    config = expert.config
    count = min(len(frames), len(chunks)) - config.face_frames + 1
    half = config.face_frames // 2
    lower = torch.from_numpy(np.ascontiguousarray(frames[:, frames.shape[1] // 2 :]))
    lower = rearrange(lower, "t h w c -> t c h w").float() / 255
    size = (config.face_height, config.face_width)
    lower = F.interpolate(lower, size=size, mode="bilinear", antialias=True)
    windows = torch.stack([lower[k : k + config.face_frames].flatten(0, 1) for k in range(max(count, 0))])
    mouths = torch.cat([expert.embed_faces(part) for part in windows.split(64)])
    heard = chunks[half : half + len(windows)]
    return lip_score(torch.cat([expert.embed_audio(part) for part in heard.split(64)]), mouths)
