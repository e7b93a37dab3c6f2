"""Cost of each stage from sound and portrait to motion, beside sampling in all steps as published."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from gohd_core.audio import AudioFeatures, audio_features
from gohd_core.constants import SAMPLE_RATE
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Table
from gohd_core.evaluation.speed.plan import REPEATS, SpeedPlan, measure_seconds, noise, portrait
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.pose import PoseDiffusion
from gohd_core.talk_options import TalkOptions

_REFERENCE_STEPS = 10
"""Steps of the slow reference that are run; its cost is proportional to them, so that the rest is scaled."""
_OURS = TalkOptions()


def stage_table(models: Models, plan: SpeedPlan, progress: Progress | None) -> Table:
    """Each stage on the first length of sound."""
    seconds = plan.seconds[0]
    table = Table(
        "Stages",
        note=f"{seconds:g} s of sound, median of {REPEATS}; of real time: computing over sound, below 1 is "
        "faster than it plays. Reference: sampling in all training steps by ancestral sampling, as "
        f"published ({_REFERENCE_STEPS} of them are timed).",
    )
    samples = noise(seconds)
    features = audio_features(samples, SAMPLE_RATE)
    picture, own = portrait(models)
    stages: dict[str, Callable[[], object]] = {
        "sound features": lambda: audio_features(samples, SAMPLE_RATE),
        "expression": lambda: predict_expressions(models, features, own),
        "encode portrait": lambda: models.animator.encode_source(picture, own),
    }
    sampled = {"head pose": (models.pose, features, own.pose.values[0])}
    if models.gaze is not None:
        sampled["gaze"] = models.gaze, features, own.gaze.values[0]
    stages |= {name: partial(sample, *given) for name, given in sampled.items()}
    for name, work in with_progress(stages.items(), "stages", progress):
        taken = measure_seconds(work, plan)
        figures = {"ms": 1000 * taken, "of real time": taken / seconds}
        if name in sampled:
            few = measure_seconds(partial(sample, *sampled[name], _REFERENCE_STEPS, "ddpm"), plan, 1)
            all_steps = sampled[name][0].config.training_steps
            figures["against reference"] = taken / (few * all_steps / _REFERENCE_STEPS)
        table.put(name, figures)
    return table


def sample(
    model: PoseDiffusion,
    features: AudioFeatures,
    start: Tensor,
    steps: int | None = _OURS.steps,
    sampler: str = _OURS.sampler,
) -> Tensor:
    """Head poses or gaze [T, C] from `start` [C], with the defaults of `gohd talk`."""
    return model.sample(features.condition(model.alignment), start, seed=0, steps=steps, sampler=sampler)


def predict_expressions(models: Models, features: AudioFeatures, own: Motion) -> Tensor:
    """Expressions [T, 64]."""
    e0 = own.expression.values
    eye0 = None if models.face_model is None else models.face_model.eye_motion_feature(e0)[0]
    return models.expression.predict(features, e0[0], eye0)[0]
