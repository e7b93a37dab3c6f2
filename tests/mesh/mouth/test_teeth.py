import numpy as np
import pytest
import torch

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.frame import EDGE, LIPS, POINTS
from gohd_core.mesh.mouth.teeth import LOWER, REACH, UPPER, Arches, draw_rows
from tests.support.mesh_faces import SIZE, painted


@pytest.fixture(scope="module")
def arches() -> Arches:
    return Arches.of(painted().face.closed[LIPS])


@pytest.mark.parametrize("pose", [[0.0] * 6, [0.1, 0.25, -0.1, 0.1, -0.05, 0.3]])
def test_points_of_the_upper_arch_are_found_where_the_camera_sees_them(arches, pose):
    pose = torch.tensor([pose])
    share = torch.linspace(-0.9, 0.9, 7)
    x = share * arches.half[UPPER]
    bend = 0.62 / arches.half[UPPER]
    height = torch.linspace(arches.bottom[UPPER].item(), arches.top[UPPER].item(), 7)
    points = arches.middle[UPPER] + torch.stack([x, height, -bend * x.square()], -1)
    pixels = Camera.of_size(SIZE).pixels(transform(points, pose))
    found = arches.places(pose, torch.zeros(1), pixels[:, None], SIZE)[0, UPPER, 0]
    slope = 2 * bend
    steps = torch.linspace(0, 1, 2001, dtype=torch.float64)

    def length(to: float) -> float:  # of the parabola, summed up in small steps
        at = steps * to
        return float(torch.trapezoid((1 + (slope * at).square()).sqrt(), at))

    along = torch.tensor([length(float(v)) / length(float(arches.half[UPPER])) for v in x])
    down = 2 * (arches.top[UPPER] - height) / (arches.top[UPPER] - arches.bottom[UPPER]) - 1
    assert (found[:, 0] - along).abs().max() < 0.03
    assert (found[:, 1] - down).abs().max() < 1e-3


def test_only_the_lower_row_goes_down_with_the_jaw(arches):
    column = torch.full((1, 40, 1), SIZE / 2)
    row = torch.arange(130.0, 170.0).view(1, 40, 1)
    pixels = torch.stack([column, row], -1)
    shut, open_ = (arches.places(torch.zeros(1, 6), torch.tensor([v]), pixels, SIZE)[0] for v in (0.0, 1.0))
    torch.testing.assert_close(shut[UPPER], open_[UPPER])
    # A pixel that showed the tip of a lower tooth shows what is far above it once the jaw is down.
    assert (open_[LOWER, ..., 1] < shut[LOWER, ..., 1] - 1).all()


def test_rows_end_and_have_gaps():
    rows = draw_rows(384, 0.0, 0.6)
    assert rows.shape == (2, 3, 96, 384)
    assert (rows[:, 1, :, :8] == 0).all() and (rows[:, 1, :, -8:] == 0).all()
    bright, opacity, gum = rows[UPPER]
    middle = bright[50, 150:234]
    assert opacity[50, 192] > 0.99 and gum[50, 192] < 0.01
    assert middle.max() - middle.min() > 0.05  # not one white band
    assert opacity[-1].max() == 0 and gum[2, 192] > 0.9


def test_teeth_are_as_wide_as_peoples(arches):
    lips = painted().face.closed[LIPS, EDGE]
    mouth = (lips[0, 0] - lips[POINTS // 2, 0]).item()
    slope = 2 * 0.62  # of the parabola at its end
    length = 1.18 * float(arches.half[UPPER])  # of half of it
    assert (1 + slope**2 / 6) / (1 + slope**2 / 24) == pytest.approx(1.18, abs=0.01)
    bright = draw_rows(1536, 0.0, 0.0)[UPPER, 0]
    row = bright[bright.shape[0] // 2]
    dark = (row[1:-1] < row[:-2]) & (row[1:-1] <= row[2:]) & (row[1:-1] < 0.87)
    gaps = np.sort(np.abs((dark.nonzero()[0] + 1.5) / 768 - 1)) * REACH * length
    front, beside = gaps[1:3].mean(), gaps[3:5].mean()
    # Of mouths of 48 mm: incisors of 8.5 and 6.5 mm.
    assert front / mouth == pytest.approx(8.5 / 48, abs=0.02)
    assert (beside - front) / mouth == pytest.approx(6.5 / 48, abs=0.02)


def test_blurred_pictures_get_blurred_teeth():
    sharp, soft = (draw_rows(192, sigma, 0.6)[UPPER, 0] for sigma in (0.0, 3.0))
    assert np.abs(np.diff(soft, axis=1)).max() < 0.6 * np.abs(np.diff(sharp, axis=1)).max()


def test_teeth_of_portraits_differ_a_little():
    one, other = (draw_rows(192, 1.0, 0.6, phase) for phase in (0.0, 2.0))
    apart = abs(one - other)[:, :2]
    assert 0.002 < apart.mean() < 0.05


def test_only_the_lower_row_goes_aside_with_the_jaw(arches):
    row = torch.full((1, 1, 40), SIZE * 0.6)
    pixels = torch.stack([torch.linspace(90, 160, 40)[None, None], row], -1)
    still, left = (
        arches.places(torch.zeros(1, 6), torch.zeros(1), pixels, SIZE, torch.tensor([aside]))[0]
        for aside in (0.0, 1.0)
    )
    assert torch.equal(still[UPPER], left[UPPER])
    # The subject's left is the picture's right: there lie the teeth that were further to the left.
    assert (left[LOWER, ..., 0] < still[LOWER, ..., 0] - 0.1).all()
