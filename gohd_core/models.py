"""One family of networks, built-in or official, loaded together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from gohd_core.animator import Animator
from gohd_core.checkpoints.sources import family_paths, find_released
from gohd_core.components import BUILTIN, FACE_MODEL
from gohd_core.constants import BFM09
from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.expression import ExpressionPredictor
from gohd_core.face import CoefficientExtractor, GazeEstimator, MorphableModel
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.mesh.builtin import BuiltinAnimator, load_animator
from gohd_core.pose import GazeDiffusion, PoseDiffusion


@dataclass(frozen=True)
class Models:
    """One family of networks; all of them are in one coefficient space."""

    animator: Animator | BuiltinAnimator
    pose: PoseDiffusion
    expression: ExpressionPredictor
    extractor: CoefficientExtractor
    gaze_estimator: GazeEstimator
    gaze: GazeDiffusion | None = None
    face_model: MorphableModel | None = None
    """Face model for the eye motion of e0, for two-stage expression weights in the bfm09 space."""
    reader: FaceReader | None = None
    """Reads faces of any picture, where its files are there."""

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
        paths = family_paths(folder)
        expression = ExpressionPredictor.load(paths["expression"], device=device)
        return cls(
            animator=load_animator(paths["animator"], device=device, dtype=dtype),
            pose=PoseDiffusion.load(paths["pose"], device=device),
            expression=expression,
            extractor=CoefficientExtractor.load(paths["extractor"], device=device),
            gaze_estimator=GazeEstimator.load(paths["gaze_estimator"], device=device),
            gaze=GazeDiffusion.load(paths["gaze"], device=device) if "gaze" in paths else None,
            face_model=_face_model(expression, folder),
            reader=FaceReader.find(device=device),
        )


def _face_model(expression: ExpressionPredictor, folder: str | Path) -> MorphableModel | None:
    """The user's 3DMM, where the expression weights have a second stage that needs it."""
    if expression.space != BFM09 or not expression.config.generates_eye_motion:
        return None
    path = find_released((Path(folder),)).get(FACE_MODEL.name)
    if path is None:
        raise BadCheckpoint(
            "These expression weights generate eye motion, which starts from the portrait's own: put "
            f"{FACE_MODEL.name} beside them, or use the released stage-1 weights."
        )
    return MorphableModel.from_file(path)
