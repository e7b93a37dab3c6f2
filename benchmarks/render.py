"""Memory and speed of paste-back, marking and encoding at 1080p, as a stream.

    python benchmarks/render.py --seconds 60

The crops are drawn by a formula, so that what is measured is all that comes after the animator. The
resident memory is compared with that right before the first frame.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from gohd_core.face import Portrait
from gohd_core.render import marked, paste_back, render_video

FPS = 25
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0


def resident() -> float:
    """MiB of this process in memory now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def faces(count: int) -> Iterator[torch.Tensor]:
    """Crops [8, 3, 256, 256] that change all over, as a talking head's do."""
    x = torch.linspace(-3, 3, 256)
    for start in range(0, count, 8):
        times = torch.arange(start, min(start + 8, count))[:, None, None] / FPS
        wave = torch.sin(x[None, :, None] * 2 + times * 5) * torch.cos(x[None, None] * 3 - times * 3)
        yield torch.stack([0.6 * wave, 0.5 * wave - 0.1, 0.4 * wave], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--height", type=int, default=1080)
    given = parser.parse_args()
    torch.set_num_threads(1)
    height, width, count = given.height, given.height * 16 // 9, round(given.seconds * FPS)
    row, column = torch.arange(height)[:, None] / height, torch.arange(width)[None] / width
    frame = torch.stack([row * column, (row + column) / 2, (row - column) / 2 + 0.5], -1)
    frame = (frame + 0.05 * torch.rand(height, width, 3, generator=torch.Generator().manual_seed(0))).clamp(
        0, 1
    )
    side = height // 2
    who = Portrait(frame, (side, side // 2, 2 * side, side // 2 + side), torch.zeros(256, 256, 3))
    tone = np.sin(np.arange(round(given.seconds * 44_100)) * 2 * math.pi * 220 / 44_100)
    sound = np.stack([0.2 * tone, 0.2 * tone]).astype(np.float32)
    before, seen, started = resident(), [], time.perf_counter()

    def look(done: int, total: int) -> None:
        if done % 10 == 0:
            seen.append(resident() - before)

    with tempfile.TemporaryDirectory() as folder:
        stream = marked(paste_back(faces(count), who))
        render_video(Path(folder) / "a.mp4", stream, fps=FPS, audio=(sound, 44_100), progress=look)
    took = time.perf_counter() - started
    quarter = max(len(seen) // 4, 1)
    early, late = max(seen[quarter : 2 * quarter] or seen), max(seen[-quarter:])
    growth = (late - early) / (given.seconds / 2) * 60
    print(f"{width}x{height}, {count} frames, {took:.0f} s ({count / took:.1f} frames a second)")
    print(
        f"extra memory: at most {max(seen):.0f} MiB; second quarter {early:.0f}, last quarter {late:.0f} MiB"
    )
    print(f"growth {growth:+.1f} MiB a minute; ten minutes by that: {late + max(growth, 0) * 10:.0f} MiB")


if __name__ == "__main__":
    main()
