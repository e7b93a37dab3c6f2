"""The mesh animator: any face talks, by its own geometry and its own picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

import torch
from torch import Tensor

from gohd_core.animator.windows import network_descriptors
from gohd_core.constants import N_DESCRIPTOR
from gohd_core.errors import BadInput, Interrupted
from gohd_core.kernels.threads import Cores
from gohd_core.mesh.drawing import draw
from gohd_core.mesh.source import MeshSource, mesh_source
from gohd_core.motion import Motion

Progress = Callable[[int, int], None]
SIZES = range(256, 1025, 64)
"""Sides of frames that can be drawn."""
_MOST_CORES = 8


class MeshAnimator:
    """Draws frames of any face from motion in the stylised space, at the picture's own resolution.

    The counterpart of `gohd_core.animator.Animator`; it has no weights.

    Attributes:
        device: what it draws on.
        space: coefficient space that its motion must be in.
    """

    space = "stylised"

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self._cores: Cores | None = None

    @torch.inference_mode()
    def encode_source(
        self,
        image: Tensor,
        reference: Motion | None = None,
        *,
        mesh: Tensor,
        person_mask: Tensor | None = None,
        held: Sequence[bool] = (True, True, True, True),
    ) -> MeshSource:
        """Prepares a portrait once.

        Args:
            image: [1,3,S,S] in [-1, 1], S one of `SIZES`; the square of `fit.face_box`.
            reference: the portrait's own coefficients, one frame, if they were read otherwise than from the
                mesh: motion then counts from there.
            mesh: [478,3] the face mesh in pixels of the image.
            person_mask: [1,1,S,S] or [S,S] person mask in 0..1; without it the wall moves along.
            held: whether the left, top, right and bottom side lie inside a larger picture and must stay.

        Raises:
            BadInput: wrong shape or size, values that are not finite or not in [-1, 1], wrong space.
        """
        image, mesh = _checked_image(image), torch.as_tensor(mesh, device=self.device)
        if person_mask is not None:
            person_mask = torch.as_tensor(person_mask, dtype=torch.float32, device=self.device)
            person_mask = person_mask.reshape(1, 1, *image.shape[2:])
        source = mesh_source(image.to(self.device, torch.float32), mesh, person_mask, held)
        if reference is None:
            return source
        self.check_motion(reference)
        if len(reference.pose.values) != 1:
            raise BadInput("The reference is the portrait's own motion: give exactly one frame.")
        return source.counted_from(network_descriptors(reference).to(self.device))

    @torch.inference_mode()
    def decode(self, source: MeshSource, descriptors: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Frames [T,3,S,S] float32 in [-1, 1].

        Args:
            source: from `encode_source`.
            descriptors: [T,72] in the network's order: expression 64, pose 6, gaze (horizontal, vertical).
            strength: factor on what they differ from the portrait's own by, one number or one a frame [T].
        """
        descriptors = self._scaled(source, descriptors, strength)
        return torch.cat(list(self._parts(source, descriptors, len(descriptors))))

    def _scaled(self, source: MeshSource, descriptors: Tensor, strength: float | Tensor) -> Tensor:
        """Checked descriptors [T,72], what they differ from the portrait's own by scaled."""
        if descriptors.ndim != 2 or descriptors.shape[1] != N_DESCRIPTOR or not len(descriptors):
            raise BadInput(f"Descriptors must be [T, {N_DESCRIPTOR}]; got {list(descriptors.shape)}.")
        if not descriptors.is_floating_point() or not torch.isfinite(descriptors).all():
            raise BadInput("Descriptors must be finite floating-point numbers; check the motion.")
        count = len(descriptors)
        strength = torch.as_tensor(strength, dtype=torch.float32, device=self.device).reshape(-1, 1)
        if len(strength) not in (1, count) or not torch.isfinite(strength).all():
            raise BadInput("Strength must be one finite number, or one for each frame.")
        change = descriptors.to(self.device, torch.float32) - source.reference
        return source.own + strength * change

    def _parts(self, source: MeshSource, descriptors: Tensor, batch_size: int) -> Iterator[Tensor]:
        """The frames of descriptors [T,72]: on a CPU one by one, the next `batch_size` on their way; else in
        batches."""
        work = partial(_draw, source)
        if self.device.type != "cpu":
            return map(work, descriptors.split(batch_size))
        # Each frame by itself: its maps stay in the caches, and it does not depend on the batch.
        frames = descriptors.split(1)
        threads = min(torch.get_num_threads(), _MOST_CORES)
        if threads == 1 or len(frames) == 1:
            return map(work, frames)
        if self._cores is None or self._cores.count != threads:
            self._cores = Cores(threads)
        return self._cores.stream(work, frames, max(batch_size, threads))

    def animate(
        self,
        source: MeshSource,
        motion: Motion,
        *,
        batch_size: int = 8,
        strength: float = 1.0,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[Tensor]:
        """Yields the clip in batches [b,3,S,S] float32; memory does not grow with its length.

        Args:
            source: from `encode_source`.
            motion: what to do, in the stylised space, at any frame rate.
            batch_size: frames in a batch; the frames do not depend on it.
            strength: factor on what the motion differs from the portrait's own by.
            progress: called as progress(frames done, frames in all) after each batch.
            should_stop: asked before each batch; when it returns True, `Interrupted` is raised.

        Raises:
            BadInput: the motion is in another space or empty, or the batch size is below 1.
        """
        self.check_motion(motion)
        if batch_size < 1:
            raise BadInput(f"The batch size must be at least 1; got {batch_size}.")
        return self._batches(source, motion, batch_size, strength, progress, should_stop)

    def _batches(
        self,
        source: MeshSource,
        motion: Motion,
        batch_size: int,
        strength: float,
        progress: Progress | None,
        should_stop: Callable[[], bool] | None,
    ) -> Iterator[Tensor]:
        descriptors = self._scaled(source, network_descriptors(motion), strength)
        total = len(descriptors)
        parts = self._parts(source, descriptors, batch_size)
        for start in range(0, total, batch_size):
            if should_stop is not None and should_stop():
                raise Interrupted(f"Stopped after {start} of {total} frames, as asked.")
            drawn = next(parts)
            wanted = min(batch_size, total - start) - len(drawn)
            yield torch.cat([drawn, *islice(parts, wanted)])
            if progress is not None:
                progress(min(start + batch_size, total), total)

    def check_motion(self, motion: Motion) -> None:
        """`BadInput` for a motion of another coefficient space."""
        if motion.space != self.space:
            raise BadInput(
                f"This motion is in the {motion.space!r} coefficient space, but faces are drawn by their "
                f"mesh from motion in {self.space!r}; use models of that space."
            )
        if not len(motion.pose.values):
            raise BadInput("This motion has no frames.")


@torch.inference_mode()
def _draw(source: MeshSource, descriptors: Tensor) -> Tensor:
    return draw(source, descriptors)


def _checked_image(image: Tensor) -> Tensor:
    if image.ndim != 4 or tuple(image.shape[:2]) != (1, 3) or image.shape[2] != image.shape[3]:
        raise BadInput(f"The source must be one square RGB picture [1, 3, S, S]; got {list(image.shape)}.")
    if image.shape[-1] not in SIZES:
        raise BadInput(
            f"Faces are drawn at {SIZES.start} to {SIZES.stop - 1} pixels in steps of {SIZES.step}; "
            f"this picture has {image.shape[-1]}."
        )
    if not image.is_floating_point() or not torch.isfinite(image).all():
        raise BadInput("The source must be finite floating-point numbers in [-1, 1].")
    if image.abs().max() > 1.001:
        low, high = image.min().item(), image.max().item()
        raise BadInput(f"The source must lie in [-1, 1]; its values run from {low:.3g} to {high:.3g}.")
    return image
