"""Trains the frame-wise mapping of an expression predictor anew, on the embeddings of its own audio encoder.

python scripts/train_lip_mapping.py --data data/talk --embeddings runs/embeddings --out runs/lips.safetensors

What the encoder makes of randomly changed sounds is computed once and kept, so that minutes of one core are
enough to teach the mouth new movements; the encoder, and with it stage 2, stays as it is. Windows, changes of
the sound and losses are those of `gohd train expression-stage1 --config stylised`.
"""

from __future__ import annotations

import argparse
import copy
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.checkpoints import load_network, save_network
from gohd_core.clips import ClipDataset
from gohd_core.face.expression_geometry import FaceGeometry
from gohd_core.training.expression.stage1 import (
    Stage1Config,
    Stage1Draw,
    distillation_terms,
    mouth_coefficients,
)
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.task import Terms

SHARD = 320
"""Windows in one file of embeddings."""
EMA = 0.98


def main() -> None:
    """Computes what embeddings are lacking, trains, and writes a whole predictor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="talking clips")
    parser.add_argument("--embeddings", type=Path, required=True, help="folder that keeps them")
    parser.add_argument("--out", type=Path, required=True, help="a .safetensors file")
    parser.add_argument("--start", default="builtin", help="the predictor to begin with (builtin)")
    parser.add_argument("--windows", type=int, default=8640, help="windows of sound that are embedded (8640)")
    parser.add_argument("--steps", type=int, default=300, help="of 64 windows (300)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate (0.001)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("settings", nargs="*", help="of stage 1, such as losses.parted=2")
    given = parser.parse_args()

    from gohd_core.training.registry import CONFIGS

    config = load_config(Stage1Config, CONFIGS / "expression-stage1" / "stylised.yaml", given.settings)
    loaded = load_network(given.start, "expression")
    embed(loaded.network, config, given)
    seconds, figures = learn(loaded.network, config, given)
    training = {
        "command": shlex.join(["python", "scripts/train_lip_mapping.py", *sys.argv[1:]]),
        "steps": given.steps,
        "minutes": round(seconds / 60, 1),
        "seed": given.seed,
    }
    info = {**loaded.info, "training": training, "figures": figures}
    save_network(
        given.out, loaded.network, component="expression", config=loaded.config, space=loaded.space, info=info
    )


def embed(network: Any, config: Stage1Config, given: argparse.Namespace) -> None:
    """Embeddings, e0 and truth of windows of changed sound, in files of `SHARD` windows."""
    draw = Stage1Draw(config.frames, config.stride, config.augmentation, mouth_coefficients(config), False)
    dataset = ClipDataset(given.data)
    entries = dataset.select("train")
    encoder = network.eval().lips.audio_encoder
    given.embeddings.mkdir(parents=True, exist_ok=True)
    for number in range(len(list(given.embeddings.glob("*.npz"))), -(-given.windows // SHARD)):
        rng = np.random.default_rng([given.seed, number])
        chosen = [draw(dataset.clip(entries[rng.integers(len(entries))]), rng) for _ in range(SHARD)]
        with torch.inference_mode():
            parts = [encoder(torch.from_numpy(one["chunks"])[None]) for one in chosen]
        np.savez(
            given.embeddings / f"{number:03d}.npz",
            a=torch.cat(parts).numpy().astype(np.float16),
            e0=np.stack([one["e0"] for one in chosen]),
            e=np.stack([one["expression"] for one in chosen]),
        )


def learn(network: Any, config: Stage1Config, given: argparse.Namespace) -> tuple[float, dict[str, float]]:
    """Trains the mapping; (seconds, the losses' last means)."""
    shards = [np.load(path, allow_pickle=False) for path in sorted(given.embeddings.glob("*.npz"))]
    joined = (np.concatenate([shard[name] for shard in shards]) for name in ("a", "e0", "e"))
    audio, e0, truth = map(torch.from_numpy, joined)
    geometry = FaceGeometry.load(config.face_model, config.data.space)
    with torch.no_grad():
        eyes = torch.cat([geometry.face(part).eye_motion for part in truth.split(256)])
    mapping = network.requires_grad_(False).lips.mapping.requires_grad_(True)
    average = copy.deepcopy(mapping)
    optimiser = torch.optim.Adam(mapping.parameters(), lr=given.rate)
    generator = torch.Generator().manual_seed(given.seed)
    begun, last = time.perf_counter(), []
    for step in range(given.steps):
        share = 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * step / given.steps))
        for group in optimiser.param_groups:
            group["lr"] = given.rate * min(1, (step + 1) / 30) * share
        rows = torch.randint(len(audio), (64,), generator=generator)
        terms = _terms(network, config, geometry, (audio[rows].float(), e0[rows], truth[rows], eyes[rows]))
        optimiser.zero_grad()
        terms.total().backward()
        torch.nn.utils.clip_grad_norm_(mapping.parameters(), config.optimiser.clip_norm)
        optimiser.step()
        with torch.no_grad():
            for mean, value in zip(average.parameters(), mapping.parameters(), strict=True):
                mean.lerp_(value, 1 - min(EMA, (step + 1) / (step + 10)))
        last.append({name: float(value.detach()) for name, (_, value) in terms.items()})
    mapping.load_state_dict(average.state_dict())
    figures = {name: float(np.mean([one[name] for one in last[-50:]])) for name in last[-1]}
    return time.perf_counter() - begun, figures


def _terms(
    network: Any, config: Stage1Config, geometry: FaceGeometry, batch: tuple[Tensor, Tensor, Tensor, Tensor]
) -> Terms:
    audio, e0, truth, eyes = batch
    predicted = network.lips(audio, e0, eyes)
    terms = Terms()
    faces = geometry.face(truth), geometry.face(predicted)
    distillation_terms(config.losses, truth, predicted, faces, terms)
    return terms


if __name__ == "__main__":
    main()
