"""What all nodes that draw share: the encoded portrait, watched frames, and a video file of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import host
from .values import own_motion


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
    from gohd_core.editing import exact_fps

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
