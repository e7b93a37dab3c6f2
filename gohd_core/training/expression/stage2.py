"""Stage 2 of the expression predictor: eye motion, adversarially, stage 1 frozen (eq. 6-8, 25-27)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from gohd_core.checkpoints import load_network
from gohd_core.clips import Clip
from gohd_core.errors import BadInput
from gohd_core.expression import ExpressionNetwork
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.training.audio.features import read_sound
from gohd_core.training.discriminators.motion import EyeMotionDiscriminator, TemporalPatchDiscriminator
from gohd_core.training.expression.audio_embeddings import EmbeddingStore
from gohd_core.training.expression.event_noise import CHANNELS, InformedNoise, silent_frames
from gohd_core.training.expression.stage1 import distillation_terms, mouth_distance
from gohd_core.training.expression.stage2_config import Stage2Config, expression_config
from gohd_core.training.framework.config import is_on
from gohd_core.training.framework.data import read_each
from gohd_core.training.framework.sample_videos import expression_film
from gohd_core.training.framework.sampling import audio_frames, random_window
from gohd_core.training.framework.task import Batch, Export, Moment, Player, Sample, Task, Terms
from gohd_core.training.losses import expression as losses

CLIPS_TO_FIT = 100
"""Clips that informed noise takes its statistics from."""


@dataclass(frozen=True)
class Stage2Draw:
    """A long window of a talking clip; the source frame is its first."""

    frames: int
    keep_features: bool
    noise_width: int
    informed: InformedNoise | None
    geometry: FaceGeometry

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, Any]:
        window = random_window(clip, self.frames, rng, limit=audio_frames(clip))
        chunks = read_sound(clip, window, keep=self.keep_features)["chunks"]
        expression = clip.read("expression", window.start, window.stop)
        if self.informed is None:
            noise = rng.standard_normal((self.frames, self.noise_width), np.float32)
        else:
            silent = silent_frames(chunks)
            eyes = self.geometry.eye_motion(expression)
            noise = self.informed.draw(eyes, silent, self.noise_width, rng)
        return {
            "chunks": chunks,
            "expression": expression,
            "noise": noise,
            "path": str(clip.path),
            "start": window.start,
        }


class ExpressionStage2Task(Task):
    """Trains G_lstm (or the transformer) against D_eye, D_te and D_tf."""

    Config = Stage2Config
    averaged = ("expression",)
    config: Stage2Config

    def __init__(self, config: Stage2Config) -> None:
        super().__init__(config)
        self.expression = expression_config(config)
        network = ExpressionNetwork(self.expression)
        self.networks["expression"] = network
        self.stage1_info: Mapping[str, Any] = {}
        if config.stage1 is not None:
            loaded = load_network(config.stage1, "expression")
            if loaded.space != config.data.space:
                raise BadInput(
                    f"stage1={config.stage1} is in the space {loaded.space!r}, but the data are in "
                    f"{config.data.space!r}; train stage 1 on data of the same space."
                )
            network.lips.load_state_dict(loaded.network.lips.state_dict())
            if network.mouth is not None:
                network.mouth.load_state_dict(loaded.network.mouth.state_dict())
            self.stage1_info = loaded.info
        if config.start is not None:
            network.eyes.load_state_dict(self._generator_of(config.start))
        if is_on(config.losses.distillation.lip_reading):
            raise BadInput(
                "The lip-reading loss trains stage 1; set losses.distillation.lip_reading=off here."
            )
        for name, judge in self._discriminators().items():
            self.networks[name] = judge
        self.geometry = FaceGeometry.load(config.face_model, config.data.space)
        self.store = EmbeddingStore(network.lips.audio_encoder)
        self.informed = self._informed_noise() if config.informed_noise else None
        self.generated: dict[str, tuple[Tensor, ...]] = {}

    def _generator_of(self, start: str) -> Mapping[str, Tensor]:
        """The generator's weights in a file; BadInput where they would not fit."""
        eyes = load_network(start, "expression").network.eyes
        found = {} if eyes is None else eyes.state_dict()
        mine = self.networks["expression"].eyes.state_dict()
        if {k: v.shape for k, v in found.items()} != {k: v.shape for k, v in mine.items()}:
            raise BadInput(
                f"start={start} has another generator of eye motion than this config, or none; use weights "
                "that were trained with this config, or leave start out."
            )
        return found

    def _discriminators(self) -> dict[str, nn.Module]:
        sizes, weights = self.config.discriminators, self.config.losses
        made: dict[str, nn.Module] = {}
        if is_on(weights.eye_discriminator):
            made["eye_discriminator"] = EyeMotionDiscriminator(
                self.expression.audio_widths[-1], sizes.width, sizes.layers, sizes.heads
            )
        if is_on(weights.eye_motion_discriminator):
            made["eye_motion_discriminator"] = TemporalPatchDiscriminator(21, sizes.patch_widths)
        if is_on(weights.coefficient_discriminator):
            made["coefficient_discriminator"] = TemporalPatchDiscriminator(64, sizes.patch_widths)
        return made

    @property
    def frozen_stage1(self) -> bool:
        """Whether stage 1 was trained before and rests now."""
        return self.config.stage1 is not None

    def players(self) -> Sequence[Player]:
        network = self.networks["expression"]
        moved = network.eyes if self.frozen_stage1 else network
        generator = Player("generator", list(moved.parameters()), self.config.optimiser)
        judges = [judge for name, judge in self.networks.items() if name != "expression"]
        if not judges:
            return (generator,)
        parameters = [parameter for judge in judges for parameter in judge.parameters()]
        optimiser = self.config.discriminator_optimiser
        return (generator, Player("discriminator", parameters, optimiser))

    def draw(self, split: str) -> Stage2Draw:
        width = self.networks["expression"].eyes.noise_width
        keep = self.config.data.cache_features
        geometry = FaceGeometry.load(self.config.face_model, self.config.data.space)
        return Stage2Draw(self.config.frames, keep, width, self.informed, geometry)

    def _informed_noise(self) -> InformedNoise:
        width = self.networks["expression"].eyes.noise_width
        if width < CHANNELS:
            raise BadInput(f"informed_noise needs generator.noise_width of at least {CHANNELS}.")
        read = [
            each
            for each in read_each(self.config.data, "train", self._eye_motion_and_silence, CLIPS_TO_FIT)
            if each
        ]
        if not read:
            raise BadInput(f"No clip has the {self.config.frames} frames that `frames` asks for.")
        motions, silences = zip(*read, strict=True)
        return InformedNoise.fit(motions, silences)

    def _eye_motion_and_silence(self, clip: Clip) -> tuple[np.ndarray, np.ndarray] | None:
        """Eye motion of a clip's first frames and where they are silent; None for one that is too short."""
        window = slice(0, self.config.frames)
        if min(len(clip), audio_frames(clip)) < self.config.frames:
            return None
        chunks = read_sound(clip, window, keep=self.config.data.cache_features)["chunks"]
        expression = clip.read("expression", window.start, window.stop)
        return self.geometry.eye_motion(expression), silent_frames(chunks)

    def losses(self, player: str, batch: Batch, moment: Moment) -> Terms:
        if player == "discriminator":
            return self._discriminator_terms()
        network = self.networks["expression"]
        geometry = self.geometry.to(self.device)
        truth = batch["expression"]
        real = geometry.face(truth)
        e0, eye0 = truth[:, 0], real.eye_motion[:, 0]
        audio = self._audio(batch)
        heard = functional.dropout(audio, self.config.sound_dropout, training=network.training)
        eye_motion = network.eyes(heard, e0, eye0, batch["noise"])
        predicted = network.lips(audio, e0, eye_motion)
        made = geometry.face(predicted)
        self.generated = {
            "eye_discriminator": ((audio, real.offsets), (audio, made.offsets)),
            "eye_motion_discriminator": ((real.eye_motion,), (eye_motion,)),
            "coefficient_discriminator": ((truth,), (predicted,)),
        }
        terms, weights = Terms(), self.config.losses
        terms.add(
            "similarity",
            weights.similarity,
            lambda: losses.structural_similarity(real.eye_motion, eye_motion),
        )
        terms.add("eye_motion", weights.eye_motion, lambda: losses.l1(real.eye_motion, eye_motion))
        terms.add("eye_ratio", weights.eye_ratio, lambda: losses.eye_ratio(real.eye_motion, eye_motion))
        for name in self.generated:
            if name in self.networks:
                score = self.networks[name](*self.generated[name][1])
                terms.add(name, getattr(weights, name), losses.least_squares_generator(score))
        if is_on(weights.stage1):
            inner = Terms()
            distillation_terms(weights.distillation, truth, predicted, (real, made), inner)
            for name, (weight, value) in inner.items():
                terms[f"stage1_{name}"] = (weight * float(weights.stage1), value)
        terms.watch("mouth_distance_px", mouth_distance(real, made))
        terms.watch("blink_deviation", eye_motion[..., 0].std(dim=1).mean())
        terms.watch("blink_deviation_truth", real.eye_motion[..., 0].std(dim=1).mean())
        return terms

    def _discriminator_terms(self) -> Terms:
        terms = Terms()
        for name, (real, fake) in self.generated.items():
            if name in self.networks:
                judge = self.networks[name]
                scores = (judge(*(x.detach() for x in inputs)) for inputs in (real, fake))
                terms.add(name, 1.0, losses.least_squares_discriminator(*scores))
        return terms

    def _audio(self, batch: Batch) -> Tensor:
        """Phi_a of the batch [B, T, A]; a frozen encoder computes each frame of a clip once."""
        if not self.frozen_stage1:
            return self.networks["expression"].lips.audio_encoder(batch["chunks"])
        self.networks["expression"].lips.eval()
        return self.store.embed(batch["chunks"], batch["path"], batch["start"])

    def samples(self, batch: Batch) -> dict[str, Sample]:
        clip, keep = Clip(batch["path"][0]), self.config.data.cache_features
        network = self.networks["expression"]
        return {"face": expression_film(network, self.geometry, clip, self.device, keep=keep)}

    def notes(self) -> Iterable[str]:
        if not self.frozen_stage1:
            yield "stage1 is null: the mapping is not pre-trained, and trains with the generator."
        if self.config.informed_noise:
            yield "z explains the recordings while training (informed_noise)."
        weights = self.config.losses
        for name in (
            "similarity",
            "eye_motion",
            "eye_discriminator",
            "eye_motion_discriminator",
            "coefficient_discriminator",
            "stage1",
        ):
            if not is_on(getattr(weights, name)):
                yield f"The {name} loss is off."

    def exports(self) -> Sequence[Export]:
        network, space = self.networks["expression"], self.config.data.space
        info = {"stage1": dict(self.stage1_info)} if self.frozen_stage1 else {}
        return (Export("expression", network, self.expression, space, info),)
