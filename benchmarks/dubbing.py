"""How well videos say another sound: python benchmarks/dubbing.py VIDEO SOUND [VIDEO SOUND ...]

The face is read anew in what comes out: the lips' gap and the mouth's width against what was commanded, and
around the mouth how much changes from frame to frame against the original. Needs the face networks.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from gohd_core.audio import load_audio
from gohd_core.driving.dubbing import Speaker, dub, read_speaker, spoken, voice_of
from gohd_core.driving.mesh_tracks import follow
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.images import Image
from gohd_core.mesh.contours import HALF, INNER_LIPS, edge_gap, inner_gap
from gohd_core.mesh.dubbing.fitted_meshes import FittedMeshes
from gohd_core.mesh.frame import EDGE
from gohd_core.models import Models
from gohd_core.motion import Expression
from gohd_core.video.reader import VideoReader

SHUT = 0.004
"""Gap below which lips are commanded to be shut, model units."""
STILL = 0.001
"""Mean way of lips from frame to frame up to which they hold still, model units."""


def main() -> None:
    """Prints a row of figures for each pair of a video and a sound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path, nargs="+", metavar="VIDEO SOUND")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each (6)")
    parser.add_argument("--sheets", type=Path, help="a folder for strips: originals over what they become")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    models = Models.load("builtin")
    for video, sound in zip(arguments.pairs[::2], arguments.pairs[1::2], strict=True):
        film = VideoReader.open(video, seconds=arguments.seconds)
        voice = voice_of(load_audio(sound), models.expression)
        row, strips = figures(film, voice, models.reader)
        text = " ".join(f"{key} {value:.3g}" for key, value in row.items())
        print(
            json.dumps({video.stem: row}) if arguments.json else f"{video.stem[:20]:20s} {text}", flush=True
        )
        if arguments.sheets is not None:
            arguments.sheets.mkdir(parents=True, exist_ok=True)
            for k, strip in enumerate(strips):
                target = arguments.sheets / f"{video.stem}_{k}.jpg"
                cv2.imwrite(
                    str(target), cv2.cvtColor(strip, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90]
                )


def figures(film: VideoReader, voice: Expression, reader: FaceReader) -> tuple[dict[str, float], list[Image]]:
    """Of one film that says a voice; and strips of its mouths, the original over the result."""
    started = time.process_time()
    speaker = read_speaker(film, reader)
    learnt = time.process_time() - started
    (face,), (said,) = speaker.faces, spoken(speaker, voice)
    lips = torch.stack([face.lips(k, said) for k in range(len(said.gap))])
    made = dub(film, speaker, voice)
    before = [image for _, image in film.play()]
    started = time.process_time()
    after = [image for _, image in made.play()]
    drawn = time.process_time() - started
    faces = [face for _, block in follow(made.play(), reader, FaceChoice()) for face in block]
    seen = np.array([face is not None for face in faces]) & speaker.found
    rows = seen[speaker.found]
    meshes = np.stack([faces[k].points for k in np.flatnonzero(seen)])
    points = FittedMeshes.of(meshes, face.box).points(slice(None))
    edge = lips[torch.from_numpy(rows), EDGE]
    found = {}
    gap, commanded = inner_gap(points).numpy(), edge_gap(edge).clamp_min(0).numpy()
    found["gap"], found["offset"], found["r"] = _line(commanded, gap)
    width = (points[:, INNER_LIPS.right] - points[:, INNER_LIPS.left]).norm(dim=-1).numpy()
    found["width"], _, found["width_r"] = _line((edge[:, 0] - edge[:, HALF]).norm(dim=-1).numpy(), width)
    found["shut"] = float(gap[commanded < SHUT].mean()) if (commanded < SHUT).any() else float("nan")
    own = np.array([face.gap[k] for k in np.flatnonzero(rows)])
    found["own_r"] = float(np.corrcoef(gap, own)[0, 1])
    squares = [_mouth(speaker, k) for k in np.flatnonzero(speaker.found)]
    calm = _flicker(before, squares, speaker.found, False), _flicker(after, squares, speaker.found, False)
    quick = _flicker(before, squares, speaker.found, True), _flicker(after, squares, speaker.found, True)
    found["flicker"], found["second"] = calm[1] / calm[0], quick[1] / quick[0]
    own = torch.stack([face.own_lips.at(k) for k in range(len(lips))])
    told, done = (each.diff(dim=0).norm(dim=-1).mean((1, 2)).numpy() for each in (lips, own))
    still = told <= np.maximum(done, STILL)
    held = [_flicker(each, squares, speaker.found, False, still) for each in (before, after)]
    found["held"], found["held_share"] = held[1] / held[0], float(still.mean())
    found["learn_s"], found["draw_ms"] = learnt, 1000 * drawn / len(after)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found, _strips(before, after, squares, speaker.found)


def _line(commanded: np.ndarray, seen: np.ndarray) -> tuple[float, float, float]:
    """Slope and offset of seen over commanded values, and their correlation."""
    slope, offset = np.polyfit(commanded, seen, 1)
    return float(slope), float(offset), float(np.corrcoef(commanded, seen)[0, 1])


def _mouth(speaker: Speaker, frame: int) -> tuple[int, int, int]:
    """(left, top, side) of a square around the mouth of a frame."""
    row = int(speaker.found[:frame].sum())
    middle, side = speaker.faces[0].mouth_at(row), round(0.8 * speaker.faces[0].scale)
    return int(middle[0]) - side // 2, int(middle[1]) - side // 2, side


def _cut(image: Image, square: tuple[int, int, int], side: int) -> np.ndarray:
    left, top, size = square
    rows, columns = np.arange(top, top + size), np.arange(left, left + size)
    part = image[rows.clip(0, image.shape[0] - 1)[:, None], columns.clip(0, image.shape[1] - 1)]
    return cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA if side < size else cv2.INTER_CUBIC)


def _flicker(
    images: list[Image], squares: list, found: np.ndarray, second: bool, pairs: np.ndarray | None = None
) -> float:
    """Mean absolute (second) difference of luminance around the mouth, frame by frame, outside the lips.

    pairs: [n-1] bool, frames and those before them that count.
    """
    parts = np.stack(
        [
            _cut(images[k], square, 96).mean(-1)
            for k, square in zip(np.flatnonzero(found), squares, strict=True)
        ]
    )
    row, column = np.mgrid[0:96, 0:96] / 95 * 2 - 1
    ring = (row / 0.55) ** 2 + (column / 0.75) ** 2
    ring = (ring > 1) & (np.hypot(row, column) < 1)
    change = np.diff(parts[:, ring], 2 if second else 1, axis=0)
    change = change if pairs is None else change[pairs]
    return float(np.abs(change).mean() / (2 if second else 1))


def _strips(before: list[Image], after: list[Image], squares: list, found: np.ndarray) -> list[Image]:
    """Rows of twelve consecutive mouths, the originals over the results."""
    frames, strips = np.flatnonzero(found), []
    for start in range(0, len(frames) - 11, max(12, (len(frames) - 12) // 4)):
        rows = []
        for images in (before, after):
            rows.append(
                np.hstack([_cut(images[frames[k]], squares[k], 200) for k in range(start, start + 12)])
            )
        strips.append(np.vstack(rows))
    return strips


if __name__ == "__main__":
    main()
