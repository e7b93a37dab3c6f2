"""The paper's Fig. 8: one frame of motion at growing strength, side by side."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gohd_core.animator import Animator, Source
from gohd_core.animator.windows import network_descriptors, windows_at
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.motion import Motion

MAX_STEPS = 64


def motion_strip(
    animator: Animator,
    source: Source,
    motion: Motion,
    *,
    frame: int | None = None,
    steps: int = 6,
    strength: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Tensor:
    """Frames [steps, 3, S, S] in -1..1, the navigation vector scaled from 0 to `strength` (eq. 9).

    frame: which frame of the motion; None takes the one that lies furthest from the first. progress: called
    as (done, steps) after each picture. Raises `Interrupted` once should_stop returns True.
    """
    if not 2 <= steps <= MAX_STEPS:
        raise BadInput(f"A strip has 2 to {MAX_STEPS} pictures, not {steps}.")
    animator.check_motion(motion)
    if frame is None:
        frame = furthest_frame(motion)
    if not 0 <= frame < len(motion):
        raise BadInput(f"There is no frame {frame} in a motion of {len(motion)} frames; count from 0.")
    descriptors = network_descriptors(motion)
    windows = windows_at(descriptors, range(frame, frame + 1), animator.config.window, motion.fps)
    magnitudes = animator.magnitudes(source, windows)
    made = []
    for done, share in enumerate(
        torch.linspace(0, strength, steps, dtype=torch.float32, device="cpu").split(1), 1
    ):
        raise_if_stopped(should_stop, "Drawing the strip was stopped.")
        made.append(animator.decode(source, magnitudes, share))
        if progress is not None:
            progress(done, steps)
    return torch.cat(made)


def furthest_frame(motion: Motion) -> int:
    """The frame whose descriptor differs most from the first, each value in units of its own spread."""
    values = motion.descriptors()
    spread = values.std(0, unbiased=False).clamp(min=1e-6)
    return int(((values - values[:1]) / spread).square().sum(1).argmax())
