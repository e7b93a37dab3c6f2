"""Rendered heads against the camera model: gaze, lids, pose, parts, parsing, determinism."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from gohd_core import parsing_labels as labels
from gohd_core.errors import BadInput, MissingDependency
from gohd_core.stylised.camera import gaze_from_head, project, rotation_matrix
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.motion.stills import random_stills
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.rendering.gpu import create_context, renderer_status
from gohd_core.stylised.rendering.renderer import HeadRenderer, RenderedFrame
from gohd_core.stylised.rendering.sheet import contact_sheet, write_sheet

needs_gl = pytest.mark.usefixtures("graphics")
EYEBALLS = (labels.LEFT_EYE, labels.RIGHT_EYE)
REST = np.zeros(64)


@pytest.fixture(scope="module")
def renderer():
    with HeadRenderer(256) as renderer:
        yield renderer


def expression(**values: float) -> np.ndarray:
    coefficients = np.zeros(64)
    for name, value in values.items():
        coefficients[INDEX[name]] = value
    return coefficients


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    return np.array([pitch, yaw, roll, 0.0, 0.0, 0.0])


def plain_eyed(seed: int, light: tuple[float, float, float]) -> Identity:
    """White irises, small pupils, glints kept off them by the light: only the pupil is dark."""
    person = Identity.random(seed)
    style = replace(
        person.style,
        iris=(1.0, 1.0, 1.0),
        pupil_size=0.3,
        iris_size=0.48,
        light=light,
        glasses="none",
        lashes=0.1,
    )
    return replace(person, style=style)


def pupil_centres(frame: RenderedFrame) -> np.ndarray:
    centres = []
    dark = frame.image.max(-1) < 60
    for label in EYEBALLS:
        rows, columns = np.nonzero(dark & (frame.parsing == label))
        near = np.hypot(columns - np.median(columns), rows - np.median(rows)) < 8
        centres.append([columns[near].mean(), rows[near].mean()])
    return np.array(centres)


@needs_gl
@pytest.mark.parametrize("gaze", [(0.0, 0.0), (0.0, 0.3), (0.0, -0.3), (0.15, 0.1), (-0.15, -0.2)])
@pytest.mark.parametrize("yaw", [0.0, 0.2])
def test_pupils_are_where_the_camera_model_puts_them(renderer, gaze, yaw):
    light = (0.9, 0.0, 0.436) if gaze[0] > 0 else (0.0, 0.9, 0.436)
    person = plain_eyed(5, light)
    seen = gaze_from_head(turned(yaw), np.array(gaze))
    frame = renderer.render(person, expression(eyes_wide=0.5), turned(yaw), seen)
    assert np.abs(pupil_centres(frame) - frame.irises).max() < 1.0


@needs_gl
def test_gaze_moves_irises_by_the_eyeballs_rotation(renderer):
    from gohd_core.stylised.head.template import EYEBALL_RADIUS

    person = Identity.random(1)
    ahead = renderer.render(person, REST, turned(), np.zeros(2))
    left = renderer.render(person, REST, turned(), np.array([0.0, 0.3]))
    up = renderer.render(person, REST, turned(), np.array([0.25, 0.0]))
    centre = renderer.avatar(person).eye_centres
    for frame, direction in (
        (left, (-np.sin(0.3), 0.0, np.cos(0.3))),
        (up, (0.0, np.sin(0.25), np.cos(0.25))),
    ):
        expected = project(centre + EYEBALL_RADIUS * np.array(direction), 256)[:, :2]
        np.testing.assert_allclose(frame.irises, expected, atol=0.01)
    assert (left.irises[:, 0] < ahead.irises[:, 0] - 5).all(), "yaw > 0 looks to the image's left"
    assert (up.irises[:, 1] < ahead.irises[:, 1] - 5).all(), "pitch > 0 looks up"


@needs_gl
def test_blink_hides_both_eyeballs_in_every_identity():
    closed = expression(blink_left=1.0, blink_right=1.0)
    with HeadRenderer(128) as small:
        for seed in range(30):
            yaw = (0.0, 0.4, -0.4)[seed % 3]
            person = Identity.random(seed)
            opened = small.render(person, REST, turned(yaw), np.zeros(2))
            shut = small.render(person, closed, turned(yaw), np.array([0.1, -yaw]))
            before, after = (int(np.isin(f.parsing, EYEBALLS).sum()) for f in (opened, shut))
            assert before > 150 and after <= 1, (seed, before, after)


@needs_gl
def test_blinking_one_eye_leaves_the_other_open(renderer):
    frame = renderer.render(Identity.random(2), expression(blink_left=1.0), turned(), np.zeros(2))
    counts = [int((frame.parsing == label).sum()) for label in EYEBALLS]
    assert counts[0] == 0 and counts[1] > 500
    assert frame.irises[0, 0] > frame.irises[1, 0], "the subject's left eye is at the image's right"


@needs_gl
@pytest.mark.parametrize("seed", range(6))
def test_pose_solved_from_the_landmarks_is_the_pose_of_the_data(renderer, seed):
    from scipy.optimize import least_squares

    person, basis = Identity.random(seed), stylised_basis()
    coefficients, poses, gazes, _ = random_stills(np.random.default_rng(seed), 12)
    points = (
        basis.mean_shape
        + basis.identity_basis @ np.asarray(person.coefficients)
        + basis.expression_basis @ coefficients[-1]
    )[basis.landmark_indices]
    frame = renderer.render(person, coefficients[-1], poses[-1], gazes[-1])

    def residual(pose: np.ndarray) -> np.ndarray:
        posed = points @ rotation_matrix(pose[:3]).T + pose[3:]
        return (project(posed, 256)[:, :2] - frame.landmarks).ravel()

    solved = least_squares(residual, np.zeros(6), xtol=1e-12, ftol=1e-12)
    np.testing.assert_allclose(solved.x, poses[-1], atol=2e-3)
    assert np.abs(residual(poses[-1])).max() < 0.01
    posed = points @ rotation_matrix(poses[-1][:3]).T + poses[-1][3:]
    np.testing.assert_allclose(frame.landmarks_3d, posed, atol=1e-4)


@needs_gl
def test_heads_have_no_holes_and_no_floating_parts():
    from scipy.ndimage import binary_fill_holes, label

    face_classes = [k for k in range(1, 18) if k not in (6, labels.HAIR, 16)]
    with HeadRenderer(160) as small:
        for seed in range(14):
            person = Identity.random(seed)
            # Lashes stand off the lid, so background may show between the two.
            person = replace(person, style=replace(person.style, lashes=0.0))
            for yaw in (0.0, 0.4, -0.78):
                pose = turned(yaw, pitch=0.1, roll=0.1)
                frame = small.render(person, expression(jaw_open=0.5), pose, np.array([0.0, -yaw]))
                face = np.isin(frame.parsing, face_classes)
                holes = binary_fill_holes(face) & (frame.parsing == labels.BACKGROUND)
                assert holes.sum() == 0, (seed, yaw)
                pieces, count = label(frame.parsing != labels.BACKGROUND, np.ones((3, 3)))
                sizes = np.bincount(pieces.ravel())[1:]
                assert count == 1 or np.sort(sizes)[-2] <= 2, (seed, yaw, sizes)


@needs_gl
def test_eyeballs_stay_inside_the_lids(renderer):
    import cv2

    for seed in range(16):
        frame = renderer.render(Identity.random(seed), REST, turned(), np.zeros(2))
        allowed = np.zeros(frame.parsing.shape, np.uint8)
        for eye in (slice(36, 42), slice(42, 48)):
            hull = cv2.convexHull(np.rint(frame.landmarks[eye]).astype(np.int32))
            cv2.fillConvexPoly(allowed, hull, 1)
        # Six landmarks cut the corners off the round lid opening.
        allowed = cv2.dilate(allowed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13)))
        assert not (np.isin(frame.parsing, EYEBALLS) & (allowed == 0)).any(), seed


@needs_gl
def test_parsing_names_the_right_places(renderer):
    person = Identity.random(0)
    person = replace(person, style=replace(person.style, glasses="none", beard="none"))
    frame = renderer.render(person, expression(jaw_open=0.7), turned(), np.zeros(2))

    def centre(label: int) -> np.ndarray:
        rows, columns = np.nonzero(frame.parsing == label)
        assert len(rows) > 10, label
        return np.array([columns.mean(), rows.mean()])

    marks = frame.landmarks
    for label, points in (
        (labels.NOSE, marks[27:36]),
        (labels.UPPER_LIP, marks[[50, 51, 52, 61, 62, 63]]),
        (labels.LOWER_LIP, marks[[56, 57, 58, 65, 66, 67]]),
        (labels.INNER_MOUTH, marks[60:68]),
        (labels.LEFT_EYE, marks[42:48]),
        (labels.RIGHT_EYE, marks[36:42]),
        (labels.LEFT_BROW, marks[22:27]),
        (labels.RIGHT_BROW, marks[17:22]),
    ):
        assert np.hypot(*(centre(label) - points.mean(0))) < 9, label
    assert centre(labels.HAIR)[1] < marks[:, 1].min() + 60
    assert set(np.unique(frame.parsing)) <= set(range(19))
    shut = renderer.render(person, REST, turned(), np.zeros(2))
    assert (shut.parsing == labels.INNER_MOUTH).sum() == 0, "lips are closed at rest"


@needs_gl
def test_landmark_visibility(renderer):
    person = Identity.random(11)
    front = renderer.render(person, REST, turned(), np.zeros(2))
    assert front.visible[27:].all()
    side = renderer.render(person, REST, turned(0.9), np.zeros(2))
    assert not side.visible[14:17].any(), "the far end of the jaw is hidden"
    assert side.visible[:3].all()
    outside = renderer.render(person, REST, np.array([0, 0, 0, 1.0, 0, 0]), np.zeros(2))
    beyond = outside.landmarks[:, 0] > 255.5
    assert beyond.any() and not outside.visible[beyond].any()


@needs_gl
def test_same_input_same_bytes_in_any_order(renderer):
    people = [Identity.random(seed) for seed in (3, 4)]
    gaze = np.array([0.1, 0.1])
    first = [renderer.render(p, expression(jaw_open=0.4), turned(0.2), gaze) for p in people]
    with HeadRenderer(256) as other:
        for k in (1, 0):
            again = other.render(people[k], expression(jaw_open=0.4), turned(0.2), gaze)
            assert np.array_equal(first[k].image, again.image)
            assert np.array_equal(first[k].parsing, again.parsing)
            assert np.array_equal(first[k].landmarks, again.landmarks)


@needs_gl
def test_cache_of_identities_does_not_change_pictures():
    with HeadRenderer(64, cached_identities=1) as small:
        pictures = [small.render(Identity.random(k), REST, turned(), np.zeros(2)).image for k in (0, 1, 2, 0)]
    assert np.array_equal(pictures[0], pictures[3]) and not np.array_equal(pictures[0], pictures[1])


@needs_gl
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((np.full(64, 2.0), np.zeros(6), np.zeros(2)), r"expression\[0\] = 2 is out of range"),
        ((np.zeros(63), np.zeros(6), np.zeros(2)), "expression must have 64 values"),
        ((np.zeros(64), np.full(6, np.nan), np.zeros(2)), "pose holds values that are not finite"),
        ((np.zeros(64), turned(2.0), np.zeros(2)), r"pose\[1\] = 2 is out of range"),
        ((np.zeros(64), np.zeros(6), np.array([0.0, 1.5])), r"gaze\[1\] = 1.5 is out of range"),
    ],
)
def test_out_of_range_coefficients_are_refused(renderer, values, message):
    with pytest.raises(BadInput, match=message):
        renderer.render(Identity.random(0), *values)


def test_bad_sizes_are_refused():
    with pytest.raises(BadInput, match="between 16 and 2048"):
        HeadRenderer(8)


def test_missing_moderngl_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "moderngl", None)
    with pytest.raises(MissingDependency, match="pip install moderngl"):
        create_context()
    rows = renderer_status()
    assert rows[0][:2] == ("moderngl", False) and "pip install moderngl" in rows[0][2]
    assert not rows[1][1]


@needs_gl
def test_contact_sheets(tmp_path):
    import cv2

    write_sheet(tmp_path / "sheet.png", rows=2, columns=3, seed=5, size=48)
    stored = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    assert stored.shape == (96, 144, 3)
    assert np.array_equal(stored, contact_sheet(6, 5, columns=3, size=48))
    with pytest.raises(BadInput, match="at least one head"):
        contact_sheet(0, 0)
