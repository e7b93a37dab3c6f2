"""All measures of one picture: prepared, drawn from commands and from a sound, read again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gohd_core.animator.windows import network_descriptors
from gohd_core.audio import AudioFeatures
from gohd_core.errors import BadInput
from gohd_core.evaluation.pictures.readings import read_frames
from gohd_core.evaluation.pictures.speaking import Talk, face_energy, judge_talk
from gohd_core.evaluation.pictures.sweeps import BLINK, JAW, SWEEPS, Sweep, sweep_descriptors, sweep_figures
from gohd_core.images import Image
from gohd_core.mesh.source import MeshSource
from gohd_core.models import Models
from gohd_core.pipeline import encode, motion_from_audio
from gohd_core.portraits import prepare_portrait
from gohd_core.talk_options import TalkOptions
from gohd_core.video.writer import frames_to_bytes

_BATCH = 8
DRAWN_HEAD = "taken for a stylised head, which is drawn by latent navigation at 256 pixels"


@dataclass
class Result:
    """Results of one picture.

    Attributes:
        name: of its file.
        refused: the sentence that it was refused with; nothing else is known then.
        size: side of the frames.
        face: height or width of the face in the picture, in pixels.
        prepare, draw: seconds of preparing the portrait, and of drawing one frame.
        own_psnr: of the portrait in its own motion against the crop, dB.
        turned_sharp: gradient energy of the face where the head turns, as a share of the source's.
        sweeps: slopes and correlations (`sweeps.sweep_figures`).
        talk: how it talked.
        tiles: pictures of the contact sheet, u8 [S,S,3] by name.
    """

    name: str
    refused: str = ""
    size: int = 0
    face: float = 0.0
    prepare: float = 0.0
    draw: float = 0.0
    own_psnr: float = 0.0
    turned_sharp: float = 0.0
    sweeps: dict[str, float] = field(default_factory=dict)
    talk: Talk | None = None
    tiles: dict[str, np.ndarray] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Bench:
    """Inputs that all pictures share.

    Attributes:
        models: the built-in family, with a face reader.
        features: the sound that is said.
        size: side of the frames; None takes each face's own.
        step: every how many frames of the clip are drawn and read.
        sweeps: the commands.
        clock: the clock, in seconds.
    """

    models: Models
    features: AudioFeatures
    size: int | None = 512
    step: int = 4
    sweeps: tuple[Sweep, ...] = SWEEPS
    clock: Callable[[], float] = time.perf_counter


@torch.inference_mode()
def measure(name: str, picture: Image, bench: Bench) -> Result:
    """Measures one picture, uint8 [H,W,3] or a PIL image."""
    models, clock = bench.models, bench.clock
    begun = clock()
    try:
        portrait = prepare_portrait(
            picture,
            reader=models.reader,
            extractor=models.extractor,
            gaze_estimator=models.gaze_estimator,
            size=bench.size,
        )
        if portrait.mesh is None:
            return Result(Path(name).name, DRAWN_HEAD)
        source = encode(models.animator, portrait)
    except BadInput as error:
        return Result(Path(name).name, str(error))
    prepared = clock() - begun
    crop = frames_to_bytes(portrait.source)[0]
    box = portrait.mesh[:468, :2]
    result = Result(
        Path(name).name, size=source.size, face=float((box.amax(0) - box.amin(0)).max()), prepare=prepared
    )
    commands, places = sweep_descriptors(source.own, bench.sweeps)
    spoken = network_descriptors(
        motion_from_audio(bench.features, portrait, models, TalkOptions(seed=1, steps=10))
    )[:: bench.step]
    begun = clock()
    frames = _decode(models, source, torch.cat([commands, spoken.to(commands)]))
    result.draw = (clock() - begun) / len(frames)
    swept, talk = frames[: len(commands)], frames[len(commands) :]
    result.own_psnr = _psnr(swept[0], crop)
    own = read_frames(models.reader, crop[None])
    face = next(iter(models.reader.read(crop)), None)
    read = read_frames(models.reader, swept, start=face)
    result.sweeps = sweep_figures(source, commands, places, read)
    said = read_frames(models.reader, talk)
    result.talk = judge_talk(own, crop, said, talk)
    turned = [k for name in ("head yaw", "head pitch") if name in places for k in np.r_[places[name]]]
    sharp = [face_energy(swept[k], read.points[k]) for k in turned if read.seen[k]]
    if own.seen[0] and sharp:
        result.turned_sharp = float(np.mean(sharp)) / max(face_energy(crop, own.points[0]), 1e-9)
    result.tiles = _tiles(crop, swept, places, talk, said.share)
    return result


def _decode(models: Models, source: MeshSource, descriptors: Tensor) -> np.ndarray:
    parts = [models.animator.decode(source, part) for part in descriptors.split(_BATCH)]
    return np.concatenate([frames_to_bytes(part) for part in parts])


def _psnr(made: np.ndarray, true: np.ndarray) -> float:
    error = np.square(made.astype(np.float64) - true).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-3)))


def _tiles(
    crop: np.ndarray, swept: np.ndarray, places: dict[str, slice], talk: np.ndarray, gaps: np.ndarray
) -> dict[str, np.ndarray]:
    """The source, the ends of each sweep, and the clip where the lips are most open, half open, and shut."""
    tiles = {"source": crop, "own": swept[0]}
    for name, rows in places.items():
        first, last = swept[rows][0], swept[rows][-1]
        tiles |= {f"{name} -": first, f"{name} +": last} if name not in (JAW, BLINK) else {name: last}
    order = np.argsort(np.nan_to_num(gaps, nan=np.inf))
    for part, share in (("shut", 0.0), ("half", 0.5), ("open", 1.0)):
        tiles[f"says {part}"] = talk[order[round(share * (len(order) - 1))]]
    return tiles
