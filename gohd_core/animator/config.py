"""The animator's config: everything that determines its architecture, with the official size as default."""

from __future__ import annotations

from dataclasses import dataclass

from gohd_core.constants import N_DESCRIPTOR, WINDOW
from gohd_core.errors import BadInput

SMALLEST = 4
"""Side of the decoder's learned constant; the encoder ends there too."""

FACE, INNER, BACKGROUND = range(3)
"""Motion layers: skin, hair and all that moves with them; eyeballs, the mouth's inside and glasses; the still
background."""


@dataclass(frozen=True)
class AnimatorConfig:
    """Sizes of the animator's networks (§3.3).

    Two families share the latent space of eq. 9 and most layers:

    - `decoder="pyramid"`, `motion="window"`: the official one. A 27-frame window of descriptors drives
      it; every level warps a source feature and adds to an RGB pyramid.
    - `decoder="composite"`, `motion="frame"`: the built-in one, made to learn on small machines. The
      window's centre frame drives it, relative to the source's own descriptor; flows and masks of
      three layers (`layered/`) are predicted up to `flow_size`, refined, and warp the full-resolution
      source.

    Attributes:
        size: side of source and output images in pixels, a power of two from 8.
        channels: feature widths at 4, 8, 16 ... pixels; the pyramid needs one for each size up to
            `size`, the composite one for each up to `encoder_size`.
        identity_dim: width D of the identity code and of the motion directions.
        n_directions: number n of orthonormal motion directions.
        n_descriptor: width of one motion descriptor [expression 64 | pose 6 | gaze 2].
        window: frames in a window of descriptors; the centre one is being drawn.
        descriptor_dim: width of the encoded window (`window`) or of the motion MLP (`frame`).
        modulate_from: smallest size at which warped features are scaled and shifted (`pyramid`).
        encoder_size: side at which the encoder sees the source (`composite`).
        flow_size: largest side at which flows and masks are predicted from features (`composite`).
        head_channels: width of the full-resolution head (`composite`).
        surroundings: whether the head also sees the context of a pixel, at `flow_size` (`composite`).
        face_parts: whether lips, lids and eyeballs are read once and drawn by geometry (`composite`).
        teeth: whether rows of teeth are learnt as textures and composited into the mouth (`composite`).
    """

    size: int = 256
    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64)
    identity_dim: int = 512
    n_directions: int = 20
    n_descriptor: int = N_DESCRIPTOR
    window: int = WINDOW
    descriptor_dim: int = 512
    modulate_from: int = 64
    decoder: str = "pyramid"
    motion: str = "window"
    encoder_size: int = 256
    flow_size: int = 64
    head_channels: int = 16
    surroundings: bool = False
    teeth: bool = False
    face_parts: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.decoder not in ("pyramid", "composite") or self.motion not in ("window", "frame"):
            raise BadInput(
                f"The animator has the decoders pyramid and composite and the motions window and frame, "
                f"not {self.decoder!r} and {self.motion!r}."
            )
        sizes = (self.size, self.encoder_size, self.flow_size)
        if any(side < 8 or side & (side - 1) for side in sizes):
            raise BadInput(f"The animator's sizes must be powers of two from 8 on; got {sizes}.")
        if self.decoder == "pyramid" and self.encoder_size != self.size:
            raise BadInput("The pyramid decoder's encoder_size must equal size; set both alike.")
        if not self.flow_size <= self.encoder_size <= self.size:
            raise BadInput(f"The animator needs flow_size <= encoder_size <= size; got {sizes}.")
        if len(self.channels) != len(level_sizes(self.encoder_size)):
            raise BadInput(
                f"The animator needs one channel count for each of the sizes "
                f"{level_sizes(self.encoder_size)}; got {list(self.channels)}."
            )
        if self.n_directions > self.identity_dim:
            raise BadInput(
                f"There can't be more motion directions ({self.n_directions}) than the identity code "
                f"is wide ({self.identity_dim})."
            )

    @property
    def n_magnitudes(self) -> int:
        """Numbers that drive a frame: a magnitude a direction, and a descriptor if parts are geometric."""
        return self.n_directions + (self.n_descriptor if self.face_parts else 0)

    def width(self, side: int) -> int:
        """Feature channels at a level of `side` pixels."""
        return self.channels[level_sizes(self.encoder_size).index(side)]


def level_sizes(largest: int) -> list[int]:
    """4, 8, 16 ... up to `largest`."""
    return [SMALLEST << i for i in range((largest // SMALLEST).bit_length())]
