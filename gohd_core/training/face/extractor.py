"""Training of the coefficient extractor and the gaze estimator, small ones or the official ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gohd_core.checkpoints.loading import load_network
from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.face.reading.extractor_network import ExtractorNetwork
from gohd_core.face.reading.gaze_estimator import GazeNetwork
from gohd_core.landmarks68 import LEFT_EYE, RIGHT_EYE
from gohd_core.measures.coefficient_errors import coefficient_names, reading_figures
from gohd_core.training.face.examples import UNCHANGED, UNGUIDED, FaceDraw
from gohd_core.training.face.extractor_config import ExtractorTraining, GazeTraining, ReaderConfig
from gohd_core.training.framework import image_grids as pictures
from gohd_core.training.framework.config import is_on
from gohd_core.training.framework.task import Batch, Export, Moment, Player, Task, Terms


class _ReaderTask(Task):
    """Base of both trainers: one network, one player, single frames, figures by coefficient."""

    component: str
    config: ReaderConfig

    def __init__(self, config: Any, make: Callable[[Any], Any]) -> None:
        super().__init__(config)
        self._notes: list[str] = []
        if config.start is None:
            network = make(config.network)
        else:
            loaded = load_network(config.start, self.component)
            if loaded.space != config.data.space:
                raise BadInput(
                    f"{config.start} is for the space {loaded.space!r}, but data.space is "
                    f"{config.data.space!r}; use other weights or data."
                )
            network = loaded.network.train().requires_grad_(True)
            self._notes.append(f"Fine-tuning {config.start}; the network's config is that of the file.")
        # A quarter faster on CPUs: these convolutions have few channels.
        self.networks["reader"] = network.to(memory_format=torch.channels_last)

    @property
    def network(self) -> Any:
        """The network that is trained."""
        return self.networks["reader"]

    def players(self) -> Sequence[Player]:
        trained = [p for p in self.network.parameters() if p.requires_grad]
        return (Player("reader", trained, self.config.optimiser),)

    def notes(self) -> Iterable[str]:
        return self._notes

    def _draw(self, split: str, aligned: bool) -> FaceDraw:
        size, config = self.network.config.image_size, self.config
        if split != "train":
            return FaceDraw(size, aligned, UNCHANGED, UNGUIDED)
        return FaceDraw(size, aligned, config.changes, config.guide, config.mirror_share)

    def exports(self) -> Sequence[Export]:
        return (Export(self.component, self.network, self.network.config, self.config.data.space),)

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        found = self._landmarks(batch)
        if found is None:
            return {}
        images = _images(batch) * 2 - 1
        columns = {
            "truth": _mark_landmarks(images, batch["landmarks"]),
            "found": _mark_landmarks(images, found),
        }
        return {"landmarks": pictures.grid(columns)}

    def _landmarks(self, batch: Batch) -> Tensor | None:
        raise NotImplementedError

    def _read(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Predicted and true values by coefficient group, [B, n]."""
        raise NotImplementedError

    @torch.no_grad()
    def validate(self, batches: Sequence[Batch], moment: Moment) -> dict[str, float]:
        was_training = self.network.training
        self.network.eval()
        found, truth = zip(*(self._read(batch) for batch in batches), strict=True)
        self.network.train(was_training)
        read = {name: torch.cat([part[name] for part in found]).float().cpu() for name in found[0]}
        true = {name: torch.cat([part[name] for part in truth]).float().cpu() for name in found[0]}
        return reading_figures(read, true, coefficient_names(self.config.data.space))


