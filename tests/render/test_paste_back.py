"""Pasting back: nothing outside the mask changes, no seam, no flicker, in the right place, as a stream."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.errors import BadInput
from gohd_core.face import FaceParser, Portrait, prepare_portrait
from gohd_core.render import frames_to_bytes, paste_back, paste_mask
from gohd_core.video.bands import _BATCH_PIXELS

HEIGHT, WIDTH, BOX = 120, 200, (60, 20, 140, 100)


def picture(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> torch.Tensor:
    """A smooth colourful picture [H, W, 3] with some grain."""
    y = torch.linspace(0, 3, height)[:, None]
    x = torch.linspace(0, 3, width)[None]
    waves = torch.stack([(x + y).sin(), (2 * x - y).cos(), (x * y).sin()], -1) * 0.3 + 0.5
    grain = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(seed))
    return (waves + 0.03 * grain).clamp(0, 1)


def face_points(box=BOX, share: float = 0.5) -> torch.Tensor:
    """68 points on the outline of a face in the middle of a box, eyes above mouth."""
    left, top, right, bottom = box
    centre = torch.tensor([(left + right) / 2, (top + bottom) / 2 + 4.0])
    reach = share * (right - left) / 2
    turn = torch.arange(68) * (2 * math.pi / 36)
    points = centre + reach * torch.stack([turn.cos(), turn.sin()], 1)
    points[36:48] = centre + torch.tensor([0.0, -reach / 2])
    points[48:] = centre + torch.tensor([0.0, reach / 2])
    return points


def portrait(size: int = 64, box=BOX, landmarks: bool = True, seed: int = 0) -> Portrait:
    frame = picture(seed=seed)
    left, top, right, bottom = box
    crop = torch.nn.functional.interpolate(
        frame[top:bottom, left:right].permute(2, 0, 1)[None], (size, size), mode="area"
    )
    return Portrait(frame, box, crop[0].permute(1, 2, 0), face_points(box) if landmarks else None)


def noise(count: int, size: int = 64, seed: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def pasted(*arguments, **options) -> torch.Tensor:
    return torch.cat(list(paste_back(*arguments, **options)))


@pytest.mark.parametrize("landmarks", [True, False])
def test_outside_the_mask_every_bit_is_the_backgrounds(landmarks) -> None:
    who = portrait(landmarks=landmarks)
    result = pasted([noise(3)], who)
    outside = paste_mask(who) == 0
    base = who.frame.permute(2, 0, 1) * 2 - 1
    assert 0.5 < outside.float().mean() < 1
    assert all(torch.equal(frame[:, outside], base[:, outside]) for frame in result)
    levels = np.rint(who.frame.numpy() * 255).astype(np.uint8)
    assert np.array_equal(frames_to_bytes(result)[0][outside.numpy()], levels[outside.numpy()])
    assert not torch.equal(result[0], base)


def test_images_in_0_to_1_stay_bit_identical_too() -> None:
    who = portrait()
    result = pasted([noise(2) / 2 + 0.5], who, value_range=(0.0, 1.0))
    outside = paste_mask(who) == 0
    assert torch.equal(result[1][:, outside], who.frame.permute(2, 0, 1)[:, outside])
    assert result.min() >= 0 and result.max() <= 1


def test_the_own_crop_gives_the_picture_back() -> None:
    who = portrait(size=80)
    assert torch.allclose(pasted([who.source], who)[0], who.frame.permute(2, 0, 1) * 2 - 1, atol=1e-5)
    square = prepare_portrait(picture(96, 96), size=96)
    assert torch.allclose(paste_mask(square), torch.ones(96, 96), atol=1e-6)
    drawn = noise(1, 96)
    assert torch.allclose(pasted([drawn], square, colour="none"), drawn, atol=1e-5)


@pytest.mark.parametrize("size", [40, 64, 80, 161, 320])
def test_crops_of_any_size_land_where_they_belong(size) -> None:
    """An upscaler in between changes nothing but sharpness: a blob stays where the source shows it."""
    who = portrait(landmarks=False)
    spot = torch.tensor([[95.0, 66.0]])
    where = (spot[0] + 0.5 - torch.tensor(BOX[:2])) * (size / 80) - 0.5
    grid = torch.arange(size).float()
    blob = torch.exp(-((grid[None] - where[0]) ** 2 + (grid[:, None] - where[1]) ** 2) / (size / 16) ** 2)
    result = pasted([blob.expand(1, 3, -1, -1)], who, colour="none", background=torch.zeros(3, HEIGHT, WIDTH))
    light = result[0, 0]
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    found = torch.stack([(light * columns).sum(), (light * rows).sum()]) / light.sum()
    assert torch.allclose(found, spot[0], atol=0.1)


def test_no_seam_where_colours_were_off() -> None:
    """An animator that draws darker and flatter leaves no step at the edge of the mask."""
    who = portrait(size=80)
    off = who.source * 0.9 - 0.15
    truth = who.frame.permute(2, 0, 1) * 2 - 1

    def worst_step(frame: torch.Tensor) -> float:
        error = frame - truth
        return max(float(error.diff(dim=k).abs().max()) for k in (1, 2))

    matched, plain = pasted([off], who)[0], pasted([off], who, colour="none")[0]
    hard = truth.clone()
    hard[:, 20:100, 60:140] = off[0]
    assert (matched - truth).abs().max() < 0.01
    assert worst_step(matched) < 0.005 < worst_step(plain) < 0.5 * worst_step(hard)


def test_what_stands_still_does_not_flicker() -> None:
    """Mask and colours are one for the whole clip, whatever moves."""
    who = portrait()
    moving = torch.cat([who.source, noise(5)])
    moving[:, :, :32] = who.source[:, :, :32]
    result = pasted(moving.split(2), who)
    still = result[:, :, :50]
    assert float(still.std(0, unbiased=False).max()) < 1e-6
    assert float(result[:, :, 70:90, 90:110].std(0).max()) > 0.1


def test_smoothed_colours_follow_a_changing_light_slowly() -> None:
    who = portrait(size=80)
    base = who.frame.permute(2, 0, 1) * 2 - 1
    dark = base * 0.8 - 0.1
    background = torch.stack([base] * 3 + [dark] * 60)
    faces = who.source.expand(63, -1, -1, -1)
    middle = (slice(None), slice(None), slice(55, 65), slice(95, 105))
    steady, following = (
        pasted([faces], who, [background], colour=colour)[middle].mean((1, 2, 3))
        for colour in ("constant", "smoothed")
    )
    wanted = background[middle].mean((1, 2, 3))
    assert torch.allclose(steady, steady[:1].expand(63), atol=1e-5)
    assert abs(following[-1] - wanted[-1]) < 0.15 * abs(steady[-1] - wanted[-1])
    assert following.diff().abs().max() < 0.06 * abs(wanted[-1] - wanted[0])


def test_a_users_mask_bounds_the_change() -> None:
    who = portrait()
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[0, 50:80, 80:120] = 1
    weights = paste_mask(who, mask=mask)
    assert not (weights > mask[0]).any() and weights.max() > 0.999
    result = pasted([noise(1)], who, mask=mask)[0]
    changed = (result != who.frame.permute(2, 0, 1) * 2 - 1).any(0)
    assert changed.any() and not changed[mask[0] == 0].any()
    half = paste_mask(who, mask=mask * 0.25)
    assert torch.allclose(half, weights * 0.25)


def test_the_edge_is_soft_and_ends_before_the_crop() -> None:
    weights = paste_mask(portrait(landmarks=False), feather=0.2)
    left, top, right, _ = BOX
    assert weights[top].max() < 0.02 and weights[60, 100] > 0.999999
    assert weights[60, left:right].diff().abs().max() < 1.6 / 16
    touching = paste_mask(portrait(box=(0, 40, 80, 120), landmarks=False))
    assert torch.allclose(touching[60:120, 0], torch.ones(60)), "no fading at the frame's own edge"
    assert touching[60, 79] < 0.2


def test_the_ellipse_holds_the_face_and_turns_with_it() -> None:
    who = portrait()
    weights = paste_mask(who, feather=0.0)
    for x, y in who.landmarks.tolist():
        assert weights[round(y), round(x)] == 1
    points = who.landmarks - torch.tensor([100.0, 60.0])
    quarter = points @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]]) + torch.tensor([100.0, 60.0])
    turned = paste_mask(Portrait(who.frame, who.box, who.crop, quarter), feather=0.0)
    height, width = (int(weights.any(dim).sum()) for dim in (1, 0))
    turned_height, turned_width = (int(turned.any(dim).sum()) for dim in (1, 0))
    assert height > width and turned_width > turned_height


def test_a_parsers_head_is_the_mask() -> None:
    who = portrait(size=80)

    class Parser(FaceParser):
        def __init__(self, head: bool) -> None:
            self.head = head

        def parse(self, images, **options):
            labels = torch.zeros(1, *images.shape[:2], dtype=torch.uint8)
            labels[0, 20:60, 30:50] = 1 if self.head else 16
            labels[0, 10:20, 30:50] = 17 if self.head else 0
            return labels

    weights = paste_mask(who, parser=Parser(True), growth=0.0, feather=0.0)
    assert weights.sum() == 50 * 20 and weights[30:80, 90:110].min() == 1
    grown = paste_mask(who, parser=Parser(True), growth=0.3, feather=0.0)
    assert grown.sum() > 50 * 20 and not (weights > grown).any()
    with pytest.raises(BadInput, match="no head"):
        paste_mask(who, parser=Parser(False))


def test_several_faces_each_with_its_own_length() -> None:
    frame = portrait().frame
    one, two = (Portrait(frame, box, portrait().crop) for box in ((10, 20, 70, 80), (120, 30, 190, 100)))
    first = paste_back([noise(3, seed=2)], one)
    result = pasted([noise(5, seed=3)], two, first, length="longest")
    alone_one, alone_two = pasted([noise(3, seed=2)], one), pasted([noise(5, seed=3)], two)
    assert len(result) == 5
    assert torch.equal(result[:3, :, :, :100], alone_one[:, :, :, :100])
    assert torch.equal(result[3:, :, :, :100], alone_one[2:, :, :, :100].expand(2, -1, -1, -1))
    assert torch.equal(result[..., 100:], alone_two[..., 100:])
    again = pasted([noise(3, seed=2)], one, paste_back([noise(5, seed=3)], two), length="longest")
    assert torch.equal(again, result)
    assert len(pasted([noise(3, seed=2)], one, paste_back([noise(5, seed=3)], two))) == 3


def test_it_is_a_stream_whatever_the_batches() -> None:
    """Frames are drawn when they are asked for, and no more are kept than one small batch."""
    frame = picture(1080, 1920)
    who = Portrait(frame, (500, 200, 900, 600), picture(64, 64))
    drawn = []

    def faces():
        for k in range(9):
            drawn.append(k)
            yield noise(1, seed=k)

    stream = paste_back(faces(), who)
    assert not drawn
    batch = next(stream)
    assert batch[:, 0].numel() <= _BATCH_PIXELS and len(drawn) == len(batch) == 1
    whole = torch.cat([noise(1, seed=k) for k in range(4)])
    small = portrait()
    assert torch.equal(pasted(whole, small), pasted(whole.split(1), small))


def test_public_name_and_integer_like_inputs() -> None:
    assert gohd.paste_back is paste_back
    half = noise(2).half()
    assert pasted(half, portrait()).dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": []}, "no frames of the face"),
        ({"frames": [torch.zeros(2, 1, 8, 8)]}, r"\[b, 3, H, W\] are wanted"),
        ({"frames": [torch.full((1, 3, 8, 8), math.nan)]}, "not finite"),
        ({"frames": [torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]}, "floats"),
        ({"background": torch.zeros(3, 20, 20)}, "give frames of that size"),
        ({"background": []}, "The background has no frames"),
        ({"mask": torch.zeros(HEIGHT, WIDTH)}, "covers nothing"),
        ({"mask": torch.ones(5, 5)}, r"\[120, 200\] is wanted"),
        ({"mask": torch.full((HEIGHT, WIDTH), 2.0)}, "outside 0..1"),
        ({"colour": "blue"}, "is not among"),
        ({"length": "forever"}, "is not among"),
        ({"feather": 3.0}, "out of range"),
    ],
)
def test_bad_input_gets_one_sentence(change, said) -> None:
    given = {"frames": [noise(1)], "portrait": portrait()} | change
    with pytest.raises(BadInput, match=said):
        list(paste_back(**given))
