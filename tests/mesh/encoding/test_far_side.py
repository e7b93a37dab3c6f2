"""The far cheek of a turned face."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.drawing import draw
from gohd_core.mesh.encoding.far_side import FarSide
from gohd_core.mesh.picture.photometry import fill_polygon
from gohd_core.mesh.reading.canonical import canonical_face
from gohd_core.mesh.sampling import margin
from gohd_core.mesh.source import MeshSource, mesh_source
from tests.support.mesh_faces import SIZE, painted, painted_mesh

YAW = -0.42


def turned_mesh(yaw: float = YAW) -> torch.Tensor:
    """The painted face's mesh turned aside, [478,3] in pixels."""
    front, camera = painted_mesh(), Camera.of_size(SIZE)
    depth = -front[:, 2:] * camera.distance / camera.focal
    depth[:468] = canonical_face().points[:, 2:].float()
    rays = camera.rays(front[:, 0], front[:, 1])
    points = torch.cat([rays[:, :2] * (camera.distance - depth), depth], 1)
    points = transform(points, torch.tensor([0, yaw, 0, 0, 0, 0.0]))
    return torch.cat([camera.pixels(points), -points[:, 2:] * camera.focal / camera.distance], 1)


def pattern(source: MeshSource, far_grey: float) -> torch.Tensor:
    """A picture [1,3,S,S] of rings around the nose on both halves of a head, or grey on the far one."""
    side = source.warp.side
    x, y, _ = F.interpolate(source.warp.points.view(1, 3, side, side), (SIZE, SIZE), mode="bilinear")[0]
    rings = 0.25 * torch.cos(torch.stack([x.abs(), y]).norm(dim=0) * 60)
    rings = torch.where(x < -0.02, (1 - far_grey) * rings, rings)
    return rings.expand(1, 3, SIZE, SIZE).clone()


@pytest.fixture(scope="module")
def plain() -> MeshSource:
    return mesh_source(torch.zeros(1, 3, SIZE, SIZE), turned_mesh(), None)


def test_a_face_seen_from_the_front_has_none():
    assert painted().far_side is None


def test_the_far_cheek_is_the_near_one_mirrored(plain):
    image = pattern(plain, 0.0)
    face = replace(plain.face, image=image)
    far = FarSide.of(face, plain.warp)
    colours, weight = far.texture[::2, ::2, :3], far.texture[::2, ::2, 3:]
    left, top = (far.corner / 2 - margin(SIZE)).long().tolist()
    own = image[0, :, top : top + len(colours), left : left + colours.shape[1]].permute(1, 2, 0)
    sure = (weight > 0.9)[..., 0]
    assert sure.sum() > 100
    error = (colours / weight.clamp_min(1e-3) - own)[sure]
    # Of a mirrored pattern the same is expected; of one that is not, the pattern's own spread.
    assert error.abs().mean() < 0.35 * own[sure].std()


def test_what_the_picture_lacks_is_drawn_when_the_head_turns_to_the_viewer(plain):
    source = mesh_source(pattern(plain, 1.0), turned_mesh(), None)
    assert source.own[0, 65] < -0.3
    turned = source.own.repeat(3, 1)
    turned[1, 65] += 0.35
    turned[2, 65] -= 0.2
    without = draw(replace(source, far_side=None), turned)
    frames = draw(source, turned)
    changed = (frames - without).abs().amax(1)
    assert changed[1].max() > 0.2
    assert changed[0].max() == 0 and changed[2].max() == 0  # neither at rest, nor turned farther aside
    assert (frames[0] - source.face.image[0]).square().mean() < 4e-6  # 60 dB


def test_frames_of_a_batch_are_drawn_like_alone(plain):
    source = mesh_source(pattern(plain, 1.0), turned_mesh(), None)
    turned = source.own.repeat(2, 1)
    turned[:, 65] += torch.tensor([0.1, 0.3])
    alone = torch.cat([draw(source, each[None]) for each in turned])
    torch.testing.assert_close(draw(source, turned), alone, atol=2e-3, rtol=0)


def test_less_background_shines_through_within_the_far_outline():
    """A person mask that is a little narrower than the face, before a bright wall."""
    mesh = turned_mesh(-0.6)
    face = cv2.erode(inside(mesh[:468, :2]), np.ones((7, 7)))
    mask = torch.from_numpy(face)[None, None]
    source = mesh_source((1 - mask).repeat(1, 3, 1, 1), mesh, mask)
    turned = source.own.clone()
    turned[0, 65] += 0.2
    points = Camera.of_size(SIZE).pixels(transform(source.face.points_in_head[:468], turned[0, 64:70]))
    far = torch.from_numpy(inside(points)) > 0.99
    far[:, int(points[:, 0].mean()) :] = False
    shining = [
        (draw(each, turned)[0, 0][far] > 0.5).sum().item()
        for each in (source, replace(source, far_side=None))
    ]
    assert shining[0] < 0.6 * shining[1]


def inside(points: torch.Tensor) -> np.ndarray:
    """Share [S,S] of each pixel inside the convex hull of points [N,2]."""
    hull = cv2.convexHull(points.numpy().astype(np.float32))[:, 0]
    return fill_polygon(hull, (SIZE, SIZE))


def test_a_patch_of_light_on_a_near_cheek_in_shade_does_not_glare_on_the_far_one(plain):
    side = plain.warp.side
    x, y, _ = F.interpolate(plain.warp.points.view(1, 3, side, side), (SIZE, SIZE), mode="bilinear")[0]
    far = FarSide.of(plain.face, plain.warp)
    middle = far.points.mean(0)
    patch = torch.exp(-((x.abs() - middle[0].abs()) ** 2 + (y - middle[1]) ** 2) / (2 * 0.1**2))
    near = 0.36 + 0.3 * patch
    light = torch.where(x < 0, torch.full_like(x, 0.62), near)
    face = replace(plain.face, image=(2 * light - 1).expand(1, 3, SIZE, SIZE).clone())
    found = FarSide.of(face, plain.warp).texture
    weight = found[..., 3]
    grey = (found[..., 0] / weight.clamp_min(1e-3) + 1) / 2
    assert (weight > 0.5).sum() > 100
    assert grey[weight > 0.5].max() < 0.75  # .80 by the mean light of the whole shade
