"""The animator's speed against the official formulation, in one run: python benchmarks/animator.py

Official size, random weights. The official way draws one frame at a time and encodes the source anew for
each; ours encodes it once. Both take the same tensors; the largest difference of their frames is shown.
On a GPU the figures with and without compilation are shown too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gohd_core.animator import Animator, AnimatorConfig  # noqa: E402
from gohd_core.animator.windows import network_descriptors, windows_at  # noqa: E402
from gohd_core.constants import BFM09  # noqa: E402
from tests.support.plain_animator import PlainAnimator  # noqa: E402
from tests.support.small_animators import image, motion, network, official_state  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100, help="length of the clip that is animated")
    parser.add_argument("--official-frames", type=int, default=7, help="frames of the official way, median")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--batch", type=int, default=16, help="batch size on the GPU")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    net = network(AnimatorConfig())
    figures = cpu(net, options.frames, options.official_frames)
    if torch.cuda.is_available():
        figures |= gpu(net, options.frames, options.batch)
    for name, value in figures.items():
        print(f"{name:>44}  {value:.4g}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


@torch.inference_mode()
def cpu(net, frames: int, official_frames: int) -> dict[str, float]:
    """Milliseconds a frame of both ways, their ratios, and the errors."""
    plain = PlainAnimator(official_state(net))
    picture, clip = image(256), motion(frames)
    windows = windows_at(network_descriptors(clip), range(official_frames), 27)
    plain.frame(picture, windows[:1])
    times, expected = [], []
    for window in windows:
        start = time.perf_counter()
        expected.append(plain.frame(picture, window[None]))
        times.append(time.perf_counter() - start)
    official = 1000 * statistics.median(times)
    figures = {"official formulation, ms a frame": official}
    reference = torch.cat(expected)
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        ours = Animator(net, net.config, BFM09, dtype=dtype)
        source = ours.encode_source(picture)
        drawn = ours.decode(source, ours.magnitudes(source, windows))
        start = time.perf_counter()
        source = ours.encode_source(picture)
        for _ in ours.animate(source, clip):
            pass
        each = 1000 * (time.perf_counter() - start) / frames
        figures[f"ours {name}, ms a frame"] = each
        figures[f"ours {name}, ratio to official"] = each / official
        figures[f"ours {name}, relative error"] = float((drawn - reference).norm() / reference.norm())
        figures[f"ours {name}, largest error / scale"] = float((drawn - reference).abs().max()) / float(
            reference.abs().max()
        )
    return figures


def gpu(net, frames: int, batch: int) -> dict[str, float]:
    """Frames a second in bfloat16: plain, compiled, and compiled with CUDA graphs."""
    figures = {}
    forms = {
        "plain": None,
        "compiled": {"mode": "default"},
        "compiled, CUDA graphs": {"mode": "reduce-overhead"},
    }
    count = max(frames // batch, 8) * batch
    for name, form in forms.items():
        ours = Animator(net.to("cuda"), net.config, BFM09, dtype=torch.bfloat16)
        if form is not None:
            ours.compile(batch, **form)
        source = ours.encode_source(image(256))
        clip = motion(count)
        for part in ours.animate(source, clip[: 3 * batch], batch_size=batch):
            part.sum().item()
        torch.cuda.synchronize()
        start = time.perf_counter()
        for part in ours.animate(source, clip, batch_size=batch):
            last = part
        torch.cuda.synchronize()
        figures[f"GPU bfloat16, {name}, frames/s"] = count / (time.perf_counter() - start)
        del last
    return figures


if __name__ == "__main__":
    main()
