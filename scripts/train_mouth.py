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
from gohd_core.expression import ExpressionNetwork
from gohd_core.face.expression_geometry import FaceGeometry
from gohd_core.stylised.visemes import opening_weights
from gohd_core.training.expression.mouth_examples import COEFFICIENTS, MouthExample, shard
from gohd_core.training.losses.mouth import mouth_terms

SHARD = 40
"""Examples in one file."""
BATCH, FRAMES = 12, 56
EMA, CLIP_NORM, WARM_UP, LAST_RATE = 0.995, 2.0, 50, 0.02
PARTS = 0.2
"""A coefficient parts the lips where it does so by this share of what the jaw does."""
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
        "--gain", type=float, default=1.44, help="on how far lips part, after training (1.44)"
    )
    parser.add_argument("--closing", type=float, default=7.8, help="px apart that come half as close (7.8)")
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
        mouth_opening=tuple(parts),
        mouth_closing=given.closing,
    )
    torch.manual_seed(given.seed)
    network = ExpressionNetwork(config)
    network.load_state_dict(loaded.network.state_dict(), strict=False)
    network.mouth.closing = 0.0
    steps, figures = learn(network, torch.tensor(opening, dtype=torch.float32), given)
    network.mouth.closing = given.closing
    with torch.no_grad():
        for parameter in (network.mouth.output.weight, network.mouth.output.bias):
            parameter[network.mouth.opening > 0] *= given.gain
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
            "audio": np.concatenate([embedded(encoder, one) for one in made]),
            "lengths": np.array([len(one.mouth) for one in made]),
        }
        with path.with_suffix(".part").open("wb") as file:
            np.savez(file, **arrays)
        path.with_suffix(".part").rename(path)


def embedded(encoder: Any, one: MouthExample) -> np.ndarray:
    """The audio encoder's embeddings [T, A] of an example, float16."""
    chunks, _ = one.window(0, len(one.mouth))
    return encoder(torch.from_numpy(chunks)[None])[0].numpy().astype(np.float16)


def read_examples(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """(embeddings [T, A], coefficients [T, 6]) of all that are long enough for a window."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            audio, mouth, lengths = (stored[name] for name in ("audio", "mouth", "lengths"))
        ends = lengths.cumsum()
        spans = zip(ends - lengths, ends, strict=True)
        found += [(audio[a:b], mouth[a:b]) for a, b in spans if b - a >= FRAMES]
    return found


def draw(
    examples: list[tuple[np.ndarray, np.ndarray]], rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch: embeddings [BATCH, FRAMES, A], coefficients [BATCH, FRAMES, 6]."""
    embeddings, mouths = [], []
    for number in rng.integers(len(examples), size=BATCH):
        audio, mouth = examples[number]
        start = int(rng.integers(len(mouth) - FRAMES + 1))
        embeddings.append(audio[start : start + FRAMES].astype(np.float32))
        mouths.append(mouth[start : start + FRAMES])
    return torch.from_numpy(np.stack(embeddings)), torch.from_numpy(np.stack(mouths))


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
    rng = np.random.default_rng([given.seed, 1, step])
    begun, saved, last = time.process_time() - used, used, []
    while used < 60 * given.minutes:
        cosine = 0.5 * (1 + np.cos(np.pi * used / (60 * given.minutes)))
        rate = given.rate * min(1, (step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine)
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        audio, truth = draw(examples, rng)
        with torch.no_grad():
            guess = whole.lips.at_rest(audio)[..., list(COEFFICIENTS)]
        terms = mouth_terms(truth, network(audio, guess), opening)
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
