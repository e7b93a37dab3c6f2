"""The released gaze denoiser (audio2gaze.pt): the pose denoiser with two channels, [horizontal, vertical]."""

from __future__ import annotations

from gohd_core.pose.official import CONFIG, NETWORK, layout

LAYOUTS = (layout(gaze=True),)

__all__ = ["CONFIG", "LAYOUTS", "NETWORK"]
