"""Frames a second of the stylised renderer, alone and in several processes.

CPU time counts every thread of the software rasteriser, so it also holds on a busy machine; two
cores reach at most 2 / (CPU seconds a frame). Run it on an otherwise idle machine for wall times.

    python benchmarks/stylised.py [--sizes 128 256] [--frames 60] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

TARGETS = {128: 60.0, 256: 25.0}
"""Frames a second that two cores must reach (issue 3)."""


def measure(size: int, frames: int, seed: int, correspondence: bool) -> tuple[float, float, float]:
    """Seconds for one identity's first picture, wall and CPU seconds for `frames` pictures."""
    from gohd_core.stylised.motion.stills import random_stills
    from gohd_core.stylised.person.identity import Identity
    from gohd_core.stylised.rendering.renderer import HeadRenderer

    rows = list(zip(*random_stills(np.random.default_rng(seed), frames)[:3], strict=True))
    with HeadRenderer(size) as renderer:
        renderer.render(Identity.random(seed + 1), *rows[0])
        person = Identity.random(seed)
        start = time.perf_counter()
        renderer.render(person, *rows[0], correspondence=correspondence)
        first = time.perf_counter() - start
        wall, cpu = time.perf_counter(), time.process_time()
        for row in rows:
            renderer.render(person, *row, correspondence=correspondence)
        return first, time.perf_counter() - wall, time.process_time() - cpu


def single_threaded() -> None:
    """One rasteriser thread per process: several processes then share the cores evenly."""
    os.environ["LP_NUM_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    context = get_context("spawn")
    print(f"{'size':>5} {'exact flow':>10} {'new face ms':>12} {'ms CPU':>8} {'fps alone':>10} "
          f"{'fps x' + str(arguments.workers):>8} {'2 / CPU s':>10} {'wanted':>7}")  # fmt: skip
    for size in arguments.sizes:
        for correspondence in (False, True):
            first, wall, _ = measure(size, arguments.frames, 0, correspondence)
            with ProcessPoolExecutor(
                arguments.workers, mp_context=context, initializer=single_threaded
            ) as pool:
                seeds = range(arguments.workers)
                jobs = [pool.submit(measure, size, arguments.frames, s, correspondence) for s in seeds]
                together = [job.result() for job in jobs]
            rate = sum(arguments.frames / seconds for _, seconds, _ in together)
            cpu = sum(seconds for *_, seconds in together) / (arguments.frames * arguments.workers)
            print(
                f"{size:5d} {correspondence!s:>10} {1e3 * first:12.0f} {1e3 * cpu:8.1f} "
                f"{arguments.frames / wall:10.1f} {rate:8.1f} {2 / cpu:10.1f} {TARGETS.get(size, 0):7.0f}"
            )


if __name__ == "__main__":
    main()
