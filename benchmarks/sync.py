"""By how much `gohd sync` finds lips late that are in step: python benchmarks/sync.py PORTRAITS SOUNDS

Portraits say sounds, each another one (`gohd talk`), and the lag of their lips is measured in the videos. Its
mean is `gohd_core.driving.sync.BIAS`, which is to be measured anew where the mouth's weights or its drawing
change. Needs the face networks.
"""

from __future__ import annotations

import argparse
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gohd_core import cli
from gohd_core.audio import load_soundtrack
from gohd_core.commands.inputs import PICTURES, SOUNDS, files
from gohd_core.constants import FPS
from gohd_core.driving import extract_by_meshes
from gohd_core.driving.sync import BIAS, lip_lag
from gohd_core.expression import ExpressionPredictor
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.video.reader import VideoReader


def main() -> None:
    """Prints each video's lag, and their mean with its standard error, in frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path, help="a folder of pictures, taken in turn")
    parser.add_argument("sounds", type=Path, help="a folder of people's speech")
    parser.add_argument("--videos", type=Path, help="keep the videos here, and take those that are there")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each that are read (12)")
    arguments = parser.parse_args()
    reader, predictor = FaceReader.load(), ExpressionPredictor.load("builtin")
    lags = []
    with TemporaryDirectory() as scratch:
        folder = arguments.videos or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        portraits = cycle(files(arguments.portraits, PICTURES, "picture"))
        for sound, portrait in zip(files(arguments.sounds, SOUNDS, "sound"), portraits, strict=False):
            video = folder / f"{sound.stem}.mp4"
            told = ["talk", "-p", str(portrait), "-a", str(sound), "-o", str(video)]
            if not video.exists() and cli.main(told):
                continue
            driving = extract_by_meshes(VideoReader.open(video, seconds=arguments.seconds), reader)
            found = lip_lag(driving, load_soundtrack(video, 0.0, arguments.seconds), predictor)
            print(f"{portrait.stem} says {sound.stem}: {found}", flush=True)
            if found.known:
                lags.append(found.milliseconds / 1000 * FPS + BIAS)
    spread = np.std(lags, ddof=1) if len(lags) > 1 else float("nan")
    error = spread / len(lags) ** 0.5 if lags else float("nan")
    print(f"{len(lags)} videos: BIAS {np.mean(lags or [np.nan]):.3f}, standard error {error:.3f} frames")


if __name__ == "__main__":
    main()
