"""The built-in animator: faces that were read by their mesh are drawn by geometry, drawn heads by latents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gohd_core.animator import Animator, Source
from gohd_core.animator.config import AnimatorConfig
from gohd_core.animator.network import AnimatorNetwork
from gohd_core.mesh.reading.columns import EXTRA, without_extra
from gohd_core.motion import Motion

if TYPE_CHECKING:
    from gohd_core.mesh.animator import MeshAnimator
    from gohd_core.mesh.source import MeshSource


class BuiltinAnimator:
    """Both ways to draw behind one interface; which one is decided by what a source was encoded from.

    Attributes:
        latent: draws stylised heads, by latent navigation (eq. 9).
    """

    def __init__(self, latent: Animator) -> None:
        self.latent = latent

    @classmethod
    def load(
        cls, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
    ) -> BuiltinAnimator:
        """The shipped weights; `dtype` is the latent decoder's."""
        return cls(Animator.load(device=device, dtype=dtype))

    @property
    def mesh(self) -> MeshAnimator:
        """The mesh animator on the weights' device; it has none itself."""
        from gohd_core.mesh.animator import MeshAnimator

        return MeshAnimator(self.device)

    @property
    def network(self) -> AnimatorNetwork:
        """The weights that there are: those of latent navigation."""
        return self.latent.network

    @property
    def config(self) -> AnimatorConfig:
        return self.latent.config

    @property
    def space(self) -> str:
        return self.latent.space

    @property
    def dtype(self) -> torch.dtype:
        return self.latent.dtype

    @property
    def device(self) -> torch.device:
        """Device of the weights, on which frames are drawn."""
        return self.latent.device

    def encode_source(
        self,
        image: Tensor,
        reference: Motion | None = None,
        *,
        mesh: Tensor | None = None,
        person_mask: Tensor | None = None,
        held: Sequence[bool] = (True, True, True, True),
    ) -> Source | MeshSource:
        """Encodes a portrait once: with a face mesh for geometry (`MeshAnimator.encode_source`), without one
        for latent navigation (`Animator.encode_source`)."""
        if mesh is None:
            return self.latent.encode_source(image, reference)
        given = {"mesh": mesh, "person_mask": person_mask, "held": held}
        return self.mesh.encode_source(image, reference, **given)

    def magnitudes(self, source: Source | MeshSource, windows: Tensor) -> Tensor:
        """Magnitudes from windows [T,72,W]: xi of eq. 9; for a mesh the descriptors [T,72]."""
        if isinstance(source, Source):
            windows = windows.clone()
            windows[:, list(EXTRA)] = 0  # as in `animate`
            return self.latent.magnitudes(source, windows)
        return windows[:, :, windows.shape[2] // 2]

    def decode(
        self, source: Source | MeshSource, magnitudes: Tensor, strength: float | Tensor = 1.0
    ) -> Tensor:
        """Frames [T,3,S,S] in [-1, 1] from `magnitudes`."""
        return self._drawing(source).decode(source, magnitudes, strength)

    def animate(self, source: Source | MeshSource, motion: Motion, **options: Any) -> Iterator[Tensor]:
        """The clip in batches [b,3,S,S]; options as in `ClipAnimator.animate`."""
        if isinstance(source, Source):
            motion = without_extra(motion)
        return self._drawing(source).animate(source, motion, **options)

    def prefetch_frames(self, batch_size: int) -> int:
        """Frames that latent navigation draws ahead (`Animator.prefetch_frames`)."""
        return self.latent.prefetch_frames(batch_size)

    def check_motion(self, motion: Motion) -> None:
        """`BadInput` for a motion of another coefficient space."""
        self.latent.check_motion(motion)

    def _drawing(self, source: Source | MeshSource) -> Animator | MeshAnimator:
        return self.latent if isinstance(source, Source) else self.mesh


def load_animator(
    path: str | Path = "builtin",
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Animator | BuiltinAnimator:
    """The animator of a path (official or converted), or "builtin": both of its ways to draw."""
    if str(path) == "builtin":
        return BuiltinAnimator.load(device=device, dtype=dtype)
    return Animator.load(path, device=device, dtype=dtype)
