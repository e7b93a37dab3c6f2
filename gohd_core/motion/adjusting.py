"""A face set by hand: named sliders on top of any motion, at once or along keys in time.

Sliders are movements of the stylised head (`stylised.expressions`), angles and places of the head, the gaze,
and moods; 0 leaves all as it is. Left and right are the person's own, as in FACS and ARKit; head and gaze
have the units and signs of Edit Motion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gohd_core.choices import EASES, MOODS
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.motion.keyframes import Keyframes, keyed_lines
from gohd_core.motion.mood import over_time, with_mood
from gohd_core.motion.sequence import Motion
from gohd_core.stylised.camera import CAMERA_DISTANCE, FOCAL_RATIO


@dataclass(frozen=True)
class Control:
    """One slider.

    Attributes:
        low, high: its limits.
        movement: what of the stylised head it adds to; "" for head and gaze.
        result: limits of that movement after adding; a motion that is beyond them already is kept.
        mirrored: its name in a mirror; with a minus where its sign changes there.
    """

    low: float
    high: float
    movement: str = ""
    result: tuple[float, float] = (0.0, 1.3)
    mirrored: str = ""


CONTROLS: dict[str, Control] = {
    "nod": Control(-40, 40),
    "turn": Control(-45, 45, mirrored="-turn"),
    "tilt": Control(-45, 45, mirrored="-tilt"),
    "shift_right": Control(-15, 15, mirrored="-shift_right"),
    "shift_up": Control(-15, 15),
    "distance": Control(-20, 25),
    "look_up": Control(-40, 40),
    "look_left": Control(-40, 40, mirrored="-look_left"),
    "jaw": Control(-1, 1.3, "jaw_open"),
    "smile_left": Control(-1, 1.3, "smile_left", (-0.7, 1.3), "smile_right"),
    "smile_right": Control(-1, 1.3, "smile_right", (-0.7, 1.3), "smile_left"),
    "pucker": Control(-1, 1.3, "lip_pucker"),
    "spread": Control(-1, 1.3, "lip_spread"),
    "press": Control(-1, 1.3, "lip_press"),
    "upper_lip": Control(-1, 1.3, "upper_lip_raise", (-0.2, 1.3)),
    "lower_lip": Control(-1, 1.3, "lower_lip_drop", (-0.2, 1.3)),
    "blink_left": Control(-1, 1, "blink_left", (-0.3, 1), "blink_right"),
    "blink_right": Control(-1, 1, "blink_right", (-0.3, 1), "blink_left"),
    "brow_left": Control(-1, 1.3, "brow_outer_up_left", (-0.6, 1.3), "brow_right"),
    "brow_right": Control(-1, 1.3, "brow_outer_up_right", (-0.6, 1.3), "brow_left"),
    "brow_inner": Control(-1, 1.3, "brow_inner_up", (-0.6, 1.3)),
    "frown": Control(-1, 1.3, "frown", (-0.3, 1.3)),
    "cheek_raise": Control(-0.5, 1.3, "squint", (-0.3, 1.3)),
    "cheek_puff": Control(-1, 1.3, "cheek_puff", (-1, 1.3)),
    "nose_wrinkle": Control(-0.5, 1.3, "nose_wrinkle", (-0.3, 1.3)),
    "mouth_left": Control(-1, 1, "mouth_shift", (-1, 1), "-mouth_left"),
    "jaw_left": Control(-1, 1, "jaw_shift", (-1, 1), "-jaw_left"),
}
"""Head in degrees (nod down, turn to the picture's right, tilt counter-clockwise), shift in percent of the
crop's side, distance in percent farther away; gaze in degrees; a movement's 1 is it in full."""

AMOUNTS = (-1.0, 2.0)
"""Limits of a mood's amount."""
NAMES = (*CONTROLS, *MOODS[1:])
"""Names of all sliders."""


def adjusted(motion: Motion, values: Mapping[str, float | Keyframes]) -> Motion:
    """The motion with sliders on top of it; where nothing is set, it is the same bit for bit.

    Args:
        motion: in the stylised space, of any length.
        values: slider or mood -> how much, all the time or along keys.

    Raises:
        BadInput: another space, an unknown name, or a value beyond its slider.
    """
    if motion.space != STYLISED:
        raise BadInput(
            f"Sliders are movements that the {motion.space!r} space has no names for; use the built-in "
            "weights."
        )
    tracks = {name: over_time(each, len(motion), motion.fps) for name, each in values.items()}
    for name, track in tracks.items():
        _check(name, track)
    tracks = {name: track for name, track in tracks.items() if bool(track.any())}
    motion = with_mood(motion, {name: values[name] for name in tracks if name in MOODS})
    expression = motion.expression.values.clone()
    from gohd_core.stylised.head.expressions import INDEX

    for name, track in tracks.items():
        control = CONTROLS.get(name)
        if control is not None and control.movement:
            column = expression[:, INDEX[control.movement]]
            low, high = (column.clamp(limit, limit) for limit in control.result)
            added = (column + track[:, 0]).clamp(torch.minimum(column, low), torch.maximum(column, high))
            expression[:, INDEX[control.movement]] = added
    return replace(
        motion,
        pose=replace(motion.pose, values=_placed(motion.pose.values, tracks)),
        expression=replace(motion.expression, values=expression),
        gaze=replace(motion.gaze, values=_turned(motion.gaze.values, tracks, ("look_up", "look_left"))),
    )


def mirrored(values: Mapping[str, float]) -> dict[str, float]:
    """The face mirrored: left and right swap."""
    made = {}
    for name, value in values.items():
        other = CONTROLS[name].mirrored if name in CONTROLS else ""
        made[other.lstrip("-") or name] = -value if other.startswith("-") else value
    return made


def checked(values: Mapping[str, object]) -> dict[str, float]:
    """Sliders and moods as they came from a file or a browser; `BadInput` for anything else."""
    made = {}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInput(f"{name} is {value!r}; give a finite number.")
        _check(name, torch.tensor([float(value)], dtype=torch.float32, device="cpu"))
        made[name] = float(value)
    return made


def parse_path(text: str) -> dict[str, Keyframes]:
    """Keys in time, one a line: seconds, then `name=value` pairs, and optionally an ease.

    A key is a whole face: what it does not name is 0. What follows a # is a note. Raises `BadInput` with the
    line that can't be read.
    """
    keys = [_path_key(number, line) for number, line in keyed_lines(text)]
    if not keys:
        raise BadInput("There is no key; write one a line: seconds, and name=value for what moves.")
    times, faces, eases = zip(*keys, strict=True)
    made = {}
    for name in dict.fromkeys(name for face in faces for name in face):
        column = [[face.get(name, 0.0)] for face in faces]
        made[name] = Keyframes(
            torch.tensor(times, dtype=torch.float64, device="cpu"),
            torch.tensor(column, dtype=torch.float32, device="cpu"),
            eases,
        )
    return made


def _path_key(number: int, line: str) -> tuple[float, dict[str, float], str]:
    time, *words = line.split()
    ease = words.pop() if words and words[-1] in EASES else EASES[0]
    try:
        seconds = float(time)
        face = {name: float(value) for name, value in (word.split("=") for word in words)}
    except ValueError as error:
        raise BadInput(
            f"Line {number} ({line!r}) can't be read; write seconds, name=value for what moves and, if "
            f"wanted, one of {', '.join(EASES)}."
        ) from error
    if not math.isfinite(seconds) or seconds < 0 or len(face) < len(words):
        raise BadInput(f"Line {number} ({line!r}) needs a time from 0 on, and each name once.")
    try:
        return seconds, checked(face), ease
    except BadInput as problem:
        raise BadInput(f"Line {number}: {problem}") from problem


def _check(name: str, track: Tensor) -> None:
    if name not in NAMES:
        raise BadInput(f"There is no slider {name!r}; use some of {', '.join(NAMES)}.")
    broken = track[~track.isfinite()].tolist()
    if broken:
        raise BadInput(f"{name} is {broken[0]!r}; give a finite number.")
    control = CONTROLS.get(name)
    low, high = AMOUNTS if control is None else (control.low, control.high)
    if bool(((track < low - 1e-6) | (track > high + 1e-6)).any()):
        raise BadInput(f"{name} goes from {low:g} to {high:g}; {float(track.abs().max()):g} is beyond.")


def _placed(pose: Tensor, tracks: Mapping[str, Tensor]) -> Tensor:
    """Head poses [T,6], turned and moved."""
    moved = pose.clone()
    moved[:, :3] = _turned(pose[:, :3], tracks, ("nod", "turn", "tilt"))
    zero = pose.new_zeros(1, 1)
    away, *shift = (tracks.get(name, zero)[:, 0] / 100 for name in ("distance", "shift_right", "shift_up"))
    depth = CAMERA_DISTANCE - pose[:, 5]
    moved[:, 5] -= depth * away
    for axis, share in enumerate(shift):
        moved[:, 3 + axis] += share * depth * (1 + away) / FOCAL_RATIO
    return moved


def _turned(angles: Tensor, tracks: Mapping[str, Tensor], names: tuple[str, ...]) -> Tensor:
    """Angles [T,n] with what sliders in degrees add."""
    turned = angles.clone()
    for axis, name in enumerate(names):
        if name in tracks:
            turned[:, axis] += torch.deg2rad(tracks[name][:, 0])
    return turned
