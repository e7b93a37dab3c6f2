"""How well eyes are turned: python benchmarks/eye_contact.py VIDEO [VIDEO ...] [--look=PITCH,YAW]

Gaze errors and jitter in degrees, before and after, by the iris network on the result. Frames with open eyes
count, whose gaze was to change by less than 25 degrees.

The iris network reads a third to a half of vertical movements of drawn irises, so that the edges are read,
too (integro-differential operator, Daugman 1993): `edge_yaw` and `edge_pitch` are mean errors, in degrees, of
the edges' movement against the commanded one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gohd_core.driving.eye_contact import ReadEyes, read_eyes, turn_eyes
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.images import Image
from gohd_core.mesh.eye_contact import LIMIT, OPEN, SHIFT_GAIN, Eye
from gohd_core.mesh.lid_following import moved_lids
from gohd_core.video.reader import VideoReader

NOTHING = np.zeros((4, 4, 3), np.float32)
SIZES = np.arange(0.88, 1.2, 0.04)
"""Radii that are tried, as shares of the limbus's radius as read."""


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
    wanted = np.tile(look[::-1], (len(before.gaze), 1))
    goal = before.towards(wanted) + before.camera_bias()
    counted = (before.opening > OPEN[1]) & (np.linalg.norm(goal - before.gaze, axis=1) < LIMIT)
    result = {"frames": float(counted.sum())}
    for name, gaze in (("before", before.gaze), ("after", again.eyes.gaze)):
        yaw, pitch = np.degrees(np.abs(gaze - goal)[counted]).mean(0)
        quick = np.linalg.norm(np.diff(np.degrees(gaze), 2, axis=0), axis=1) / 2
        still = counted[2:] & counted[1:-1] & counted[:-2]
        result |= {f"yaw_{name}": yaw, f"pitch_{name}": pitch, f"jitter_{name}": np.median(quick[still])}
    result |= _edges(read, before.shifts(wanted), images, frames, counted, goal)
    return result


def _edges(
    read: ReadEyes,
    shifts: list[np.ndarray],
    before: list[Image],
    after: np.ndarray,
    counted: np.ndarray,
    goal: np.ndarray,
) -> dict[str, float]:
    """Mean error in degrees of the movement of irises' edges, over every fourth frame."""
    rows = np.flatnonzero(counted)[::4]
    places = np.flatnonzero(read.found)
    if not len(rows):
        return {}
    commanded = goal - read.eyes.gaze
    went = np.zeros((len(rows), 2))
    for eye, shift in zip(read.eyes.eyes, shifts, strict=True):
        lids = eye.lids.copy()
        for t in rows:
            way = eye.axes[t] @ np.array([0.0, SHIFT_GAIN * shift[t, 1]])
            lids[t] = moved_lids(NOTHING, eye.lids[t], way, eye.width * eye.scale[t]).lids
        views = [
            [_View.of(images[places[t]], eye, t, edges[t]) for t in rows]
            for images, edges in ((before, eye.lids), (after, lids))
        ]
        own = eye.offset + eye.limbus
        scores = [np.mean([view.limbus(eye, own[view.t], size)[1] for view in views[0]]) for size in SIZES]
        size = SIZES[int(np.argmax(scores))]
        start = np.stack([view.limbus(eye, own[view.t], size)[0] for view in views[0]])
        guess = start + (eye.offset_of(eye.gaze(eye.offset) + commanded) - eye.offset)[rows]
        end = np.stack([view.limbus(eye, near, size)[0] for view, near in zip(views[1], guess, strict=True)])
        offset = eye.offset[rows]
        went += (eye.gaze(offset + end - start) - eye.gaze(offset)) / 2
    yaw, pitch = np.degrees(np.abs(went - commanded[rows])).mean(0)
    return {"edge_yaw": yaw, "edge_pitch": pitch}


@dataclass(frozen=True, eq=False)
class _View:
    """An eye in frame t: light [h,w] around it, 255 between its lids [h,w], and the corner of both."""

    grey: np.ndarray
    between: np.ndarray
    corner: np.ndarray
    t: int

    @classmethod
    def of(cls, image: Image, eye: Eye, t: int, lids: np.ndarray) -> _View:
        reach = 0.9 * eye.width * eye.scale[t]
        corner = np.maximum((lids.mean(0) - reach).astype(int), 0)
        end = (corner + 2 * reach).astype(int) + 1
        part = np.ascontiguousarray(image[corner[1] : end[1], corner[0] : end[0]])
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
        grey = cv2.GaussianBlur(grey, (0, 0), max(0.6, 0.06 * eye.radius * eye.scale[t]))
        between = np.zeros(grey.shape, np.uint8)
        outline = np.concatenate([lids[:9], lids[:8:-1]]) - corner
        cv2.fillPoly(between, [np.round(outline).astype(np.int32)], 255)
        return cls(grey, cv2.erode(between, np.ones((3, 3))), corner, t)

    def limbus(self, eye: Eye, near: np.ndarray, size: float) -> tuple[np.ndarray, float]:
        """Offset [2] of the circle of `size` radii across which light rises most, and that rise."""
        angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        ring, found, best = np.stack([np.cos(angle), np.sin(angle)], -1), near, 0.0
        for step, count in ((0.03, 9), (0.01, 5), (0.004, 5)):
            grid = (np.arange(count) - count // 2) * step * eye.width
            middles = found + np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
            inner, edge, outer = (
                (middles[:, None] + share * size * eye.radius * ring) @ eye.axes[self.t].T
                + eye.origin[self.t]
                - self.corner
                for share in (0.9, 1.0, 1.1)
            )
            seen = (_at(self.between, edge) > 127) & (_at(self.between, outer) > 127)
            rise = (_at(self.grey, outer) - _at(self.grey, inner)).clip(-20, 60)
            score = (rise * seen).sum(1) / np.maximum(seen.sum(1), 16)
            best, found = float(score.max()), middles[score.argmax()]
        return found, best


def _at(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    return cv2.remap(
        picture, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


if __name__ == "__main__":
    main()
