"""The square that a portrait is drawn in."""

from __future__ import annotations

import numpy as np
import torch

from gohd_core.images import Image
from gohd_core.mesh.portrait import mesh_portrait
from gohd_core.mesh.reading.fit import face_box
from tests.support.drawn_meshes import landmarks, noise_picture, seen_mesh

SIDE, FACE, LEFT, TOP = 900, 512, 180, 300


class Darkness:
    """Takes what is dark for the person."""

    def person_mask(self, image: Image) -> np.ndarray:
        return (image.mean(2) < 10).astype(np.float32)


def box(hair: int | None) -> tuple[int, int, int, int]:
    """Of a face whose hair begins at that row of the picture."""
    points = seen_mesh(FACE) + np.array([LEFT, TOP, 0], np.float32)
    picture = noise_picture(SIDE).clip(30)
    if hair is not None:
        picture[hair : TOP + 100, LEFT + 100 : LEFT + 400] = 0
    return mesh_portrait(picture, landmarks(points), Darkness(), size=FACE).box


def test_a_crop_grows_until_hair_is_within_it() -> None:
    points = torch.from_numpy(seen_mesh(FACE) + np.array([LEFT, TOP, 0], np.float32))
    left, top, side = (round(each) for each in face_box(points, SIDE, SIDE))
    assert top > 0 and top + side < SIDE
    bald = box(None)
    assert bald == box(top + 20) == (left, top, left + side, top + side)
    high = box(top - 40)
    assert high[1] < top - 40 and high[3] == bald[3], "upwards alone"
    assert high[2] - high[0] == high[3] - high[1]
    assert abs((high[0] + high[2]) - (bald[0] + bald[2])) <= 1, "about the same middle"
    endless = box(0)
    assert endless[3] - endless[1] <= 1.2 * side + 1
