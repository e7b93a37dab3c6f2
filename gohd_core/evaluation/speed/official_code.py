"""The official inference code beside ours: the same random weights, on one machine, in one run.

Its networks are built from a folder with the authors' repository and filled at random, saved as their
files are laid out, and loaded by both sides, so that no download is needed and frames can be compared.
What its script does around them (one frame at a time with the portrait encoded anew, windows of 16 frames
of 150 steps) is done here as there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest import mock
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor, nn

from gohd_core.animator import Animator
from gohd_core.animator.windows import network_descriptors, windows_at
from gohd_core.audio import audio_features
from gohd_core.constants import BFM09, FPS, SAMPLE_RATE
from gohd_core.errors import BadInput
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Table
from gohd_core.evaluation.speed.plan import DTYPES, SpeedPlan, measure_seconds, moving, noise
from gohd_core.expression import ExpressionPredictor
from gohd_core.motion import Motion
from gohd_core.pose import PoseDiffusion
from gohd_core.talk_options import TalkOptions

_SIZE = 256
"""Side of the official code's pictures."""
_WINDOW = 16
"""Frames of its windows of head poses."""
_STEPS = 150
"""Its denoising steps."""
_FRAMES = 3
"""Frames of the official code that are timed; its cost is proportional to them."""
_TIMED_STEPS = 10
"""Denoising steps that are timed, likewise."""
_OUTPUT = 0.002
"""Deviation of the denoiser's last layer, which begins as zeros."""
_FLOWS = 0.3
"""Share of the first flows that is kept, since most would lead out of the picture."""

Import = Callable[[str], ModuleType]


@contextmanager
def official_modules(folder: Path, device: str) -> Iterator[Import]:
    """Imports modules of the authors' repository while the block runs; none of them stays.

    On a CPU `Tensor.cuda`, which their networks call, is replaced by the identity meanwhile.
    """
    if not (folder / "networks" / "generator.py").is_file():
        raise BadInput(
            f"{folder} is no copy of the official code (networks/generator.py is missing); give the folder "
            "of a clone of github.com/Jia1018/GoHD."
        )
    before = set(sys.modules)
    stay = (lambda tensor, *_, **__: tensor) if device == "cpu" else Tensor.cuda
    found = mock.patch.object(sys, "path", [str(folder), *sys.path])
    try:
        with found, mock.patch.object(Tensor, "cuda", stay), catch_warnings():
            simplefilter("ignore")  # of functions that torch has renamed since
            yield importlib.import_module
    except ImportError as error:
        raise BadInput(f"The official code in {folder} can't be imported here: {error}.") from error
    finally:
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            places = (getattr(module, "__file__", None), *getattr(module, "__path__", ()))
            if any(place and Path(place).is_relative_to(folder) for place in places):
                del sys.modules[name]


def official_table(folder: Path, plan: SpeedPlan, progress: Progress | None = None) -> Table:
    """Milliseconds of the official code and of ours, their ratio, and the largest difference of results."""
    table = Table(
        "Beside the official code",
        note=f"Official sizes, the same random weights. A frame: theirs encodes the portrait for each, ours "
        f"once for {plan.frames}. Head pose: theirs in windows of {_WINDOW} frames of {_STEPS} steps (one "
        f"window's {_TIMED_STEPS} steps are timed), ours as in `gohd talk`. Difference: the largest, in "
        "millionths of the largest value, of frames, of one denoising step, of expressions.",
    )
    with official_modules(folder.resolve(), plan.device) as load, TemporaryDirectory() as place:
        for part in with_progress((_frames, _pose, _expression), "official code", progress):
            for row, (theirs, ours, difference) in part(load, Path(place), plan).items():
                table.put(
                    row,
                    {
                        "official ms": 1000 * theirs,
                        "ours ms": 1000 * ours,
                        "ours / official": ours / theirs,
                        "difference ppm": 1e6 * difference,
                    },
                )
    return table


Rows = dict[str, tuple[float, float, float]]
"""Row -> official seconds, our seconds, difference of the results."""


