"""From a portrait and a sound to a talking clip: the whole audio-driven pipeline of §3."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gohd_core.animator import Animator
from gohd_core.audio import AudioFeatures
from gohd_core.checkpoints import BUILTIN
from gohd_core.checkpoints.released import find_released
from gohd_core.constants import BFM09, FPS
from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.expression import ExpressionPredictor
from gohd_core.face import CoefficientExtractor, GazeEstimator, MorphableModel, Portrait
from gohd_core.face.reprojection import photograph_warning
from gohd_core.motion import Expression, Gaze, Motion
from gohd_core.pose import GazeDiffusion, PoseDiffusion

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called as progress(stage, done, total)."""

GAZES = ("hold", "sample")

_OFFICIAL = {
    "animator": "FaceAnimator_GoHD.pt",
    "pose": "audio2pose.pt",
    "expression": "audio2exp.pth",
    "extractor": "epoch_20.pth",
    "gaze_estimator": "L2CSNet_gaze360.pkl",
    "gaze": "audio2gaze.pt",
    "face_model": "BFM_model_front.mat",
}
_OPTIONAL = ("gaze", "face_model")


@dataclass(frozen=True)
class Models:
    """One family of networks; all of them are in one coefficient space."""

    animator: Animator
    pose: PoseDiffusion
    expression: ExpressionPredictor
    extractor: CoefficientExtractor
    gaze_estimator: GazeEstimator
    gaze: GazeDiffusion | None = None
    face_model: MorphableModel | None = None
    """Where the eye motion of e0 is read off, for two-stage expression weights in the bfm09 space."""

    def __post_init__(self) -> None:
        spaces = {name: model.space for name, model in vars(self).items() if hasattr(model, "space")}
        if len(set(spaces.values())) > 1:
            listed = ", ".join(f"{name} {space}" for name, space in spaces.items())
            raise BadInput(f"These models are of different coefficient spaces ({listed}); load one family.")

    @classmethod
    def load(
        cls,
        folder: str | Path = BUILTIN,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Models:
        """The built-in family, or the official files (or their conversions) in a folder.

        `dtype` is the animator's; the motion models are small and stay float32.
        """
        paths = _built_in() if str(folder) == BUILTIN else _official(Path(folder))
        expression = ExpressionPredictor.load(paths["expression"], device=device)
        return cls(
            animator=Animator.load(paths["animator"], device=device, dtype=dtype),
            pose=PoseDiffusion.load(paths["pose"], device=device),
            expression=expression,
            extractor=CoefficientExtractor.load(paths["extractor"], device=device),
            gaze_estimator=GazeEstimator.load(paths["gaze_estimator"], device=device),
            gaze=GazeDiffusion.load(paths["gaze"], device=device) if "gaze" in paths else None,
            face_model=_face_model(expression, paths),
        )


@dataclass(frozen=True)
class TalkOptions:
    """How a clip is made.

    Attributes:
        seed: of head pose, eye motion and sampled gaze; the same seed gives the same clip.
        gaze: "hold" keeps the portrait's own gaze (as in the paper's experiments), "sample" draws it from
            the gaze diffusion, a pair sets (pitch, yaw) in radians.
        sampler, steps, guidance: of the diffusion; None takes the model's own default (gamma 0.4 of eq. 3).
        pose_scale: factor on the head's movement around the portrait's own pose. The official script
            multiplies the whole pose, the portrait's own part included, by 1.2.
        expression_scale: factor on the expression (official script: 1.5).
        strength: factor on the navigation vector (Fig. 8).
    """

    seed: int = 0
    gaze: str | tuple[float, float] = "hold"
    sampler: str = "dpmpp_2m"
    steps: int | None = 20
    guidance: float | None = None
    pose_scale: float = 1.0
    expression_scale: float = 1.0
    strength: float = 1.0
    batch_size: int = 8

    def __post_init__(self) -> None:
        if isinstance(self.gaze, str) and self.gaze not in GAZES:
            raise BadInput(f"{self.gaze!r} is no gaze; use {', '.join(GAZES)} or a pitch and a yaw.")


def motion_from_audio(
    features: AudioFeatures,
    portrait: Portrait,
    models: Models,
    options: TalkOptions = TalkOptions(),
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Motion:
    """Head poses (eq. 1-4), expressions (eq. 5-8) and gaze for a sound, T = round(25 * duration) frames.

    The portrait must carry its own coefficients p0, e0 and g0.
    """
    p0, e0 = portrait.p0, portrait.e0
    space = models.animator.space
    pose = models.pose.sample_pose(
        features.condition(models.pose.alignment),
        p0,
        should_stop=should_stop,
        **_sampling(options, "pose", progress),
    )
    moved = p0 + options.pose_scale * (pose.values - p0)
    eye0 = None if models.face_model is None else models.face_model.eye_motion_feature(e0[None])[0]
    expression, _ = models.expression.predict(
        features,
        e0,
        eye0,
        seed=options.seed,
        progress=_stage(progress, "expression"),
        should_stop=should_stop,
    )
    motion = Motion(
        type(pose)(moved, space),
        Expression(expression * options.expression_scale, space),
        _gaze(features, portrait, models, options, progress, should_stop),
    )
    return motion.fitted(max(round(features.duration * FPS), 1))


def talk(
    portrait: Portrait,
    features: AudioFeatures,
    models: Models,
    options: TalkOptions = TalkOptions(),
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Motion, Iterator[Tensor]]:
    """Makes a portrait say a sound.

    Returns: the motion, and the frames as they are drawn, `[b, 3, S, S]` in [-1, 1] at 25 a second.
    """
    motion = motion_from_audio(
        features, portrait, models, options, progress=progress, should_stop=should_stop
    )
    warning = photograph_warning(portrait, models.animator.space)
    if warning is not None:
        logger.warning(warning)
    own = Motion(portrait.pose, portrait.expression, portrait.gaze)
    source = models.animator.encode_source(portrait.source, own)
    frames = models.animator.animate(
        source,
        motion,
        batch_size=options.batch_size,
        strength=options.strength,
        progress=_stage(progress, "frames"),
        should_stop=should_stop,
    )
    return motion, frames


def _gaze(
    features: AudioFeatures,
    portrait: Portrait,
    models: Models,
    options: TalkOptions,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> Gaze:
    space, frames = models.animator.space, len(features)
    if options.gaze == "sample":
        if models.gaze is None:
            raise BadInput(
                "Gaze can't be sampled without a gaze diffusion model; load one, or hold the gaze."
            )
        condition = features.condition(models.gaze.alignment)
        sampling = _sampling(options, "gaze", progress)
        return models.gaze.sample_gaze(condition, portrait.gaze, should_stop=should_stop, **sampling)
    pitch, yaw = portrait.g0.tolist() if options.gaze == "hold" else options.gaze
    return Gaze.constant(pitch, yaw, frames, space=space)


def _sampling(options: TalkOptions, stage: str, progress: Progress | None) -> dict[str, Any]:
    return {
        "seed": options.seed,
        "sampler": options.sampler,
        "steps": options.steps,
        "guidance": options.guidance,
        "progress": _stage(progress, stage),
    }


def _stage(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)


def _face_model(expression: ExpressionPredictor, paths: dict[str, Any]) -> MorphableModel | None:
    """The user's 3DMM, where the expression weights have a second stage that needs it."""
    if expression.space != BFM09 or not expression.config.generates_eye_motion:
        return None
    if "face_model" not in paths:
        raise BadCheckpoint(
            "These expression weights generate eye motion, which starts from the portrait's own: put "
            "BFM_model_front.mat beside them, or use the released stage-1 weights."
        )
    return MorphableModel.from_file(paths["face_model"])


def _built_in() -> dict[str, str]:
    return dict.fromkeys(_OFFICIAL, BUILTIN)


def _official(folder: Path) -> dict[str, Path]:
    found = find_released((folder,))
    paths = {role: found[name] for role, name in _OFFICIAL.items() if name in found}
    missing = [name for role, name in _OFFICIAL.items() if role not in (*paths, *_OPTIONAL)]
    if missing:
        raise BadCheckpoint(f"{folder} lacks {', '.join(missing)}; `gohd doctor` says where each can be had.")
    return paths
