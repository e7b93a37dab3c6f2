import pytest
import torch

from gohd_core.mesh.drawing import draw
from gohd_core.mesh.eyes.eyes import TURN_GAIN
from gohd_core.mesh.frame import LEFT_EYE, EyeFrame
from gohd_core.mesh.reading.gaze import RADIUS
from tests.support.mesh_faces import astronaut, drawn_parts, painted

YAW, PITCH = 70, 71


@pytest.fixture(scope="module")
def source():
    return painted()


def looking(source, yaw=0.0, pitch=0.0):
    motion = source.own.clone()
    motion[:, YAW] += yaw
    motion[:, PITCH] += pitch
    return motion


def eyes_of(source, motion, monkeypatch):
    return [(f, w) for f, w in drawn_parts(source, motion, monkeypatch) if isinstance(f, EyeFrame)]


def iris_middle(frame, window):
    """Mean place [2] of the dark pixels between the lids."""
    dark = ((window.mean(1) < -0.4) & (frame.opening.coverage[:, 0] > 0.99))[0]
    return frame.window.pixels()[0][dark].mean(0)


@pytest.mark.parametrize("make", [painted, astronaut])
def test_own_gaze_shows_own_pixels(make):
    source = make()
    error = draw(source, source.own) - source.face.image
    x, y = source.face.points[[33, 263, 159, 145]].round().long().unbind(-1)
    error = error[:, :, y.min() - 4 : y.max() + 4, x.min() - 4 : x.max() + 4]
    assert 10 * torch.log10(4 / error.square().mean().clamp_min(1e-9)) > 40


@pytest.mark.parametrize("yaw", [-0.3, 0.25])
def test_an_iris_moves_by_the_sine_of_its_gaze(source, yaw, monkeypatch):
    start = [iris_middle(*each) for each in eyes_of(source, looking(source, 0.03), monkeypatch)]
    parts = eyes_of(source, looking(source, yaw), monkeypatch)
    for (frame, window), begin in zip(parts, start, strict=True):
        moved = (iris_middle(frame, window) - begin)[0]
        ball = source.eyes.balls[frame.eye - LEFT_EYE]
        end, begun = (ball.gaze[0] + TURN_GAIN[0] * each for each in (yaw, 0.03))
        expected = -RADIUS * ball.width * source.face.unit * (end.sin() - begun.sin())
        assert abs(float(moved - expected)) < 0.15 * abs(float(expected)) + 0.5


def test_looking_up_moves_irises_up(source, monkeypatch):
    low, high = (
        iris_middle(*eyes_of(source, looking(source, 0.05, pitch), monkeypatch)[0])[1]
        for pitch in (-0.1, 0.15)
    )
    assert high < low - 1


def test_where_an_iris_was_the_eye_is_white(source, monkeypatch):
    frame, window = eyes_of(source, looking(source, 0.45), monkeypatch)[0]
    own = source.face.points[473]
    at = (own - torch.stack([frame.window.x[0], frame.window.y[0]])).round().long()
    bared = window[0, :, at[1] - 1 : at[1] + 2, at[0] + 3 : at[0] + 5]
    assert bared.mean() > 0.2


def test_a_squint_wanes_as_the_gaze_moves():
    source = painted()
    from dataclasses import replace

    ball = source.eyes.balls[0]
    crossed = replace(ball, gaze=ball.gaze + torch.tensor([-0.3, 0.0]))
    eyes = replace(source.eyes, balls=(crossed, source.eyes.balls[1]))
    from gohd_core.mesh.eyes.eyes import eye_gazes

    gaze = torch.stack([each.gaze for each in eyes.balls])[None]
    near, far = eye_gazes(gaze, torch.zeros(1, 2)), eye_gazes(gaze, torch.tensor([[0.5, 0.0]]))
    torch.testing.assert_close(near, gaze)
    apart = far[0, 0, 0] - far[0, 1, 0]
    assert -0.01 <= apart <= 0.07  # both look at one place, or a little towards the nose


def test_a_batch_is_drawn_like_its_frames_alone(source):
    motion = torch.cat([looking(source, y, p) for y, p in ((0, 0), (0.3, 0), (0, -0.2), (-0.2, 0.15))])
    motion[2, 10:12] = 0.6
    alone = torch.cat([draw(source, each[None]) for each in motion])
    torch.testing.assert_close(draw(source, motion), alone, atol=2e-3, rtol=0)


def test_grey_pictures_stay_grey():
    grey = painted(grey=True)
    frames = draw(grey, torch.cat([looking(grey, 0.3), looking(grey, 0, -0.2)]))
    assert (frames.amax(1) - frames.amin(1)).max() < 0.01
