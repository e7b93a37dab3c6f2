"""Config of stage 2 of the expression predictor: losses, generator, discriminators, data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from gohd_core.checkpoints import load_network
from gohd_core.errors import BadInput
from gohd_core.expression import ExpressionConfig
from gohd_core.training.expression.stage1 import Stage1Losses
from gohd_core.training.framework.config import Weight
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig, RunConfig


@dataclass(frozen=True)
class Stage2Losses:
    """Weights of eq. 25, the paper's (supplement C); "off" leaves a part out (Table 6).

    `eye_ratio` is ours and off by default. `stage1` multiplies all of `distillation`; the lip reader's
    part belongs to stage 1's training, since stage 2 does not move the mapping from sound to lips.
    """

    similarity: Weight = 2.0
    eye_motion: Weight = 2.0
    eye_discriminator: Weight = 1.0
    eye_motion_discriminator: Weight = 1.0
    coefficient_discriminator: Weight = 1.0
    stage1: Weight = 1.0
    eye_ratio: Weight = "off"
    distillation: Stage1Losses = field(default_factory=Stage1Losses)


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator's part of an `ExpressionConfig`; the rest is that of stage 1."""

    kind: Literal["lstm", "transformer"] = "lstm"
    embedding_hidden: int = 128
    embedding_width: int = 512
    recurrent_layers: int = 2
    noise_width: int = 512
    output_hidden: int = 128
    decoder_layers: int = 3
    decoder_heads: int = 8
    decoder_feedforward: int = 2048
    attention: Literal["batch", "causal"] = "causal"
    attention_frames: int = 150
    blink_score: float = 0.0


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes of the three discriminators; the paper doesn't give them."""

    width: int = 128
    layers: int = 3
    heads: int = 4
    patch_widths: tuple[int, ...] = (64, 128, 256)


@dataclass(frozen=True)
class Stage2Config(RunConfig):
    """Everything that training stage 2 needs; the defaults are the paper's (supplement C).

    Attributes:
        stage1: weights of a trained stage 1 with eye-motion input, or null for Table 3's "w/o Stage
            1": then the mapping of `stage1_network` is trained together with the generator.
        start: weights of a whole predictor whose generator to begin with; its shape must be the same.
        informed_noise: z explains the recording (`training.expression.event_noise`); ours, off by default.
        sound_dropout: share of the sound's embedding that the generator does not hear while training; ours,
            off by default.
        frames: length of a training sequence.
        face_model: BFM_model_front.mat for the space bfm09; null for the stylised face.
    """

    data: DataConfig = field(default_factory=lambda: DataConfig(batch=8))
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=100_000))
    optimiser: OptimiserConfig = field(default_factory=lambda: OptimiserConfig(learning_rate=1e-4))
    discriminator_optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(learning_rate=1e-6)
    )
    stage1: str | None = "builtin"
    start: str | None = None
    stage1_network: ExpressionConfig = field(default_factory=lambda: ExpressionConfig(eye_motion_input=True))
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminators: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: Stage2Losses = field(default_factory=Stage2Losses)
    informed_noise: bool = False
    sound_dropout: float = 0.0
    frames: int = 300
    face_model: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.sound_dropout < 1:
            raise BadInput(f"sound_dropout is {self.sound_dropout}; give a share from 0 to below 1.")


def expression_config(config: Stage2Config) -> ExpressionConfig:
    """Architecture of the whole predictor: stage 1's file (or `stage1_network`) and `generator`."""
    base = config.stage1_network
    if config.stage1 is not None:
        base = load_network(config.stage1, "expression").config
        if not base.eye_motion_input:
            raise BadInput(
                f"stage1={config.stage1} has no eye-motion input (eq. 5), so there is nothing that "
                "stage 2 could steer; train a stage 1 with network.eye_motion_input=true."
            )
    generator = {name: getattr(config.generator, name) for name in vars(config.generator)}
    return replace(base, **generator)
