"""The mesh animator: any face talks, by its own geometry and its own picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gohd_core.animator.base import ClipAnimator, check_values
from gohd_core.animator.windows import network_descriptors
from gohd_core.constants import N_DESCRIPTOR, STYLISED
from gohd_core.errors import BadInput
from gohd_core.kernels.memory import empty
from gohd_core.kernels.passes import PassPlan
from gohd_core.mesh.drawing import draw
from gohd_core.mesh.source import MeshSource, mesh_source
from gohd_core.motion import Motion

SIZES = range(256, 1025, 64)
"""Sides of frames that can be drawn."""
_PER_PASS = 4
"""Frames drawn together: their small maps cost few calls."""


class MeshAnimator(ClipAnimator):
    """Draws frames of any face from motion in the stylised space, at the picture's own resolution.

    The counterpart of `gohd_core.animator.Animator`; it has no weights.
    """

    space = STYLISED
    _other_space = "faces are drawn by their mesh from motion in {space!r}; use models of that space."

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.passes = PassPlan(_PER_PASS, parallel=True)

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
            person_mask: [1,1,S,S] or [S,S] person mask in 0..1; without it the background moves along.
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
        return source.counted_from(self._own_descriptor(reference))

    @torch.inference_mode()
    def decode(self, source: MeshSource, descriptors: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Frames [T,3,S,S] float32 in [-1, 1].

        Args:
            source: from `encode_source`.
            descriptors: [T,72] in the network's order: expression 64, pose 6, gaze (horizontal, vertical).
            strength: factor on what they differ from the portrait's own by, one number or one a frame [T].
        """
        if descriptors.ndim != 2 or descriptors.shape[1] != N_DESCRIPTOR or not len(descriptors):
            raise BadInput(f"Descriptors must be [T, {N_DESCRIPTOR}]; got {list(descriptors.shape)}.")
        if not descriptors.is_floating_point() or not torch.isfinite(descriptors).all():
            raise BadInput("Descriptors must be finite floating-point numbers; check the motion.")
        count = len(descriptors)
        strength = torch.as_tensor(strength, dtype=torch.float32, device=self.device).reshape(-1, 1)
        if len(strength) not in (1, count) or not torch.isfinite(strength).all():
            raise BadInput("Strength must be one finite number, or one for each frame.")
        change = descriptors.to(self.device, torch.float32) - source.reference
        descriptors = source.own + strength * change
        frames = empty(count, 3, source.size, source.size, device=self.device)
        self.passes.map(lambda some, _: draw(source, *some), (descriptors, frames), count=count)
        return frames

    def _drawing(self, source: MeshSource, motion: Motion, strength: float) -> Callable[[range], Tensor]:
        descriptors = network_descriptors(motion)
        return lambda frames: self.decode(source, descriptors[frames.start : frames.stop], strength)


def _checked_image(image: Tensor) -> Tensor:
    if image.ndim != 4 or tuple(image.shape[:2]) != (1, 3) or image.shape[2] != image.shape[3]:
        raise BadInput(f"The source must be one square RGB picture [1, 3, S, S]; got {list(image.shape)}.")
    if image.shape[-1] not in SIZES:
        raise BadInput(
            f"Faces are drawn at {SIZES.start} to {SIZES.stop - 1} pixels in steps of {SIZES.step}; "
            f"this picture has {image.shape[-1]}."
        )
    check_values(image)
    return image
