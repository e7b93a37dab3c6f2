"""Pasting into a video whose head moves: in the right place, nothing else touched, no flicker."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.detection.head_track import HeadTrack
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.reading.fit import fit_face
from gohd_core.render import paste_mask
from gohd_core.render.placing import FacePlace, MovingPlace, full_masks
from tests.render.test_paste_back import BOX, HEIGHT, WIDTH, noise, pasted, picture, portrait
from tests.support.mesh_faces import SIZE, painted_pair


def track(squares, valid=None, size=(HEIGHT, WIDTH), fps: float = 25) -> HeadTrack:
    return HeadTrack(torch.as_tensor(squares, dtype=torch.float32), STYLISED, fps, valid, size)


def wandering(count: int, amount: float = 1.0) -> torch.Tensor:
    """Squares that start at the portrait's own, drift by parts of a pixel and come a little nearer."""
    time = torch.arange(count) / 25
    x = 100 + amount * 25 * torch.sin(time)
    y = 60 + amount * 8 * torch.sin(1.7 * time)
    return torch.stack([x, y, 80 * (1 + 0.1 * amount * torch.sin(0.9 * time))], 1)


def film(count: int) -> torch.Tensor:
    return torch.stack([picture(seed=k).permute(2, 0, 1) * 2 - 1 for k in range(count)])


def test_outside_the_mask_every_bit_of_every_frame_is_the_videos() -> None:
    who, background, where = portrait(), film(20), track(wandering(20))
    result = pasted([noise(20)], who, [background], track=where)
    place = MovingPlace(who, paste_mask(who, moving=True), where)
    masks = list(full_masks(place, 20, HEIGHT, WIDTH))
    for frame, base, mask in zip(result, background, masks, strict=True):
        assert 0.5 < (mask == 0).float().mean() < 0.95
        assert torch.equal(frame[:, mask == 0], base[:, mask == 0])
        assert not torch.equal(frame[:, mask > 0.5], base[:, mask > 0.5])
    assert not torch.equal(masks[0], masks[-1]), "the mask goes with the head"


def test_a_track_that_stands_at_the_portraits_box_changes_nothing() -> None:
    """The slow reference of the moving place is the still one."""
    who, faces = portrait(size=80), noise(3, 80)
    still = pasted([faces], who)
    moving = pasted([faces], who, track=track([[100.0, 60.0, 80.0]] * 3))
    assert torch.allclose(still, moving, atol=1e-4)


@pytest.mark.parametrize("size", [64, 80, 320])
def test_the_crop_lands_where_the_head_is_to_a_fraction_of_a_pixel(size) -> None:
    who, squares = portrait(landmarks=False), wandering(30)
    grid = (torch.arange(size) + 0.5) / size - 0.5
    blob = torch.exp(-(grid[None] ** 2 + (grid[:, None] - 0.1) ** 2) / 0.005).expand(30, 3, -1, -1)
    result = pasted(
        [blob], who, torch.zeros(3, HEIGHT, WIDTH), colour="none", track=track(squares), value_range=(0, 1)
    )
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    light = result[:, 0]
    mass = light.sum((1, 2))
    found = torch.stack([(light * columns).sum((1, 2)), (light * rows).sum((1, 2))], 1) / mass[:, None]
    wanted = squares[:, :2] - 0.5
    wanted[:, 1] += 0.1 * squares[:, 2]
    assert (found - wanted).abs().max() < 0.05
    assert torch.allclose(mass.sqrt() / mass[0].sqrt(), squares[:, 2] / squares[0, 2], atol=0.01)


