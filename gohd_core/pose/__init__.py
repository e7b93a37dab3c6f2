"""Head poses and gaze from speech: conformer denoiser, noise schedule, samplers, guidance (§3.1)."""

from gohd_core.pose.config import DiffusionConfig
from gohd_core.pose.denoiser import DenoisingNetwork
from gohd_core.pose.diffusion import GazeDiffusion, PoseDiffusion

__all__ = ["DenoisingNetwork", "DiffusionConfig", "GazeDiffusion", "PoseDiffusion"]
