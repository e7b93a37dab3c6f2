"""How fast each stage and the whole are, with peak memory, beside a slow reference in the same run.

Weights do not matter for speed, so that any family can be measured; the sound is noise and the portrait a
ramp. Lengths are of sound; cost must grow linearly with them, and memory not at all while drawing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gohd_core import __version__
from gohd_core.animator.encoder import Source
from gohd_core.audio import AudioFeatures, audio_features
from gohd_core.constants import FPS, SAMPLE_RATE
from gohd_core.errors import BadInput
from gohd_core.evaluation.report import Report, Table
from gohd_core.motion import Motion
from gohd_core.pipeline import Models, TalkOptions

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
Progress = Callable[[str, int, int], None]
_WARM = 2
"""Batches that are drawn before the clock starts."""
_REPEATS = 3


@dataclass(frozen=True)
class SpeedPlan:
    """What is measured.

    Attributes:
        seconds: lengths of sound.
        batches: frames in a batch of the animator.
        dtypes: of DTYPES, for the animator; the motion models stay in float32.
        compiled: also with torch.compile (the animator alone).
        frames: how many frames are drawn for each figure of the animator.
        device: "cpu" or "cuda".
        threads: of the processor; 0 leaves torch's choice.
        official: a folder with the authors' inference code, to be measured in the same run.
        clock: "wall", or "processor": time that this process computed, all threads together, which
            other work on the machine stretches far less.
    """

    seconds: tuple[float, ...] = (10.0, 30.0)
    batches: tuple[int, ...] = (1, 8)
    dtypes: tuple[str, ...] = ("fp32", "bf16")
    compiled: bool = False
    frames: int = 48
    device: str = "cpu"
    threads: int = 0
    official: Path | None = None
    clock: str = "wall"

    def __post_init__(self) -> None:
        unknown = [name for name in self.dtypes if name not in DTYPES]
        if unknown:
            raise BadInput(f"There is no number format {unknown[0]!r}; use some of {', '.join(DTYPES)}.")
        if min(self.seconds) < 1 or min(self.batches) < 1 or self.frames < 4:
            raise BadInput("Speed needs at least 1 second of sound, batches of 1 and 4 frames.")
        if self.clock not in CLOCKS or (self.clock == "processor" and self.device != "cpu"):
            raise BadInput("The clock is 'wall', or on the CPU 'processor'.")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise BadInput("There is no CUDA GPU on this machine; leave --device cpu.")

    def now(self) -> float:
        """Seconds on the clock."""
        return CLOCKS[self.clock]()


def speed(
    load: Callable[[str, torch.dtype], Models], plan: SpeedPlan, *, progress: Progress | None = None
) -> Report:
    """Measures; `load` makes the models on a device, the animator in a number format."""
    begun = time.perf_counter()
    if plan.threads:
        torch.set_num_threads(plan.threads)
    models = load(plan.device, torch.float32)
    tables = [_stages(models, plan, progress), _animator(load, models, plan, progress)]
    tables.append(_lengths(models, plan, progress))
    if plan.official is not None:
        from gohd_core.evaluation.official_code import official_table

        tables.append(official_table(plan.official, plan, progress))
    from gohd_core.evaluation.quality import machine

    setting: dict[str, Any] = {
        "device": plan.device,
        "clock": plan.clock,
        "threads": torch.get_num_threads(),
        "machine": machine(),
    }
    setting |= {"size": models.animator.config.size, "space": models.animator.space, "frames": plan.frames}
    return Report("speed", setting, {"gohd": __version__}, tables, time.perf_counter() - begun)


def _stages(models: Models, plan: SpeedPlan, progress: Progress | None) -> Table:
    """Each stage on the first length."""
    table = Table(
        "Stages",
        ("ms", "of real time", "against reference"),
        note=f"{plan.seconds[0]:g} s of sound, median of {_REPEATS}; of real time: computing over sound, "
        "below 1 is faster "
        "than it plays. Reference: sampling in all training steps by ancestral sampling, as published "
        "(head, gaze); encoding the portrait anew for every frame, as the official script does (frames).",
    )
    seconds = plan.seconds[0]
    samples = noise(seconds)
    features = audio_features(samples, SAMPLE_RATE)
    picture, own = portrait(models)
    options = TalkOptions()
    first = own.descriptors()[0]
    pose0, gaze0 = own.pose.values[0], own.gaze.values[0]
    stages: dict[str, Callable[[], object]] = {
        "sound features": lambda: audio_features(samples, SAMPLE_RATE),
        "head pose": lambda: _sample(models.pose, features, pose0, options.steps, options.sampler),
        "expression": lambda: models.expression.predict(features, first[:64], _eye0(models, own)),
        "encode portrait": lambda: models.animator.encode_source(picture, own),
    }
    if models.gaze is not None:
        stages["gaze"] = lambda: _sample(models.gaze, features, gaze0, options.steps, options.sampler)
    slow = {"head pose": (models.pose, pose0), "gaze": (models.gaze, gaze0)}
    for done, (name, work) in enumerate(stages.items()):
        taken = timed(work, plan)
        figures = {"ms": 1000 * taken, "of real time": taken / seconds}
        if name in slow:
            model, start = slow[name]
            few = timed(partial(_sample, model, features, start, _REFERENCE_STEPS, "ddpm"), plan, 1)
            whole = few * model.config.training_steps / _REFERENCE_STEPS
            figures["against reference"] = taken / whole
        table.put(name, figures)
        if progress is not None:
            progress("stages", done + 1, len(stages))
    return table


_REFERENCE_STEPS = 10
"""Steps of the slow reference that are run; its cost is proportional to them, so that the rest is scaled."""


def _animator(
    load: Callable[[str, torch.dtype], Models], plain: Models, plan: SpeedPlan, progress: Progress | None
) -> Table:
    """Frames a second by number format, batch and compilation."""
    table = Table(
        "Drawing frames",
        ("frames a second", "real-time factor", "against reference", "peak GPU MiB", "error dB"),
        note=f"{plan.frames} frames of one portrait; real-time factor: frames a second over 25. Reference: "
        "the float32 way of the official script, the portrait encoded anew for every frame, in the same run. "
        "Error: PSNR of the frames against float32's.",
    )
    picture, own = portrait(plain)
    motion = own.fitted(plan.frames)
    slow = timed(lambda: _anew(plain, picture, own, motion, _SLOW_FRAMES), plan, 1) / _SLOW_FRAMES
    table.put(
        "reference: encode for every frame", {"frames a second": 1 / slow, "real-time factor": 1 / slow / FPS}
    )
    expected = _draw(plain, picture, own, moving(motion), 1)
    forms = (False, True) if plan.compiled else (False,)
    cases = list(product(plan.dtypes, plan.batches, forms))
    for done, (dtype, batch, compiled) in enumerate(cases):
        models = load(plan.device, DTYPES[dtype])
        if compiled:
            models.animator.compile(batch)
        clip = moving(motion)
        _draw(models, picture, own, clip[: min(_WARM * batch, len(clip))], batch)
        _reset(plan.device)
        start = plan.now()
        drawn = _draw(models, picture, own, clip, batch)
        _wait(plan.device)
        rate = plan.frames / (plan.now() - start)
        error = float((drawn - expected).square().mean())
        table.put(
            f"{dtype}, batch {batch}{', compiled' if compiled else ''}",
            {
                "frames a second": rate,
                "real-time factor": rate / FPS,
                "against reference": rate * slow,
                "peak GPU MiB": _peak(plan.device),
                "error dB": min(10 * torch.tensor(4 / max(error, 4e-10)).log10().item(), 100.0),
            },
        )
        if progress is not None:
            progress("drawing", done + 1, len(cases))
    return table


_SLOW_FRAMES = 4


def _lengths(models: Models, plan: SpeedPlan, progress: Progress | None) -> Table:
    """Motion and drawing by length of sound: cost a second of sound, and growth of memory."""
    table = Table(
        "Length",
        ("motion ms a second", "drawing ms a frame", "memory MiB", "growth against shortest"),
        note="Motion: features, head, expression and gaze; drawing: one batch in the middle and one at the "
        "end of the clip, since frames are drawn one batch after the other. Memory: the process's peak so "
        "far (CPU) or the GPU's peak. Growth: cost a second of sound as a share of the shortest clip's; 1 is "
        "linear.",
    )
    picture, own = portrait(models)
    shortest = 0.0
    for done, seconds in enumerate(plan.seconds):
        _reset(plan.device)
        samples = noise(seconds)
        taken = timed(partial(_motion, models, samples, own), plan, 1) / seconds
        shortest = shortest or taken
        motion = moving(own.fitted(int(seconds * FPS)))
        source = models.animator.encode_source(picture, own)
        part = [motion[len(motion) // 2 :][:4], motion[-4:]]
        drawn = statistics.mean(timed(partial(_drawn, models, source, piece), plan, 1) / 4 for piece in part)
        table.put(
            f"{seconds:g} s",
            {
                "motion ms a second": 1000 * taken,
                "drawing ms a frame": 1000 * drawn,
                "memory MiB": _peak(plan.device) or resident(),
                "growth against shortest": taken / shortest,
            },
        )
        if progress is not None:
            progress("lengths", done + 1, len(plan.seconds))
    return table


def timed(work: Callable[[], object], plan: SpeedPlan, repeats: int = _REPEATS) -> float:
    """Median time in seconds, after one call that does not count where there are several."""
    if repeats > 1:
        work()
    taken = []
    for _ in range(repeats):
        _wait(plan.device)
        start = plan.now()
        work()
        _wait(plan.device)
        taken.append(plan.now() - start)
    return statistics.median(taken)


def noise(seconds: float) -> Tensor:
    """Samples at 16 kHz."""
    return 0.1 * torch.randn(int(seconds * SAMPLE_RATE), generator=torch.Generator().manual_seed(0))


def portrait(models: Models) -> tuple[Tensor, Motion]:
    """A ramp of the animator's size and coefficients of zero."""
    size = models.animator.config.size
    ramp = torch.linspace(-1, 1, size)
    picture = torch.stack(
        [ramp.expand(size, size), ramp[:, None].expand(size, size), torch.zeros(size, size)]
    )
    return picture[None], Motion.from_descriptors(torch.zeros(1, 72), models.animator.space)