class ExtractorTask(_ReaderTask):
    """Trains the coefficient extractor on clips whose coefficients are known."""

    Config = ExtractorTraining
    component = "extractor"
    config: ExtractorTraining

    def __init__(self, config: ExtractorTraining) -> None:
        super().__init__(config, ExtractorNetwork)
        self.model = None
        if is_on(config.losses.projection):
            self.model = MorphableModel.of_space(config.data.space, config.face_model).landmarks_only()

    def draw(self, split: str) -> FaceDraw:
        return self._draw(split, self.network.config.aligned)

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        weights, terms = self.config.losses, Terms()
        found, reading = self.network(_images(batch), batch["guide"])
        found = type(found).from_columns(found.columns().float())
        pose = batch["pose"]
        if self.network.config.glimpses is not None:
            loss = F.l1_loss(reading.landmarks.float(), batch["landmarks"])
            terms.add("landmarks", weights.landmarks, loss)
        loss = F.mse_loss(found.expression, batch["expression"])
        terms.add("expression", weights.expression, loss)
        terms.add("angle", weights.angle, F.l1_loss(found.angle, pose[:, :3]))
        terms.add("translation", weights.translation, F.l1_loss(found.translation, pose[:, 3:]))
        if batch["identity"].shape[1]:
            loss = F.mse_loss(found.identity, batch["identity"])
            terms.add("identity", weights.identity, loss)
        terms.add("projection", weights.projection, lambda: self._projection(found, batch))
        return terms

    def _projection(self, found: Any, batch: Batch) -> Tensor:
        model = self.model.to(found.angle.device)
        identity = batch["identity"] if batch["identity"].shape[1] else None
        made = model.landmarks_2d(found.identity, found.expression, found.pose)
        real = model.landmarks_2d(identity, batch["expression"], batch["pose"])
        return F.l1_loss(made, real) / (ALIGNED_SIZE / 2)

    def _landmarks(self, batch: Batch) -> Tensor | None:
        return self.network(_images(batch))[1].landmarks

    def _read(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        found, reading = self.network(_images(batch))
        truth = {"expression": batch["expression"], "pose": batch["pose"]}
        read = {"expression": found.expression, "pose": found.pose}
        if batch["identity"].shape[1]:
            truth["identity"], read["identity"] = batch["identity"], found.identity
        if reading.landmarks is not None:
            truth["landmarks"], read["landmarks"] = batch["landmarks"], reading.landmarks
        return read, truth


class GazeEstimatorTask(_ReaderTask):
    """Trains the gaze estimator on clips whose gaze is known."""

    Config = GazeTraining
    component = "gaze_estimator"
    config: GazeTraining

    def __init__(self, config: GazeTraining) -> None:
        super().__init__(config, GazeNetwork)
        if config.reader is not None:
            self._borrow(config.reader)

    def _borrow(self, path: str) -> None:
        """Begins with the reader of an extractor, less the glimpses that gaze has no use for."""
        theirs = load_network(path, "extractor").network.reader.state_dict()
        ours = self.network.reader.state_dict()
        fitting = {k: v for k, v in theirs.items() if k in ours and ours[k].shape == v.shape}
        if fitting.keys() != ours.keys():
            raise BadInput(
                f"The reader of {path} has another shape than this network's; train both with one "
                "backbone and one size of glimpses."
            )
        self.network.reader.load_state_dict(fitting)
        self._notes.append(f"The reader begins with that of {path}.")

    def draw(self, split: str) -> FaceDraw:
        return self._draw(split, aligned=False)

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        weights, terms, network = self.config.losses, Terms(), self.network
        yaw_logits, pitch_logits, reading = network(_images(batch), batch["guide"])
        counts = (openness(batch["landmarks"]) > weights.closed).float()
        for name, logits, column in (("pitch", pitch_logits, 0), ("yaw", yaw_logits, 1)):
            target = batch["gaze"][:, column]
            bins = F.cross_entropy(logits.float(), self._bin(target), reduction="none")
            error = torch.rad2deg(network.angle(logits) - target) / 10
            terms.add(f"{name}_bins", weights.bins, _mean(bins, counts))
            terms.add(f"{name}_angle", weights.angle, _mean(error.square(), counts))
        if reading.landmarks is not None:
            loss = F.l1_loss(reading.landmarks.float(), batch["landmarks"])
            terms.add("landmarks", weights.landmarks, loss)
        return terms

    def _bin(self, angle: Tensor) -> Tensor:
        config = self.network.config
        index = torch.rad2deg(angle) / config.bin_degrees + config.bins / 2
        return index.round().long().clamp(0, config.bins - 1)

    def _landmarks(self, batch: Batch) -> Tensor | None:
        return self.network(_images(batch))[2].landmarks

    def _read(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        yaw, pitch, _ = self.network(_images(batch))
        read = torch.stack([self.network.angle(pitch), self.network.angle(yaw)], 1)
        open_eyes = openness(batch["landmarks"]) > self.config.losses.closed
        return {"gaze": read[open_eyes]}, {"gaze": batch["gaze"][open_eyes]}


def openness(landmarks: Tensor) -> Tensor:
    """Height of the wider open eye to its width, [B, 68, 2] -> [B]."""
    ratios = []
    for eye in (RIGHT_EYE, LEFT_EYE):
        p = landmarks[:, eye]  # [B,6,2]
        height = torch.linalg.vector_norm(p[:, 1] + p[:, 2] - p[:, 4] - p[:, 5], dim=-1) / 2
        ratios.append(height / torch.linalg.vector_norm(p[:, 3] - p[:, 0], dim=-1).clamp_min(1e-6))
    return torch.maximum(*ratios)


def _images(batch: Batch) -> Tensor:
    return batch["image"].float() / 255


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1)


def _mark_landmarks(images: Tensor, landmarks: Tensor) -> Tensor:
    """Images [B, 3, S, S] in -1..1 with a white pixel at each landmark."""
    size = images.shape[-1]
    places = ((landmarks.detach() + 1) / 2 * size).long().clamp(0, size - 1)
    marked = images.clone()
    rows = torch.arange(len(images), device=images.device, dtype=torch.long)[:, None]
    marked[rows, :, places[..., 1], places[..., 0]] = 1.0
    return marked
