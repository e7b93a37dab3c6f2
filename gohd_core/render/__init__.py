"""Frames become video."""

from gohd_core.render.strip import FrameStrip
from gohd_core.render.video import frames_to_bytes, render_video

__all__ = ["FrameStrip", "frames_to_bytes", "render_video"]