def moving(motion: Motion) -> Motion:
    """The head turns to and fro."""
    turn = 0.2 * torch.sin(torch.arange(len(motion)) / 5)
    values = motion.pose.values.clone()
    values[:, 1] = turn
    return replace(motion, pose=replace(motion.pose, values=values))


def resident() -> float | None:
    """The process's peak resident memory in MiB, where the system tells."""
    try:
        import resource
    except ImportError:
        return None
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _sample(model: Any, features: AudioFeatures, start: Tensor, steps: int | None, sampler: str) -> Tensor:
    mel = features.condition(model.alignment)
    return model.sample(mel, start, seed=0, steps=steps, sampler=sampler)


def _motion(models: Models, samples: Tensor, own: Motion) -> None:
    features, options = audio_features(samples, SAMPLE_RATE), TalkOptions()
    first = own.descriptors()[0]
    _sample(models.pose, features, own.pose.values[0], options.steps, options.sampler)
    models.expression.predict(features, first[:64], _eye0(models, own))
    if models.gaze is not None:
        _sample(models.gaze, features, own.gaze.values[0], options.steps, options.sampler)


def _eye0(models: Models, own: Motion) -> Tensor | None:
    if models.face_model is None:
        return None
    return models.face_model.eye_motion_feature(own.expression.values)[0]


def _draw(models: Models, picture: Tensor, own: Motion, motion: Motion, batch: int) -> Tensor:
    source = models.animator.encode_source(picture, own)
    return torch.cat([frames.cpu() for frames in models.animator.animate(source, motion, batch_size=batch)])


def _drawn(models: Models, source: Source, motion: Motion) -> list[Tensor]:
    return list(models.animator.animate(source, motion, batch_size=len(motion)))


def _anew(models: Models, picture: Tensor, own: Motion, motion: Motion, frames: int) -> None:
    for k in range(frames):
        source = models.animator.encode_source(picture, own)
        for _ in models.animator.animate(source, motion[k : k + 1], batch_size=1):
            pass


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _reset(device: str) -> None:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _peak(device: str) -> float | None:
    return torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else None
