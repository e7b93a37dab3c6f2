"""Base of the animators: a clip from one source and one motion, in batches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor

from gohd_core.animator.windows import network_descriptors
from gohd_core.errors import BadInput
from gohd_core.kernels.passes import PassPlan, Progress, clip_batches
from gohd_core.motion import Motion


class ClipAnimator(ABC):
    """Draws frames of an encoded source from motion.

    Attributes:
        device: where frames are drawn.
        space: coefficient space that the motion must be in.
        passes: how many frames are drawn at once.
    """

    device: torch.device
    space: str
    passes: PassPlan
    _other_space: ClassVar[str]
    """End of the sentence about a motion of another space."""

    @abstractmethod
    def _drawing(self, source: Any, motion: Motion, strength: float) -> Callable[[range], Tensor]:
        """Draws some frames of the clip, [len(frames),3,S,S]."""

    def animate(
        self,
        source: Any,
        motion: Motion,
        *,
        batch_size: int = 8,
        strength: float = 1.0,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[Tensor]:
        """Yields the clip in batches [b,3,S,S] float32 in [-1, 1]; memory does not grow with its length.

        Args:
            source: from `encode_source`.
            motion: what to do, in the animator's coefficient space, at any frame rate.
            batch_size: frames in a batch; the frames do not depend on it.
            strength: factor on the motion's difference from the portrait's own (Fig. 8).
            progress: called as progress(frames done, frames in all) after each batch.
            should_stop: asked before each batch; when it returns True, `Interrupted` is raised.

        Raises:
            BadInput: the motion is in another space or empty, or the batch size is below 1.
        """
        self.check_motion(motion)
        if batch_size < 1:
            raise BadInput(f"The batch size must be at least 1; got {batch_size}.")
        return clip_batches(
            self._drawing(source, motion, strength),
            len(motion.pose.values),
            batch_size,
            self.prefetch_frames(batch_size),
            self.passes.draws_ahead(self.device),
            progress,
            should_stop,
        )

    def prefetch_frames(self, batch_size: int) -> int:
        """Frames that are drawn ahead of batches of this size, see `PassPlan.prefetch_frames`."""
        return self.passes.prefetch_frames(batch_size, self.device)

    def check_motion(self, motion: Motion) -> None:
        """`BadInput` for a motion of another coefficient space, or without frames."""
        if motion.space != self.space:
            rest = self._other_space.format(space=self.space)
            raise BadInput(f"This motion is in the {motion.space!r} coefficient space, but {rest}")
        if not len(motion.pose.values):
            raise BadInput("This motion has no frames.")

    def _own_descriptor(self, reference: Motion) -> Tensor:
        """The portrait's own descriptor [1,72] in the networks' order."""
        self.check_motion(reference)
        if len(reference.pose.values) != 1:
            raise BadInput("The reference is the portrait's own motion: give exactly one frame.")
        return network_descriptors(reference).to(self.device)


def check_values(image: Tensor) -> None:
    """`BadInput` for a source image that is not finite or not in [-1, 1]."""
    low, high = (each.item() for each in image.aminmax()) if image.is_floating_point() else (math.nan,) * 2
    if not math.isfinite(low) or not math.isfinite(high):
        raise BadInput("The source must be finite floating-point numbers in [-1, 1].")
    if max(-low, high) > 1.001:
        raise BadInput(f"The source must lie in [-1, 1]; its values run from {low:.3g} to {high:.3g}.")
