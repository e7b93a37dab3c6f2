"""How well eyes are turned: python benchmarks/eye_contact.py VIDEO [VIDEO ...] [--look=PITCH,YAW]

The eyes are read anew in what comes out: how far beside where they were sent they look, before and after, and
how much they tremble. Frames with open eyes count, whose look was to change by less than 25 degrees.

The iris network sees irises that are drawn higher or lower move by a third to a half of what their edges do,
so that the edges are read, too (integro-differential operator, Daugman 1993): `edge_yaw` and `edge_pitch`, by
how far they went beside by how far they were to go.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from gohd_core.driving.eye_contact import ReadEyes, read_eyes, turn_eyes
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.images import Image
from gohd_core.mesh.eye_contact import LIMIT, OPEN, Eye
from gohd_core.video.reader import VideoReader


def main() -> None:
    """Prints a row of figures for each video, in degrees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument(
        "--look", default="0,0", help="degrees up and to the image's left of the camera (0,0)"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each (5)")
    arguments = parser.parse_args()
    look = np.radians([float(angle) for angle in arguments.look.split(",")])
    reader = FaceReader.load()
    for video in arguments.videos:
        found = figures(VideoReader.open(video, seconds=arguments.seconds), look, reader)
        print(f"{video.stem[:24]:24s}", " ".join(f"{key} {value:.3g}" for key, value in found.items()))


def figures(film: VideoReader, look: np.ndarray, reader: FaceReader) -> dict[str, float]:
    """Of one film whose eyes look along (pitch, yaw) radians afterwards."""
    read = read_eyes(film, reader)
    made, _ = turn_eyes(film, read, (float(look[0]), float(look[1])))
    images = [np.array(image) for _, image in film.play()]
    frames = np.stack([image for _, image in made.play()])
    before, again = read.eyes, read_eyes(VideoReader.of_images(frames, film.fps), reader)
    goal = before.towards(np.tile(look[::-1], (len(before.gaze), 1))) + before.camera_bias()
    counted = (before.opening > OPEN[1]) & (np.linalg.norm(goal - before.gaze, axis=1) < LIMIT)
    result = {"frames": float(counted.sum())}
    for name, gaze in (("before", before.gaze), ("after", again.eyes.gaze)):
        yaw, pitch = np.degrees(np.abs(gaze - goal)[counted]).mean(0)
        quick = np.linalg.norm(np.diff(np.degrees(gaze), 2, axis=0), axis=1) / 2
        still = counted[2:] & counted[1:-1] & counted[:-2]
        result |= {f"yaw_{name}": yaw, f"pitch_{name}": pitch, f"jitter_{name}": np.median(quick[still])}
    result |= _edges(read, again, images, frames, counted, goal)
    return result


def _edges(
    read: ReadEyes,
    again: ReadEyes,
    before: list[Image],
    after: np.ndarray,
    counted: np.ndarray,
    goal: np.ndarray,
) -> dict[str, float]:
    """Mean difference in degrees between how irises' edges went and were to go, over every fourth frame."""
    rows = np.flatnonzero(counted)[::4]
    places, same = np.flatnonzero(read.found), np.array_equal(read.found, again.found)
    if not len(rows) or not same:
        return {}
    told = goal - read.eyes.gaze
    went = np.zeros((len(rows), 2))
    for eye, later in zip(read.eyes.eyes, again.eyes.eyes, strict=True):
        guess = eye.offset_of(eye.gaze(eye.offset) + told)
        ends = [
            np.stack([_by_edge(images[places[t]], eye, t, lids[t], near[t]) for t in rows])
            for images, lids, near in ((before, eye.lids, eye.offset), (after, later.lids, guess))
        ]
        went += (eye.gaze(ends[1]) - eye.gaze(ends[0])) / 2
    yaw, pitch = np.degrees(np.abs(went - told[rows])).mean(0)
    return {"edge_yaw": yaw, "edge_pitch": pitch}


def _by_edge(image: Image, eye: Eye, t: int, lids: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Offset [2] of the iris whose edge shows best between lids [16,2], within a tenth of the eye's width."""
    scale = eye.scale[t]
    reach = 0.9 * eye.width * scale
    corner = np.maximum((lids.mean(0) - reach).astype(int), 0)
    part = image[corner[1] : int(corner[1] + 2 * reach) + 1, corner[0] : int(corner[0] + 2 * reach) + 1]
    grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), max(0.6, 0.06 * eye.radius * scale))
    between = np.zeros(grey.shape, np.uint8)
    outline = np.concatenate([lids[:9], lids[:8:-1]]) - corner
    cv2.fillPoly(between, [np.round(outline).astype(np.int32)], 255)
    between = cv2.erode(between, np.ones((3, 3)))
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring, found = np.stack([np.cos(angle), np.sin(angle)], -1), near
    for step, count in ((0.03, 7), (0.01, 5)):
        grid = (np.arange(count) - count // 2) * step * eye.width
        middles = found + np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
        best = -np.inf
        for size in (1.05, 1.15, 1.25):
            inner, edge, outer = (
                (middles[:, None] + share * size * eye.radius * ring) @ eye.axes[t].T + eye.origin[t] - corner
                for share in (0.85, 1.0, 1.15)
            )
            seen = (_at(between, edge) > 127) & (_at(between, outer) > 127)
            step_of_light = (_at(grey, outer) - _at(grey, inner)).clip(-20, 60)
            score = (step_of_light * seen).sum(1) / np.maximum(seen.sum(1), 14)
            if score.max() > best:
                best, found = float(score.max()), middles[score.argmax()]
    return found


def _at(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    return cv2.remap(
        picture, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


if __name__ == "__main__":
    main()
