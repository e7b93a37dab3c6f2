"""Every config of the trainers that look at pictures takes two steps on a few small clips.

Those of the trainers that listen do so in their own tests, with sound.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.checkpoints.writing import save_network
from gohd_core.clips import Entry, save_clip, write_index
from gohd_core.commands.train import CONFIGS
from gohd_core.components import component
from gohd_core.constants import N_LANDMARKS, STYLISED
from gohd_core.training.feature_networks.vgg import Vgg19
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.loop import train
from gohd_core.training.registry import find_task

SIZE = 64

ANIMATOR = [
    f"network.size={SIZE}", "network.identity_dim=24", "network.n_directions=6", "network.descriptor_dim=16",
    "discriminator_width=8",
]  # fmt: skip
SMALL = {
    "animator": [*ANIMATOR, f"network.encoder_size={SIZE}", "network.channels=[16, 12, 12, 8, 8]"],
    "animator/stylised": [
        *ANIMATOR, "network.encoder_size=32", "network.flow_size=16", "network.channels=[16, 12, 8, 8]",
        "losses.flow=off", "losses.visibility=off", "losses.planes=off", "losses.warp=off",
        "losses.hidden=off", "losses.eyeballs=off", "losses.shape=off",
    ],
    "extractor": [f"network.image_size={SIZE}", "network.backbone.width=4"],
    "gaze-estimator": [f"network.image_size={SIZE}", "network.backbone.width=4"],
    "face-parsing": [f"network.image_size={SIZE}", "network.backbone.width=4", "network.width=8"],
}  # fmt: skip
FILES = sorted(file for file in CONFIGS.glob("*/*.yaml") if file.parent.name in SMALL)

SHORT = [
    "loop.steps=2", "loop.max_minutes=null", "loop.device=cpu", "loop.precision=fp32", "data.batch=2",
    "data.workers=0", "data.validation_batches=1", f"data.space={STYLISED}", "data.bad_clips=stop",
    "loop.log_every=1",
]  # fmt: skip


def write_clips(folder: Path) -> None:
    """Two clips of noise, one of them held out."""
    entries = []
    for split in ("train", "validation"):
        rng = np.random.default_rng(len(split))
        arrays = {
            "expression": 0.2 * rng.standard_normal((4, 64)),
            "pose": 0.1 * rng.standard_normal((4, 6)),
            "gaze": 0.1 * rng.standard_normal((4, 2)),
            "identity": rng.standard_normal(80),
            "landmarks": rng.uniform(10, SIZE - 10, (4, N_LANDMARKS, 2)),
            "irises": np.full((4, 2, 2), SIZE / 2),
        }
        arrays = {name: value.astype(np.float32) for name, value in arrays.items()}
        arrays["frames"] = rng.integers(0, 255, (4, SIZE, SIZE, 3)).astype(np.uint8)
        arrays["parsing"] = rng.integers(0, 19, (4, SIZE, SIZE)).astype(np.uint8)
        save_clip(folder / split / "noise.safetensors", arrays, {"space": STYLISED, "fps": 25})
        entries.append(Entry("noise", split, split, "", "", 4))
    header = {"space": STYLISED, "fps": 25, "size": SIZE, "seed": 0, "kind": "stills"}
    write_index(folder, header, entries)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with clips and with random weights of the networks that the animator's losses look through."""
    folder = tmp_path_factory.mktemp("ablations")
    write_clips(folder / "clips")
    torch.manual_seed(0)
    torch.save(Vgg19().state_dict(), folder / "vgg19.pth")
    for module, name in (("gaze-estimator", "gaze_estimator"), ("face-parsing", "face_parsing")):
        config = load_config(
            find_task(module).Config, CONFIGS / module / "stylised.yaml", SMALL[module]
        ).network
        network = component(name).network(config)
        save_network(folder / f"{name}.safetensors", network, component=name, config=config, space=STYLISED)
    return folder


@cache
def feature_settings(place: Path) -> tuple[str, ...]:
    """Where the animator's feature networks are; small ones of ours stand in for the large."""
    stand_ins = {
        "perceptual": ("vgg19", "vgg19.pth"),
        "expression": ("gaze_estimator", "gaze_estimator.safetensors"),
        "gaze": ("gaze_estimator", "gaze_estimator.safetensors"),
        "parsing": ("face_parsing", "face_parsing.safetensors"),
    }
    return tuple(
        setting
        for loss, (network, file) in stand_ins.items()
        for setting in (f"features.{loss}.network={network}", f"features.{loss}.weights='{place / file}'")
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_config_takes_two_steps(file: Path, place: Path, tmp_path: Path):
    module = file.parent.name
    settings = [*SHORT, *SMALL.get(f"{module}/{file.stem}", SMALL[module])]
    settings.append(f"data.folders=['{place / 'clips'}']")
    if module == "animator":
        settings += feature_settings(place)
    summary = train(find_task(module), load_config(find_task(module).Config, file, settings), tmp_path)
    assert summary.step == 2 and len(summary.exported) == 1
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    (trained,) = [line for line in lines if line["event"] == "train" and line["step"] == 2]
    assert all(np.isfinite(value) for name, value in trained.items() if "/" in name)
    off = [line["text"] for line in lines if line["event"] == "note"]
    if module == "animator" and file.stem != "stylised":
        assert any("parsing loss is off" in text for text in off) == (file.stem == "without_parsing")
