"""Speed of head-pose sampling against the official way, as ratios of one run (weights do not matter).

The official way: 10 s of sound in 17 windows of 16 frames, 150 steps each, every positional score,
step embedding and condition projected anew at every step. Ours: one long window.

    python benchmarks/pose.py [--threads 2] [--repeats 7] [--full]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from gohd_core.constants import BFM09, MEL_CONDITION
from gohd_core.pose import DenoisingNetwork, DiffusionConfig, PoseDiffusion
from gohd_core.pose.denoiser import Denoiser

FRAMES, OFFICIAL_WINDOW, OFFICIAL_WINDOWS, OFFICIAL_STEPS = 250, 16, 17, 150


def official_scores(attention: torch.nn.Module, length: int) -> Tensor:
    """Positional scores `[H, T, T]` by the official formulation: all kernels for every pair of frames."""
    own = attention.positional
    frame = torch.arange(length, dtype=torch.float32)
    distance = frame[:, None] - frame[None, :]
    amplitudes, offsets, sharpness = (
        value[:, :, None, None] for value in (own.amplitudes, own.offsets, own.sharpness)
    )
    kernels = amplitudes.abs() * torch.sigmoid(amplitudes.sign() * (distance - offsets) / sharpness)
    total = 1e-8 + own.bias[:, None, None].abs() + kernels.sum(0)
    return total.log() - own.slopes[:, None, None] * distance.abs()


def official_step(denoiser: Denoiser, x: Tensor, mel: Tensor, p0: Tensor, step: Tensor) -> Tensor:
    """One denoiser step with nothing kept from the step before."""
    scores = [
        [official_scores(conformer.attention, x.shape[1]) for conformer in block.stack.conformers]
        for block in denoiser.blocks
    ]
    return denoiser(x, denoiser.condition(mel, p0), step, scores)


def in_turn(
    theirs: Callable[[], object], ours: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of both in each round; theirs is the mean of just before and just after ours.

    A shared machine is fast at one moment and slow at the next, so that ratios are of one round.
    """
    theirs(), ours()
    before, pairs = seconds(theirs), []
    for _ in range(rounds):
        mine, after = seconds(ours), seconds(theirs)
        pairs.append(((before + after) / 2, mine))
        before = after
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of `work`."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def random_model(dtype: torch.dtype = torch.float32) -> PoseDiffusion:
    """The released architecture with random weights, the output layer's included."""
    torch.manual_seed(0)
    network = DenoisingNetwork(DiffusionConfig())
    torch.nn.init.normal_(network.conditional.output_projection.weight, std=0.002)
    network = network.to(dtype).eval().requires_grad_(False)
    return PoseDiffusion(network, DiffusionConfig(), BFM09)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument(
        "--full", action="store_true", help="also sample with all 150 steps, not only time a step"
    )
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    model = random_model()
    mel, p0 = torch.randn(FRAMES, MEL_CONDITION), torch.randn(6) * 0.1

    x, window = torch.randn(1, OFFICIAL_WINDOW, 6), mel[None, :OFFICIAL_WINDOW]
    step, half = torch.tensor([75.0]), random_model(torch.bfloat16)

    def official() -> None:
        with torch.no_grad():
            for _ in range(10):
                official_step(model.network.conditional, x, window, p0[None], step)

    def sample(model: PoseDiffusion, sampler: str, steps: int) -> Callable[[], Tensor]:
        return lambda: model.sample(mel, p0, sampler=sampler, steps=steps, seed=1)

    # name: what is timed, how often that is the whole, and the ratio that is wanted
    ours = {
        "dpmpp_2m, 20 steps": (sample(model, "dpmpp_2m", 20), 1, "1/40"),
        "ddpm, 150 steps (10 times 15)": (sample(model, "ddpm", 15), 10, "1/5"),
        "dpmpp_2m, 20 steps, bfloat16": (sample(half, "dpmpp_2m", 20), 1, "-"),
    }
    if chosen.full:
        ours["ddpm, 150 steps"] = (sample(model, "ddpm", 150), 1, "1/5")
    print(f"torch {torch.__version__}, {chosen.threads} threads, {FRAMES} frames, {chosen.repeats} rounds")
    whole = OFFICIAL_STEPS * OFFICIAL_WINDOWS / 10
    for name, (run, times, wanted) in ours.items():
        theirs, mine = in_turn(official, run, chosen.repeats)
        ratios = [whole * before / (times * after) for before, after in zip(theirs, mine, strict=True)]
        took, official_took = times * statistics.median(mine), whole * statistics.median(theirs)
        spread = f"1/{min(ratios):.1f} to 1/{max(ratios):.1f}"
        print(
            f"{name}: {took:.2f} s, official {official_took:.0f} s: "
            f"1/{statistics.median(ratios):.1f} ({spread}), wanted {wanted}"
        )
    exact = model.sample(mel, p0, sampler="dpmpp_2m", steps=20, seed=1)
    rounded = half.sample(mel, p0, sampler="dpmpp_2m", steps=20, seed=1)
    error = float((exact - rounded).abs().max() / exact.abs().max())
    print(f"bfloat16 differs by {error:.1e} of the largest value")


if __name__ == "__main__":
    main()
