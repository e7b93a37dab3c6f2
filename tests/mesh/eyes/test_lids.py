from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS
from gohd_core.mesh.drawing import draw
from gohd_core.mesh.encoding.glasses import frames_of_glasses
from gohd_core.mesh.eyes.closed_lid import FOLD, closed_lid, spread, white_beside
from gohd_core.mesh.eyes.lash_line import COURSE, LASH_ENDS, LASH_REACH, LashLine, lash_course, lash_texture
from gohd_core.mesh.eyes.lids import lids_follow_gaze, lower_lids_follow
from gohd_core.mesh.frame import EDGE, LEFT_EYE, POINTS, EyeFrame
from gohd_core.mesh.reading.gaze import RADIUS
from gohd_core.mesh.source import mesh_source
from tests.support.mesh_faces import astronaut, drawn_parts, painted, painted_mesh, painted_picture

BLINKS = [10, 11]


def blinking(source, *shares):
    motion = source.own.repeat(len(shares), 1)
    motion[:, BLINKS] = torch.tensor(shares)[:, None]
    return motion


def test_lids_go_with_the_gaze():
    blink = torch.tensor([[0.0, 0.0], [0.0, 0.4], [1.0, 1.0]])
    down, up = (lids_follow_gaze(blink, torch.full((3,), pitch)) for pitch in (-0.2, 0.1))
    assert (down[:2] > blink[:2]).all() and (up[:2] < blink[:2]).all()
    torch.testing.assert_close(down[2], blink[2])  # what is shut stays shut
    torch.testing.assert_close(lids_follow_gaze(blink, torch.zeros(3)), blink)


@pytest.mark.parametrize("pitch", [-0.2, 0.2])
def test_lower_lids_go_with_the_gaze_unless_shut(pitch):
    own = painted().contours[:, LEFT_EYE:]
    moved = lower_lids_follow(own, torch.tensor([pitch]), torch.tensor([[0.0, 1.0]])) - own
    half = POINTS // 2
    width = (own[0, 0, EDGE, 0] - own[0, 0, EDGE, half]).norm()
    middle = moved[0, 0, EDGE, 36, 1] / width  # down
    assert 0.1 < middle / (-RADIUS * torch.tensor(pitch).sin()) < 0.6
    assert moved[0, 0, :, : half + 1].abs().max() < 1e-3  # upper lids
    assert moved[0, 0, FOLD + 1 :].abs().max() < 1e-3  # cheeks
    assert moved[0, 1].abs().max() < 1e-3  # shut


@pytest.mark.parametrize("make", [painted, astronaut])
def test_a_shut_lid_leaves_no_eyeball(make, monkeypatch):
    source = make()
    parts = [p for p in drawn_parts(source, blinking(source, 1.0), monkeypatch) if isinstance(p[0], EyeFrame)]
    for frame, window in parts:
        assert frame.opening.coverage.max() < 0.05
        # In the middle of the lid, where iris and white were, there is skin all over.
        ball = source.eyes.balls[frame.eye - 1]
        above_lashes = frame.opening.above < -0.09 * ball.lid.width
        on_lid = above_lashes & (frame.opening.above > -0.2 * ball.lid.width)
        on_lid &= frame.opening.along.abs() < 0.6
        lid = window.permute(0, 2, 3, 1)[on_lid[:, 0]]
        assert lid.std(0).max() < 0.12


def test_the_painted_lid_has_the_colour_of_skin(monkeypatch):
    source = painted()
    frame, window = next(
        p for p in drawn_parts(source, blinking(source, 1.0), monkeypatch) if isinstance(p[0], EyeFrame)
    )
    ball = source.eyes.balls[frame.eye - 1]
    on_lid = (frame.opening.above < -0.05 * ball.lid.width) & (frame.opening.above > -0.2 * ball.lid.width)
    on_lid &= frame.opening.along.abs() < 0.5
    lid = window.permute(0, 2, 3, 1)[on_lid[:, 0]].mean(0)
    skin = source.face.image[0, :, 10, 10]
    assert (lid - skin).abs().max() < 0.25


def test_lashes_lie_on_the_edge_of_a_shut_lid(monkeypatch):
    source = painted()
    frame, window = next(
        p for p in drawn_parts(source, blinking(source, 1.0), monkeypatch) if isinstance(p[0], EyeFrame)
    )
    luma = window.mean(1, keepdim=True)
    along = frame.opening.along.abs() < 0.5
    edge = luma[along & (frame.opening.above.abs() < 0.7)]
    lid = luma[along & (frame.opening.above < -4) & (frame.opening.above > -7)]
    assert edge.mean() < lid.mean() - 0.1


