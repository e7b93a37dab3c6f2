from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.mesh.drawing import draw
from gohd_core.mesh.frame import EDGE, LIPS, POINTS, ROUNDING, MouthFrame
from gohd_core.mesh.geometry.contour_warp import contour_flows
from gohd_core.mesh.mouth.colours import redden
from gohd_core.mesh.mouth.own_inside import _within_border
from gohd_core.mesh.mouth.teeth import UPPER
from gohd_core.mesh.picture.photometry import LUMA, white_hue
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.mesh.source import mesh_source
from tests.support.mesh_faces import SIZE, astronaut, drawn_parts, painted, painted_mesh, painted_picture

JAW, SMILES = 0, [7, 8]


@pytest.fixture(scope="module")
def smiling():
    return astronaut()


@pytest.fixture(scope="module")
def shut():
    return painted()


def with_jaw(source, *jaws):
    motion = source.own.repeat(len(jaws), 1)
    motion[:, JAW] = torch.tensor(jaws)
    return motion


def mouth_of(source, motion, monkeypatch):
    return next((f, w) for f, w in drawn_parts(source, motion, monkeypatch) if isinstance(f, MouthFrame))


@pytest.mark.parametrize("name", ["smiling", "shut"])
def test_own_motion_shows_own_pixels(name, request):
    source = request.getfixturevalue(name)
    error = draw(source, source.own) - source.face.image
    assert error.abs().max() < 0.05 * 2 / 255, "of a level of 8 bits"


def test_a_turned_head_with_its_own_expression_keeps_its_mouth(smiling, monkeypatch):
    motion = smiling.own.clone()
    motion[:, 65] += 0.15
    frame, window = mouth_of(smiling, motion, monkeypatch)
    torch.testing.assert_close(window, frame.skin, atol=0.02, rtol=0)


def test_nothing_is_drawn_on_skin(shut, monkeypatch):
    frame, window = mouth_of(shut, with_jaw(shut, 0.6), monkeypatch)
    outside = torch.maximum(-frame.opening.above, -frame.opening.below)
    beyond = (frame.opening.along.abs() - 1) * SIZE
    far = (torch.maximum(outside, beyond) > 0.05 * SIZE).expand_as(window)
    assert far.any() and (window - frame.skin)[far].abs().max() < 1e-5


def test_parted_lips_show_teeth_and_darkness_between_them(shut, monkeypatch):
    frame, window = mouth_of(shut, with_jaw(shut, 0.6), monkeypatch)
    inside = (frame.opening.coverage > 0.99).expand_as(window)
    changed = (window - frame.skin).abs().mean(1, keepdim=True) > 0.1
    assert changed[frame.opening.coverage > 0.99].float().mean() > 0.8
    luma = window.mean(1, keepdim=True)[inside[:, :1]]
    skin = shut.face.image[0, :, 10, 10].mean()
    assert luma.min() < -0.7 and skin - 0.6 < luma.max() < 0.95
    # Teeth hang from the upper lip: the brightest place is in the upper half.
    bright = luma >= luma.quantile(0.95)
    assert (frame.opening.above / frame.opening.height)[inside[:, :1]][bright].mean() < 0.5


def test_less_light_falls_on_teeth_between_lips_that_hardly_part(shut, monkeypatch):
    brightest = []
    for jaw in (0.15, 0.8):
        frame, window = mouth_of(shut, with_jaw(shut, jaw), monkeypatch)
        inside = window.mean(1, keepdim=True)[frame.opening.coverage > 0.99]
        brightest.append((inside.max().item() + 1) / 2)
    assert brightest[0] < 0.54 * brightest[1]  # without dimming .60


def test_a_batch_is_drawn_like_its_frames_alone(smiling, shut):
    for source in (smiling, shut):
        motion = with_jaw(source, 0.0, 0.2, 0.5, 0.9)
        alone = torch.cat([draw(source, each[None]) for each in motion])
        torch.testing.assert_close(draw(source, motion), alone, atol=2e-3, rtol=0)


def test_grey_pictures_stay_grey():
    source = painted(grey=True)
    frames = draw(source, with_jaw(source, 0.3, 0.8))
    assert (frames.amax(1) - frames.amin(1)).max() < 0.01


def test_own_teeth_stay_where_the_head_has_them(smiling, monkeypatch):
    assert smiling.face.jaw > 0 and smiling.mouth.own.shows_teeth
    frame, window = mouth_of(smiling, with_jaw(smiling, smiling.face.jaw + 0.08), monkeypatch)
    own = smiling.face.image[0].permute(1, 2, 0)
    deep = (torch.minimum(frame.opening.above, frame.opening.below) > 0.35 * frame.opening.height.amax())[
        0, 0
    ]
    deep &= (frame.opening.along.abs() < 0.5)[0, 0]  # front teeth
    at = frame.rigid_at[0][deep].round().long()
    difference = window[0].permute(1, 2, 0)[deep] - own[at[:, 1], at[:, 0]]
    assert deep.sum() > 10 and difference.abs().mean() < 0.12


