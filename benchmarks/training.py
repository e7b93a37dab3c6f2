"""Speed and memory of every trainer: python benchmarks/training.py [MODULE ...]

Takes a few steps of each module at its official size (or `--config stylised` for the small ones) on random
clips, in fp32 and bf16, with and without torch.compile where a GPU is. Every variant runs in a process of
its own, so that its memory is its own. Networks that losses look through get random weights of their
true size. Figures are steps a second, examples a second and GiB, and ratios to plain fp32.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core.checkpoints.writing import save_network
from gohd_core.clips import Entry, clip_path, save_clip, write_index
from gohd_core.components import component
from gohd_core.constants import N_LANDMARKS, SAMPLES_PER_FRAME, STYLISED
from gohd_core.errors import GohdError
from gohd_core.training.feature_networks.lip_reading import LipReader
from gohd_core.training.feature_networks.resnet50 import PooledResNet
from gohd_core.training.feature_networks.vgg import Vgg19
from gohd_core.training.framework.config import is_on, load_config, update
from gohd_core.training.framework.dry_run import measure
from gohd_core.training.registry import CONFIGS, TASKS, find_task

LARGE = ("paper", "official")
"""Names of the configs of official size."""

PICTURES = ("animator", "extractor", "gaze-estimator", "face-parsing")
"""Modules that learn from pictures; the others from sound and motion."""

RELEASED = {"vgg19": Vgg19, "emotion_resnet50": PooledResNet, "lip_reading": LipReader}
"""Feature networks that come as their authors' files; the others are components of ours."""

