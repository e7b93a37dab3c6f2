"""The paper's measures on videos: each with its source, result and real beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core.errors import BadInput
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.quality.drawing import as_pictures
from gohd_core.evaluation.report import Report, Table
from gohd_core.evaluation.videos.clips import (
    Readers,
    VideoClip,
    VideoReadConfig,
    neutral_landmarks,
    pairs,
    read_video,
)
from gohd_core.face.reading.gaze_estimator import angular_error
from gohd_core.landmarks68 import EYES_AND_BROWS, MOUTH
from gohd_core.measures.fid import Features, frechet_distance, gaussian_of
from gohd_core.measures.images import perceptual_distance, psnr, ssim
from gohd_core.measures.lse import clip_score
from gohd_core.measures.motion_statistics import audio_beats, beat_alignment
from gohd_core.measures.mouth_sync import best_lag, mouth_opening, speech_envelope
from gohd_core.measures.sequences import blinks, jerk, structural_similarity

SOURCES = {
    "LSE-D": "Prajwal et al. 2020; least mean distance over shifts, lip expert's embeddings of the crop's "
    "lower half, 5 frames (lip_score.py); needs --lip-sync",
    "LSE-C": "the same; median over shifts less the least",
    "FID": "Heusel et al. 2017; torch-fidelity's Inception (which resizes to 299), all frames; needs "
    "--inception",
    "CSIM": "Deng et al. 2019 (ArcFace, which resizes to 112): cosine to the real video's first frame; needs "
    "--arcface",
    "PSNR dB": "frame by frame against the real video",
    "SSIM": "Wang et al. 2004, luminance, frame by frame",
    "perc.": "ours: oriented edges over four scales (pictures.py)",
    "SSIM_p": "paper, Table 2: eq. 26's similarity of head poses",
    "Var_p x1000": "paper, Table 2: variance of head poses",
    "SSIM_e": "paper, Table 2: eq. 26's similarity of eye and brow landmarks",
    "Var_e x100": "paper, Table 2: variance of eye and brow landmarks, neutral eye heights",
    "MLD px": "paper, Tables 3, 5, 6: mean distance of mouth landmarks, pixels of a 224-pixel face",
    "gaze error": "mean angle to the real gaze in degrees",
    "blinks/min": "runs of the eye ratio below 0.5",
    "blink s": "their mean length",
    "beat align.": "turns of the head near rises in loudness, Gaussian of 1.5 frames",
    "jitter": "mean third difference of mouth landmarks, pixels a s^3",
    "lag frames": "shift at which the mouth's opening and loudness correlate best; positive: mouth late",
    "lag corr.": "that correlation",
}
"""Each measure and its source, in the order of the table."""
RESULT, REAL = "result", "real"


@dataclass(frozen=True)
class Networks:
    """Networks that measures need; those that are missing leave their column empty.

    Attributes: lip_sync a `LipSync`; inception features of pictures; arcface u8-free pictures in
        [-1, 1] -> unit vectors; names the files' names, for the setting.
    """

    lip_sync: Any = None
    inception: Features | None = None
    arcface: Callable[[torch.Tensor], tuple[torch.Tensor]] | None = None
    names: dict[str, str] = field(default_factory=dict)


def own_figures(clip: VideoClip, sound: Any, networks: Networks) -> dict[str, float]:
    """Measures of one video alone; `sound` is the real video's."""
    points = neutral_landmarks(clip.face)
    rate, length = blinks(clip.face.eye_motion[0, :, 0].numpy())
    figures = {
        "Var_p x1000": 1000 * float(clip.pose.var(axis=0).mean()),
        "Var_e x100": 100 * float(_eyes(clip).var(axis=0).mean()),
        "blinks/min": rate,
        "blink s": length,
        "jitter": jerk(points[:, MOUTH]),
    }
    if sound is not None:
        opening, loud = mouth_opening(points), speech_envelope(sound.waveform.numpy())
        count = min(len(opening), len(loud))
        lag = best_lag(opening[:count], loud[:count], min(12, count // 3))
        figures |= {"lag frames": lag.frames, "lag corr.": lag.correlation}
        figures["beat align."] = beat_alignment(clip.pose, audio_beats(sound.mel[: len(clip)].numpy()))
        if networks.lip_sync is not None:
            score = clip_score(networks.lip_sync, clip.frames, sound.chunks)
            figures |= {"LSE-D": score.distance, "LSE-C": score.confidence}
    return figures


def paired_figures(made: VideoClip, real: VideoClip, networks: Networks) -> dict[str, float]:
    """Measures of a video against the real one, frame by frame."""
    a, b = as_pictures(made.frames), as_pictures(real.frames)
    gap = neutral_landmarks(made.face)[:, MOUTH] - neutral_landmarks(real.face)[:, MOUTH]
    # doubles: the arc of a cosine near 1 is coarse
    gaze, true = torch.from_numpy(made.gaze).double(), torch.from_numpy(real.gaze).double()
    figures = {
        "PSNR dB": -10 * math.log10(float((10 ** (-psnr(a, b) / 10)).mean())),
        "SSIM": float(ssim(a, b).mean()),
        "perc.": float(perceptual_distance(a, b).mean()),
        "SSIM_p": structural_similarity(real.pose, made.pose),
        "SSIM_e": structural_similarity(_eyes(real), _eyes(made)),
        "MLD px": float(np.linalg.norm(gap, axis=-1).mean()),
        "gaze error": float(angular_error(gaze, true).mean()),
    }
    if networks.arcface is not None:
        with torch.inference_mode():
            faces = torch.cat([networks.arcface(part * 2 - 1)[0] for part in a.split(32)])
            own = networks.arcface(b[:1] * 2 - 1)[0]
        figures["CSIM"] = float((faces * own).sum(-1).mean())
    return figures


def _eyes(clip: VideoClip) -> np.ndarray:
    return clip.face.offsets[0][:, list(EYES_AND_BROWS)].flatten(1).numpy()


def evaluate(
    result: Path,
    real: Path,
    readers: Readers,
    reading: VideoReadConfig = VideoReadConfig(),  # noqa: B008 (frozen)
    networks: Networks = Networks(),
    *,
    progress: Progress | None = None,
) -> Report:
    """Measures videos against real ones of the same names; each pair is cut to the shorter's length.

    Raises: `BadInput` for videos that can't be paired, read or cropped.
    """
    matched = pairs(result, real)
    rows: dict[str, list[dict[str, float]]] = {RESULT: [], REAL: []}
    frames: dict[str, list[np.ndarray]] = {RESULT: [], REAL: []}
    for files in with_progress(matched, "videos", progress):
        clips = [read_video(path, reading, readers) for path in files]
        count = min(map(len, clips))
        made, true = (clip.cut(count) for clip in clips)
        sound = true.sound or made.sound
        for row, clip in ((RESULT, made), (REAL, true)):
            rows[row].append(own_figures(clip, sound, networks) | paired_figures(clip, true, networks))
            if networks.inception is not None:
                frames[row].append(clip.frames)
    table = Table("Videos against real ones")
    for row, found in rows.items():
        table.put(row, {name: _mean([f[name] for f in found if name in f]) for name in SOURCES})
    if networks.inception is not None:
        both = [gaussian_of(frames[row], networks.inception) for row in (RESULT, REAL)]
        table.put(RESULT, {"FID": frechet_distance(*both)})
        table.put(REAL, {"FID": 0.0})
    table.note = "\n".join(f"{name}: {source}." for name, source in SOURCES.items())
    setting = reading.setting() | {"space": readers.extractor.space, "videos": len(matched)} | networks.names
    return Report("evaluate", setting, {"result": result.name, "real": real.name}, [table])


def _mean(values: Sequence[float]) -> float | None:
    kept = [value for value in values if math.isfinite(value)]
    return float(np.mean(kept)) if kept else None


def check_size(size: int) -> int:
    """The side that crops are resized to; `BadInput` outside 64..1024."""
    if not 64 <= size <= 1024:
        raise BadInput(f"The size must be from 64 to 1024 pixels, not {size}.")
    return size
