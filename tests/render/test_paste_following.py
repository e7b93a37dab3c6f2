"""Pasting into a video whose head moves: in the right place, nothing else touched, no flicker."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.detection.head_track import HeadTrack
from gohd_core.render import paste_mask
from gohd_core.render.placing import MovingPlace, full_masks
from tests.render.test_paste_back import BOX, HEIGHT, WIDTH, noise, pasted, picture, portrait


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
