"""Motion for VRM avatars and back: preset expressions, head and look-at over time, as JSON.

Names are those of VRM 1.0 (VRMC_vrm: expressions, lookAt, humanoid). The five mouth shapes follow from how
far the jaw opens o, how round r and how wide w the lips are:

    oh = r o    ou = r (1 - o)    ee = (1 - r) w o    ih = (1 - r) w (1 - o)    aa = (1 - r) (1 - w) o

which add up to 1 at most, and from which o, r and w come back. Corners that rise or fall are happy and sad,
brows angry and surprised. Angles are degrees about glTF's axes, which are ours (x to the face's left, y up,
z out of the face).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from gohd_core.constants import N_EXPRESSION, STYLISED
from gohd_core.driving.arkit import blendshapes
from gohd_core.driving.blendshapes import gaze_in_camera
from gohd_core.face.geometry.camera import rotation, rotation_angles
from gohd_core.motion import Expression, Gaze, Motion, Pose

FORMAT = "gohd-vrm-1"
BLINKS = {"blinkLeft": "blink_left", "blinkRight": "blink_right"}
_ROUND_LEFT = 1e-6
"""Below this share of unrounded lips their width is unknown."""


def vrm_content(motion: Motion) -> dict[str, Any]:
    """A motion of the stylised space as the content of a JSON file; raises as `blendshapes` does."""
    from gohd_core.stylised.head.expressions import INDEX

    shapes = blendshapes(motion)
    column = {name: motion.expression.values[:, k] for name, k in INDEX.items()}
    opened, rounded, wide = (column[name].clamp(0, 1) for name in ("jaw_open", "lip_pucker", "lip_spread"))
    smile = (column["smile_left"] + column["smile_right"]) / 2
    brows = (column["brow_outer_up_left"] + column["brow_outer_up_right"] + column["brow_inner_up"]) / 3
    curves = {
        "aa": (1 - rounded) * (1 - wide) * opened,
        "ih": (1 - rounded) * wide * (1 - opened),
        "ou": rounded * (1 - opened),
        "ee": (1 - rounded) * wide * opened,
        "oh": rounded * opened,
        **{name: column[ours].clamp(0, 1) for name, ours in BLINKS.items()},
        "happy": smile.clamp(0, 1),
        "sad": (-smile).clamp(0, 1),
        "angry": column["frown"].clamp(0, 1),
        "surprised": brows.clamp(0, 1),
    }
    turns = rotation(motion.pose.values[:, :3].double()).transpose(1, 2).numpy()  # points as columns
    return {
        "format": FORMAT,
        "specVersion": "1.0",
        "fps": str(Fraction(motion.fps)),
        "expressions": {name: _numbers(curve) for name, curve in curves.items()},
        "lookAt": {
            "yaw": _numbers(torch.rad2deg(shapes["LeftEyeYaw"])),
            "pitch": _numbers(torch.rad2deg(shapes["LeftEyePitch"])),
        },
        "head": {
            "rotation": np.round(Rotation.from_matrix(turns).as_quat(), 6).tolist(),
            "translation": np.round(motion.pose.values[:, 3:].double().numpy(), 6).tolist(),
        },
    }


def motion_from_vrm(content: dict[str, Any]) -> Motion:
    """The inverse of `vrm_content`, as far as VRM's expressions describe the motion.

    Raises `KeyError`, `ValueError` or `TypeError` for content of another form.
    """
    from gohd_core.stylised.head.expressions import INDEX

    fps = Fraction(content["fps"])
    curve = {name: np.asarray(values, np.float64) for name, values in content["expressions"].items()}
    opened = curve["aa"] + curve["ee"] + curve["oh"]
    rounded = curve["ou"] + curve["oh"]
    wide = (curve["ee"] + curve["ih"]) / np.maximum(1 - rounded, _ROUND_LEFT)
    expression = np.zeros((len(opened), N_EXPRESSION))
    movements = {
        "jaw_open": opened,
        "lip_pucker": rounded,
        "lip_spread": wide.clip(0, 1),
        "frown": curve["angry"],
    }
    movements |= {ours: curve[name] for name, ours in BLINKS.items()}
    movements |= dict.fromkeys(("smile_left", "smile_right"), curve["happy"] - curve["sad"])
    brows = ("brow_outer_up_left", "brow_outer_up_right", "brow_inner_up")
    movements |= dict.fromkeys(brows, curve["surprised"])
    for name, values in movements.items():
        expression[:, INDEX[name]] = values
    turns = Rotation.from_quat(np.asarray(content["head"]["rotation"], np.float64)).as_matrix()
    angles = rotation_angles(torch.from_numpy(turns).transpose(1, 2))
    pose = torch.cat(
        [angles, torch.tensor(content["head"]["translation"], dtype=torch.float64, device="cpu")], 1
    )
    look = np.radians([content["lookAt"]["pitch"], content["lookAt"]["yaw"]]).T
    gaze = gaze_in_camera(-torch.from_numpy(look), angles)
    parts = (pose, torch.from_numpy(expression), gaze)
    kinds = (Pose, Expression, Gaze)
    return Motion(*(kind(part.float(), STYLISED, fps) for kind, part in zip(kinds, parts, strict=True)))


def _numbers(values: Tensor) -> list[float]:
    return [round(value, 6) for value in values.tolist()]