def test_a_videos_own_face_pasted_back_gives_the_video() -> None:
    """No seam, no flicker: a smooth picture that moves under the track is found again."""
    squares = wandering(25)
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")

    def seen(square: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        u, v = (columns - square[0]) / square[2], (rows - square[1]) / square[2]
        return torch.stack([(3 * u + v).sin(), (2 * u - 3 * v).cos(), (4 * u * v).sin()]) * 0.7

    background = torch.stack([seen(square, y, x) for square in squares])
    unit = (torch.arange(160) + 0.5) / 160 - 0.5
    own = seen(torch.tensor([0.0, 0.0, 1.0]), unit[:, None].expand(160, 160), unit[None].expand(160, 160))
    result = pasted([own.expand(25, -1, -1, -1)], portrait(), [background], track=track(squares))
    assert (result - background).abs().max() < 0.01
    flicker = (result - background).diff(dim=0).abs().max()
    assert flicker < 0.005


def test_where_no_face_was_seen_the_video_stays() -> None:
    """A lost face fades within a fifth of a second; single missing frames are bridged."""
    valid = torch.ones(60, dtype=torch.bool)
    valid[5:8] = False
    valid[25:50] = False
    who, background = portrait(), film(60)
    result = pasted([noise(60)], who, [background], track=track(wandering(60), valid))
    changed = torch.tensor([not torch.equal(a, b) for a, b in zip(result, background, strict=True)])
    assert changed[:24].all() and not changed[25:50].any() and changed[52:].all()
    shown = track(wandering(60), valid).visibility()
    assert (shown[:20] == 1).all() and (shown[25:50] == 0).all()
    assert shown.diff().abs().max() < 0.5
    assert (track(wandering(60)).visibility() == 1).all()
    nothing = track(wandering(6), torch.zeros(6, dtype=torch.bool))
    assert torch.equal(pasted([noise(6)], who, [background[:6]], track=nothing), background[:6])


def test_a_head_may_leave_the_picture() -> None:
    who, background = portrait(), film(3)
    squares = [[190.0, 60.0, 80.0], [2.0, 118.0, 50.0], [300.0, 60.0, 80.0]]
    result = pasted([noise(3)], who, [background], track=track(squares))
    assert not torch.equal(result[0], background[0]) and not torch.equal(result[1], background[1])
    assert torch.equal(result[2], background[2])


def test_a_video_followed_at_half_the_size() -> None:
    """Squares that were found in a smaller copy of the video are enlarged with it."""
    who, background = portrait(), film(4)
    squares = wandering(4)
    small = track(squares / 2, size=(HEIGHT // 2, WIDTH // 2))
    whole = track(squares)
    faces = noise(4)
    assert torch.allclose(
        pasted([faces], who, [background], track=small), pasted([faces], who, [background], track=whole)
    )
    with pytest.raises(BadInput, match="of the same shape"):
        pasted([faces], who, [torch.zeros(4, 3, 64, 64)], track=whole)


def test_a_mask_that_touches_the_pictures_edge_fades_when_it_moves() -> None:
    """A portrait that is all face has no soft edge of its own; elsewhere in a picture it needs one."""
    who = replace(portrait(landmarks=False), box=(0, 0, HEIGHT, HEIGHT), frame=picture(HEIGHT, HEIGHT))
    assert paste_mask(who).min() == 1
    moving = paste_mask(who, moving=True)
    assert moving[0].max() < 0.02 and moving[:, -1].max() < 0.02 and moving[60, 60] > 0.999


def faces_track(who, squares, width: int) -> HeadTrack:
    poses = torch.zeros(len(squares), 6)
    poses[:, 1] = torch.linspace(0, 0.5, len(squares))
    made = track(squares, size=(SIZE, width))
    return replace(made, poses=replace(who.pose, values=poses, valid=made.valid))


def test_of_a_mesh_portrait_only_the_face_is_laid_into_a_video() -> None:
    """Its hair and background stay out, however the head turns; all of the face's middle comes along."""
    who = painted_pair()[0]
    squares = torch.tensor([[150.0, 120.0, 160.0]] * 4)
    where = faces_track(who, squares, 300)
    place = FacePlace(who, paste_mask(who, moving=True), where)
    points = fit_face(who.mesh_in_crop[None], who.size).points_in_head
    for k, mask in enumerate(full_masks(place, 4, SIZE, 300)):
        seen = Camera.of_size(160).pixels(transform(points, where.poses.values[k, None]))[0] + torch.tensor(
            [70, 40]
        )
        outline = cv2.convexHull(seen[:, :2].numpy().astype(np.float32))
        rows, columns = torch.nonzero(mask > 0, as_tuple=True)
        for x, y in zip(columns.tolist()[::50], rows.tolist()[::50], strict=True):
            assert cv2.pointPolygonTest(outline, (float(x), float(y)), True) > -1.5
        nose = seen[5].round().long()
        assert mask[nose[1], nose[0]] == 1 and 0 < mask.mean() < 0.2


def test_a_face_that_the_videos_edge_cuts_is_laid_as_if_there_were_more_of_it() -> None:
    """The slow reference of a cut film is a wider one."""
    who = painted_pair()[0]
    squares = torch.tensor([[150.0, 120.0, 160.0], [152.3, 118.6, 163.0]])
    wide = torch.rand(2, 3, SIZE, 300, generator=torch.Generator().manual_seed(2)) * 2 - 1
    cut, aside = wide[..., 140:], squares - torch.tensor([140.0, 0.0, 0.0])
    options = {"colour": "none"}
    whole = pasted([noise(2)], who, [wide], track=faces_track(who, squares, 300), **options)
    part = pasted([noise(2)], who, [cut], track=faces_track(who, aside, 160), **options)
    assert torch.allclose(part, whole[..., 140:], atol=1e-5)
    assert not torch.equal(part[..., :20], cut[..., :20])


def test_a_face_takes_on_the_light_of_the_one_under_it() -> None:
    """Brightness and hue by a factor: what is black stays black."""
    who = painted_pair()[0]
    squares = torch.tensor([[150.0, 120.0, 160.0]])
    face = torch.full((1, 3, 64, 64), 0.2)
    face[..., 30:34, 30:34] = -1
    under = torch.tensor([0.4, 0.0, -0.2])[:, None, None].expand(3, SIZE, 300)
    made = pasted([face], who, [under[None]], track=faces_track(who, squares, 300))[0]
    dark = made[:, 120, 150]
    assert torch.allclose(dark, torch.tensor(-1.0), atol=0.05)
    lit = made[:, 135, 150] + 1
    assert torch.allclose(lit / lit[0], torch.tensor([1.4, 1.0, 0.8]) / 1.4, atol=0.02)


def test_the_crops_own_colours_follow_the_video() -> None:
    """A darker animation takes on the first frame's colours, at the place where it lies then."""
    squares = torch.tensor([[60.0, 60.0, 60.0]] * 3)
    background = torch.full((3, 3, HEIGHT, WIDTH), 0.5)
    background[:, :, :, 100:] = -0.9
    result = pasted([noise(3) * 0.1 - 0.6], portrait(), [background], track=track(squares))
    assert abs(float(result[:, :, 58:62, 58:62].mean()) - 0.5) < 0.1


def test_a_track_at_another_rate_is_resampled_to_the_same_places() -> None:
    squares = wandering(50)
    faster = track(squares).resampled(50)
    assert faster.picture == (HEIGHT, WIDTH) and len(faster) == 100
    assert torch.allclose(faster.values[::2], squares, atol=1e-4)
    assert torch.allclose(faster.values[1], (squares[0] + squares[1]) / 2, atol=1e-4)
    left, top, right, bottom = BOX
    assert math.isclose((left + right) / 2, squares[0, 0]) and math.isclose((top + bottom) / 2, squares[0, 1])
