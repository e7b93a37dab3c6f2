"""Settings, clock, sound and portrait of `gohd benchmark speed`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from gohd_core.animator.windows import to_network_order
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.constants import N_DESCRIPTOR, SAMPLE_RATE, STYLISED
from gohd_core.errors import BadInput
from gohd_core.models import Models
from gohd_core.motion import Motion

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
REPEATS = 3


@dataclass(frozen=True)
class SpeedPlan:
    """Settings of the benchmark.

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


def measure_seconds(work: Callable[[], object], plan: SpeedPlan, repeats: int = REPEATS) -> float:
    """Median time in seconds, after one call that does not count where there are several."""
    if repeats > 1:
        work()
    taken = []
    for _ in range(repeats):
        wait(plan.device)
        start = plan.now()
        work()
        wait(plan.device)
        taken.append(plan.now() - start)
    return statistics.median(taken)


def noise(seconds: float) -> Tensor:
    """Samples at 16 kHz."""
    return 0.1 * torch.randn(
        int(seconds * SAMPLE_RATE),
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float32,
        device="cpu",
    )


def portrait(models: Models) -> tuple[Tensor, Motion]:
    """A picture of the animator's size and its own motion, one frame.

    The built-in weights get a portrait of the pack, for parts of a face are drawn where one is found;
    others, whose cost does not depend on it, a ramp of colours and coefficients of zero.
    """
    animator = models.animator
    size = animator.config.size
    if animator.space != STYLISED:
        ramp = torch.linspace(-1, 1, size, dtype=torch.float32, device="cpu")
        flat = torch.zeros(size, size, dtype=torch.float32, device="cpu")
        picture = torch.stack([ramp.expand(size, size), ramp[:, None].expand(size, size), flat])[None]
        return picture, Motion.from_descriptors(
            torch.zeros(1, N_DESCRIPTOR, dtype=torch.float32, device="cpu"), animator.space
        )
    with Image.open(assets_folder() / "portraits" / "01.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize((size, size)), np.float32)
    picture = rearrange(torch.from_numpy(pixels / 127.5 - 1), "h w c -> 1 c h w")
    own = animator.encode_source(picture).descriptor.cpu()
    return picture, Motion.from_descriptors(to_network_order(own), animator.space)


def moving(motion: Motion) -> Motion:
    """The head turns to and fro."""
    turn = 0.2 * torch.sin(torch.arange(len(motion), dtype=torch.float32, device="cpu") / 5)
    values = motion.pose.values.clone()
    values[:, 1] = turn
    return replace(motion, pose=replace(motion.pose, values=values))


def wait(device: str) -> None:
    """Waits for a GPU's queued work."""
    if device == "cuda":
        torch.cuda.synchronize()
