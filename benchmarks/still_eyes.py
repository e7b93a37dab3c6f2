"""What trembles in turned eyes: python benchmarks/still_eyes.py VIDEO [VIDEO ...]

One frame of each video drifts in a known way, noisy and encoded as videos are, so that its eyes hold still in
their head. Degrees, medians over frames of half the change of speed: `read`, the gaze that is read; `turned`,
by how much irises are moved to look at the camera, all of which is seen to tremble; `read again`, the gaze
that is read in the result. Needs the face networks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from known_motion import random_curves

from gohd_core.driving.eye_contact import read_eyes, turn_eyes
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.images import Image
from gohd_core.mesh.eye_contact.eye_contact import OPEN
from gohd_core.video.reader import VideoReader
from gohd_core.video.writer import render_video

FRAMES, SIDE = 28, 512
DRIFT, SMOOTHNESS = (1.0, 0.006, 4.0, 3.0), 5.0
"""Deviations of roll in degrees, size, and place across and down in pixels; their smoothness in frames."""
NOISE, CRF = 2.5, 23
"""Noise of pictures in steps of 8 bits, and their encoding."""


def main() -> None:
    """Prints a row of figures for each video, and their means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    reader, rows = FaceReader.load(), []
    for seed, video in enumerate(parser.parse_args().videos):
        row = _figures(video, seed, reader)
        if row is not None:
            rows.append(row)
            _show(video.stem[:24], row)
    if rows:
        _show("mean", np.mean(rows, 0))


def _show(name: str, row: np.ndarray) -> None:
    print(f"{name:24s} read {row[0]:.2f} turned {row[1]:.2f} read again {row[2]:.2f}", flush=True)


def _figures(video: Path, seed: int, reader: FaceReader) -> np.ndarray | None:
    """The three figures [3] of one video; None where no open eyes are turned."""
    film = VideoReader.open(video, seconds=1.0)
    eyes = read_eyes(film, reader)
    if not eyes.people or not (eyes.people[0].opening > OPEN[1]).any():
        return None
    first = int(np.flatnonzero(eyes.people[0].opening > OPEN[1])[0])
    place = np.flatnonzero(eyes.found)[eyes.who == 0][first]
    frame = [np.array(image) for _, image in film.play()][place]
    with TemporaryDirectory() as folder:
        path = render_video(Path(folder) / "still.mp4", [_drifting(frame, seed)], fps=25, crf=CRF)
        still = VideoReader.open(path)
        read = read_eyes(still, reader)
        made, report = turn_eyes(still, read)
        if len(read.people) != 1 or report.reflections or report.unseen:
            return None
        frames = np.stack([image for _, image in made.play()])
    person = read.people[0]
    moved = [
        eye.plane.gaze(eye.plane.rest + shift)
        for eye, shift in zip(person.eyes, person.shifts(np.zeros_like(person.gaze)), strict=True)
    ]
    again = read_eyes(VideoReader.of_images(frames, still.fps), reader).people[0]
    return np.array([_jitter(each) for each in (person.gaze, np.mean(moved, 0), again.gaze)])


def _jitter(gaze: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(np.diff(np.degrees(gaze), 2, axis=0), axis=1) / 2))


def _drifting(frame: Image, seed: int) -> torch.Tensor:
    """`FRAMES` noisy frames [B,3,S,S] in -1..1 of a picture that drifts."""
    rng, scale = np.random.default_rng(seed), SIDE / max(frame.shape[:2])
    made = []
    for roll, size, right, down in random_curves(seed, FRAMES, list(DRIFT), SMOOTHNESS):
        middle = (frame.shape[1] / 2, frame.shape[0] / 2)
        way = cv2.getRotationMatrix2D(middle, float(roll), scale * float(np.exp(size)))
        way[:, 2] += SIDE / 2 - np.array(middle) + (right, down)
        seen = cv2.warpAffine(
            frame, way, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        made.append((seen + rng.normal(0, NOISE, seen.shape)).clip(0, 255))
    return torch.from_numpy(np.stack(made).astype(np.float32)).movedim(-1, 1) / 127.5 - 1


if __name__ == "__main__":
    main()
