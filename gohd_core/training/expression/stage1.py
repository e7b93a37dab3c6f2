"""Stage 1 of the expression predictor: audio-to-lip distillation (eq. 5, 18-24)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.checkpoints.loading import load_network
from gohd_core.clips import Clip
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.expression import ExpressionConfig, ExpressionNetwork
from gohd_core.face.geometry.expression_geometry import Face, FaceGeometry
from gohd_core.landmarks68 import MOUTH
from gohd_core.training.audio.augmentation import AugmentationConfig, augmented_chunks
from gohd_core.training.audio.features import read_sound
from gohd_core.training.features import FeatureConfig, load_features
from gohd_core.training.framework.config import Weight, is_on
from gohd_core.training.framework.sample_videos import expression_film
from gohd_core.training.framework.sampling import audio_frames, random_window, valid_frames
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig, RunConfig
from gohd_core.training.framework.task import Batch, Export, Moment, Player, Sample, Task, Terms
from gohd_core.training.losses import expression as losses


@dataclass(frozen=True)
class Stage1Losses:
    """Weights of eq. 19; the paper's are the defaults, but for the lip reader's, which is 2.

    `lip_gap`, `parted`, `eye_ratio`, `spread` and `squares` are ours and off by default.
    """

    landmarks: Weight = 0.01
    eye_motion: Weight = 2.0
    mouth_closing: Weight = 1.0
    lip_reading: Weight = "off"
    coefficients: Weight = 2.0
    lip_gap: Weight = "off"
    parted: Weight = "off"
    eye_ratio: Weight = "off"
    spread: Weight = "off"
    squares: Weight = "off"


@dataclass(frozen=True)
class Stage1Features:
    """The lip-reading expert that eq. 23 looks through."""

    lip_reading: FeatureConfig = field(default_factory=lambda: FeatureConfig("lip_reading"))


@dataclass(frozen=True)
class Stage1Config(RunConfig):
    """Everything that training stage 1 needs; the defaults are the paper's (supplement C).

    Attributes:
        network: of kind "stage1".
        frames: length of a training sequence.
        stride: steps in frames between the frames of a sequence: above 1, they carry more
            information, since neighbours hear nearly the same sound.
        face_model: BFM_model_front.mat for the space bfm09; null for the stylised face.
        start: weights file to begin with; its network must be that of this config.
        mouth_coefficients: which of the 64 rest when the sound is replaced by noise
            (augmentation.quiet_share); in the stylised space, () means all that move the mouth.
    """

    data: DataConfig = field(default_factory=lambda: DataConfig(batch=16))
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=100_000))
    optimiser: OptimiserConfig = field(default_factory=lambda: OptimiserConfig(learning_rate=1e-4))
    network: ExpressionConfig = field(default_factory=lambda: ExpressionConfig(eye_motion_input=True))
    losses: Stage1Losses = field(default_factory=Stage1Losses)
    features: Stage1Features = field(default_factory=Stage1Features)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    frames: int = 30
    stride: int = 1
    face_model: str | None = None
    start: str | None = None
    mouth_coefficients: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stage1Draw:
    """Frames of a talking clip, `stride` apart: their lip chunks and expressions.

    The targets are the clip's own expressions. For real video these are to come from clips that a
    lip expert re-synchronised; that is the distillation. e0 is that of any frame of the clip.
    """

    frames: int
    stride: int
    augmentation: AugmentationConfig
    mouth: tuple[int, ...]
    keep_features: bool

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, Any]:
        length = (self.frames - 1) * self.stride + 1
        window = random_window(clip, length, rng, limit=audio_frames(clip))
        expression = clip.read("expression", window.start, window.stop)
        start = int(rng.choice(np.flatnonzero(valid_frames(clip))))
        if self.augmentation.changes_nothing:
            chunks = read_sound(clip, window, keep=self.keep_features)["chunks"]
        else:
            chunks, quiet = augmented_chunks(clip, window, rng, self.augmentation)
            if quiet:
                expression = expression.copy()
                expression[:, list(self.mouth)] = 0
        return {
            "path": str(clip.path),
            "chunks": chunks[:: self.stride],
            "expression": expression[:: self.stride],
            "e0": clip.read("expression", start, start + 1)[0],
        }


def mouth_coefficients(config: Stage1Config) -> tuple[int, ...]:
    """The coefficients that rest in sound without speech; BadInput where they aren't known."""
    if config.mouth_coefficients or not config.augmentation.quiet_share:
        return config.mouth_coefficients
    if config.data.space != STYLISED:
        raise BadInput(
            f"Which expression coefficients of {config.data.space!r} move the mouth is not known: "
            "give mouth_coefficients, or set augmentation.quiet_share=0."
        )
    from gohd_core.stylised.head.expressions import active_expressions

    return tuple(mode.index for mode in active_expressions() if mode.group == "mouth")


