"""Motion files: safetensors with a JSON header that says rate, space, units and where the motion is from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from gohd_core.errors import BadInput
from gohd_core.files import atomic_write, read_safetensors
from gohd_core.motion import Expression, Gaze, Motion, Pose

KEY = "gohd_motion"
FORMAT = 1
UNITS = {
    "pose": "Euler angles x, y, z in radians, then translation in model units",
    "expression": "morphable-model coefficients",
    "gaze": "pitch (up positive) and yaw in radians",
}


def save_motion(path: str | Path, motion: Motion, info: Mapping[str, Any] | None = None) -> Path:
    """Writes a motion; `info` (seeds, model hashes, source names) goes into the header as it is.

    A failed write leaves no file. Raises `BadInput` for another ending than .safetensors.
    """
    from safetensors.torch import save

    path = Path(path)
    if path.suffix != ".safetensors":
        raise BadInput(f"Motion is written as .safetensors; {path.name} ends otherwise.")
    tensors = {}
    for name in UNITS:
        part = getattr(motion, name)
        tensors[name] = part.values.contiguous()
        tensors[f"{name}_valid"] = part.valid.contiguous()
    header = {
        "format": FORMAT,
        "fps": str(Fraction(motion.fps)),
        "space": motion.space,
        "units": UNITS,
        "info": dict(info or {}),
    }
    content = save(tensors, metadata={KEY: json.dumps(header, sort_keys=True)})
    return atomic_write(path, content)


def load_motion(path: str | Path) -> Motion:
    """Reads a motion file; `BadInput` for any other file."""
    return read_motion_file(path)[0]


def read_motion_file(path: str | Path) -> tuple[Motion, dict[str, Any]]:
    """Reads a motion and the header that was written with it."""
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"There is no motion file at {path}; check the path.")
    tensors, header = read_safetensors(path, KEY, what="motion file", remedy="save it again")
    if not isinstance(header, dict) or header.get("format") != FORMAT or not UNITS.keys() <= tensors.keys():
        raise BadInput(f"{path} is not a motion file that this version of GoHD reads.")
    parts = [
        kind(tensors[name], header["space"], Fraction(header["fps"]), tensors.get(f"{name}_valid"))
        for name, kind in (("pose", Pose), ("expression", Expression), ("gaze", Gaze))
    ]
    return Motion(*parts), header
