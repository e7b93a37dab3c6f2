"""Makes a portrait talk; needs Python alone and sets up everything else."""

from __future__ import annotations

import sys

from environment import ROOT, environment, run

PORTRAIT = ROOT / "assets" / "portraits" / "astronaut.jpg"
AUDIO = ROOT / "assets" / "speech" / "hello.flac"


def main(arguments: list[str]) -> int:
    python = environment(("video",))
    defaults = {
        "--portrait": str(PORTRAIT),
        "--audio": str(AUDIO),
        "--output": "talking.mp4",
        "--picture": "talking.jpg",
    }
    given = list(arguments)
    if not _named("--portrait", arguments):
        given.append("--no-full-frame")  # the face alone, large
    for option, value in defaults.items():
        if not _named(option, arguments):
            given += [option, value]
    return run(python, "-m", "gohd_core.cli", "talk", *given)


def _named(option: str, arguments: list[str]) -> bool:
    return any(word == option or word.startswith(f"{option}=") for word in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