@torch.inference_mode()
def _frames(load: Import, place: Path, plan: SpeedPlan) -> Rows:
    network = _initialise(lambda: load("networks.generator").Generator_Semantic(_SIZE, 72, 512, 20, 1, True))
    network = network.to(plan.device).eval()
    path = place / "FaceAnimator_GoHD.pt"
    torch.save({"gen_pose": network.state_dict()}, path)
    picture = (
        torch.linspace(-1, 1, _SIZE, dtype=torch.float32, device="cpu")
        .expand(1, 3, _SIZE, _SIZE)
        .contiguous()
    )
    own = Motion.from_descriptors(torch.zeros(1, 72, dtype=torch.float32, device="cpu"), BFM09)
    clip = moving(own.fitted(plan.frames))
    windows = windows_at(network_descriptors(clip), range(_FRAMES), 27)
    given = picture.to(plan.device), windows.to(plan.device)

    def theirs() -> Tensor:
        return torch.cat([network(given[0], {"semantics": window[None]})[0] for window in given[1]])

    expected = theirs().cpu()
    slow = measure_seconds(theirs, plan, 1) / _FRAMES
    rows = {}
    for name in plan.dtypes:
        ours = Animator.load(path, device=plan.device, dtype=DTYPES[name])

        def draw(ours: Animator = ours, count: int = plan.frames) -> Tensor:
            source = ours.encode_source(picture, own)
            return torch.cat([part.float().cpu() for part in ours.animate(source, clip)][:count])

        drawn = draw()[:_FRAMES]
        rows[f"a frame, {name}"] = (
            slow,
            measure_seconds(draw, plan, 1) / plan.frames,
            _difference(drawn, expected),
        )
    return rows


@torch.inference_mode()
def _pose(load: Import, place: Path, plan: SpeedPlan) -> Rows:
    params = load("params").params
    params.style_dim = params.in_channels = params.out_channels = 6
    network = _initialise(lambda: load("networks.models.nn").LDA(params, "tisa")).to(plan.device).eval()
    path = place / "audio2pose.pt"
    torch.save({"model": network.state_dict()}, path)
    ours, options = PoseDiffusion.load(path, device=plan.device), TalkOptions()
    seconds = plan.seconds[0]
    mel = audio_features(noise(seconds), SAMPLE_RATE).condition(ours.alignment)
    first, frames = torch.full((6,), 0.1, dtype=torch.float32, device="cpu"), int(seconds * FPS)
    x, window = (
        moving(
            Motion.from_descriptors(torch.zeros(1, 72, dtype=torch.float32, device="cpu"), BFM09).fitted(
                _WINDOW - 1
            )
        ),
        mel[1:_WINDOW],
    )
    given = [x.pose.values[None], window[None], first.expand(1, _WINDOW - 1, 6)]
    given = [tensor.to(plan.device) for tensor in given]
    at = torch.tensor([float(_STEPS // 2)], device=plan.device, dtype=torch.float32)

    def theirs() -> Tensor:
        return [network(*given, at) for _ in range(_TIMED_STEPS)][-1]

    expected = theirs().cpu()
    found = ours.denoise(given[0], given[1], first[None].to(plan.device), at).cpu()
    windows = len(range(0, frames, _WINDOW - 1))
    slow = measure_seconds(theirs, plan, 1) / _TIMED_STEPS * _STEPS * windows
    sample = partial(ours.sample, mel, first, seed=0, steps=options.steps, sampler=options.sampler)
    return {
        f"head pose, {seconds:g} s": (slow, measure_seconds(sample, plan, 1), _difference(found, expected))
    }


@torch.inference_mode()
def _expression(load: Import, place: Path, plan: SpeedPlan) -> Rows:
    network = _initialise(load("networks.audio2exp").SimpleWrapperV2).to(plan.device).eval()
    path = place / "audio2exp.pth"
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    torch.save({"state_dict_G": state}, path)
    ours = ExpressionPredictor.load(path, device=plan.device)
    seconds = plan.seconds[0]
    chunks, e0 = (
        audio_features(noise(seconds), SAMPLE_RATE).chunks,
        torch.full((64,), 0.1, dtype=torch.float32, device="cpu"),
    )

    def theirs() -> Tensor:
        given = {"zb": None, "exp0": e0[None].to(plan.device), "audio": chunks[None].to(plan.device)}
        return network(given)["exp_motion_pred"][0]

    expected, found = theirs().cpu(), ours.predict(chunks, e0)[0].cpu()
    times = measure_seconds(theirs, plan), measure_seconds(lambda: ours.predict(chunks, e0), plan)
    return {f"expression, {seconds:g} s": (*times, _difference(found, expected))}


def _initialise(build: Callable[[], Any]) -> nn.Module:
    """A network as its authors initialise it, the same each time, but for what would hide differences."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build()
        for name, value in network.named_parameters():
            if name == "output_projection.conv1d.weight":
                nn.init.normal_(value, std=_OUTPUT)
            elif "to_flow" in name and name.endswith("conv.weight"):
                value.mul_(_FLOWS)
    return network


def _difference(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())
