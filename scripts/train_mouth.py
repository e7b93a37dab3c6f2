"""Trains the mouth of an expression predictor: a network with context, on clips and recordings whose sound is
changed.

python scripts/train_mouth.py --data data/talk --examples runs/examples --out runs/mouth.safetensors

Examples are made once and kept; training resumes from the checkpoint beside `--out`. Eyes and brows stay as
they are.
"""

from __future__ import annotations

import argparse
import copy
import shlex
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from gohd_core.checkpoints import load_network, save_network
from gohd_core.clips import ClipDataset
from gohd_core.expression import ExpressionConfig, ExpressionNetwork
from gohd_core.expression.mouth import MouthNetwork
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.visemes import opening_weights
from gohd_core.stylised.speech.phones import IDS
from gohd_core.training.expression.mouth_examples import COEFFICIENTS, shard, shard_of_recordings
from gohd_core.training.expression.mouth_shards import (
    TOLD,
    Batch,
    Heard,
    draw_batch,
    make_shards,
    read_shards,
)
from gohd_core.training.losses.mouth import distance, mouth_terms

SHARD = 40
"""Examples in one file."""
EMA, CLIP_NORM, WARM_UP, LAST_RATE = 0.997, 2.0, 100, 0.02
OWN = ("chunk_encoder.", "join.")
"""Parameters that a run which begins with an earlier one's may have anew."""
PHONES, SMOOTHING = 0.5, 0.1
"""Weight of telling phones, which is for the chunk encoder's sake, and how far labels are smoothed."""
PARTS = 0.2
"""A coefficient parts the lips where it does so by this share of what the jaw does."""
TRUTH, TAUGHT = 0.5, 2.0
"""Weights of the losses and of the distance from teachers (knowledge distillation), where there are any."""
SAVE_EVERY = 60.0
"""Seconds of processor time between two checkpoints."""


