"""Training of a face parser: cross-entropy on the parts of the face, for the losses that look through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from gohd_core.clips import Clip
from gohd_core.errors import BadInput
from gohd_core.face.reading.gaze_estimator import IMAGENET_MEAN, IMAGENET_STD
from gohd_core.face.reading.resnet import ResNetConfig
from gohd_core.face.segmentation.parsing_network import ParsingConfig, ParsingNetwork
from gohd_core.parsing_labels import NAMES
from gohd_core.training.face.examples import UNCHANGED, PictureChanges
from gohd_core.training.framework import image_grids as pictures
from gohd_core.training.framework.config import Weight
from gohd_core.training.framework.sampling import random_frames
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig, RunConfig
from gohd_core.training.framework.task import Batch, Export, Moment, Player, Task, Terms

SMALL = ParsingConfig(ResNetConfig("basic", (1, 1, 1, 1), 16), width=32, image_size=128)
"""A parser of 0.5 M parameters for stylised faces."""


@dataclass(frozen=True)
class ParsingLosses:
    """Weights of the cross-entropies of the result and of the two auxiliary heads (Yu et al. 2018)."""

    result: Weight = 1.0
    head8: Weight = 1.0
    head16: Weight = 1.0


@dataclass(frozen=True)
class ParsingTraining(RunConfig):
    """Everything that training a face parser needs; the defaults make a small one.

    Attributes:
        hardest: share of the pixels, those with the largest loss, that a term averages over, so that
            small parts (irises, lips) are not drowned by skin and background.
    """

    data: DataConfig = field(default_factory=lambda: DataConfig(batch=16, validation_batches=8))
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=4000, ema=0.998, validate_every=500))
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(
            learning_rate=2e-3, schedule="cosine", final_scale=0.01, warmup_steps=100, clip_norm=5.0
        )
    )
    network: ParsingConfig = SMALL
    losses: ParsingLosses = field(default_factory=ParsingLosses)
    changes: PictureChanges = field(default_factory=PictureChanges)
    hardest: float = 0.25


@dataclass(frozen=True)
class ParsingDraw:
    """One frame of a clip, changed in light, mirrored half of the time, with its parts."""

    size: int
    changes: PictureChanges
    mirrored: bool

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, Any]:
        import cv2

        for name in ("frames", "parsing"):
            if name not in clip:
                raise BadInput(f"it holds no {name!r}, which this trainer needs.")
        at = int(random_frames(clip, 1, rng)[0])
        image, parts = clip.read("frames", at, at + 1)[0], clip.read("parsing", at, at + 1)[0]
        if image.shape[:2] != (self.size, self.size):
            image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
            parts = cv2.resize(parts, (self.size, self.size), interpolation=cv2.INTER_NEAREST)
        image = self.changes(image, rng)
        if self.mirrored and rng.random() < 0.5:
            image, parts = image[:, ::-1], mirrored_parts()[parts[:, ::-1]]
        return {"image": rearrange(image, "h w c -> c h w").copy(), "parts": np.ascontiguousarray(parts)}


def mirrored_parts() -> np.ndarray:
    """Label [19] of each part once left and right have changed places."""
    swapped = [name.replace("left", "?").replace("right", "left").replace("?", "right") for name in NAMES]
    return np.array([NAMES.index(name) for name in swapped], dtype=np.uint8)


class FaceParsingTask(Task):
    """Trains BiSeNet on clips whose parts are known."""

    Config = ParsingTraining
    config: ParsingTraining

    def __init__(self, config: ParsingTraining) -> None:
        super().__init__(config)
        self.networks["parser"] = ParsingNetwork(config.network)

    def players(self) -> Sequence[Player]:
        return (Player("parser", list(self.networks["parser"].parameters()), self.config.optimiser),)

    def draw(self, split: str) -> ParsingDraw:
        training = split == "train"
        changes = self.config.changes if training else UNCHANGED
        return ParsingDraw(self.config.network.image_size, changes, training)

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        heads = self.networks["parser"].all_heads(_normalised(batch["image"]))
        terms, parts, weights = Terms(), batch["parts"].long(), self.config.losses
        for name, logits in zip(("result", "head8", "head16"), heads, strict=True):
            terms.add(name, getattr(weights, name), hard_cross_entropy(logits, parts, self.config.hardest))
        terms.watch("accuracy", (heads[0].argmax(1) == parts).float().mean())
        return terms

    def validate(self, batches: Sequence[Batch], moment: Moment) -> dict[str, float]:
        counts = torch.zeros(len(NAMES), len(NAMES), dtype=torch.int64, device="cpu")
        for batch in batches:
            found = self.networks["parser"](_normalised(batch["image"])).argmax(1)
            pairs = (batch["parts"].long() * len(NAMES) + found).flatten().cpu()
            counts += pairs.bincount(minlength=len(NAMES) ** 2).view_as(counts)
        return parsing_figures(counts)

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        found = self.networks["parser"](_normalised(batch["image"])).argmax(1)
        columns = {
            "image": batch["image"].float() / 127.5 - 1,
            "truth": _colours(batch["parts"].long()),
            "found": _colours(found),
        }
        return {"parts": pictures.grid(columns)}

    def exports(self) -> Sequence[Export]:
        return (Export("face_parsing", self.networks["parser"], self.config.network, self.config.data.space),)


def hard_cross_entropy(logits: Tensor, parts: Tensor, share: float) -> Tensor:
    """Mean cross-entropy [] over the share of pixels that have the largest one.

    logits: [B, classes, H, W]; parts: labels [B, H, W].
    """
    each = F.cross_entropy(logits.float(), parts, reduction="none").flatten()
    return each.topk(max(int(share * len(each)), 1)).values.mean()


def parsing_figures(counts: Tensor) -> dict[str, float]:
    """Accuracy and mean intersection over union from a table [truth, found] of pixel counts.

    Parts that neither truth nor result show are left out of the mean.
    """
    hits, counts = counts.diagonal().double(), counts.double()
    union = counts.sum(0) + counts.sum(1) - hits
    each = (hits / union)[union > 0]
    return {"accuracy": float(hits.sum() / counts.sum()), "mean_iou": float(each.mean())}


def _normalised(images: Tensor) -> Tensor:
    """Bytes [B, 3, H, W] -> the parser's normalised input."""
    mean, std = (
        torch.tensor(v, device=images.device, dtype=torch.float32)[:, None, None]
        for v in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return (images.float() / 255 - mean) / std


def _colours(parts: Tensor) -> Tensor:
    """Labels [B, H, W] -> colours [B, 3, H, W] in [-1, 1], far apart for neighbouring labels."""
    hue = (parts * 0.618) % 1 * 2 * torch.pi
    shifts = torch.tensor([0.0, 2.1, 4.2], device=parts.device, dtype=torch.float32)[:, None, None]
    return torch.where(parts[:, None] == 0, -1.0, 0.7 * torch.cos(hue[:, None] + shifts) + 0.2)
