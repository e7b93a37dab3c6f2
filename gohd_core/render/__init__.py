"""Postprocessing of frames: paste-back, watermarks, video files; plots of motion."""

from gohd_core.render.paste_back import paste_back
from gohd_core.render.paste_mask import paste_mask
from gohd_core.render.strip import FrameStrip
from gohd_core.render.watermark import Mark, WatermarkDetection, marked, read_frames
from gohd_core.render.watermark_file import read_watermark
from gohd_core.video.writer import frames_to_bytes, render_video

__all__ = [
    "FrameStrip",
    "Mark",
    "WatermarkDetection",
    "frames_to_bytes",
    "marked",
    "paste_back",
    "paste_mask",
    "read_frames",
    "read_watermark",
    "render_video",
]
