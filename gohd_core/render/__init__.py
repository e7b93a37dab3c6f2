"""Frames become video."""

from gohd_core.render.video import frames_to_bytes, render_video

__all__ = ["frames_to_bytes", "render_video"]
