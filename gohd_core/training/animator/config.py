"""Training config of the face animator: losses and their weights, features, data, schedule."""

from __future__ import annotations

from dataclasses import dataclass, field

from gohd_core.animator.config import AnimatorConfig
from gohd_core.training.animator.examples import PairShares, RegionWeights
from gohd_core.training.features import FeatureConfig
from gohd_core.training.framework.config import Weight
from gohd_core.training.framework.settings import OptimiserConfig, RunConfig


@dataclass(frozen=True)
class AnimatorLosses:
    """Weights of the terms; the first six are the paper's (eq. 17) and default to its values.

    Attributes:
        lips, eyes: weights of the boxes around mouth and eyes in M_lip&eye (eq. 11 and 12).
        edges: difference of picture gradients (ours).
        flow, visibility: exact flow and visibility of the stylised world, at every size (ours).
        planes: which plane each pixel shows, by the exact parsing (ours, composite decoder).
        coarse: the synthesis at the flow's size against the target (ours, composite decoder).
        warp: the warped source against the target where the source shows it (same).
        hidden: the synthesis against the target where the source does not show it (same).
        shading: how much the low-passed shading changes the picture (same).
        eyeballs: their place in the head and their colours (same, where its config has face parts).
        shape: contours of lips and lids in the portrait and in the head, and the skin's mask (same).
        teeth: where rows of teeth lie and are seen (same, where its config has teeth).
        own_descriptor: the source's descriptor as read off its code (ours, frame motion).
        penalty: R1 on the discriminator, every `penalty_every` steps.
    """

    reconstruction: Weight = 1.0
    perceptual: Weight = 1.0
    expression: Weight = 1.0
    gaze: Weight = 100.0
    parsing: Weight = 1.0
    adversarial: Weight = 1.0
    lips: float = 1.0
    eyes: float = 1.0
    edges: Weight = "off"
    flow: Weight = "off"
    visibility: Weight = "off"
    planes: Weight = "off"
    coarse: Weight = "off"
    warp: Weight = "off"
    hidden: Weight = "off"
    shading: Weight = "off"
    teeth: Weight = "off"
    eyeballs: Weight = "off"
    shape: Weight = "off"
    own_descriptor: Weight = "off"
    penalty: Weight = 5.0


@dataclass(frozen=True)
class AnimatorFeatures:
    """The frozen networks that the paper's losses look through."""

    perceptual: FeatureConfig = field(default_factory=lambda: FeatureConfig("vgg19"))
    expression: FeatureConfig = field(default_factory=lambda: FeatureConfig("emotion_resnet50"))
    gaze: FeatureConfig = field(default_factory=lambda: FeatureConfig("gaze_estimator"))
    parsing: FeatureConfig = field(default_factory=lambda: FeatureConfig("face_parsing"))


@dataclass(frozen=True)
class AnimatorTraining(RunConfig):
    """Everything that training an animator needs.

    Attributes:
        discriminator_width: channels of the discriminator at full size.
        flow_size: side of the true flow, where a loss needs it.
        still: repeat the target's descriptor over its window; for stills.
        told_share: share of the examples that are given the source's own descriptor (frame motion).
        planes_share: share of the examples that are given the source's own planes (composite decoder).
        gain: random change of colour, the same in source and target.
        mirror_share: share of the pairs that are seen in a mirror (stylised space).
        whole_from: share of the run before which only flows, masks and coarse synthesis are learnt.
        adversarial_from: share of the run before which discriminator and adversarial term rest.
        penalty_every: steps between two penalties on the discriminator.
        only: name of the network's part that alone learns ("eyes", "shape", "teeth"); None for all of it.
        start: weights file to begin with; its network must be that of this config.
    """

    network: AnimatorConfig = field(default_factory=AnimatorConfig)
    losses: AnimatorLosses = field(default_factory=AnimatorLosses)
    features: AnimatorFeatures = field(default_factory=AnimatorFeatures)
    discriminator: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(learning_rate=2e-3, betas=(0.0, 0.99))
    )
    discriminator_width: int = 64
    flow_size: int = 128
    still: bool = False
    told_share: float = 0.5
    planes_share: float = 0.6
    gain: float = 0.0
    mirror_share: float = 0.0
    whole_from: float = 0.0
    adversarial_from: float = 0.0
    penalty_every: int = 16
    only: str | None = None
    start: str | None = None
    pairs: PairShares = field(default_factory=PairShares)
    regions: RegionWeights = field(default_factory=RegionWeights)
