"""A whole family of untrained, tiny networks in our own file format: everything runs, nothing is learnt."""

from __future__ import annotations

from pathlib import Path

import torch

from gohd_core.animator.config import AnimatorConfig
from gohd_core.checkpoints import save_network
from gohd_core.components import component
from gohd_core.constants import N_GAZE, STYLISED
from gohd_core.expression.config import ExpressionConfig
from gohd_core.face.extractor_network import ExtractorConfig
from gohd_core.face.gaze_estimator import GazeConfig
from gohd_core.face.glimpses import GlimpseConfig
from gohd_core.face.resnet import ResNetConfig
from gohd_core.pose.config import DiffusionConfig

_BACKBONE = ResNetConfig("basic", (1, 1, 1, 1), 8)
_DIFFUSION = {"width": 16, "blocks": 2, "heads": 2, "kernels": 3, "step_width": 16, "form": "dropout"}
_ANIMATOR = AnimatorConfig(
    size=64,
    channels=(16, 16, 16, 8, 8),
    identity_dim=32,
    n_directions=8,
    descriptor_dim=32,
    modulate_from=32,
    encoder_size=64,
    flow_size=32,
)

FAMILY = {
    "FaceAnimator_GoHD": ("animator", _ANIMATOR),
    "audio2pose": ("pose_diffusion", DiffusionConfig(**_DIFFUSION)),
    "audio2gaze": ("gaze_diffusion", DiffusionConfig(channels=N_GAZE, **_DIFFUSION)),
    "audio2exp": (
        "expression",
        ExpressionConfig(
            kind="lstm",
            eye_motion_input=True,
            audio_widths=(4, 4, 8, 8, 16),
            audio_residuals=1,
            embedding_width=16,
            noise_width=8,
        ),
    ),
    "epoch_20": (
        "extractor",
        ExtractorConfig(
            image_size=64,
            aligned=False,
            backbone=_BACKBONE,
            heads=("identity", "expression", "angle", "shift", "depth"),
            glimpses=GlimpseConfig(size=16, width=4, features=8),
            hidden=16,
        ),
    ),
    "L2CSNet_gaze360": (
        "gaze_estimator",
        GazeConfig(
            image_size=64,
            backbone=_BACKBONE,
            glimpses=GlimpseConfig(regions=("right_eye", "left_eye"), size=16, width=4, features=8),
            hidden=16,
        ),
    ),
}
"""Released names without their endings, and what a conversion of each would hold."""


def write_family(folder: Path, *, space: str = STYLISED) -> Path:
    """Writes the whole family into a folder, named as conversions of the official files would be."""
    with torch.random.fork_rng(devices=[]):
        for seed, (name, (kind, config)) in enumerate(FAMILY.items()):
            torch.manual_seed(seed)
            network = component(kind).network(config)
            for parameter in network.parameters():
                if not parameter.any():  # layers that start at zero would hide what comes before them
                    torch.nn.init.normal_(parameter, std=0.1)
            save_network(folder / f"{name}.safetensors", network, component=kind, config=config, space=space)
    return folder
