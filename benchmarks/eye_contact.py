"""How well eyes are turned: python benchmarks/eye_contact.py VIDEO [VIDEO ...] [--look=PITCH,YAW]

The eyes are read anew in what comes out: how far beside where they were sent they look, before and after, and
how much they tremble. Frames with open eyes count, whose look was to change by less than 25 degrees.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gohd_core.driving.eye_contact import read_eyes, turn_eyes  # noqa: E402
from gohd_core.face.mediapipe.reader import FaceReader  # noqa: E402
from gohd_core.mesh.eye_contact import LIMIT, OPEN  # noqa: E402
from gohd_core.video.reader import VideoReader  # noqa: E402


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
    return result


if __name__ == "__main__":
    main()