def distillation_terms(
    weights: Stage1Losses, truth: Tensor, predicted: Tensor, faces: tuple[Face, Face], terms: Terms
) -> None:
    """Adds L_distill of eq. 19 but for the lip reader's part; `faces` are of truth and prediction."""
    real, made = faces
    terms.add(
        "landmarks", weights.landmarks, lambda: losses.landmark_fidelity(real.landmarks, made.landmarks)
    )
    terms.add("eye_motion", weights.eye_motion, lambda: losses.l1(real.eye_motion, made.eye_motion))
    terms.add("mouth_closing", weights.mouth_closing, lambda: losses.shut_up(real.landmarks, made.landmarks))
    terms.add("coefficients", weights.coefficients, lambda: losses.l1(truth, predicted))
    terms.add("eye_ratio", weights.eye_ratio, lambda: losses.eye_ratio(real.eye_motion, made.eye_motion))
    terms.add("lip_gap", weights.lip_gap, lambda: losses.lip_gap(real.landmarks, made.landmarks))
    terms.add("parted", weights.parted, lambda: losses.parted(real.landmarks, made.landmarks))
    terms.add("spread", weights.spread, lambda: losses.spread(truth, predicted))
    terms.add("squares", weights.squares, lambda: losses.squares(truth, predicted))


def _network(config: Stage1Config) -> ExpressionNetwork:
    if config.start is None:
        return ExpressionNetwork(config.network)
    loaded = load_network(config.start, "expression")
    if loaded.config != config.network or loaded.space != config.data.space:
        raise BadInput(
            f"The expression network in {config.start} has another architecture or coefficient space than "
            "this config; use the config that it was trained with."
        )
    return loaded.network.train().requires_grad_(True)


class ExpressionStage1Task(Task):
    """Trains the audio encoder and the frame-wise mapping on true eye motion."""

    Config = Stage1Config
    config: Stage1Config

    def __init__(self, config: Stage1Config) -> None:
        super().__init__(config)
        if config.network.kind != "stage1":
            raise BadInput(f"Stage 1 trains network.kind=stage1, not {config.network.kind!r}.")
        network = _network(config)
        network.lips.audio_encoder.to(memory_format=torch.channels_last)  # a third faster on a CPU
        self.networks["expression"] = network
        features, self._notes = load_features(config.losses, config.features)
        self.frozen.update(features)
        self.geometry = FaceGeometry.load(config.face_model, config.data.space)
        self.mouth = mouth_coefficients(config)
        self.renderer = None
        if is_on(config.losses.lip_reading):
            from gohd_core.training.expression.mouth_renderer import MouthRenderer

            self.renderer = MouthRenderer.load(config.face_model, config.data.space)

    def players(self) -> Sequence[Player]:
        parameters = list(self.networks["expression"].parameters())
        return (Player("generator", parameters, self.config.optimiser),)

    def draw(self, split: str) -> Stage1Draw:
        augmentation = self.config.augmentation if split == "train" else AugmentationConfig()
        keep = self.config.data.cache_features
        return Stage1Draw(self.config.frames, self.config.stride, augmentation, self.mouth, keep)

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        truth = batch["expression"]
        real = self.geometry.to(self.device).face(truth)
        given = real.eye_motion if self.config.network.eye_motion_input else None
        predicted, _ = self.networks["expression"](batch["chunks"], batch["e0"], eye_motion=given)
        made = self.geometry.face(predicted)
        terms = Terms()
        distillation_terms(self.config.losses, truth, predicted, (real, made), terms)
        terms.add("lip_reading", self.config.losses.lip_reading, lambda: self._lip_reading(truth, predicted))
        terms.watch("mouth_distance_px", mouth_distance(real, made))
        return terms

    def _lip_reading(self, truth: Tensor, predicted: Tensor) -> Tensor:
        reader = self.frozen["lip_reading"]
        renderer = self.renderer.to(self.device)
        (real,), (made,) = (reader(renderer.mouths(e)) for e in (truth, predicted))
        return losses.lip_reading(real.detach(), made)

    def samples(self, batch: Batch) -> dict[str, Sample]:
        clip, keep = Clip(batch["path"][0]), self.config.data.cache_features
        network = self.networks["expression"]
        return {"face": expression_film(network, self.geometry, clip, self.device, keep=keep)}

    def notes(self) -> Iterable[str]:
        return self._notes

    def exports(self) -> Sequence[Export]:
        network, config = self.networks["expression"], self.config.network
        return (Export("expression", network, replace(config), self.config.data.space),)


def mouth_distance(real: Face, made: Face) -> Tensor:
    """MLD of Tables 3, 5 and 6: mean 2-D distance of the mouth landmarks, in aligned pixels."""
    gap = (real.landmarks - made.landmarks)[..., MOUTH, :2]
    return torch.linalg.vector_norm(gap, dim=-1).mean()
