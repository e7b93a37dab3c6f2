import numpy as np
import pytest
import torch

from gohd_core.mesh.closed_lid import FOLD, frames_of_glasses, spread, white_beside
from gohd_core.mesh.drawing import draw
from gohd_core.mesh.frame import EDGE, LEFT_EYE, POINTS, EyeFrame
from gohd_core.mesh.gaze import RADIUS
from gohd_core.mesh.lids import lids_follow_gaze, lower_lids_follow
from tests.support.mesh_faces import astronaut, drawn_parts, painted

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
        on_lid = (frame.opening.above < -0.05 * ball.lid.width) & (
            frame.opening.above > -0.2 * ball.lid.width
        )
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
    kept = frames_of_glasses(darkness, lid, (along, below), width)
    assert kept[21, 5:115].min() > 0.9
    assert kept[28:60].max() < 0.01
