"""Training of the face animator (supplement B.1, eq. 11-17), the official one or the built-in one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.geometry.face_parts import PartsInFrame
from gohd_core.animator.motion import FrameMotion
from gohd_core.animator.network import AnimatorNetwork
from gohd_core.animator.pyramid_decoder import Decoded
from gohd_core.clips import Clip
from gohd_core.constants import WINDOW, WINDOW_RADIUS
from gohd_core.training.animator.config import AnimatorTraining
from gohd_core.training.animator.examples import AnimatorDraw
from gohd_core.training.animator.geometry_losses import add_part, add_parts, parameters_of, target_parts
from gohd_core.training.animator.ground_truth import add_exact_terms, is_exact, true_confidence
from gohd_core.training.animator.initialisation import descriptor_statistics, network_to_train
from gohd_core.training.discriminators.image import ImageDiscriminator
from gohd_core.training.features import load_features
from gohd_core.training.framework import image_grids as pictures
from gohd_core.training.framework.config import is_on
from gohd_core.training.framework.sample_videos import driven_film
from gohd_core.training.framework.sampling import coefficient_windows
from gohd_core.training.framework.task import Batch, Export, Moment, Player, Sample, Task, Terms
from gohd_core.training.losses import animator as loss


class AnimatorTask(Task):
    """Draws a target frame from a source frame of the same clip and the target's coefficients."""

    Config = AnimatorTraining
    averaged = ("animator",)
    config: AnimatorTraining

    def __init__(self, config: AnimatorTraining) -> None:
        super().__init__(config)
        weights = config.losses
        features, self._notes = load_features(weights, config.features)
        self.frozen.update(features)
        self.networks["animator"] = network_to_train(config)
        self.adversarial = is_on(weights.adversarial)
        if self.adversarial:
            self.networks["discriminator"] = ImageDiscriminator(
                config.network.size, config.discriminator_width
            )
        motion = self.animator.motion
        if isinstance(motion, FrameMotion) and config.data.folders and config.start is None:
            motion.set_statistics(*descriptor_statistics(config))
        self.networks.to(memory_format=torch.channels_last)
        self._fake: Tensor | None = None

    @property
    def animator(self) -> AnimatorNetwork:
        return self.networks["animator"]

    def players(self) -> Sequence[Player]:
        config = self.config
        found = [Player("generator", self._learning(), config.optimiser)]
        if self.adversarial:
            parameters = list(self.networks["discriminator"].parameters())
            start = config.adversarial_from
            found.append(Player("discriminator", parameters, config.discriminator, start))
        return found

    def _learning(self) -> list[Tensor]:
        """Parameters of all of the animator, or of the part that `only` names."""
        only = self.config.only
        if only is None:
            return list(self.animator.parameters())
        return parameters_of(self.animator, only)

    def notes(self) -> Iterable[str]:
        return self._notes

    def draw(self, split: str) -> AnimatorDraw:
        config, losses = self.config, self.config.losses
        return AnimatorDraw(
            size=config.network.size,
            flow_size=config.flow_size if is_exact(losses) and config.only is None else 0,
            still=config.still,
            told_share=config.told_share,
            planes_share=config.planes_share,
            gain=config.gain if split == "train" else 0.0,
            teeth=config.network.teeth and is_on(losses.teeth),
            parts=config.network.face_parts and any(is_on(w) for w in (losses.eyeballs, losses.shape)),
            mirror_share=config.mirror_share if split == "train" else 0.0,
            pairs=config.pairs,
            regions=config.regions,
        )

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        source, target = _images(batch, "source"), _images(batch, "target")
        if player == "discriminator":
            return self._discriminator(target, moment)
        weights, terms = self.config.losses, Terms()
        if self.config.only is not None:
            add_part(terms, weights, self.config.only, batch, self.animator, source, target)
            return terms
        whole = moment.fraction >= self.config.whole_from
        decoded, parts, estimate = self._decode(batch, source, whole)
        if whole:
            self._picture_terms(terms, batch, target, decoded.pyramid[0].float(), moment)
        if parts is not None:
            add_parts(terms, weights, batch, self.animator, parts, source, target)
        if "flow" in batch:
            add_exact_terms(terms, weights, batch, target, decoded)
        if estimate is not None:
            motion = self.animator.motion
            terms.add(
                "own_descriptor",
                weights.own_descriptor,
                lambda: F.smooth_l1_loss(motion.standardise(estimate), motion.standardise(batch["own"])),
            )
        if decoded.shading is not None:
            terms.add("shading", weights.shading, decoded.shading.abs().mean())
        return terms

    def _picture_terms(
        self, terms: Terms, batch: Batch, target: Tensor, output: Tensor, moment: Moment
    ) -> None:
        """Eq. 17, and the edges."""
        self._fake = output.detach()
        weights = self.config.losses
        emphasis = emphasis_mask(batch["boxes"], output.shape[-1], weights.lips, weights.eyes)
        terms.add("reconstruction", weights.reconstruction, loss.reconstruction(target, output, emphasis))
        terms.add("edges", weights.edges, lambda: loss.edges(target, output, emphasis))
        self._feature_terms(terms, target, output, emphasis)
        if self.adversarial and moment.fraction >= self.config.adversarial_from:
            score = self.networks["discriminator"]
            terms.add("adversarial", weights.adversarial, lambda: loss.adversarial(score(output)))

    def _decode(
        self, batch: Batch, source: Tensor, whole: bool = True
    ) -> tuple[Decoded, PartsInFrame | None, Tensor | None]:
        """Draws the targets; where the source's descriptor is not given, the network's estimate is used.

        Returns the output, the face parts by geometry, and that estimate.
        """
        net = self.animator
        encoded = net.encode(source)
        estimate = encoded.descriptor
        if estimate is not None:
            given = batch["descriptor_given"][:, None] > 0
            descriptor = torch.where(given, batch["own"], estimate.detach())
            encoded = replace(encoded, descriptor=descriptor)
        latent = net.latent(encoded, net.motion(encoded, batch["window"]))
        features = encoded.features
        if self.config.network.decoder == "composite" and "source_planes" in batch:
            features = (*features, true_confidence(batch["source_planes"]))
        parts = target_parts(self.animator, batch, source)
        options = {} if whole else {"whole": False}
        return net.decoder(latent, features, parts, **options), parts, estimate

    def _feature_terms(self, terms: Terms, target: Tensor, output: Tensor, emphasis: Tensor) -> None:
        weights = self.config.losses
        for name, network in self.frozen.items():
            with torch.no_grad():
                real = network(target)
            made = network(output)
            if name == "perceptual":
                value = loss.perceptual(real, made, emphasis)
            elif name == "parsing":
                value = loss.parsing(real[0].float(), made[0].float())
            else:
                value = loss.feature_distance(real, made)
            terms.add(name, getattr(weights, name), value)

    def _discriminator(self, target: Tensor, moment: Moment) -> Terms:
        terms, score, weights = Terms(), self.networks["discriminator"], self.config.losses
        penalised = is_on(weights.penalty) and moment.step % self.config.penalty_every == 0
        real_images = target.requires_grad_(penalised)
        real = score(real_images)
        terms.add("discrimination", 1.0, loss.discrimination(real, score(self._fake)))
        if penalised:
            weight = float(weights.penalty) * self.config.penalty_every
            terms.add("penalty", weight, loss.gradient_penalty(real_images, real))
        return terms

    @torch.no_grad()
    def validate(self, batches: Sequence[Batch], moment: Moment) -> dict[str, float]:
        self.networks.eval()
        try:
            figures = super().validate(batches, moment)
            if self.config.only is not None:
                return figures
            errors = []
            for batch in batches:
                decoded, *_ = self._decode(batch, _images(batch, "source"))
                output = decoded.pyramid[0].float().clamp(-1, 1)
                errors.append((output - _images(batch, "target")).square().mean((1, 2, 3)))
        finally:
            self.networks.train()
        figures["psnr"] = float((10 * torch.log10(4 / torch.cat(errors))).mean())
        return figures

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        source, target = _images(batch, "source"), _images(batch, "target")
        self.networks.eval()
        try:
            decoded, *_ = self._decode(batch, source)
        finally:
            self.networks.train()
        columns = {
            "source": source,
            "target": target,
            "output": decoded.pyramid[0],
            "flow": pictures.flow_colours(decoded.flows[-1], largest=0.3),
            "mask": torch.sigmoid(decoded.occlusion_logits[-1].float()) * 2 - 1,
        }
        if "flow" in batch:
            columns["true flow"] = pictures.flow_colours(batch["flow"], largest=0.3)
            columns["visible"] = batch["visible"] * 2 - 1
        if decoded.warped is not None:
            columns |= {"warped": decoded.warped, "synthesis": decoded.synthesis}
        return {"examples": pictures.grid(columns, rows=8)}

    @torch.no_grad()
    def samples(self, batch: Batch) -> dict[str, Sample]:
        net = self.animator

        def draw(source: Tensor, own: Tensor, windows: Tensor) -> Tensor:
            encoded = net.with_source_layers(net.encode(source.to(self.device), own.to(self.device)))
            return net.draw(encoded, net.magnitudes(encoded, windows.to(self.device))).pyramid[0]

        def windows(descriptors: np.ndarray, frames: Sequence[int]) -> np.ndarray:
            if self.config.still:
                return np.repeat(descriptors[list(frames), None], WINDOW, 1)
            return coefficient_windows(descriptors, frames, WINDOW_RADIUS)

        self.networks.eval()
        try:
            return {"driven": driven_film(draw, Clip(batch["path"][0]), windows)}
        finally:
            self.networks.train()

    def exports(self) -> Sequence[Export]:
        return [Export("animator", self.animator, self.config.network, self.config.data.space)]


def emphasis_mask(boxes: Tensor, size: int, lips: float, eyes: float) -> Tensor:
    """M_lip&eye [B, 1, S, S] from boxes [B, 3, 4] (both eyes, then the mouth; shares of the side)."""
    line = (torch.arange(size, device=boxes.device, dtype=torch.float32) + 0.5) / size
    left, top, right, bottom = (side[..., None] for side in boxes.unbind(-1))
    columns, rows = (line > left) & (line < right), (line > top) & (line < bottom)
    inside = (rows[..., :, None] & columns[..., None, :]).float()
    both_eyes, mouth = inside[:, :2].amax(1, keepdim=True), inside[:, 2:]
    return torch.maximum(eyes * both_eyes, lips * mouth)


def _images(batch: Batch, name: str) -> Tensor:
    """Pictures [B, 3, S, S] of a batch in [-1, 1], their colours changed alike."""
    images = (batch[name].float() * batch["gain"][:, :, None, None]).clamp(0, 255)
    return (images / 127.5 - 1).contiguous(memory_format=torch.channels_last)