def test_lids_shut_steadily():
    source = painted()
    frames = draw(source, blinking(source, *torch.linspace(0, 1, 21).tolist()))
    steps = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
    assert steps.max() < 4 * steps.median()


def test_grey_pictures_stay_grey():
    source = painted(grey=True)
    frames = draw(source, blinking(source, 0.4, 0.7, 1.0))
    assert (frames.amax(1) - frames.amin(1)).max() < 0.01


def test_spread_grain_has_its_strength_and_no_pattern_of_the_square():
    grain = np.random.default_rng(0).standard_normal((12, 12)) * 0.1
    noise = spread(grain, (60, 90), 1)
    assert abs(noise.std() / np.sqrt(np.mean(grain**2)) - 1) < 0.2
    assert np.abs(noise - noise[::-1]).mean() > 0.05 and noise.shape == (60, 90)


def test_white_beyond_the_lids_is_told_from_light_that_lies_apart():
    open_ = np.zeros((40, 60), np.float32)
    open_[15:25, 20:40] = 1
    brighter = np.zeros((40, 60, 3), np.float32)
    brighter[18:26, 40:44, 2] = 0.3  # beside the corner
    brighter[5:8, 2:5] = 0.3  # a light elsewhere
    rows, columns = np.mgrid[:40, :60].astype(np.float32)
    along, down = (columns - 30) / 40, (rows - 15) / 40
    white = white_beside(brighter, open_, along, down - 0.25, down)
    assert white[20, 42] == 1 and white[6, 3] == 0 and white[20, 30] == 0


def test_frames_of_glasses_go_on_beyond_the_eye_and_lashes_do_not():
    width, shape = 60, (90, 120)
    y, x = np.mgrid[: shape[0], : shape[1]]
    along, below = (x - 60) / width, (y - 50) / width
    darkness, lid = np.zeros(shape), np.zeros(shape)
    lid[40:50, 35:85] = 1
    darkness[20:23] = 0.5  # a rim, from side to side
    darkness[30:33, 40:80] = 0.5  # lashes
    kept = frames_of_glasses(darkness, 0.5, lid, (along, below), width)
    assert kept[21, 5:115].min() > 0.9
    assert kept[28:60].max() < 0.01


@pytest.mark.parametrize(("top", "left"), [(2, 0), (15, 66)])
def test_lashes_that_touch_thick_frames_are_none_of_them(top, left):
    width, shape = 60, (90, 120)
    y, x = np.mgrid[: shape[0], : shape[1]]
    along, below = (x - 60) / width, (y - 60) / width
    darkness, lid = np.zeros(shape), np.zeros(shape)
    lid[50:60, 35:85] = 1
    darkness[top:26, left:] = 0.5  # a thick rim
    darkness[46:50, 40:80] = 0.5  # lashes
    darkness[25:48, 76:80] = 0.5  # of which one touches the rim
    kept = frames_of_glasses(darkness, 0.5, lid, (along, below), width)
    assert kept[top + 2 : 22, left + 5 : 115].min() > 0.9
    assert kept[49:60].max() < 0.1


def test_shades_paler_than_the_bridge_of_glasses_are_no_frames():
    width, shape = 60, (90, 120)
    y, x = np.mgrid[: shape[0], : shape[1]]
    along, below = (x - 60) / width, (y - 50) / width
    darkness = np.zeros(shape)
    darkness[23:29] = 0.4  # the lid's shade, which touches the rim
    darkness[20:23] = 0.8
    kept, pale = (
        frames_of_glasses(darkness, bridge, np.zeros(shape), (along, below), width) for bridge in (0.9, 0.5)
    )
    assert kept[21, 5:115].min() > 0.9 and kept[26:].max() < 0.1
    assert pale[25, 5:115].min() > 0.9  # a rim that is no darker itself


ENDS = np.arange(0.2, 0.75, 0.03)


def lashes(depth=0.0, strength=1.0, thickness=0.04):
    beyond = ENDS > 0.5
    course = np.stack([ENDS, beyond * depth, np.where(beyond, strength, 1.0)], -1)
    return LashLine(np.zeros(3, np.float32), 0.2, thickness, course)


