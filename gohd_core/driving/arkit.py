"""Motion for other tools and back: ARKit's 52 blendshapes with the head, as Live Link Face writes them.

CSV: a line a frame, `Timecode, BlendshapeCount, 52 shapes, HeadYaw, HeadPitch, HeadRoll,` and yaw, pitch
and roll of either eye. JSON: the same by name, with the frame rate and the head's place as well. Angles are
radians in ARKit's axes (x to the face's left, y up, z out of the face), which are ours: positive yaw turns
the nose to the picture's right, positive pitch lowers it, positive roll is counter-clockwise in the picture.

A round trip is exact where movements lie in -1..1 (below 0 corners, lids and what moves sideways) and
eyes turn by at most 30 degrees in the head; the CSV has no place for the head's translation.
"""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import N_EXPRESSION, STYLISED
from gohd_core.driving.blendshapes import EYE_RANGE, SHAPES, expression_of, gaze_of
from gohd_core.errors import BadInput
from gohd_core.face.geometry.camera import rotation
from gohd_core.face.reading.gaze_estimator import gaze_direction
from gohd_core.motion import Expression, Gaze, Motion, Pose

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
_MOUTH = (
    *("jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"),
    *("mouthRight", "mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower"),
    *("mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight"),
    *("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
)
_UPPER = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)
BLENDSHAPES = (*(f"eye{what}{side}" for side in ("Left", "Right") for what in _EYE), *_MOUTH, *_UPPER)
"""ARKit's 52, in the order of Live Link Face."""
HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
EYES = tuple(f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll"))
_OPPOSITE = {"smile": "mouthFrown", "blink": "eyeWide"}
"""Shapes that are less than nothing of a movement: corners that fall, lids that open wide."""
_SHIFTS = {"mouth_shift": "mouth", "jaw_shift": "jaw"}
"""Movements to the subject's left (right below 0), and the beginning of their shapes' names."""
_COLUMNS = (*(name[0].upper() + name[1:] for name in BLENDSHAPES), *HEAD, *EYES)
FORMAT = "gohd-arkit-1"


def blendshapes(motion: Motion) -> dict[str, Tensor]:
    """Every shape and angle over time, [T] float32 each, by ARKit's names, `HEAD` and `EYES`.

    Raises `BadInput` for motion of another space than the stylised one, whose movements have no names.
    """
    if motion.space != STYLISED:
        raise BadInput(
            f"Blendshapes are told from movements that the {motion.space!r} space has no names for; use "
            "motion made with the built-in weights."
        )
    from gohd_core.stylised.head.expressions import INDEX

    made = {
        name: torch.zeros(len(motion), dtype=torch.float32, device="cpu")
        for name in (*BLENDSHAPES, *HEAD, *EYES)
    }
    for movement, groups in SHAPES.items():
        values = motion.expression.values[:, INDEX[movement]]
        for shape in groups[0]:
            made[shape] = values.clamp(0, 1)
        kind, _, side = movement.partition("_")
        if kind in _OPPOSITE:
            made[_OPPOSITE[kind] + side.capitalize()] = (-values).clamp(0, 1)
    for movement, part in _SHIFTS.items():
        values = motion.expression.values[:, INDEX[movement]]
        made[f"{part}Left"], made[f"{part}Right"] = values.clamp(0, 1), (-values).clamp(0, 1)
    angles = motion.pose.values[:, :3].double()
    for name, column in zip(HEAD, (1, 0, 2), strict=True):
        made[name] = angles[:, column].float()
    seen = gaze_direction(motion.gaze.values.double())
    inside = torch.einsum("tc,thc->th", seen, rotation(angles))  # v @ R turned back: v @ R^T
    up = torch.asin(inside[:, 1].clamp(-1, 1))
    left = torch.atan2(-inside[:, 0], inside[:, 2])  # towards the picture's left, the subject's right
    pitch, yaw = (up / EYE_RANGE).float(), (left / EYE_RANGE).float()
    for side, inwards in (("Left", 1), ("Right", -1)):
        made[f"eyeLookUp{side}"], made[f"eyeLookDown{side}"] = pitch.clamp(0, 1), (-pitch).clamp(0, 1)
        made[f"eyeLookIn{side}"] = (inwards * yaw).clamp(0, 1)
        made[f"eyeLookOut{side}"] = (-inwards * yaw).clamp(0, 1)
        made[f"{side}EyeYaw"], made[f"{side}EyePitch"] = -left.float(), -up.float()
    return made


def to_csv(motion: Motion) -> str:
    """The text of a Live Link Face file."""
    made = blendshapes(motion)
    return _csv(torch.stack(list(made.values()), 1).tolist(), Fraction(motion.fps))


def from_csv(text: str, fps: Fraction | int | float) -> Motion:
    """The motion in such a text. Raises `ValueError` or `IndexError` for another text."""
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = {name: [float(row[column]) for row in rows] for name, column in _named(rows[0]).items()}
    return motion_of(columns, None, fps)


def to_content(motion: Motion) -> dict[str, Any]:
    """Content of a JSON file of blendshapes."""
    made = blendshapes(motion)
    rows = torch.stack(list(made.values()), 1).tolist()
    return {
        "format": FORMAT,
        "fps": str(Fraction(motion.fps)),
        "names": list(made),
        "frames": [[round(value, 6) for value in row] for row in rows],
        "head_translation": [
            [round(value, 6) for value in row] for row in motion.pose.values[:, 3:].tolist()
        ],
    }


def from_content(content: dict[str, Any]) -> Motion:
    """The motion in such a file; `KeyError`, `ValueError` or `TypeError` for content of another form."""
    columns = {name: [row[k] for row in content["frames"]] for k, name in enumerate(content["names"])}
    return motion_of(columns, content.get("head_translation"), Fraction(content["fps"]))


def _named(row: dict[str, Any]) -> dict[str, str]:
    """Our names of a CSV's columns; those that are not there are left out, and make nothing move."""
    known = dict(zip(_COLUMNS, (*BLENDSHAPES, *HEAD, *EYES), strict=True))
    return {ours: column for column, ours in known.items() if column in row}


def motion_of(columns: dict[str, list[float]], places: Any, fps: Fraction | int | float) -> Motion:
    """Motion of shapes and angles by name, as `blendshapes` gives them; places [T,3] of the head, or None.

    Raises `BadInput` where there is nothing."""
    from gohd_core.stylised.head.expressions import INDEX

    count = len(next(iter(columns.values()), ()))
    if not count or "jawOpen" not in columns:
        raise BadInput("There are no frames of blendshapes in this file; is it one of Live Link Face?")
    values = {name: columns.get(name, [0.0] * count) for name in (*BLENDSHAPES, *HEAD)}
    pose, expression, gaze = np.zeros((count, 6)), np.zeros((count, N_EXPRESSION)), np.zeros((count, 2))
    for k in range(count):
        row = {name: float(column[k]) for name, column in values.items()}
        pose[k, :3] = row["HeadPitch"], row["HeadYaw"], row["HeadRoll"]
        expression[k] = expression_of(row)
        for kind, shape in _OPPOSITE.items():
            for side in ("left", "right"):
                expression[k, INDEX[f"{kind}_{side}"]] -= row[shape + side.capitalize()]
        for movement, part in _SHIFTS.items():
            expression[k, INDEX[movement]] = row[f"{part}Left"] - row[f"{part}Right"]
        gaze[k] = gaze_of(row, torch.from_numpy(pose[k, :3]))
    if places is not None:
        pose[:, 3:] = np.asarray(places)
    parts = (torch.from_numpy(part).float() for part in (pose, expression, gaze))
    return Motion(
        *(kind(part, STYLISED, fps) for kind, part in zip((Pose, Expression, Gaze), parts, strict=True))
    )


def _csv(rows: list[list[float]], rate: Fraction) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["Timecode", "BlendshapeCount", *_COLUMNS])
    whole = round(rate)
    for number, row in enumerate(rows):
        seconds, frame = divmod(number, whole)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}.000"
        writer.writerow([clock, len(_COLUMNS), *(f"{value:.6f}" for value in row)])
    return target.getvalue()