def test_a_strip_of_own_teeth_gives_way_to_whole_drawn_ones(smiling, monkeypatch):
    own = smiling.mouth.own
    green = own.picture.clone()
    green[:, [0, 1, 2, 4, 5, 6]] = torch.tensor([-1.0, 1.0, -1.0] * 2)[:, None, None]
    shown = []
    for gap in (smiling.face.gap, 0.03):
        mouth = replace(smiling.mouth, own=replace(own, picture=green), face=replace(smiling.face, gap=gap))
        _, window = mouth_of(replace(smiling, mouth=mouth), with_jaw(smiling, 0.9), monkeypatch)
        shown.append((window[:, 1] - window[:, 0]).max())
    assert shown[0] > 0.5 and shown[1] < 0.1


def test_drawn_teeth_end_where_own_ones_do(smiling):
    lips, mouth = smiling.face.contours[LIPS, EDGE, :, 1], smiling.mouth
    # Hers reach down to the lower lip.
    assert lips[36] < mouth.own.tips < lips[36] + 0.3 * smiling.face.gap
    tips = (mouth.arches.middle[:, 1] + mouth.arches.bottom)[UPPER]
    assert tips.item() == pytest.approx(mouth.own.tips, abs=1e-5)


def test_gaps_between_own_teeth_are_no_holes(smiling):
    rows = [(row, (row > 0.9).nonzero()[:, 0]) for row in smiling.mouth.own.picture[0, 7]]
    rows = [row[seen.min() : seen.max() + 1] for row, seen in rows if len(seen) > 5]
    assert len(rows) >= 3 and min(row.min() for row in rows) > 0.85


def test_the_dark_corner_of_a_smile_goes_on_dark_to_the_lips(smiling):
    picture = smiling.mouth.own.picture[0]
    light = torch.einsum("chw,c->hw", picture[:3] / 2 + 0.5, torch.from_numpy(LUMA))
    shown = picture[3] > 0.5
    teeth, half = light[shown].quantile(0.9), light.shape[1] // 2
    dark = (shown & (light < 0.25 * teeth))[:, half:].any(0).nonzero()[0, 0] + half
    beyond = light[:, dark + 2 :][shown[:, dark + 2 :]]
    assert len(beyond) > 8 and beyond.max() < 0.4 * teeth


def test_teeth_have_the_tint_of_the_eyes_whites(shut):
    mesh = painted_mesh()
    tinted = (painted_picture(mesh) + 1) * torch.tensor([1.0, 0.95, 0.6])[:, None, None] - 1
    whites = torch.tensor([0.82, 0.80, 0.78]), torch.tensor([0.82, 0.76, 0.468])
    for source, white in zip((shut, mesh_source(tinted, mesh, None)), whites, strict=True):
        tooth = source.mouth.colours[0]
        assert 1 - tooth[2] / tooth[0] == pytest.approx(0.7 * (1 - white[2] / white[0]).item(), abs=0.06)


def test_the_mouth_opens_steadily(smiling):
    jaws = torch.linspace(0, 0.8, 17).tolist()
    frames = draw(smiling, with_jaw(smiling, *jaws))
    steps = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
    assert steps.max() < 4 * steps.median()


def test_mouths_are_red_inside_where_lips_are_painted_as_yellow_as_skin():
    skin, lips = np.array([0.87, 0.75, 0.54]), np.array([0.64, 0.48, 0.30])
    tongue = redden(lips, skin)
    assert tongue[0] / tongue[1] == pytest.approx(1.42 * 0.87 / 0.75)
    assert tongue[2] / tongue[1] == pytest.approx(0.54 / 0.75)
    assert tongue @ LUMA == pytest.approx(lips @ LUMA)
    red = np.array([0.6, 0.2, 0.2])
    np.testing.assert_allclose(redden(red, skin), red)


@pytest.mark.parametrize("name", ["smiling", "shut"])
def test_rounded_lips_are_short_flat_and_full(name, request):
    shape = request.getfixturevalue(name).shape
    rest = shape.contours[LIPS].double()
    round_ = rest + shape.directions[ROUNDING, LIPS]

    def length(lips):
        return (lips[EDGE, 0] - lips[EDGE, 24])[:2].norm()

    def height(lips, places):
        upper, lower = lips[EDGE, places, 1], lips[EDGE, [48 - k for k in places], 1]
        return upper - lower, ((upper + lower) / 2).std()

    assert 0.5 < length(round_) / length(rest) < 0.75
    places = list(range(1, 24))
    gap, _ = height(round_ - rest, places)
    # As high as an ellipse, whose points lie evenly by their angle.
    ellipse = torch.sin(torch.tensor(places) * torch.pi / 24).double()
    torch.testing.assert_close(gap / gap[11], ellipse, atol=1e-5, rtol=0)
    assert 0.6 * height(rest, places)[1] < height(round_, places)[1] < 0.7 * height(rest, places)[1]
    for middle in (12, 36):
        red = [(lips[4, middle, 1] - lips[EDGE, middle, 1]).abs() for lips in (rest, round_)]
        assert 1.1 < red[1] / red[0] < 1.13