def main() -> None:
    """Makes what examples are lacking, trains, and writes a whole predictor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data sets of talking clips")
    parser.add_argument(
        "--recordings", type=Path, nargs="*", default=[], help="data sets of prepare_recordings.py"
    )
    parser.add_argument("--recorded-shards", type=int, default=64, help="files of their examples (64)")
    parser.add_argument("--recorded-share", type=float, default=0.6, help="of a batch's windows (0.6)")
    parser.add_argument("--examples", type=Path, required=True, help="folder that keeps them")
    parser.add_argument("--out", type=Path, required=True, help="a .safetensors file")
    parser.add_argument("--start", default="builtin", help="the predictor whose eyes are kept (builtin)")
    parser.add_argument("--shards", type=int, default=80, help=f"files of {SHARD} examples (80)")
    parser.add_argument("--minutes", type=float, default=0.75, help="of processor time (0.75)")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate (0.002)")
    parser.add_argument(
        "--slow", type=float, default=0.25, help="factor on that of weights from --begin (0.25)"
    )
    parser.add_argument("--width", type=int, default=192, help="channels (192)")
    parser.add_argument("--channels", type=int, default=96, help="of the chunk encoder (96); 0: none")
    parser.add_argument(
        "--gain", type=float, default=1.25, help="on how far lips part, after training (1.25)"
    )
    parser.add_argument(
        "--parted", type=float, default=1.0, help="factor on the loss of lips that should meet (1)"
    )
    parser.add_argument("--rounding", type=float, default=1.5, help="on how far lips round (1.5)")
    parser.add_argument("--spreading", type=float, default=1.2, help="on how far lips spread (1.2)")
    parser.add_argument("--closing", type=float, default=10.0, help="px apart that come half as close (10)")
    parser.add_argument(
        "--quiet", type=float, default=4.0, help="dB below the speech that are a pause in noise (4)"
    )
    parser.add_argument(
        "--begin", type=Path, metavar="FILE", help="an earlier run's .checkpoint to go on from"
    )
    parser.add_argument(
        "--teachers", type=Path, nargs="*", default=[], help=".checkpoint files whose mean is followed, too"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_network(given.start, "expression")
    pools = make_examples(loaded.network.lips.audio_encoder, given)
    opening = lip_opening()
    parts = [value if value > PARTS * max(opening) else 0.0 for value in opening]
    config = replace(
        loaded.config,
        mouth_coefficients=COEFFICIENTS,
        mouth_width=given.width,
        mouth_map=True,
        mouth_channels=given.channels,
        mouth_opening=tuple(parts),
        mouth_closing=given.closing,
        mouth_quiet=given.quiet,
    )
    torch.manual_seed(given.seed)
    network = ExpressionNetwork(config)
    kept = {k: v for k, v in loaded.network.state_dict().items() if not k.startswith("mouth.")}
    network.load_state_dict(kept, strict=False)
    network.mouth.closing = 0.0
    if given.begin is not None:
        begin_with(network.mouth, given.begin)
    steps, figures = learn(network, torch.tensor(opening, dtype=torch.float32), pools, given)
    network.mouth.closing = given.closing
    with torch.no_grad():
        for parameter in (network.mouth.output.weight, network.mouth.output.bias):
            parameter[network.mouth.opening > 0] *= given.gain
            parameter[COEFFICIENTS.index(INDEX["lip_pucker"])] *= given.rounding
            parameter[COEFFICIENTS.index(INDEX["lip_spread"])] *= given.spreading
    training = {
        "command": shlex.join(["python", "scripts/train_mouth.py", *sys.argv[1:]]),
        "steps": steps,
        "minutes": given.minutes,
        "seed": given.seed,
    }
    info = {**loaded.info, "training": training, "figures": figures}
    what = {"component": "expression", "config": config, "space": loaded.space, "info": info}
    save_network(given.out, network.eval(), **what, dtype=torch.float16, eight_bits=True)


def make_examples(encoder: Any, given: argparse.Namespace) -> list[list[Heard]]:
    """The pools of sequences to draw from: of stylised clips and, where given, of recordings."""
    pools = []
    for folders, name, count, make in (
        (given.data, "stylised", given.shards, shard),
        (given.recordings, "recordings", given.recorded_shards, shard_of_recordings),
    ):
        if folders:
            sets = [ClipDataset(folder) for folder in folders]
            clips = [one.clip(entry) for one in sets for entry in one.select("train")]
            make_shards(given.examples / name, count, encoder, partial(make, clips, SHARD), given.seed)
            pools.append(read_shards(given.examples / name))
    return pools


def begin_with(mouth: MouthNetwork, checkpoint: Path) -> None:
    """Takes an earlier run's weights; where that run had no chunk encoder, what it adds begins at zero."""
    found = torch.load(checkpoint, weights_only=True)["average"]
    if mouth.chunk_encoder is not None and "join.weight" not in found:
        found = {**mouth.state_dict(), **found}
        found |= {f"join.{name}": torch.zeros_like(value) for name, value in mouth.join.named_parameters()}
    mouth.load_state_dict(found)


def teacher(checkpoint: Path, config: ExpressionConfig) -> MouthNetwork:
    """The mouth network of an earlier run, with a chunk encoder or without."""
    found = torch.load(checkpoint, weights_only=True)["average"]
    channels = config.mouth_channels if "join.weight" in found else 0
    network = MouthNetwork(replace(config, mouth_channels=channels, mouth_closing=0.0, mouth_quiet=0.0))
    network.load_state_dict(found)
    return network.eval()


