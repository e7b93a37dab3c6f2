"""Contact sheets of stylised heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gohd_core.errors import BadInput
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.rendering.renderer import HeadRenderer


def contact_sheet(n: int, seed: int, *, columns: int | None = None, size: int = 160) -> np.ndarray:
    """A grid ``[H, W, 3]`` uint8 of ``n`` identities with seeds from ``seed`` on.

    Each is drawn in a random pose and expression.
    """
    if n < 1:
        raise BadInput(f"A contact sheet needs at least one head, got {n}.")
    from gohd_core.stylised.motion.stills import random_coefficients

    columns = columns or int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    sheet = np.zeros((rows * size, columns * size, 3), np.uint8)
    with HeadRenderer(size) as renderer:
        for k in range(n):
            rng = np.random.default_rng([seed + k, 3])
            expression, pose, gaze = random_coefficients(rng)
            image = renderer.render(Identity.random(seed + k), expression, pose, gaze).image
            row, column = divmod(k, columns)
            sheet[row * size : (row + 1) * size, column * size : (column + 1) * size] = image
    return sheet


def write_sheet(path: str | Path, *, rows: int = 8, columns: int = 8, seed: int = 0, size: int = 192) -> None:
    """Write a contact sheet of ``rows x columns`` identities as a PNG."""
    import cv2

    sheet = contact_sheet(rows * columns, seed, columns=columns, size=size)
    written, data = cv2.imencode(".png", sheet[..., ::-1])
    if not written:
        raise BadInput(f"The contact sheet could not be encoded as PNG for {path}.")
    Path(path).write_bytes(data.tobytes())
