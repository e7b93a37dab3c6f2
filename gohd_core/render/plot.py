"""Plots of motion as pictures: head, face and gaze over time, without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.motion import Motion
from gohd_core.stylised.head.expressions import EXPRESSION_NAMES

BACKGROUND = (24, 26, 30)
GRID = (58, 62, 70)
INK = (214, 218, 224)
COLOURS = ((240, 113, 103), (92, 184, 138), (96, 156, 240), (230, 190, 90), (190, 130, 220))
UNSEEN = (70, 40, 44)
MIN_WIDTH = 320
MIN_HEIGHT = 240
_MARGIN = 52
"""Left of the curves, for their numbers."""
_TITLE = 20
"""Height of a panel's title."""


def plot_motion(motion: Motion, width: int = 960, height: int = 640) -> np.ndarray:
    """Draws a motion as uint8 RGB [height, width, 3].

    Four panels over seconds: head rotation in degrees, head position relative to its first frame, the
    expression's five coefficients that move most (by name in the stylised space), gaze in degrees. Frames
    that were not observed have a darker red ground.
    """
    from PIL import Image, ImageDraw

    if width < MIN_WIDTH or height < MIN_HEIGHT:
        raise BadInput(
            f"A plot of {width} x {height} is too small; give at least {MIN_WIDTH} x {MIN_HEIGHT}."
        )
    picture = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    pose, gaze = motion.pose.values, torch.rad2deg(motion.gaze.values)
    moving = motion.expression.values.std(0, unbiased=False).topk(len(COLOURS)).indices.sort().values
    panels: list[tuple[str, Sequence[str], Tensor, Tensor]] = [
        ("head, degrees", ("nod", "turn", "tilt"), torch.rad2deg(pose[:, :3]), motion.pose.valid),
        ("head position", ("x", "y", "z"), pose[:, 3:] - pose[:1, 3:], motion.pose.valid),
        (
            "expression",
            [_coefficient_name(motion.expression.space, k) for k in moving.tolist()],
            motion.expression.values[:, moving],
            motion.expression.valid,
        ),
        ("gaze, degrees", ("pitch", "yaw"), gaze, motion.gaze.valid),
    ]
    for index, (title, names, values, valid) in enumerate(panels):
        top = height * index // len(panels)
        bottom = height * (index + 1) // len(panels)
        area = (_MARGIN, top + _TITLE, width - 8, bottom - 6)
        _panel(draw, area, values.numpy(), valid.numpy(), float(motion.fps))
        _legend(draw, (_MARGIN, top + 4), f"{title}  ({len(motion) / float(motion.fps):.2f} s)", names)
    return np.asarray(picture)


def _coefficient_name(space: str, index: int) -> str:
    return EXPRESSION_NAMES[index].replace("_", " ") if space == STYLISED else f"e{index}"


def _panel(draw: object, area: tuple[int, int, int, int], values: np.ndarray, valid: np.ndarray, fps: float):
    left, top, right, bottom = area
    count = len(values)
    across = left + (right - left) * np.arange(count) / max(count - 1, 1)
    for frame in np.flatnonzero(~valid):
        draw.line([(across[frame], top), (across[frame], bottom)], fill=UNSEEN, width=2)
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-3:
        low, high = low - 0.5, high + 0.5
    scale = (bottom - top) / (high - low)
    for level in (low, (low + high) / 2, high):
        row = bottom - (level - low) * scale
        draw.line([(left, row), (right, row)], fill=GRID)
        draw.text((4, row - 6), f"{round(level, 2) + 0:g}", fill=INK)
    for second in range(1, int(count / fps) + 1):
        column = left + (right - left) * second * fps / max(count - 1, 1)
        if column <= right:
            draw.line([(column, top), (column, bottom)], fill=GRID)
    for series, colour in zip(values.T, COLOURS, strict=False):
        points = list(zip(across, bottom - (series - low) * scale, strict=True))
        if count == 1:
            points = [points[0], (right, points[0][1])]
        draw.line(points, fill=colour, width=2)


def _legend(draw: object, at: tuple[int, int], title: str, names: Sequence[str]) -> None:
    x, y = at
    draw.text((x, y), title, fill=INK)
    x += round(draw.textlength(title)) + 18
    for name, colour in zip(names, COLOURS, strict=False):
        draw.text((x, y), name, fill=colour)
        x += round(draw.textlength(name)) + 12
