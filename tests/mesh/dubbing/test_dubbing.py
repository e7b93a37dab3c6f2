"""A real clip says something else: the speaker's own way to move, drawn mouths, and what lies in front."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from gohd_core.face.geometry.camera import ALIGNED_SIZE
from gohd_core.mesh.clip import fit_clip
from gohd_core.mesh.contours import edge_gap
from gohd_core.mesh.dubbing.closed_lips import ClosedLips
from gohd_core.mesh.dubbing.covering import _BESIDE_LIPS, _LIPS, POINTS, Covering, spread
from gohd_core.mesh.dubbing.dubbing import GAINS, DubbedFace
from gohd_core.mesh.dubbing.fitted_meshes import STEADY, FittedMeshes, MeshFitting
from gohd_core.mesh.dubbing.own_mouths import OwnMouths, chosen_frames
from gohd_core.mesh.dubbing.speaking_style import styled
from gohd_core.mesh.dubbing.trial import _WANTED, MOST, _tried, try_gains
from gohd_core.mesh.frame import EDGE
from gohd_core.mesh.geometry.shape import JAW
from gohd_core.mesh.reading.fit import into_box
from tests.support.clip_faces import acted
from tests.support.mesh_faces import SIZE, painted_picture

BOX = (0.0, 0.0, float(SIZE))


def speaker(gaps, cover=()) -> tuple[DubbedFace, np.ndarray]:
    """One who opens the mouth so far; frames in `cover` have a dark bar over the chin."""
    meshes = np.stack([acted(gap=float(gap)).numpy() for gap in gaps])
    picture = ((painted_picture(acted())[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
    frames = np.stack([picture.copy() for _ in gaps])
    chin = meshes[0][152, :2].astype(int)
    for k in cover:
        frames[k, chin[1] - 30 : chin[1] + 8, chin[0] - 40 : chin[0] + 40] = (10, 30, 90)
    covering = Covering()
    for frame, mesh in zip(frames, meshes, strict=True):
        covering.add(frame, mesh[POINTS, :2], 100.0)
    face = DubbedFace(FittedMeshes.of(meshes, BOX), BOX, covered=covering.found(25.0))
    for k in face.wanted_frames:
        face.look(k, frames[k])
    face.learn()
    return face, frames


def voice(count: int) -> torch.Tensor:
    values = torch.zeros(count, 64)
    values[:, 0] = 0.5 - 0.5 * torch.cos(torch.arange(count) * 0.9)
    return values


def test_a_clip_in_pieces_has_the_rows_of_all_frames_at_once() -> None:
    meshes = np.stack([acted((0.0, 0.001 * k, 0.0), gap=0.05).numpy() for k in range(0, 600, 60)])
    meshes = np.repeat(meshes, 60, 0) + np.random.default_rng(0).normal(0, 0.5, (600, 1, 3)).astype(
        np.float32
    )
    whole, pieces = FittedMeshes.of(meshes, BOX), MeshFitting(BOX)
    for start in range(0, 600, 16):
        pieces.add(meshes[start : start + 16])
    found = pieces.fitted()
    steady = gaussian_filter1d(meshes, STEADY, axis=0, mode="nearest")
    fitted = fit_clip(into_box(torch.from_numpy(steady), BOX, ALIGNED_SIZE), ALIGNED_SIZE)
    assert torch.equal(found.pose, whole.pose) and torch.equal(found.fixed, whole.fixed)
    assert torch.allclose(found.pose, fitted.pose.float(), atol=1e-5)
    assert torch.allclose(found.points(slice(None)), fitted.points_in_head.float(), atol=1e-4)
    assert torch.equal(found.points(7), found.points(slice(7, 8))[0])


def test_a_jaw_is_slow_and_lips_still_open_by_what_the_voice_says() -> None:
    face, _ = speaker(0.08 * np.abs(np.sin(np.arange(40) / 5)))
    gain = edge_gap(face._directions[:, EDGE])
    said = voice(40)
    said[:, 0] = 0.5 - 0.3 * torch.cos(torch.arange(40) * 0.3) + 0.15 * (-1.0) ** torch.arange(40)
    made = styled(said, face.own, face.gap, gain, 25.0)
    ratio = (made @ gain) / (said[:, 0] * gain[JAW])
    assert torch.allclose(ratio, ratio.median().expand_as(ratio), atol=1e-3)

    def tremble(jaw: torch.Tensor) -> float:
        return float(jaw.diff(n=2).abs().mean() / jaw.std())

    assert tremble(made[:, JAW]) < 0.2 * tremble(said[:, 0])


@pytest.mark.parametrize("share", [0.95, 1.15, 0.5])
def test_lips_open_by_what_a_reader_does_not_see_of_them(share: float) -> None:
    """As far as it goes; who would see more of them opens less."""
    face, _ = speaker(0.08 * np.abs(np.sin(np.arange(40) / 5)))
    said = face.says(voice(40))

    def read(pictures, near):
        meshes = np.stack([acted(gap=share * float(said.gap[k])).numpy() for k in _tried(face, said)])
        meshes[..., :2] += (near - meshes[..., :2])[:, [33, 263]].mean(1, keepdims=True)
        return meshes

    try_gains(face, said, read)
    assert face.gains[1] == pytest.approx(min(GAINS[1] * _WANTED[1] / share, MOST[1]), rel=0.05)
    assert face.gains[0] == MOST[0], "of the width it sees nothing"


def test_what_mouths_show_is_no_other_from_frame_to_frame() -> None:
    """Of mouths that look unlike the one that shows most is kept."""
    lab = cv2.cvtColor(np.float32([[[170, 70, 80]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths, unit = OwnMouths(np.stack([lab, lab])), np.array([1000.0, 1000.0])
    for height in (60, 75, 90):
        picture, contours = mouth_of_stripes(height)
        if height == 75:
            cv2.fillPoly(picture, [contours[1].round().astype(np.int32)], (30, 10, 10))
            picture[190:210, 180:220] = 60
        mouths.add(picture, contours, height / 1000, unit)
    assert len(mouths.pictures) == 3
    mouths.settle()
    assert 0.075 not in mouths.gaps and 0.09 in mouths.gaps


@pytest.mark.parametrize("contrast", [0.15, 0.2])
def test_mouths_of_faded_clips_are_kept_as_well(contrast: float) -> None:
    """In a clip without much contrast teeth are little unlike lips, and lips lie where they lie in others."""
    picture, contours = mouth_of_stripes(90)
    dim = (110 + contrast * (picture.astype(np.float32) - 110)).astype(np.uint8)
    lab = cv2.cvtColor(np.float32(dim[200:201, 20:21]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    kept = []
    for faded in (False, True):
        mouths = OwnMouths(np.stack([lab, lab]), faded)
        mouths.add(dim, contours, 0.09, np.array([1000.0, 1000.0]))
        kept.append(len(mouths.pictures))
    assert kept == [0, 1]
    assert np.abs(mouths.cuts).max() < 0.004


@pytest.mark.parametrize("faded", [False, True])
def test_no_lip_is_taken_for_what_is_between_them(faded: bool) -> None:
    """A dark slit is far from the lips' colour; a lower lip in the light below it is none of the inside."""
    picture, contours = mouth_of_stripes(90)
    cv2.fillPoly(picture, [contours[1].round().astype(np.int32)], (195, 85, 95))
    picture[150:180, 110:290] = (80, 20, 25)
    lab = cv2.cvtColor(np.float32([[[170, 70, 80]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths = OwnMouths(np.stack([lab, lab]), faded)
    mouths.add(picture, contours, 0.09, np.array([1000.0, 1000.0]))
    assert not mouths.pictures


def test_lips_in_a_mouths_corners_are_none_of_its_inside() -> None:
    """Meshes have corners farther out than many a mouth opens; what is shown ends where the lips do."""
    picture, contours = mouth_of_stripes(60)
    picture[:, :150] = picture[:, 260:] = (170, 70, 80)
    lab = cv2.cvtColor(np.float32([[[170, 70, 80]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths, unit = OwnMouths(np.stack([lab, lab])), np.array([1000.0, 1000.0])
    mouths.add(picture, contours, 0.06, unit)
    left, right = mouths.pictures[0].ends
    assert left == pytest.approx(-0.05, abs=0.01) and right == pytest.approx(0.06, abs=0.01)
    pixels = np.stack(np.meshgrid(np.arange(105.0, 296.0), [180.0]), -1)
    seen = mouths.inside(contours[1], 0.06, pixels, unit)[0]
    lips = np.abs(seen - (170, 70, 80)).max(-1) < 40
    assert not lips.any(), "nowhere"
    assert (seen[60:120].mean(-1) > 180).all(), "teeth"
    assert (seen[[0, -1]].mean(-1) < 90).all(), "dark beside teeth that are not stretched so far"


def test_teeth_are_shown_rather_than_a_tongue() -> None:
    """However much farther the mouth with the tongue is open."""
    lab = cv2.cvtColor(np.float32([[[170, 70, 80]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths, unit = OwnMouths(np.stack([lab, lab])), np.array([1000.0, 1000.0])
    for height, gap in ((60, 0.06), (140, 0.14)):
        picture, contours = mouth_of_stripes(height)
        if height == 60:
            picture[170:194, 110:290:12] = (60, 40, 40)
        else:
            cv2.fillPoly(picture, [contours[1].round().astype(np.int32)], (40, 25, 30))
            picture[200:265, 115:285] = (175, 140, 145)
        mouths.add(picture, contours, gap, unit)
    assert len(mouths.pictures) == 2
    mouths.settle()
    assert mouths.gaps == [0.06]


@pytest.mark.parametrize("red", [True, False])
def test_light_on_a_lip_is_no_mouth(red: bool) -> None:
    """It is far from the lips' colour, but as red as they are."""
    picture, contours = mouth_of_stripes(90)
    dark, light = ((90, 25, 30), (215, 105, 110)) if red else ((30, 10, 10), (215, 190, 180))
    cv2.fillPoly(picture, [contours[1].round().astype(np.int32)], dark)
    picture[170:230, 110:290] = light
    lab = cv2.cvtColor(np.float32([[[130, 50, 55]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths = OwnMouths(np.stack([lab, lab]))
    mouths.add(picture, contours, 0.09, np.array([1000.0, 1000.0]))
    assert len(mouths.pictures) == (not red)


@pytest.mark.parametrize("contrast", [1.0, 0.2])
def test_a_clip_has_its_own_mouths_faded_or_not(contrast: float) -> None:
    """What differs little from lips is taken for their inside only where nothing differs more."""
    face, frames = speaker(0.08 * np.abs(np.sin(np.arange(40) / 5)))
    for k in face.wanted_frames:
        lips = face.pixels(face.own_lips.at(k), k)
        teeth = (lips[EDGE] + lips[EDGE].mean(0)) / 2
        for each, colour in ((lips[-1], (170, 70, 80)), (lips[EDGE], (30, 10, 10)), (teeth, (230, 225, 215))):
            cv2.fillPoly(frames[k], [each.round().astype(np.int32)], colour)
        frames[k] = 110 + contrast * (frames[k].astype(np.float32) - 110)
        face.look(k, frames[k])
    face.learn()
    assert len(face.mouths.pictures) and face.mouths.faded == (contrast < 1)


def test_one_row_of_teeth_is_not_torn_in_two() -> None:
    """Lips that open farther than teeth fill show the hollow below all of them."""
    picture, contours = mouth_of_stripes(60)
    picture[170:230, 110:290] = (240 - np.arange(60))[:, None, None]
    lab = cv2.cvtColor(np.float32([[[170, 70, 80]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths, unit = OwnMouths(np.stack([lab, lab])), np.array([1000.0, 1000.0])
    mouths.add(picture, contours, 0.06, unit)
    _, wider = mouth_of_stripes(110)
    pixels = np.stack(np.meshgrid([200.0], np.arange(145.0, 255.0)), -1)
    light = mouths.inside(wider[1], 0.11, pixels, unit)[:, 0].mean(-1)
    assert (light[2:52] > 150).all()
    assert (light[75:] < 150).all(), "down to the lower lip"


def test_teeth_on_the_lips_of_an_open_mouth_give_way_to_shut_lips() -> None:
    angle = np.arange(48) * 2 * np.pi / 48
    shape = np.stack([100 + 60 * np.cos(angle), 60 - 25 * np.sin(angle)], 1)
    line = np.stack([shape[:, 0], np.full(48, 60.0)], 1)
    contours = np.stack([line, line, *(line + k * (shape - line) for k in (0.3, 0.6, 1, 1.5, 1.9))])
    skin = np.full((120, 200, 3), (200, 150, 130), np.uint8)
    lips = cv2.fillPoly(skin.copy(), [shape.round().astype(np.int32)], (160, 70, 80))
    own = lips // 2  # in half the light, with teeth beyond the edge of the lips
    own[62:66, 80:120] = 220
    row, column = np.mgrid[0:120, 0:200].astype(np.float32)
    made = ClosedLips(lips, contours, 250.0).over(own.astype(np.float32), (column, row), 1.0)
    assert np.abs(made[62:66, 82:118] - lips[60, 100] / 2).max() < 30
    assert np.abs(made[:30] - own[:30]).max() < 1


def test_a_mouth_that_the_clip_never_opens_is_drawn() -> None:
    face, frames = speaker(np.zeros(30))
    assert not face.mouths.gaps
    said = face.says(4 * voice(30))
    widest = int(said.gap.argmax())
    made = face.frame(frames[widest], widest, said)
    lips = face.pixels(face.lips(widest, said), widest)
    x, y = lips[EDGE].mean(0).round().astype(int)
    assert said.gap.max() > 0.005
    assert np.abs(made[y - 1 : y + 2, x].astype(int) - frames[widest, y - 1 : y + 2, x]).max() > 20


def mouth_of_stripes(height: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture [400,400,3] with a mouth of 200 x `height` pixels, teeth of 24 pixels below the upper lip and
    16 above the lower one, and its contours [7,48,2]."""
    angle = np.arange(48) * 2 * np.pi / 48
    sine = np.sin(angle)
    edge = np.stack([200 + 100 * np.cos(angle), 200 - height / 2 * np.sign(sine) * np.abs(sine) ** 0.2], 1)
    contours = np.stack([edge, edge, *(200 + (edge - 200) * (1 + 0.25 * k) for k in range(1, 6))])
    picture = np.full((400, 400, 3), (170, 70, 80), np.uint8)
    cv2.fillPoly(picture, [edge.round().astype(np.int32)], (30, 10, 10))
    top, bottom = round(200 - height / 2), round(200 + height / 2)
    picture[top : top + 24, 110:290] = picture[bottom - 16 : bottom, 110:290] = (230, 225, 215)
    return picture, contours


@pytest.mark.parametrize("gap", [60, 80, 110])
def test_teeth_of_the_clips_own_mouths_keep_their_size(gap: int) -> None:
    """However far other lips part, in pictures of any scale; half as large, teeth are half as high. Lips that
    are nearer together than in the picture hide the lower teeth, and a part of the upper ones."""
    picture, contours = mouth_of_stripes(90)
    lab = cv2.cvtColor(np.float32([[[170, 70, 80]]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    mouths = OwnMouths(np.stack([lab, lab]))
    mouths.add(picture, contours, 0.09, np.array([1000.0, 1000.0]))
    assert len(mouths.pictures) == 1
    for scale in (1.0, 0.5):
        _, other = mouth_of_stripes(gap)
        pixels = np.stack(np.meshgrid([200.0], np.arange(200 - gap / 2, 200 + gap / 2)), -1)
        unit = np.array([1000.0, 1000.0]) * scale
        seen = mouths.inside(other[1] * scale, gap / 1000, pixels * scale, unit)
        light = seen[:, 0].mean(-1) > 120
        closer = max(90 - gap, 0)
        assert abs(light[: gap // 2].sum() - (24 - min(0.3 * closer, 10))) <= 3
        assert abs(light[gap // 2 :].sum() - max(16 - closer + min(0.3 * closer, 10), 0)) <= 3


def test_mouths_are_taken_that_are_neither_rounded_nor_turned() -> None:
    gap = np.tile([0.0, 0.05, 0.1, 0.15], 15)
    width, yaw = np.where(np.arange(60) < 28, 0.35, 0.5), np.where(np.arange(60) < 44, 0.4, 0.0)
    yaw[:28] = 0
    chosen = chosen_frames(gap, width, yaw, np.zeros((60, 3)), np.ones(60, bool))
    assert len(chosen) >= 3 and all(frame >= 44 for frame in chosen)


def test_what_lies_before_the_chin_is_found_and_stays() -> None:
    count, cover = 60, range(30, 42)
    face, frames = speaker(0.06 * np.abs(np.sin(np.arange(count) / 4)), cover)
    hidden = face.covered.max(1) > 0.5
    assert hidden[32:40].all() and not hidden[:27].any() and not hidden[45:].any()
    assert not hidden[face.wanted_frames].any()
    said = face.says(voice(count))
    made = face.frame(frames[36], 36, said)
    bar = (frames[36] == (10, 30, 90)).all(-1)
    inner = bar & ~np.roll(~bar, 4, 0) & ~np.roll(~bar, -4, 0)
    assert (made[inner] == frames[36][inner]).all(-1).mean() > 0.97
    clear = face.frame(frames[20], 20, said)
    assert (clear[bar] != frames[20][bar]).any()


@pytest.mark.parametrize("run, found", [(2, False), (10, True)])
def test_a_cover_lasts(run: int, found: bool) -> None:
    places = np.stack(np.meshgrid(np.arange(20, 180, 10), np.arange(20, 180, 10)), -1).reshape(-1, 2)
    places = places[: len(POINTS)].astype(float)
    gathered = Covering()
    for k in range(50):
        image = np.full((200, 200, 3), 150, np.uint8)
        if 20 <= k < 20 + run:
            image[:80] = (30, 60, 30)
        gathered.add(image, places, 100.0)
    cover = gathered.found(25.0)
    assert (cover[24, places[:, 1] < 60].min() > 0.9) == found
    assert cover[:15].max() == 0 and cover[40:].max() == 0


def test_a_hand_of_the_skins_own_colour_hides_the_lips() -> None:
    """No colour is a foreign one, but none lies where it lies in other frames."""
    gathered, rng = Covering(), np.random.default_rng(0)
    skin = 130 + rng.integers(-4, 5, (len(POINTS), 3))
    for k in range(50):
        colours = skin + rng.integers(-1, 2, skin.shape)
        colours[_LIPS, 1] += 9
        gathered.seen.append((np.roll(colours, 40, 0) if 20 <= k < 36 else colours).astype(np.uint8))
    cover = gathered.found(25.0)
    assert cover[22:34].min() > 0.9 and cover[:15].max() == 0 and cover[41:].max() == 0


def test_covered_points_are_spread_to_their_surroundings() -> None:
    places = np.array([[20.0, 20.0], [20.0, 60.0], [70.0, 20.0], [70.0, 60.0]])
    made = spread(np.array([1.0, 0.0, 0.0, 0.0]), places, 100, 200.0)
    assert made[20, 20] > 0.9 and made[60, 70] < 0.05 and made.max() <= 1


@pytest.mark.parametrize("beside", [True, False])
def test_what_changes_beside_the_lips_alone_covers_nothing(beside: bool) -> None:
    gathered = Covering()
    for k in range(50):
        colours = np.full((len(POINTS), 3), 140, np.uint8)
        if 20 <= k < 30:
            colours[_BESIDE_LIPS & ~_LIPS if beside else ~_BESIDE_LIPS] = (60, 150, 90)
        gathered.seen.append(colours)
    cover = gathered.found(25.0)
    assert (cover[25].max() > 0.9) == (not beside)