def test_teeth_lie_in_the_shade_of_rounded_lips(shut, monkeypatch):
    motion = with_jaw(shut, 0.6, 0.6)
    motion[1, ROUNDING] = 0.8
    brightest = []
    for each in motion:
        frame, window = mouth_of(shut, each[None], monkeypatch)
        brightest.append((window.mean(1, keepdim=True)[frame.opening.coverage > 0.99].max().item() + 1) / 2)
    assert 0.3 < brightest[1] / brightest[0] < 0.75


def test_lips_shade_teeth_alike_however_the_head_is_turned(shut, monkeypatch):
    motion = with_jaw(shut, 0.6, 0.6)
    motion[:, ROUNDING] = 0.5
    motion[1, 65] += 0.5
    lights = []
    for each in motion:
        frame, _ = mouth_of(shut, each[None], monkeypatch)
        lights.append(shut.mouth._shade_of_lips(frame).item())
    assert 0.7 < lights[0] < 0.95
    assert abs(lights[1] - lights[0]) < 0.04


@pytest.mark.parametrize("name", ["smiling", "shut"])
def test_contours_of_pressed_lips_do_not_cross(name, request):
    source = request.getfixturevalue(name)
    motion = with_jaw(source, 0.0)
    motion[:, 4] = 0.8
    lips = source.shape.contours + torch.einsum(
        "m,mprkc->prkc", motion[0, list(DRAWN)], source.shape.directions
    )
    apart = (lips[LIPS, 4] - lips[LIPS, EDGE])[:, 1]
    unpressed = with_jaw(source, 0.0)
    own = source.shape.contours + torch.einsum(
        "m,mprkc->prkc", unpressed[0, list(DRAWN)], source.shape.directions
    )
    own = (own[LIPS, 4] - own[LIPS, EDGE])[:, 1]
    assert (apart * own.sign()).min() > -0.002  # half a pixel where three expressions meet
    assert (apart.abs() < 0.95 * own.abs())[[12, 36]].all()  # and yet they are pressed


def test_both_lips_end_together_however_wide_they_open(smiling, shut):
    for source in (smiling, shut):
        corner = source.shape.directions[JAW, LIPS, EDGE, :, 0]
        for k in (0, POINTS // 2):
            upper, lower = corner[k + 1 if k == 0 else k - 1], corner[(k - 1) % POINTS if k == 0 else k + 1]
            assert (upper - lower).abs() < 0.25 * source.shape.contours[LIPS, EDGE, :, 0].diff().abs().max()


def test_lips_that_the_picture_parts_meet_in_a_dark_line(smiling, monkeypatch):
    motion = with_jaw(smiling, 0.0)
    frame, window = mouth_of(smiling, motion, monkeypatch)
    opening = frame.opening
    middle = (opening.along.abs() < 0.4)[0, 0]
    line = middle & (torch.maximum(-opening.above, -opening.below).clamp_min(0) + opening.height < 1.0)[0, 0]
    lips = middle & ((opening.above < -4) & (opening.above > -8))[0, 0]
    luma = (window[0] * torch.tensor(LUMA)[:, None, None]).sum(0) / 2 + 0.5
    teeth = (smiling.mouth.colours[0].cpu() * torch.tensor(LUMA)).sum()
    assert line.sum() > 5 and luma[line].max() < 0.6 * teeth
    assert luma[line].mean() < luma[lips].mean()


def test_colours_of_own_teeth_have_no_lip_in_them_unless_all_is_border():
    seen = np.zeros((20, 30), np.float32)
    seen[5:15, 5:25] = 1
    seen[5, 5:25] = 0.5  # lip
    inside = _within_border(seen, 1.0)
    assert inside[7:14, 6:24].all() and inside.sum() == 7 * 18
    thin = np.zeros((20, 30), np.float32)
    thin[9:12, 5:25] = 0.8
    assert (_within_border(thin, 1.0) == thin).all()


def test_what_is_beside_a_wider_opening_is_the_edge_and_not_the_other_lip(shut):
    motion = with_jaw(shut, 0.8)
    target, own = shut.shape.contours_in(motion, SIZE), shut.contours
    flow = contour_flows(target[:, :1], own[:, :1], SIZE)[0]
    came_from = flow.window.pixels() + flow.shift.permute(0, 2, 3, 1)
    deep = ((flow.opening.height > 6) & (torch.minimum(flow.opening.above, flow.opening.below) > 2))[:, 0]
    line = own[0, LIPS, EDGE]
    distance = torch.cdist(came_from[deep], line).amin(1)
    assert deep.sum() > 50 and distance.max() < 2.5


def test_teeth_are_no_pinker_than_light_can_be():
    points = np.full((478, 2), 5.0)
    picture = np.full((11, 11, 3), (0.75, 0.5, 0.6), np.float32)
    red, green, blue = white_hue(picture, points)
    assert red > green and green / ((red + blue) / 2) > 0.85
    warm = np.full((11, 11, 3), (0.8, 0.66, 0.4), np.float32)
    np.testing.assert_allclose(white_hue(warm, points), warm[0, 0] / (warm[0, 0] @ LUMA), rtol=1e-5)
