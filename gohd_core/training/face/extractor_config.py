"""Training config of the extractor and the gaze estimator: losses, networks, augmentation, schedule."""

from __future__ import annotations

from dataclasses import dataclass, field

from gohd_core.face.reading.extractor_network import ExtractorConfig
from gohd_core.face.reading.gaze_estimator import GazeConfig
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import ResNetConfig
from gohd_core.training.face.examples import GuideConfig, PictureChanges
from gohd_core.training.framework.config import Weight
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig, RunConfig

SMALL = ResNetConfig("basic", (1, 2, 2, 1), 16)
"""Backbone of the built-in readers."""

EYES = ("right_eye", "left_eye")


@dataclass(frozen=True)
class ExtractorLosses:
    """Weights of the extractor's terms; a group's term is its mean absolute error.

    Attributes:
        landmarks: 2-D landmarks that the network finds, in units of half the picture.
        projection: the landmarks that the coefficients make through the morphable model, in the
            same unit: it weighs every coefficient by what it does in the picture.
        expression, identity: mean squared errors. Most expressions are at rest in most pictures, so
            that the absolute error is content with rest; most of an identity can't be seen at all.
    """

    landmarks: Weight = 10.0
    projection: Weight = 10.0
    expression: Weight = 30.0
    angle: Weight = 5.0
    translation: Weight = 5.0
    identity: Weight = 0.1


@dataclass(frozen=True)
class GazeLosses:
    """Weights of the gaze estimator's terms, as L2CS-Net has them: bins by cross entropy, and angles.

    Attributes:
        angle: mean squared error in units of 10 degrees.
        landmarks: 2-D landmarks, where the network has glimpses.
        closed: frames whose eyes are open by less than this (height to width) don't count.
    """

    bins: Weight = 1.0
    angle: Weight = 1.0
    landmarks: Weight = 10.0
    closed: float = 0.12


def _reader_data() -> DataConfig:
    return DataConfig(batch=32, validation_batches=16)


def _reader_loop() -> LoopConfig:
    return LoopConfig(steps=8000, ema=0.998, validate_every=500, picture_every=1000)


def _reader_optimiser() -> OptimiserConfig:
    return OptimiserConfig(
        learning_rate=2e-3, schedule="cosine", final_scale=0.01, warmup_steps=100, clip_norm=5.0
    )


@dataclass(frozen=True)
class ReaderConfig(RunConfig):
    """Config of both trainers; the defaults make the built-in networks.

    Attributes:
        start: weights file to fine-tune; its own config then replaces `network`.
        changes: random changes of the training pictures.
        guide: where glimpses look in training.
        mirror_share: share of the pictures that are seen in a mirror (stylised space).
    """

    data: DataConfig = field(default_factory=_reader_data)
    loop: LoopConfig = field(default_factory=_reader_loop)
    optimiser: OptimiserConfig = field(default_factory=_reader_optimiser)
    start: str | None = None
    changes: PictureChanges = field(default_factory=PictureChanges)
    guide: GuideConfig = field(default_factory=GuideConfig)
    mirror_share: float = 0.0


@dataclass(frozen=True)
class ExtractorTraining(ReaderConfig):
    """Everything that training a coefficient extractor needs; face_model: BFM file for bfm09."""

    network: ExtractorConfig = field(
        default_factory=lambda: ExtractorConfig(
            image_size=128,
            aligned=False,
            backbone=SMALL,
            heads=("identity", "expression", "angle", "shift", "depth"),
            glimpses=GlimpseConfig(),
        )
    )
    losses: ExtractorLosses = field(default_factory=ExtractorLosses)
    face_model: str | None = None


@dataclass(frozen=True)
class GazeTraining(ReaderConfig):
    """Everything that training a gaze estimator needs.

    Attributes:
        reader: file of a small extractor whose reader this network's reader begins with.
    """

    network: GazeConfig = field(
        default_factory=lambda: GazeConfig(
            image_size=128, backbone=SMALL, glimpses=GlimpseConfig(regions=EYES), imagenet=False
        )
    )
    losses: GazeLosses = field(default_factory=GazeLosses)
    reader: str | None = None
