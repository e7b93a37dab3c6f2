"""The ablations' measures of trained weights, on held-out clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gohd_core.clips import Clip, ClipDataset
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.ablations.tables import Ablation
from gohd_core.evaluation.quality.speech_motion import features_of
from gohd_core.expression import ExpressionPredictor
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.landmarks68 import MOUTH
from gohd_core.measures.sequences import structural_similarity
from gohd_core.pose import PoseDiffusion


def measure(ablation: Ablation, weights: Path, folders: Sequence[Path], count: int) -> dict[str, float]:
    """Means of the table's measures over at most `count` held-out clips of data sets."""
    sets = [ClipDataset(folder) for folder in folders]
    clips = [one.clip(entry) for one in sets for entry in one.select("test")][:count]
    if not clips:
        raise BadInput(f"{folders[0]} holds no clip of the split 'test'; give a larger data set.")
    if ablation.module == "animator":
        rows = [_frames_of(weights, clip) for clip in clips]
    elif ablation.module == "pose":
        model = PoseDiffusion.load(weights)
        rows = [_pose_of(model, clip) for clip in clips]
    else:
        predictor, geometry = ExpressionPredictor.load(weights), FaceGeometry.load(None, STYLISED)
        rows = [_expression_of(predictor, geometry, clip) for clip in clips]
    return {name: float(np.mean([row[name] for row in rows])) for name in ablation.measures}


def _expression_of(predictor: ExpressionPredictor, geometry: FaceGeometry, clip: Clip) -> dict[str, float]:
    features = features_of(clip)
    true = torch.from_numpy(clip.read("expression")[: len(features)])
    real = geometry.face(true[None])
    given = None
    if predictor.config.eye_motion_input and predictor.network.eyes is None:
        given = real.eye_motion[0]
    found, _ = predictor.predict(features, true[0], eye_motion=given, seed=1)
    made = geometry.face(found[None])
    gap = (made.landmarks - real.landmarks)[0, :, MOUTH, :2]
    similar = structural_similarity(real.eye_motion[0].numpy(), made.eye_motion[0].numpy())
    return {"MLD px": float(gap.norm(dim=-1).mean()), "SSIM_e": similar}


def _pose_of(model: PoseDiffusion, clip: Clip) -> dict[str, float]:
    features = features_of(clip)
    true = clip.read("pose")[: len(features)]
    mel, first = features.condition(model.alignment), torch.from_numpy(true[0].copy())
    made = model.sample_pose(mel, first, seed=1, sampler="dpmpp_2m", steps=20).values.numpy()
    return {"SSIM_p": structural_similarity(true, made), "denoised": denoised_share(model, mel, true)}


def denoised_share(model: PoseDiffusion, mel: Tensor, true: np.ndarray) -> float:
    """Share of true movement that a denoiser recovers from the noise of the middle step.

    1 - sum |x_0 found - x_0|^2 / sum |x_0|^2 with x_0 the residual over the first frame (eq. 1) of the
    clip's first window: 1 is all of it, 0 is what no movement at all would be. mel [T, 320]; true [T, C].
    """
    frames = min(len(true), model.config.window)
    first = torch.from_numpy(true[:1].copy())
    x0 = (torch.from_numpy(true[:frames].copy()) - first) / model.config.units
    step = len(model.schedule) // 2
    kept = model.schedule.alpha_bar_at(step)
    noise = torch.randn(
        x0.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float32, device="cpu"
    )
    noisy = kept**0.5 * x0 + (1 - kept) ** 0.5 * noise
    predicted = model.denoise(
        noisy[None], mel[None, :frames], first, torch.tensor([step], dtype=torch.long, device="cpu")
    )[0].cpu()
    found = (noisy - (1 - kept) ** 0.5 * predicted) / kept**0.5
    return float(1 - (found - x0).square().sum() / x0.square().sum())


def _frames_of(weights: Path, clip: Clip) -> dict[str, float]:
    from gohd_core.animator import Animator
    from gohd_core.evaluation.quality.drawing import draw_stills, encode
    from gohd_core.evaluation.quality.frame_tables import picture_figures

    animator, motion = Animator.load(weights), clip.motion()
    frames, landmarks = clip.read("frames"), clip.read("landmarks")
    chosen = list(range(1, len(clip), 3))
    source = encode(animator, frames[0], motion[:1])
    drawn = draw_stills(animator, source, motion, chosen).frames
    figures = picture_figures(drawn, frames[chosen], landmarks[chosen])
    return {name: float(value.mean()) for name, value in figures.items()}
