"""What all nodes that draw share: the encoded portrait, watched frames, marks, and a video file of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor
from torch.nn.functional import interpolate

from . import host
from .sockets import field
from .values import own_motion


def mark_fields(*, optional: bool) -> list[Any]:
    """Switches of the marks. Optional where they came later, so that older graphs go on running."""
    return [
        field(
            io.Boolean,
            "invisible_mark",
            "Marks every frame as generated, with a faint pattern, hardly seen on plain walls, that Read "
            "Watermark finds, also after H.264 and resizing. On unless you switch it off.",
            default=True,
            optional=optional,
        ),
        field(
            io.String,
            "visible_mark",
            "Text in a corner of every frame, for example: AI generated. Empty for none.",
            default="",
            optional=optional,
        ),
    ]


def finishing_fields() -> list[Any]:
    """What happens to drawn frames before they are encoded."""
    tooltip = (
        "Pastes the face back into the portrait's whole picture, with a soft edge; off gives the face crop "
        "alone."
    )
    whole = field(io.Boolean, "full_frame", tooltip, default=False, optional=True)
    return [whole, *mark_fields(optional=True)]


def finished(
    frames: Iterator[Tensor],
    portrait: Any,
    full_frame: bool,
    invisible_mark: bool,
    visible_mark: str,
    **into: Any,
) -> Iterator[Tensor]:
    """Frames pasted back and marked, as a stream. into: the `background` and `track` of `paste_back`."""
    from gohd_core.render import Mark, marked, paste_back

    whole = paste_back(frames, portrait, **into) if full_frame else frames
    return marked(whole, Mark(invisible_mark, visible_mark))


def fitted_portrait(portrait: Any, size: int) -> Any:
    """The same portrait with its crop at another size."""
    if portrait.size == size:
        return portrait
    from gohd_core.face.crop import Box, resize_crop, slice_box

    part = slice_box(portrait.frame.numpy(), Box.of(portrait.box))
    return replace(portrait, crop=torch.from_numpy(resize_crop(part, size)).clamp(0, 1))


def encoded_source(animator: Any, portrait: Any) -> Any:
    """The portrait as the animator keeps it for a clip."""
    return animator.encode_source(
        fitted_portrait(portrait, animator.config.size).source, own_motion(portrait)
    )


def face_mask(portrait: Any, images: Tensor) -> Tensor:
    """Where the face may be in frames [T, H, W, 3] of the crop: a MASK [1, H, W]."""
    from gohd_core.render import paste_mask

    left, top, right, bottom = portrait.box
    part = paste_mask(portrait)[None, None, top:bottom, left:right]
    size = images.shape[1:3]
    return host.intermediate(interpolate(part, size, mode="bilinear", antialias=True)[0])


def drawn(
    animator: host.Managed,
    portrait: Any,
    motion: Any,
    fps: float,
    strength: float,
    batch_size: int,
    bar: host.Progress,
    progress: Callable[[int, int], None],
) -> tuple[Iterator[Tensor], Fraction]:
    """Frames as they are drawn, and their exact rate."""
    from gohd_core.motion.editing import exact_fps

    rate = exact_fps(fps)
    (model,) = host.ready(animator)
    frames = model.animate(
        encoded_source(model, portrait),
        motion.resampled(rate),
        batch_size=batch_size,
        strength=strength,
        progress=progress,
        should_stop=bar.should_stop,
    )
    return bar.watched(frames), rate


def encoded(
    frames: Iterator[Tensor],
    rate: Fraction,
    sound: tuple[Any, int] | None,
    crf: int,
    bar: host.Progress,
) -> Path:
    """A new MP4 in the temp folder, whole or not at all."""
    from gohd_core.render import render_video

    path, _ = host.output_path("gohd_video", ".mp4", temporary=True)
    return render_video(path, frames, fps=rate, audio=sound, crf=crf, should_stop=bar.should_stop)
