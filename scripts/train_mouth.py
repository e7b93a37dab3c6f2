"""Trains the mouth of an expression predictor: a network with context, on clips whose sound is changed.

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
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core.checkpoints import load_network, save_network
from gohd_core.clips import ClipDataset
from gohd_core.expression import ExpressionConfig, ExpressionNetwork
from gohd_core.expression.mouth import MouthNetwork
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.motion.visemes import opening_weights
from gohd_core.training.expression.mouth_examples import COEFFICIENTS, MouthExample, shard
from gohd_core.training.losses.mouth import distance, mouth_terms

SHARD = 40
"""Examples in one file."""
BATCH, FRAMES = 12, 56
EMA, CLIP_NORM, WARM_UP, LAST_RATE = 0.995, 2.0, 50, 0.02
PARTS = 0.2
"""A coefficient parts the lips where it does so by this share of what the jaw does."""
TRUTH, TAUGHT = 0.5, 2.0
"""Weights of the losses and of the distance from teachers (knowledge distillation), where there are any."""
SAVE_EVERY = 15.0
"""Seconds of processor time between two checkpoints."""


def main() -> None:
    """Makes what examples are lacking, trains, and writes a whole predictor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="data sets of talking clips")
    parser.add_argument("--examples", type=Path, required=True, help="folder that keeps them")
    parser.add_argument("--out", type=Path, required=True, help="a .safetensors file")
    parser.add_argument("--start", default="builtin", help="the predictor whose eyes are kept (builtin)")
    parser.add_argument("--shards", type=int, default=80, help=f"files of {SHARD} examples (80)")
    parser.add_argument("--minutes", type=float, default=0.75, help="of processor time (0.75)")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate (0.002)")
    parser.add_argument("--width", type=int, default=192, help="channels (192)")
    parser.add_argument(
        "--gain", type=float, default=1.35, help="on how far lips part, after training (1.35)"
    )
    parser.add_argument("--rounding", type=float, default=1.5, help="on how far lips round (1.5)")
    parser.add_argument("--spreading", type=float, default=1.2, help="on how far lips spread (1.2)")
    parser.add_argument("--closing", type=float, default=9.0, help="px apart that come half as close (9)")
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
    make_examples(loaded.network.lips.audio_encoder, given)
    opening = lip_opening()
    parts = [value if value > PARTS * max(opening) else 0.0 for value in opening]
    config = replace(
        loaded.config,
        mouth_coefficients=COEFFICIENTS,
        mouth_width=given.width,
        mouth_map=True,
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
    steps, figures = learn(network, torch.tensor(opening, dtype=torch.float32), given)
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


@torch.inference_mode()
def make_examples(encoder: Any, given: argparse.Namespace) -> None:
    """Files of examples, with the encoder's embeddings; those that are there already are kept."""
    given.examples.mkdir(parents=True, exist_ok=True)
    sets = [ClipDataset(folder) for folder in given.data]
    clips = [one.clip(entry) for one in sets for entry in one.select("train")]
    for number in range(given.shards):
        path = given.examples / f"{number:04d}.npz"
        if path.is_file():
            continue
        made = shard(clips, SHARD, np.random.default_rng([given.seed, number]))
        arrays = {
            "mouth": np.concatenate([one.mouth for one in made]),
            **embedded(encoder, made),
            "lengths": np.array([len(one.mouth) for one in made]),
        }
        with path.with_suffix(".part").open("wb") as file:
            np.savez(file, **arrays)
        path.with_suffix(".part").rename(path)


def embedded(encoder: Any, made: list[MouthExample]) -> dict[str, np.ndarray]:
    """The audio encoder's embeddings [T, A] and feature maps [T, M] of examples, joined, float16."""
    heard = [encoder.with_map(torch.from_numpy(one.window(0, len(one.mouth))[0])) for one in made]
    names = ("audio", "maps")
    return {
        name: torch.cat(parts).numpy().astype(np.float16)
        for name, parts in zip(names, zip(*heard, strict=True), strict=True)
    }


def begin_with(mouth: MouthNetwork, checkpoint: Path) -> None:
    """Takes an earlier run's weights; those of the feature map, where that run had none, begin at zero."""
    found = torch.load(checkpoint, weights_only=True)["average"]
    if mouth.map is not None and "map.weight" not in found:
        found |= {f"map.{name}": torch.zeros_like(value) for name, value in mouth.map.named_parameters()}
    mouth.load_state_dict(found)


def teacher(checkpoint: Path, config: ExpressionConfig) -> MouthNetwork:
    """The mouth network of an earlier run, with a feature map or without."""
    found = torch.load(checkpoint, weights_only=True)["average"]
    network = MouthNetwork(
        replace(config, mouth_map="map.weight" in found, mouth_closing=0.0, mouth_quiet=0.0)
    )
    network.load_state_dict(found)
    return network.eval()


Example = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Embeddings [T, A], feature maps [T, M] and coefficients [T, 6]."""


def read_examples(folder: Path) -> list[Example]:
    """All that are long enough for a window."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            arrays = [stored[name] for name in ("audio", "maps", "mouth")]
            ends = stored["lengths"].cumsum()
        spans = zip(ends - np.diff(ends, prepend=0), ends, strict=True)
        found += [tuple(array[a:b] for array in arrays) for a, b in spans if b - a >= FRAMES]
    return found


def draw(examples: list[Example], rng: np.random.Generator) -> list[torch.Tensor]:
    """A batch: embeddings [BATCH, FRAMES, A], maps [BATCH, FRAMES, M], coefficients [BATCH, FRAMES, 6]."""
    windows = []
    for number in rng.integers(len(examples), size=BATCH):
        start = int(rng.integers(len(examples[number][2]) - FRAMES + 1))
        windows.append([array[start : start + FRAMES].astype(np.float32) for array in examples[number]])
    return [torch.from_numpy(np.stack(arrays)) for arrays in zip(*windows, strict=True)]


def lip_opening() -> list[float]:
    """Aligned pixels by which each coefficient parts the inner lips, [6]."""
    scale = FaceGeometry.load(None, "stylised").scale
    return [round(float(value), 4) for value in opening_weights()[list(COEFFICIENTS)] * scale]


def learn(whole: Any, opening: torch.Tensor, given: argparse.Namespace) -> tuple[int, dict[str, float]]:
    """Trains the mouth network in place; (steps, the losses' last means)."""
    examples, network = read_examples(given.examples), whole.mouth.train()
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=given.rate, weight_decay=1e-3, betas=(0.9, 0.98))
    step, used, figures, checkpoint = 0, 0.0, {}, given.out.with_suffix(".checkpoint")
    if checkpoint.is_file():
        stored = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(stored["network"])
        average.load_state_dict(stored["average"])
        optimiser.load_state_dict(stored["optimiser"])
        step, used, figures = stored["step"], stored["used"], stored["figures"]
    teachers = [teacher(path, whole.config) for path in given.teachers]
    rng = np.random.default_rng([given.seed, 1, step])
    begun, saved, last = time.process_time() - used, used, []
    while used < 60 * given.minutes:
        cosine = 0.5 * (1 + np.cos(np.pi * used / (60 * given.minutes)))
        rate = given.rate * min(1, (step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine)
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        audio, maps, truth = draw(examples, rng)
        with torch.no_grad():
            guess = whole.lips.at_rest(audio)[..., list(COEFFICIENTS)]
            taught = [one(audio, guess, maps) for one in teachers]
        made = network(audio, guess, maps)
        terms = mouth_terms(truth, made, opening)
        if taught:
            terms = {name: TRUTH * value for name, value in terms.items()}
            terms["teachers"] = TAUGHT * distance(torch.stack(taught).mean(0), made)
        optimiser.zero_grad()
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimiser.step()
        step += 1
        with torch.no_grad():
            for mean, value in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - min(EMA, step / (step + 10)))
        last = [*last[-99:], {name: float(value.detach()) for name, value in terms.items()}]
        used = time.process_time() - begun
        if used - saved > SAVE_EVERY or used >= 60 * given.minutes:
            figures = means(last)
            state = {"network": network.state_dict(), "average": average.state_dict()}
            state |= {"optimiser": optimiser.state_dict(), "step": step, "used": used, "figures": figures}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)
            saved = used
            print(step, f"{used:.0f} s", figures, flush=True)
    network.load_state_dict(average.state_dict())
    return step, figures


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means of the losses of some steps."""
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[-1]}


if __name__ == "__main__":
    main()
