"""Cost and memory by length of sound: cost must grow linearly with it, memory not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from torch import Tensor

from gohd_core.animator.encoder import Source
from gohd_core.audio import audio_features
from gohd_core.constants import FPS, SAMPLE_RATE
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Table
from gohd_core.evaluation.speed.memory import peak_mib, reset_peak
from gohd_core.evaluation.speed.plan import SpeedPlan, measure_seconds, moving, noise, portrait
from gohd_core.evaluation.speed.stages import predict_expressions, sample
from gohd_core.models import Models
from gohd_core.motion import Motion

_BATCH = 8
"""Frames in a batch; as many batches are drawn for each figure as the animator draws at once."""


def length_table(models: Models, plan: SpeedPlan, progress: Progress | None) -> Table:
    """Motion and drawing by length of sound: cost, and the largest memory."""
    table = Table(
        "Length",
        note="Motion: features, head, expression and gaze of the whole sound. Cost: of motion, a second of "
        "sound, as a share of the shortest clip's; 1 is linear. Drawing: the first batch of the whole clip "
        "and of its second half, since frames are drawn one batch after the other. MiB: peak of the "
        "process's resident memory meanwhile, weights and libraries included (CPU), or of the GPU's; the "
        "sound itself takes 3.7 MiB a minute, its features 7.0, and 7.3 more while they are made.",
    )
    picture, own = portrait(models)
    source = models.animator.encode_source(picture, own)
    batch = models.animator.prefetch_frames(_BATCH)
    _make_motion(models, noise(min(plan.seconds)), own)  # what only a process's first clip needs
    _draw_first_batches(models, source, [moving(own.fitted(batch))], batch)
    shortest = 0.0
    for seconds in with_progress(plan.seconds, "lengths", progress):
        samples = noise(seconds)
        taken, motion_mib = _time_and_memory(partial(_make_motion, models, samples, own), plan)
        shortest = shortest or taken / seconds
        motion = moving(own.fitted(int(seconds * FPS)))
        parts = motion, motion[len(motion) // 2 :]
        drawn, drawing_mib = _time_and_memory(
            partial(_draw_first_batches, models, source, parts, batch), plan
        )
        table.put(
            f"{seconds:g} s",
            {
                "motion ms a second": 1000 * taken / seconds,
                "cost against shortest": taken / seconds / shortest,
                "motion MiB": motion_mib,
                "drawing ms a frame": 1000 * drawn / sum(min(batch, len(part)) for part in parts),
                "drawing MiB": drawing_mib,
            },
        )
    return table


def _time_and_memory(work: Callable[[], object], plan: SpeedPlan) -> tuple[float, float | None]:
    """Seconds and MiB of one call."""
    reset_peak(plan.device)
    return measure_seconds(work, plan, 1), peak_mib(plan.device)


def _make_motion(models: Models, samples: Tensor, own: Motion) -> None:
    features = audio_features(samples, SAMPLE_RATE)
    sample(models.pose, features, own.pose.values[0])
    predict_expressions(models, features, own)
    if models.gaze is not None:
        sample(models.gaze, features, own.gaze.values[0])


def _draw_first_batches(models: Models, source: Source, clips: Iterable[Motion], batch: int) -> None:
    for clip in clips:
        next(models.animator.animate(source, clip, batch_size=batch))
