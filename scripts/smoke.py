"""A short run of everything that a user of the pack meets first, for `scripts/environments.py`.

Reads a sound, a picture and a film, makes a portrait talk and a driven one, writes videos and a motion file,
under a name that not every terminal can show. Any error fails it, and so do warnings where they are errors.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    from gohd_core.cli import main as gohd

    assets = ROOT / "assets"
    picture, sound = assets / "portraits" / "03.jpg", assets / "speech" / "hello.flac"
    film = assets / "driving_sample.mp4"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / ("\u2728 out" if sys.getfilesystemencoding() == "utf-8" else "out")
        short = _shortened(sound, Path(folder) / "short.wav")
        runs = [
            ["talk", "-p", picture, "-a", short, "-o", out / "talk.mp4", "--steps", "2", "--full-frame"],
            ["extract", film, "-o", out / "motion.safetensors", "--seconds", "0.4"],
            ["drive", "-p", picture, "-v", film, "-o", out / "drive.mp4", "--seconds", "0.3"],
            ["watermark", "read", out / "talk.mp4"],
        ]
        for run in runs:
            code = gohd([str(argument) for argument in run])
            if code:
                sys.stderr.write(f"gohd {run[0]} ended with {code}\n")
                return 1
        made = sorted(path.name for path in out.iterdir())
        if made != ["drive.mp4", "motion.safetensors", "talk.mp4"]:
            sys.stderr.write(f"other files than wanted: {made}\n")
            return 1
    return 0


def _shortened(sound: Path, target: Path) -> Path:
    """Half a second of it."""
    import soundfile

    from gohd_core.audio import load_audio

    waveform, rate = load_audio(sound)
    soundfile.write(target, waveform[0, : rate // 2], rate)
    return target


if __name__ == "__main__":
    raise SystemExit(main())