def predict(
    mouth: MouthNetwork, batch: Batch, guess: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Coefficients [B, T, 6] of a batch and the features that the chunk encoder makes of it."""
    features = mouth.chunk_encoder(batch.chunks) if mouth.chunk_encoder is not None else None
    return mouth(batch.audio, guess, batch.maps, features), features


def lip_opening() -> list[float]:
    """Aligned pixels by which each coefficient parts the inner lips, [6]."""
    scale = FaceGeometry.load(None, "stylised").scale
    return [round(float(value), 4) for value in opening_weights()[list(COEFFICIENTS)] * scale]


def learn(
    whole: Any, opening: torch.Tensor, pools: list[list[Heard]], given: argparse.Namespace
) -> tuple[int, dict[str, float]]:
    """Trains the mouth network in place; (steps, the losses' last means)."""
    network = whole.mouth.train()
    phones = torch.nn.Linear(whole.config.mouth_width, len(TOLD) * len(IDS))  # tells phones in training alone
    average = copy.deepcopy(network)
    old = [value for name, value in network.named_parameters() if not name.startswith(OWN)]
    own = [value for name, value in network.named_parameters() if name.startswith(OWN)]
    groups = [{"params": [*own, *phones.parameters()], "share": 1.0}]
    groups += [{"params": old, "share": given.slow if given.begin else 1.0}]
    optimiser = torch.optim.AdamW(groups, lr=given.rate, weight_decay=1e-2, betas=(0.9, 0.98))
    parts = {"network": network, "average": average, "phones": phones, "optimiser": optimiser}
    step, used, figures, checkpoint = 0, 0.0, {}, given.out.with_suffix(".checkpoint")
    if checkpoint.is_file():
        stored = torch.load(checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(stored[name])
        step, used, figures = stored["step"], stored["used"], stored["figures"]
    teachers = [teacher(path, whole.config) for path in given.teachers]
    shares = [1 - given.recorded_share, given.recorded_share] if len(pools) > 1 else [1.0]
    rng = np.random.default_rng([given.seed, 1, step])
    begun, saved, last = time.process_time() - used, used, []
    while used < 60 * given.minutes:
        cosine = 0.5 * (1 + np.cos(np.pi * used / (60 * given.minutes)))
        rate = given.rate * min(1, (step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine)
        for group in optimiser.param_groups:
            group["lr"] = float(rate) * group["share"]
        batch = draw_batch(pools, shares, rng)
        with torch.no_grad():
            guess = whole.lips.at_rest(batch.audio)[..., list(COEFFICIENTS)]
            taught = [predict(one, batch, guess)[0] for one in teachers]
        made, features = predict(network, batch, guess)
        terms = mouth_terms(batch.mouth, made, opening)
        terms["parted"] = given.parted * terms["parted"]
        if taught:
            terms = {name: TRUTH * value for name, value in terms.items()}
            terms["teachers"] = TAUGHT * distance(torch.stack(taught).mean(0), made)
        if features is not None:
            told = phones(features).unflatten(-1, (len(TOLD), -1)).flatten(0, 2)  # [B*T*2, phones]
            terms["phones"] = PHONES * functional.cross_entropy(
                told, batch.phones.flatten(), label_smoothing=SMOOTHING
            )
        optimiser.zero_grad()
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_([*network.parameters(), *phones.parameters()], CLIP_NORM)
        optimiser.step()
        step += 1
        follow(average, network, min(EMA, step / (step + 10)))
        last = [*last[-99:], {name: float(value.detach()) for name, value in terms.items()}]
        used = time.process_time() - begun
        if used - saved > SAVE_EVERY or used >= 60 * given.minutes:
            figures = means(last)
            state = {name: part.state_dict() for name, part in parts.items()}
            state |= {"step": step, "used": used, "figures": figures}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)
            saved = used
            print(step, f"{used:.0f} s", figures, flush=True)
    network.load_state_dict(average.state_dict())
    return step, figures


@torch.no_grad()
def follow(average: torch.nn.Module, network: torch.nn.Module, keep: float) -> None:
    """Moves a mean of weights, and of the statistics of batch norms, towards a network's."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means of the losses of some steps."""
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[-1]}


if __name__ == "__main__":
    main()
