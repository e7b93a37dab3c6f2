"""Tiny networks with random weights, written as the pack writes its own: enough to run every node."""

from __future__ import annotations

from pathlib import Path

import torch

from gohd_core.animator import AnimatorConfig
from gohd_core.checkpoints import save_network
from gohd_core.components import component
from gohd_core.constants import STYLISED
from gohd_core.expression.config import ExpressionConfig
from gohd_core.face.extractor_network import ExtractorConfig
from gohd_core.face.gaze_estimator import GazeConfig
from gohd_core.face.glimpses import GlimpseConfig
from gohd_core.face.resnet import ResNetConfig
from gohd_core.pose.config import DiffusionConfig

_BACKBONE = ResNetConfig("basic", (1, 1, 1, 1), 8)
_DIFFUSION = {
    "width": 32,
    "blocks": 1,
    "conformers": 1,
    "heads": 2,
    "kernels": 3,
    "step_code": 8,
    "step_width": 16,
    "training_steps": 24,
    "form": "dropout",
}
CONFIGS = {
    "animator": AnimatorConfig(
        size=64,
        encoder_size=32,
        channels=(24, 20, 16, 12),
        identity_dim=40,
        n_directions=6,
        descriptor_dim=16,
        flow_size=16,
        decoder="composite",
        motion="frame",
        head_channels=8,
    ),
    "pose_diffusion": DiffusionConfig(channels=6, **_DIFFUSION),
    "gaze_diffusion": DiffusionConfig(channels=2, **_DIFFUSION),
    "expression": ExpressionConfig(
        kind="lstm",
        eye_motion_input=True,
        audio_widths=(4, 8, 8, 16, 16),
        audio_residuals=1,
        embedding_hidden=16,
        embedding_width=16,
        recurrent_layers=1,
        noise_width=16,
        output_hidden=16,
    ),
    "extractor": ExtractorConfig(
        image_size=64, backbone=_BACKBONE, aligned=False, glimpses=GlimpseConfig(size=16, width=4, features=8)
    ),
    "gaze_estimator": GazeConfig(
        image_size=64, backbone=_BACKBONE, glimpses=GlimpseConfig(size=16, width=4, features=8), hidden=16
    ),
}


def write_family(folder: Path, space: str = STYLISED) -> Path:
    """One file per component, named after it; also what stands for the built-in weights in tests."""
    for number, (name, config) in enumerate(CONFIGS.items()):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            network = component(name).network(config)
        path = folder / f"{name}.safetensors"
        save_network(path, network, component=name, config=config, space=space)
    return folder
