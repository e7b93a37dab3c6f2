"""Files of motion for other tools, out and in: Live Link Face, our JSON, VRM, Blender.

A round trip keeps what the form has a place for: all but the head's place in a `csv`; of `vrm` the mean of
both corners and of all brows, and of the lips their opening, rounding and width.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from gohd_core.choices import FACE_FILES
from gohd_core.constants import FPS
from gohd_core.driving import arkit, blender, vrm
from gohd_core.errors import BadInput
from gohd_core.files import atomic_write
from gohd_core.motion import Motion
from gohd_core.motion.editing import exact_fps

_WRITERS = {"json": arkit.to_content, "vrm": vrm.vrm_content, "blender": blender.blender_content}
_READERS = {
    arkit.FORMAT: arkit.from_content,
    vrm.FORMAT: vrm.motion_from_vrm,
    blender.FORMAT: blender.motion_from_blender,
}
_ENDINGS = {"csv": ".csv", "json": ".json", "vrm": ".json", "blender": ".json"}


def ending_of(form: str) -> str:
    """File ending of a form, one of `FACE_FILES`."""
    if form not in FACE_FILES:
        raise BadInput(f"{form!r} is no form of a face's motion; use one of {', '.join(FACE_FILES)}.")
    return _ENDINGS[form]


def save_blendshapes(
    path: str | Path, motion: Motion, *, form: str | None = None, fps: Fraction | int | float | None = None
) -> Path:
    """Writes a motion of the stylised space for other tools; whole or not at all.

    form: one of `FACE_FILES`; None goes by the name's ending. fps: None keeps the motion's own rate.
    """
    path = Path(path)
    form = path.suffix[1:] if form is None else form
    if form not in FACE_FILES or path.suffix != ending_of(form):
        raise BadInput(f"{path.name} can't be written as {form or 'that'}; end its name in .csv or .json.")
    motion = motion if fps is None else motion.resampled(exact_fps(fps))
    text = arkit.to_csv(motion) if form == "csv" else json.dumps(_WRITERS[form](motion))
    return atomic_write(path, text.encode())


def load_blendshapes(path: str | Path, *, fps: Fraction | int | float = FPS) -> Motion:
    """Reads a .csv of Live Link Face, or a .json of any of our forms, as motion in the stylised space.

    fps: of a .csv, which does not say it; a .json does. Raises `BadInput` for a file that can't be read.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix != ".json":
            return arkit.from_csv(text, fps)
        content = json.loads(text)
        return _READERS[content["format"]](content)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise BadInput(
            f"{path} can't be read as blendshapes; give a CSV of Live Link Face, or JSON from here."
        ) from error