def test_a_lash_line_goes_from_corner_to_corner_and_on_where_there_is_a_wing():
    texture, winged = (lash_texture(lashes(-0.1, share), 1, 100, 0.5)[..., 0] for share in (0.0, 1.0))
    rows, columns = texture.shape
    middle, x = rows // 2, (np.arange(columns) + 0.5) * (2 * LASH_ENDS / columns) - LASH_ENDS
    assert texture[middle - 1 : middle + 1][:, np.abs(x) < 0.6].min() > 0.6
    assert texture[:, np.abs(x) > 1.1].max() < 0.02
    tip = winged[:, np.abs(x - 1.2).argmin()]
    assert tip.max() > 0.3
    height = (tip.argmax() + 0.5) / rows * 2 - 1
    assert abs(height * LASH_REACH + 0.1) < 0.02
    mirrored = lash_texture(lashes(-0.1), -1, 100, 0.5)[..., 0]
    np.testing.assert_allclose(mirrored, winged[:, ::-1], atol=1e-5)


def test_the_line_where_lids_meet_is_broader_than_its_lashes():
    texture = lash_texture(lashes(), 1, 100, 0.5)
    line, shadow = texture[:, texture.shape[1] // 2].T
    met = 1 - (1 - line) * (1 - shadow)
    alone, broad = ((each > each.max() / 2).mean() * 2 * LASH_REACH for each in (line, met))
    assert alone < 0.07 < broad < 0.16, (alone, broad)


def test_lids_cast_a_shadow_where_they_meet_and_not_before(monkeypatch):
    source = painted()
    lid = source.eyes.balls[0].lid
    plain = replace(lid, lash=lid.lash * torch.tensor([1.0, 0.0])[:, None, None])
    for share, least, most in ((0.35, 0.0, 1e-6), (1.0, 0.2, 1.0)):
        frame = next(
            part
            for part, _ in drawn_parts(source, blinking(source, share), monkeypatch)
            if isinstance(part, EyeFrame) and part.eye == LEFT_EYE
        )
        darker = plain.lashes(frame.skin, frame) - lid.lashes(frame.skin, frame)
        assert least <= darker.max() <= most and darker.min() >= -1e-6


def test_a_lash_line_runs_into_its_wing_without_going_up_to_the_corner():
    outwards, down = np.meshgrid(np.linspace(0, 0.9, 91), np.linspace(-0.3, 0.3, 61))
    edge = np.interp(COURSE, [0.35, 0.5], [0.10, 0.0])  # of a lower lid, up to the corner
    wing = ((outwards > 0.48) & (np.abs(down - 0.07) < 0.03)).astype(np.float32)
    place, depth, strength = lash_course(wing, (outwards, down), edge).T
    line = (edge + depth)[(place > 0.3) & (strength > 0.3)]
    assert place[strength > 0.3].max() > 0.65
    assert np.diff(line).max() <= 0  # it never turns down again


def shut(picture, contours, width, bridge=0.0):
    return closed_lid(picture, contours, width, 1, np.array([0.8, 0.62, 0.52]), bridge)


def left_eye(light):
    """A painted face's left eye in skin of some light [h,w]: its window, contours in that, and width."""
    mesh = painted_mesh()
    source = mesh_source(painted_picture(mesh), mesh, None)
    contours = source.contours[0, LEFT_EYE].numpy()
    x, y = (contours.reshape(-1, 2).min(0) - 12).astype(int)
    right, bottom = (contours.reshape(-1, 2).max(0) + 12).astype(int)
    picture = source.face.image[0].movedim(0, -1).numpy()[y:bottom, x:right] / 2 + 0.5
    contours = contours - (x, y)
    width = float(np.linalg.norm(contours[EDGE, 0] - contours[EDGE, POINTS // 2]))
    return (picture * light(picture.shape[:2])[..., None]).astype(np.float32), contours, width


def test_a_shut_lid_is_lit_as_the_skin_around_it():
    def slope(shape):
        return np.broadcast_to(np.linspace(0.6, 1.1, shape[1]), shape)

    picture, contours, width = left_eye(slope)
    painted_lid, maps, _ = shut(picture, contours, width)
    skin = np.array([0.80, 0.62, 0.52]) * slope(picture.shape[:2])[..., None]
    inside = maps[..., 0] > 0.9
    ratio = (painted_lid / skin)[inside]
    # but for the shading of what bulges over the eyeball
    assert abs(ratio.mean() - 1) < 0.05 and ratio.min() > 0.8 and ratio.max() < 1.15
    # No edge around it: where it is half painted it is nearly what was there.
    border = (maps[..., 0] > 0.2) & (maps[..., 0] < 0.8)
    above = border & (np.arange(len(picture))[:, None] < contours[EDGE, :, 1].min())
    assert above.sum() > 20
    assert np.abs(painted_lid - picture)[above].max() < 0.09


def test_a_shut_lid_has_no_seam_in_skin_of_another_hue_around_it():
    picture, contours, width = left_eye(np.ones)
    eye = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(eye, [np.round(contours[EDGE]).astype(np.int32)], 1)
    away = cv2.distanceTransform(1 - eye, cv2.DIST_L2, 5) / width
    red = np.clip((0.45 - away) / 0.1, 0, 1)[..., None]  # make-up
    picture = (picture * (1 - red * np.array([0.1, 0.55, 0.55]) * (eye == 0)[..., None])).astype(np.float32)
    painted_lid, maps, _ = shut(picture, contours, width)
    border = (maps[..., 0] > 0.2) & (maps[..., 0] < 0.8)
    above = border & (np.arange(len(picture))[:, None] < contours[EDGE, :, 1].min())
    assert above.sum() > 20
    assert np.abs(painted_lid - picture)[above].mean() < 0.05


def test_a_shut_lid_is_no_brighter_than_a_shaded_temple():
    def temple(shape):
        return np.where(np.arange(shape[1]) > 0.68 * shape[1], 0.2, 1.0) * np.ones(shape)

    picture, contours, width = left_eye(temple)
    painted_lid, maps, _ = shut(picture, contours, width)
    corner = contours[EDGE, 0, 0]
    assert corner > 0.68 * picture.shape[1] + 0.05 * width
    beside = (np.arange(picture.shape[1]) > corner - 0.03 * width) & (maps[..., 0] > 0.5)
    assert beside.sum() > 5
    assert (painted_lid.mean(-1)[beside] / 0.65).mean() < 0.6


def test_skin_above_a_rim_of_glasses_is_none_of_the_lid():
    rim = []

    def split(shape):
        rows = np.arange(shape[0])[:, None] * np.ones(shape)
        rim.append(0.3 * shape[0])
        light = np.where(rows < rim[0], 1.0, 0.5)
        return np.where(np.abs(rows - rim[0]) < 1.5, 0.1, light)

    picture, contours, width = left_eye(split)
    assert rim[0] < contours[EDGE, :, 1].min() - 0.05 * width
    assert rim[0] > contours[FOLD + 2, :, 1].min() + 0.1 * width
    eye = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(eye, [np.round(contours[EDGE]).astype(np.int32)], 1)
    light = [shut(picture, contours, width, bridge)[0][eye > 0].mean() / 0.65 for bridge in (0.0, 0.9)]
    assert abs(light[1] - 0.5) < 0.03 < abs(light[0] - 0.5), light


@pytest.mark.parametrize(("shade_of_lid", "least", "most"), [(0.8, 0.75, 0.92), (0.55, 0.5, 0.85)])
def test_what_is_painted_on_a_lid_goes_down_with_it(shade_of_lid, least, most):
    mesh = painted_mesh()
    plain, shade, lash = (
        painted_picture(mesh),
        np.ones((256, 256), np.float32),
        np.ones((256, 256), np.float32),
    )
    points = mesh[:, :2].numpy()
    for eye, fold, _ in (LEFT_LIDS, RIGHT_LIDS):
        upper = [eye.left, *eye.upper[::-1], eye.right]
        band = points[[fold.right, *fold.upper, fold.left, *upper]]
        cv2.fillPoly(shade, [np.round(band * 16).astype(np.int32)], shade_of_lid, cv2.LINE_AA, 4)
        cv2.polylines(lash, [np.round(points[upper] * 16).astype(np.int32)], False, 0.2, 2, cv2.LINE_AA, 4)
    x, y = mesh[[386, 374], :2].mean(0).round().int().tolist()  # between the lids
    light = []
    for made_up in (lash, shade * lash):
        source = mesh_source((plain + 1) * torch.from_numpy(made_up) - 1, mesh, None)
        frame = draw(source, blinking(source, 1.0))[0] / 2 + 0.5
        light.append(frame[:, y - 1 : y + 2, x - 6 : x + 7].mean())
    assert least < light[1] / light[0] < most


def test_a_lid_goes_with_its_edge_while_it_shuts(monkeypatch):
    source = painted()
    found = {}
    for share in (0.55, 1.0):
        parts = drawn_parts(source, blinking(source, share), monkeypatch)
        frame, window = next(p for p in parts if isinstance(p[0], EyeFrame))
        width = source.eyes.balls[frame.eye - 1].lid.width
        near = (frame.opening.above / width < -0.14) & (frame.opening.above / width > -0.20)
        found[share] = window.mean(1, keepdim=True)[near & (frame.opening.along.abs() < 0.4)].mean()
    assert abs(found[0.55] - found[1.0]) < 0.04
