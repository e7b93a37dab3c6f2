"""Portraits for tests of the mesh animator: a painted face, and scikit-image's astronaut."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.face.portrait import Portrait
from gohd_core.mesh.contours import INNER_LIPS, LEFT_LIDS, OUTER_LIPS, RIGHT_LIDS
from gohd_core.mesh.portrait import own_motion
from gohd_core.mesh.reading.canonical import canonical_face
from gohd_core.mesh.reading.fit import face_box, into_box
from gohd_core.mesh.source import MeshSource, mesh_source

SIZE = 256
GOLDEN = Path(__file__).parent.parent / "golden"


def painted_mesh(size: int = SIZE) -> Tensor:
    """The canonical face with irises, seen from the front, [478,3] in pixels."""
    points = canonical_face().points.float()
    # Shut lips: their inner edges meet.
    upper, lower = list(INNER_LIPS.upper), list(INNER_LIPS.lower)[::-1]
    points[upper, 1] = points[lower, 1] = (points[upper, 1] + points[lower, 1]) / 2
    irises = []
    for lids, outward in ((RIGHT_LIDS, -1), (LEFT_LIDS, 1)):
        right, left = points[lids[0].right], points[lids[0].left]
        width = (right - left).norm()
        middle = (right + left) / 2 + width * torch.tensor([0.041 * outward, 0.063, 0.1])
        steps = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0.0]])
        irises.append(middle + 0.2 * width * steps)
    points = torch.cat([points, *irises])
    camera = Camera.of_size(size)
    flat = camera.pixels(transform(points, torch.zeros(6)))
    return torch.cat([flat, -points[:, 2:] * camera.focal / camera.distance], -1)


def painted_picture(mesh: Tensor, grey: bool = False) -> Tensor:
    """Skin, lips that are shut, and eyes with dark irises, [1,3,S,S] in [-1, 1]."""
    points = mesh[:, :2].numpy()
    picture = np.full((SIZE, SIZE, 3), (0.80, 0.62, 0.52), np.float32)
    picture += np.random.default_rng(0).normal(0, 0.004, picture.shape).astype(np.float32)

    def paint(indices: tuple[int, ...], colour: tuple[float, float, float]) -> None:
        at = np.round(points[list(indices)] * 16).astype(np.int32)
        cv2.fillPoly(picture, [at], colour, cv2.LINE_AA, 4)

    paint(OUTER_LIPS.points, (0.65, 0.35, 0.33))
    inner = np.round(points[list(INNER_LIPS.points)] * 16).astype(np.int32)
    cv2.polylines(picture, [inner], True, (0.35, 0.16, 0.16), 1, cv2.LINE_AA, 4)
    for lids, iris in ((LEFT_LIDS, slice(473, 478)), (RIGHT_LIDS, slice(468, 473))):
        white = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(
            white, [np.round(points[list(lids[0].points)] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4
        )
        disc = np.zeros_like(white)
        radius = np.linalg.norm(points[iris][1] - points[iris][0])
        centre = tuple(np.round(points[iris][0] * 16).astype(int).tolist())
        cv2.circle(disc, centre, int(radius * 16), 255, -1, cv2.LINE_AA, 4)
        share, dark = white[..., None] / 255.0, (disc / 255.0)[..., None]
        eye = np.array([0.82, 0.80, 0.78]) * (1 - dark) + np.array([0.15, 0.13, 0.12]) * dark
        picture = (picture * (1 - share) + eye * share).astype(np.float32)
    if grey:
        picture[:] = picture.mean(-1, keepdims=True)
    return torch.from_numpy(picture.clip(0, 1)).movedim(-1, 0)[None] * 2 - 1


def painted(grey: bool = False) -> MeshSource:
    mesh = painted_mesh()
    return mesh_source(painted_picture(mesh, grey), mesh, None)


def astronaut_crop(size: int = SIZE) -> tuple[np.ndarray, Tensor]:
    """The photograph's face, uint8 [S,S,3], and its mesh [478,3] there."""
    from skimage.data import astronaut as picture

    image = picture()
    mesh = torch.from_numpy(np.load(GOLDEN / "astronaut_mesh.npz")["mesh"])
    box = face_box(mesh, *image.shape[:2])
    left, top, side = (round(v) for v in box)
    crop = cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
    return crop, into_box(mesh, (left, top, side), size)


def astronaut(size: int = SIZE) -> MeshSource:
    crop, mesh = astronaut_crop(size)
    return mesh_source(torch.from_numpy(crop).movedim(-1, 0)[None].float() / 127.5 - 1, mesh, None)


def drawn_parts(source: MeshSource, descriptors: Tensor, monkeypatch) -> list:
    """Draws frames; the parts that were drawn on the way, as (frame before, finished window)."""
    from gohd_core.mesh import drawing
    from gohd_core.mesh.eyes.eyes import Eyes
    from gohd_core.mesh.mouth.mouth import Mouth

    parts = []

    def recorded(plain):
        def draw(self, frame):
            finished = plain(self, frame)
            parts.append((frame, finished.clone()))
            return finished

        return draw

    with monkeypatch.context() as patch:
        for kind in (Mouth, Eyes):
            patch.setattr(kind, "draw", recorded(kind.draw))
        drawing.draw(source, descriptors)
    return parts


def painted_pair(apart: int = 164) -> list[Portrait]:
    """Portraits of two painted faces of one picture whose crops overlap, unless they are `SIZE` or more
    apart."""
    mesh = painted_mesh()
    head = (painted_picture(mesh)[0].permute(1, 2, 0) + 1) / 2
    picture = torch.zeros(SIZE, SIZE + apart, 3)
    picture[:, :SIZE] = head
    middle = max((apart + SIZE) // 2, apart)
    picture[:, middle:] = head[:, middle - apart :]
    portraits = []
    for left in (0, apart):
        moved = mesh + torch.tensor([left, 0.0, 0.0])
        box = (left, 0, left + SIZE, SIZE)
        own = own_motion(mesh, SIZE)
        read = {"pose": own.pose, "expression": own.expression, "gaze": own.gaze, "mesh": moved}
        portraits.append(Portrait(frame=picture, box=box, crop=picture[:, left : left + SIZE], **read))
    return portraits
