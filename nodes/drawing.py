"""Shared by all nodes that draw: the encoded portrait, watched frames, marks, and a video file of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from comfy_api.latest import io
from torch import Tensor
from torch.nn.functional import interpolate

from . import faces, host
from .sockets import field


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
    """Inputs of postprocessing before frames are encoded."""
    tooltip = (
        "The portrait's whole picture, with the face pasted back without a seam; off gives the face crop "
        "alone."
    )
    whole = field(io.Boolean, "full_frame", tooltip, default=True, optional=True)
    return [whole, *mark_fields(optional=True)]


def face_mask(portrait: Any, images: Tensor) -> Tensor:
    """Mask of the face in frames [T, H, W, 3] of the crop: a MASK [1, H, W]."""
    from gohd_core.render import paste_mask

    left, top, right, bottom = portrait.box
    part = paste_mask(portrait)[None, None, top:bottom, left:right]
    size = images.shape[1:3]
    return host.intermediate(interpolate(part, size, mode="bilinear", antialias=True)[0])


def draw_frames(
    animator: host.Managed, portrait: Any, motion: Any, bar: host.Progress, **options: Any
) -> Iterator[Tensor]:
    """Frames as they are drawn, shown now and then; options: of `pipeline.draw`."""
    from gohd_core.pipeline import draw

    (model,) = host.ready(animator)
    return bar.watched(draw(model, portrait, motion, should_stop=bar.should_stop, **options))


def dub_frames(
    film: Any,
    voice: Any,
    rate: Fraction,
    sound: tuple[Any, int] | None,
    bar: host.Progress,
    marks: dict[str, Any],
) -> tuple[Iterator[Tensor], tuple[Any, int] | None]:
    """Frames in which the face of a film says a voice's expressions, marked; and as much of the sound."""
    from gohd_core.driving.dubbing import dub, read_speaker
    from gohd_core.render import Mark, marked

    speaker = read_speaker(film, faces.needed_reader(), progress=bar, should_stop=bar.should_stop)
    frames = marked(dub(film, speaker, voice).batches(rate), Mark(*marks.values()))
    seconds = speaker.times[-1] + 1 / float(film.fps)
    sound = None if sound is None else (sound[0][..., : round(seconds * sound[1])], sound[1])
    return bar.watched(frames), sound


def encode_video(
    frames: Iterator[Tensor],
    rate: Fraction,
    sound: tuple[Any, int] | None,
    crf: int,
    bar: host.Progress,
    colour: Any = None,
) -> Path:
    """A new MP4 in the temp folder, whole or not at all. colour: of the film that is pasted into."""
    from gohd_core.render import render_video

    path, _ = host.output_path("gohd_video", ".mp4", temporary=True)
    options = {"crf": crf, "should_stop": bar.should_stop, "colour": colour}
    return render_video(path, frames, fps=rate, audio=sound, **options)
