"""VIDEO outputs: core's own class, which also answers what later versions of core ask of one."""

from __future__ import annotations

import inspect
import io
import logging
from typing import Any

from comfy_api.latest import InputImpl

from . import host

logger = logging.getLogger(__name__)

ENCODER = ("crf", "preset")
FINE = {"crf": 10, "preset": "veryfast"}
"""Encoding of a cropped or resized copy until it is saved, visually lossless."""


class MadeVideo(InputImpl.VideoFromFile):
    """A video file of ours.

    Where core's class has `save_to(crf=, color_space=, preset=)`, `as_cropped` and `as_resized`, it answers;
    before that, this one does. Options that neither knows are skipped with a warning in the log.
    """

    def save_to(
        self, path: Any, format: Any = "auto", codec: Any = "auto", metadata: Any = None, **options: Any
    ) -> None:
        """Writes the video to a path or a buffer; options of None leave the choice to core."""
        known = inspect.signature(super().save_to).parameters
        wanted = {name: value for name, value in options.items() if value is not None}
        of_core = {name: value for name, value in wanted.items() if name in known}
        encoder = {name: wanted[name] for name in ENCODER if name in wanted and name not in known}
        left = wanted.keys() - of_core.keys() - encoder.keys()
        if wanted.get("color_space") in ("sRGB", "auto"):  # what it is without
            left -= {"color_space"}
        if left:
            logger.warning(f"This version of ComfyUI saves videos without {', '.join(sorted(left))}.")
        if not encoder:
            super().save_to(path, format, codec, metadata, **of_core)
            return
        from gohd_core.video.transcoding import transcode

        whole = io.BytesIO()
        super().save_to(whole, format, codec, metadata, **of_core)
        whole.seek(0)
        transcode(whole, path, **encoder)

    def as_trimmed(self, *where: Any, **options: Any) -> Any:
        """A part in time, as core makes it; it answers the same calls."""
        trimmed = super().as_trimmed(*where, **options)
        if type(trimmed) is InputImpl.VideoFromFile:
            trimmed.__class__ = type(self)
        return trimmed

    def as_cropped(self, x: int = 0, y: int = 0, width: int = 0, height: int = 0) -> Any:
        """A rectangle of it, on even pixels; an empty or whole one is the video itself."""
        if hasattr(super(), "as_cropped"):
            return super().as_cropped(x, y, width, height)
        from gohd_core.video.transcoding import crop_filter, even_crop

        rectangle = even_crop((x, y), (width, height), self.get_dimensions())
        return self if rectangle is None else self._filtered([crop_filter(rectangle)])

    def as_resized(
        self, width: int, height: int, upscale_method: str, crop: str = "disabled", post_crop: Any = None
    ) -> Any:
        """At another size; crop "center" keeps shapes, post_crop (x, y, width, height) comes last."""
        if hasattr(super(), "as_resized"):
            return super().as_resized(width, height, upscale_method, crop, post_crop)
        from gohd_core.video.transcoding import crop_filter, resize_filters

        filters = resize_filters(
            self.get_dimensions(), (width, height), upscale_method, centred=crop == "center"
        )
        return self._filtered(filters if post_crop is None else [*filters, crop_filter(post_crop)])

    def _filtered(self, filters: Any) -> MadeVideo:
        from gohd_core.video.transcoding import transcode

        source = self.get_stream_source()
        if any(getattr(self, "get_active_trim_window", lambda: ())()):
            source = io.BytesIO()
            self.save_to(source, format="mp4")
            source.seek(0)
        path, _ = host.output_path("gohd_video", ".mp4", temporary=True)
        transcode(source, str(path), filters=filters, **FINE)
        return type(self)(str(path))
