"""Frames become video."""

from gohd_core.render.paste_back import paste_back
from gohd_core.render.paste_mask import paste_mask
from gohd_core.render.strip import FrameStrip
from gohd_core.render.video import frames_to_bytes, render_video

__all__ = ["FrameStrip", "frames_to_bytes", "paste_back", "paste_mask", "render_video"]
