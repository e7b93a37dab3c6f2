"""Files that ship with the pack: portraits and speech, and the inputs of the shipped workflows."""

from __future__ import annotations

import logging
from pathlib import Path

from gohd_core.errors import BadInput

logger = logging.getLogger(__name__)

SAMPLES = {
    "gohd_astronaut.jpg": "portraits/astronaut.jpg",
    "gohd_admiral.jpg": "portraits/grace_hopper.jpg",
    "gohd_drawn.jpg": "portraits/07.jpg",
    "gohd_hello.flac": "speech/hello.flac",
    "gohd_pangram.flac": "speech/pangram.flac",
    "gohd_numbers.flac": "speech/numbers.flac",
    "gohd_driving.mp4": "driving_sample.mp4",
    "gohd_speaker.mp4": "speaker_sample.mp4",
    "gohd_background.jpg": "background.jpg",
}
"""Samples of the workflows: name in ComfyUI's input folder, and the file of the pack that it is."""


def asset(name: str) -> Path:
    """A file that ships with the pack; `BadInput` in a copy without it."""
    problem = asset_problem(name)
    if problem is not None:
        raise BadInput(problem)
    return _path(name)


def asset_problem(name: str) -> str | None:
    """One sentence when a file that should ship with the pack is not there."""
    path = _path(name)
    return None if path.is_file() else f"This copy of GoHD lacks {path}; install the pack again."


def copy_samples(folder: Path) -> None:
    """Copies the inputs of the workflows into ComfyUI's input folder, where they are not yet.

    To its top, since Load Image and Load Audio list nothing that lies deeper. A folder that can't be written
    is no reason not to start: the workflows then ask for a file.
    """
    from gohd_core.files import atomic_write

    for name, own in SAMPLES.items():
        source = _path(own)
        if source.is_file() and not (folder / name).exists():
            try:
                atomic_write(folder / name, source.read_bytes())
            except (BadInput, OSError) as problem:
                logger.warning(f"{problem} The workflows of GoHD will lack it.")
                return


def _path(name: str) -> Path:
    from gohd_core.checkpoints.loading import assets_folder

    return assets_folder() / name
