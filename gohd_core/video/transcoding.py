"""Encodes a video again: at another quality, cut out or at another size; its sound is copied as it is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, BinaryIO

from gohd_core.errors import BadInput
from gohd_core.media import pyav

SCALERS = {
    "nearest-exact": "neighbor",
    "bilinear": "bilinear",
    "area": "area",
    "bicubic": "bicubic",
    "lanczos": "lanczos",
}
"""ffmpeg's name of each way to resize that ComfyUI's nodes offer."""
_COLOURS = ("color_primaries", "color_trc", "colorspace", "color_range")

Filters = Sequence[tuple[str, str]]


def even_crop(
    corner: tuple[int, int], extent: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """A rectangle (left, top, width, height) within a picture of `size` (width, height), on even pixels.

    None where it is empty or the whole picture.
    """
    left, top = (max(0, min(int(at), side - 1)) & ~1 for at, side in zip(corner, size, strict=True))
    width, height = min(int(extent[0]), size[0] - left) & ~1, min(int(extent[1]), size[1] - top) & ~1
    if width <= 0 or height <= 0 or (left, top, width, height) == (0, 0, *size):
        return None
    return left, top, width, height


def crop_filter(rectangle: Sequence[int]) -> tuple[str, str]:
    """ffmpeg's filter for a rectangle (left, top, width, height)."""
    left, top, width, height = rectangle
    return "crop", f"{width}:{height}:{left}:{top}:exact=1"


def resize_filters(
    size: tuple[int, int], wanted: tuple[int, int], method: str, *, centred: bool = False
) -> list[tuple[str, str]]:
    """Filters from a picture of `size` to one `wanted` (width, height).

    method: of `SCALERS`. centred: excess width or height over that shape is cut off first, on both sides
    alike. Raises `BadInput` for an unknown method or an empty size.
    """
    width, height = wanted
    if method not in SCALERS:
        raise BadInput(f"There is no way to resize called {method!r}; choose one of {', '.join(SCALERS)}.")
    if width < 1 or height < 1:
        raise BadInput(f"A video of {width} x {height} pixels is empty; give a width and a height from 1 on.")
    scale = ("scale", f"{width}:{height}:flags={SCALERS[method]}+accurate_rnd")
    if not centred:
        return [scale]
    wide, tall = min(size[0], round(size[1] * width / height)), min(size[1], round(size[0] * height / width))
    return [crop_filter(((size[0] - wide) // 2, (size[1] - tall) // 2, wide, tall)), scale]


def transcode(
    source: str | BinaryIO, target: str | BinaryIO, *, filters: Filters = (), **options: str | float
) -> None:
    """Encodes the pictures of a video as H.264 in an MP4; times, sound, metadata and colour tags stay.

    Args:
        filters: ffmpeg filters (name, arguments) that pictures pass; odd sizes get a row or column more.
        options: of libx264, as crf and preset.

    Raises `BadInput` for a source without pictures and for what libx264 does not take.
    """
    av = pyav()
    flags = {"movflags": "use_metadata_tags"}
    with av.open(source) as before, av.open(target, "w", format="mp4", options=flags) as after:
        if not before.streams.video:
            raise BadInput("There is no picture in this video; give one with pictures.")
        pictures = before.streams.video[0]
        for key, value in before.metadata.items():
            after.metadata[key] = value
        sounds = before.streams.audio[:1]
        made = after.add_stream("libx264", rate=pictures.average_rate or Fraction(25))
        made.time_base = pictures.time_base
        made.options = {name: str(value) for name, value in options.items()}
        for name in _COLOURS:
            setattr(made.codec_context, name, getattr(pictures.codec_context, name))
        copies = {sound: after.add_stream_from_template(sound) for sound in sounds}
        graph, early = None, []  # sound that comes before the first picture, which says the size
        try:
            for packet in before.demux(pictures, *sounds):
                if packet.stream in copies and packet.dts is None:  # the end
                    continue
                if packet.stream in copies:
                    packet.stream = copies[packet.stream]
                    if graph is None:
                        early.append(packet)
                    else:
                        after.mux(packet)
                    continue
                for frame in packet.decode():
                    first = graph is None
                    graph = graph or _graph(av, frame, pictures.time_base, filters)
                    graph.push(frame)
                    picture = graph.pull()
                    picture.pict_type = 0  # the encoder chooses key frames anew
                    if first:
                        made.width, made.height = picture.width, picture.height
                    after.mux([*made.encode(picture), *(early if first else ())])
            after.mux(made.encode())
        except av.error.FFmpegError as error:
            raise BadInput(f"The video could not be encoded with {options}: {error}.") from error


def _graph(av: Any, frame: Any, time_base: Fraction, filters: Filters) -> Any:
    """The filters as a graph for frames like this one, ending in an even size."""
    graph = av.filter.Graph()
    kind = {"width": frame.width, "height": frame.height, "format": frame.format.name, "time_base": time_base}
    last = [("pad", "ceil(iw/2)*2:ceil(ih/2)*2"), ("format", "yuv420p"), ("buffersink", None)]
    steps = [graph.add_buffer(**kind), *(graph.add(name, given) for name, given in [*filters, *last])]
    graph.link_nodes(*steps).configure()
    return graph
