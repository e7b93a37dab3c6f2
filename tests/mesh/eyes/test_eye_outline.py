import numpy as np
import pytest

from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS
from gohd_core.mesh.eyes.eye_outline import limbus, with_lower_lids

SIZE = 96


def disc(middle, radius, inner=0.2, outer=0.8):
    """A dark disc with a soft edge, and a darker pupil, on white."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    away = np.hypot(columns - middle[0], rows - middle[1])
    picture = inner + (outer - inner) * np.clip((away - radius) / 2 + 0.5, 0, 1)
    return np.where(away < 0.4 * radius, 0.05, picture).astype(np.float32)


@pytest.mark.parametrize(
    ("middle", "radius"), [((48.0, 48.0), 18.0), ((51.0, 46.0), 20.0), ((46.0, 48.0), 24.0)]
)
def test_a_limbus_is_found_where_the_picture_has_it(middle, radius):
    between = np.zeros((SIZE, SIZE), np.float32)
    between[36:62] = 1  # lids hide its upper and lower end
    found, size = limbus(disc(middle, radius), between, np.array([48.0, 48.0]), 18.0)
    assert np.abs(found - middle).max() < 1.6 and abs(size - radius) < 1.2


def test_where_no_limbus_is_seen_the_mesh_is_believed():
    plain, middle = np.full((SIZE, SIZE), 0.5, np.float32), np.array([48.0, 48.0])
    for between in (np.ones((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)):
        found, size = limbus(plain, between, middle, 18.0)
        assert (found == middle).all() and size == 18.0


def eyes(reach):
    """A picture of skin with two white eyes whose lower ends lie `reach` of their width below the mesh's."""
    picture = np.full((200, 300, 3), (0.7, 0.5, 0.4), np.float32)
    points = np.zeros((478, 2))
    for (edge, fold, _), x in zip((LEFT_LIDS, RIGHT_LIDS), (200, 80), strict=True):
        for loop, height in ((edge, 10), (fold, 25)):
            points[loop.right], points[loop.left] = (x + 30, 100), (x - 30, 100)
            for half, sign in ((loop.upper, -1), (loop.lower, 1)):
                ways = np.linspace(30, -30, len(half) + 2)[1:-1] * -sign * -1
                points[list(half)] = np.stack([x + ways, np.full(len(half), 100 + sign * height)], -1)
        picture[88 : 110 + round(60 * reach), x - 30 : x + 31] = 0.95
    return picture, points


@pytest.mark.parametrize("reach", [0.0, 0.06])
def test_lower_lids_go_as_far_as_the_eyeball(reach):
    picture, points = eyes(reach)
    moved = with_lower_lids(picture, points) - points
    for edge, _, _ in (LEFT_LIDS, RIGHT_LIDS):
        assert np.abs(moved[list(edge.lower), 1] - 60 * reach).max() < 1.3
        assert not moved[list(edge.upper)].any()


def test_faint_lids_stay_where_they_are():
    picture, points = eyes(0.06)
    assert (with_lower_lids(0.5 + 0.1 * (picture - 0.5), points) == points).all()
