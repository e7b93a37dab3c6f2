"""A whole family of untrained, tiny networks in our own file format: everything runs, nothing is learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from gohd_core.checkpoints import save_network
from gohd_core.components import component
from gohd_core.constants import N_GAZE, STYLISED
from gohd_core.expression.config import ExpressionConfig
from gohd_core.face.reading.extractor_network import ExtractorConfig
from gohd_core.face.reading.gaze_estimator import GazeConfig
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import ResNetConfig
from gohd_core.pose.config import DiffusionConfig
from tests.support.small_animators import BUILTIN

_BACKBONE = ResNetConfig("basic", (1, 1, 1, 1), 8)
_DIFFUSION = {"width": 16, "blocks": 2, "heads": 2, "kernels": 3, "step_width": 16, "form": "dropout"}

FAMILY = {
    "FaceAnimator_GoHD": ("animator", replace(BUILTIN, surroundings=False)),
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


def write_family(folder: Path, *, space: str = STYLISED, builtin: bool = False) -> Path:
    """Writes the whole family into a folder, named as official or as built-in weights are."""
    with torch.random.fork_rng(devices=[]):
        for seed, (name, (kind, config)) in enumerate(FAMILY.items()):
            torch.manual_seed(seed)
            network = component(kind).network(config)
            for parameter in network.parameters():
                if not parameter.any():  # layers that start at zero would hide what comes before them
                    torch.nn.init.normal_(parameter, std=0.1)
            path = folder / f"{kind if builtin else name}.safetensors"
            save_network(path, network, component=kind, config=config, space=space)
    return folder