VARIANTS = {
    "fp32": [],
    "bf16": ["loop.precision=bf16"],
    "fp32 compiled": ["loop.compile=true"],
    "bf16 compiled": ["loop.precision=bf16", "loop.compile=true"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=[], help=f"some of {', '.join(TASKS)}; all by default")
    parser.add_argument("--config", help="name of the configs to take instead of the official sizes")
    parser.add_argument("--variants", nargs="*", default=None, choices=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--set", nargs="*", default=[], metavar="key=value", help="further settings")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--one", nargs=2, metavar=("MODULE", "VARIANT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(*options.one, options)))
        return
    chosen = options.variants or (list(VARIANTS) if torch.cuda.is_available() else ["fp32", "bf16"])
    rows = []
    for module in options.modules or TASKS:
        plain = None
        for variant in chosen:
            row = {"module": module, "variant": variant, **in_own_process(module, variant, options)}
            plain = row if plain is None else plain
            if "steps_per_second" in row and "steps_per_second" in plain:
                row["ratio"] = row["steps_per_second"] / plain["steps_per_second"]
            rows.append(row)
            print(line(row), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def in_own_process(module: str, variant: str, options: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--one", module, variant, "--steps", str(options.steps)]
    command += ["--config", options.config] if options.config else []
    command += ["--set", *options.set] if options.set else []
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        return {"error": answer.stderr.strip().splitlines()[-1]}
    return json.loads(answer.stdout.strip().splitlines()[-1])


def one(module: str, variant: str, options: argparse.Namespace) -> dict:
    """One variant of one module, measured here."""
    try:
        kind = find_task(module)
    except GohdError as error:
        return {"error": str(error)}
    names = [options.config] if options.config else LARGE
    files = [CONFIGS / module / f"{name}.yaml" for name in names]
    file = next((path for path in files if path.is_file()), None)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        data = random_clips(Path(folder) / "data", pictures=module in PICTURES)
        settings = [f"data.folders=['{data}']", f"data.space={STYLISED}", "data.validation_batches=0"]
        if module == "expression-stage2":
            settings.append(f"stage1='{random_stage1(Path(folder) / 'stage1.safetensors')}'")
        config = load_config(kind.Config, file, [*settings, *options.set, *VARIANTS[variant]])
        found = measure(kind, with_random_features(config, Path(folder)), steps=options.steps)
    return {
        "config": file.stem if file else "defaults",
        "device": found.device,
        "million_parameters": round(sum(found.parameters.values()) / 1e6, 2),
        "batch": found.examples_per_step,
        "steps_per_second": 1 / found.seconds_per_step,
        "examples_per_second": found.examples_per_step / found.seconds_per_step,
        "memory_gib": found.memory,
        "wait_share": found.wait_share,
    }


def line(row: dict) -> str:
    if "error" in row:
        return f"{row['module']:<18} {row['variant']:<14} {row['error']}"
    return (
        f"{row['module']:<18} {row['variant']:<14} {row['steps_per_second']:8.3f} steps/s "
        f"({row['ratio']:.2f} x)  {row['examples_per_second']:8.1f} examples/s "
        f"{row['memory_gib']:6.2f} GiB  "
        f"batch {row['batch']}, {row['million_parameters']} M, {row['config']}, {row['device']}"
    )


def random_clips(folder: Path, *, pictures: bool) -> Path:
    """Clips of noise: two of 320 frames with sound, or four of 4 frames of 256 x 256 pixels."""
    (count, frames), size, entries = (4, 4) if pictures else (2, 320), 256, []
    for index in range(count):
        rng = np.random.default_rng(index)
        arrays = {
            "expression": 0.3 * rng.standard_normal((frames, 64)),
            "pose": 0.1 * rng.standard_normal((frames, 6)),
            "gaze": 0.1 * rng.standard_normal((frames, 2)),
            "identity": rng.standard_normal(80),
            "landmarks": face_landmarks(size)[None] + rng.standard_normal((frames, N_LANDMARKS, 2)),
            "irises": np.full((frames, 2, 2), size / 2),
        }
        arrays = {name: value.astype(np.float32) for name, value in arrays.items()}
        if pictures:
            arrays["frames"] = rng.integers(0, 255, (frames, size, size, 3)).astype(np.uint8)
            arrays["parsing"] = rng.integers(0, 19, (frames, size, size)).astype(np.uint8)
        else:
            arrays["audio"] = rng.integers(-9000, 9000, frames * SAMPLES_PER_FRAME).astype(np.int16)
        save_clip(clip_path(folder, "train", f"noise{index}"), arrays, {"space": STYLISED, "fps": 25})
        entries.append(Entry(f"noise{index}", "train", f"{index}", "", "", frames))
    kind = "stills" if pictures else "talk"
    write_index(folder, {"space": STYLISED, "fps": 25, "size": size, "seed": 0, "kind": kind}, entries)
    return folder


def face_landmarks(size: int) -> np.ndarray:
    """Landmarks [68, 2] of a rough face, in pixels."""
    parts = (
        (slice(0, 17), 0.5, 0.5, 0.4),
        (slice(17, 27), 0.5, 0.33, 0.25),
        (slice(27, 36), 0.5, 0.55, 0.05),
        (slice(36, 42), 0.35, 0.42, 0.06),
        (slice(42, 48), 0.65, 0.42, 0.06),
        (slice(48, 68), 0.5, 0.72, 0.12),
    )
    points = np.zeros((N_LANDMARKS, 2))
    for rows, x, y, radius in parts:
        angle = np.linspace(-np.pi, np.pi, len(points[rows]), endpoint=False)
        points[rows] = np.stack([x + radius * np.cos(angle), y + 0.5 * radius * np.sin(angle)], -1)
    return size * points


def with_random_features(config: Any, folder: Path) -> Any:
    """The config with random weights for every network that its losses look through."""
    features = getattr(config, "features", None)
    settings = []
    for field in dataclasses.fields(features) if features else ():
        if not is_on(getattr(config.losses, field.name)):
            continue
        name = getattr(features, field.name).network
        path = folder / f"{name}.{'pth' if name in RELEASED else 'safetensors'}"
        if name in RELEASED:
            torch.save(RELEASED[name]().state_dict(), path)
        else:
            part = component(name)
            own = part.config()
            save_network(path, part.network(own), component=name, config=own, space=STYLISED)
        settings.append({"features": {field.name: {"weights": str(path)}}})
    for setting in settings:
        config = update(config, setting, "the benchmark")
    return config


def random_stage1(path: Path) -> Path:
    """Weights of a stage 1 that has learnt nothing, for stage 2 to build on."""
    from gohd_core.expression import ExpressionConfig, ExpressionNetwork

    config = ExpressionConfig(eye_motion_input=True)
    network = ExpressionNetwork(config)
    return save_network(path, network, component="expression", config=config, space=STYLISED)


if __name__ == "__main__":
    main()
