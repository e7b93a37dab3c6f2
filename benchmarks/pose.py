"""Speed of head-pose sampling against the official way, as ratios of one run (weights do not matter).

The official way: 10 s of sound in 17 windows of 16 frames, 150 steps each, every positional score,
step embedding and condition projected anew at every step. Ours: one long window.

    python benchmarks/pose.py [--threads 2] [--repeats 3] [--full]
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


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Median wall time of `work` in milliseconds, after one call that does not count."""
    work()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(taken)


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
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument(
        "--full", action="store_true", help="also sample with all 150 steps, not only time a step"
    )
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    model = random_model()
    mel, p0 = torch.randn(FRAMES, MEL_CONDITION), torch.randn(6) * 0.1

    x, window = torch.randn(1, OFFICIAL_WINDOW, 6), mel[None, :OFFICIAL_WINDOW]
    step = torch.tensor([75.0])
    with torch.no_grad():
        per_step = median_ms(
            lambda: official_step(model.network.conditional, x, window, p0[None], step), 10 * chosen.repeats
        )
    official = per_step * OFFICIAL_STEPS * OFFICIAL_WINDOWS
    print(f"torch {torch.__version__}, {chosen.threads} threads, {FRAMES} frames")
    print(f"official: {per_step:.1f} ms a step at T = {OFFICIAL_WINDOW}, {official / 1e3:.1f} s in all")

    def report(name: str, milliseconds: float, wanted: float | None = None) -> None:
        goal = "" if wanted is None else f", wanted 1/{wanted:.0f}"
        print(f"{name}: {milliseconds / 1e3:.2f} s, 1/{official / milliseconds:.1f} of the official{goal}")

    def sample(model: PoseDiffusion, sampler: str, steps: int) -> Callable[[], Tensor]:
        return lambda: model.sample(mel, p0, sampler=sampler, steps=steps, seed=1)

    report("dpmpp_2m, 20 steps", median_ms(sample(model, "dpmpp_2m", 20), chosen.repeats), 40)
    if chosen.full:
        report("ddpm, 150 steps", median_ms(sample(model, "ddpm", 150), 1), 5)
    else:
        fifteen = median_ms(sample(model, "ddpm", 15), chosen.repeats)
        report("ddpm, 150 steps (10 times 15)", 10 * fifteen, 5)
    half = random_model(torch.bfloat16)
    report("dpmpp_2m, 20 steps, bfloat16", median_ms(sample(half, "dpmpp_2m", 20), chosen.repeats))
    exact = model.sample(mel, p0, sampler="dpmpp_2m", steps=20, seed=1)
    rounded = half.sample(mel, p0, sampler="dpmpp_2m", steps=20, seed=1)
    error = float((exact - rounded).abs().max() / exact.abs().max())
    print(f"bfloat16 differs by {error:.1e} of the largest value")


if __name__ == "__main__":
    main()
