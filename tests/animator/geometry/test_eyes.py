"""Eyeballs as balls: geometry as the renderer's, drawn where the gaze turns them, read off a portrait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gohd_core.animator.geometry.contour_warp import ProjectedContours
from gohd_core.animator.geometry.eye_encoder import EyeEncoder
from gohd_core.animator.geometry.eye_textures import (
    EXTENTS,
    IRIS,
    TEXTURE,
    place_eyes,
    project_to_texture,
    unwrap_texture,
)
from gohd_core.animator.geometry.eyes import Eyeballs, EyesInFrame, eyes_in_frame
from gohd_core.animator.geometry.face_parts import FaceParts, agreement
from gohd_core.animator.geometry.window import Window
from gohd_core.constants import STYLISED
from gohd_core.face.geometry.camera import Camera
from gohd_core.models import Models
from gohd_core.motion import Motion
from gohd_core.stylised.camera import gaze_direction, project
from gohd_core.stylised.ground_truth.stored_heads import eye_place
from gohd_core.stylised.head.template import EYEBALL_RADIUS
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.identity import Identity
from tests.support.small_animators import BUILTIN, animator, image, motion, windows

SIZE = 256
ASSETS = Path(__file__).parents[3] / "assets"
WITH_PARTS = replace(BUILTIN, face_parts=True)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return Avatar(Identity.random(7))


def random_motion(count: int, seed: int = 0) -> torch.Tensor:
    """Head poses and gazes, horizontal first, of moderate size."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 8, generator=generator) * torch.tensor([0.15] * 3 + [0.05] * 3 + [0.2] * 2)


def described(rows: torch.Tensor) -> torch.Tensor:
    """Descriptors [B,72] with these looks and no expression."""
    return torch.nn.functional.pad(rows, (64, 0))


def posed(avatar: Avatar, look: torch.Tensor):
    """The renderer's own frame."""
    row = look.double().numpy()
    return avatar.frame(np.zeros(64), row[:6], row[[7, 6]])


def test_irises_and_centres_are_where_the_renderer_has_them(avatar):
    rows = random_motion(6)
    eyes = place_eyes(torch.from_numpy(avatar.eye_centres[:1]), described(rows))
    for k, row in enumerate(rows):
        frame = posed(avatar, row)
        irises = torch.from_numpy(project(frame.to_world(frame.irises), SIZE)[:, :2]).float()
        at = irises[None, :, :, None, None]
        places, met = project_to_texture(
            replace(eyes, centres=eyes.centres[k, None], axes=eyes.axes[k, None]),
            at[:, :, 0],
            at[:, :, 1],
            SIZE,
        )
        assert torch.allclose(
            eyes.centres[k], torch.from_numpy(frame.to_world(avatar.eye_centres)), atol=1e-5
        )
        assert torch.allclose(places[0, IRIS, :, 0, 0], torch.tensor([0.0, 0.0, 1.0]), atol=1e-3)
        assert met.min() == 1


def test_a_ball_ends_at_its_outline():
    eyes = place_eyes(torch.tensor([[0.28, 0.02, 0.38]]), torch.zeros(1, 72))
    row, column = (x.expand(1, 2, -1, -1) for x in torch.meshgrid(*[torch.arange(SIZE)] * 2, indexing="ij"))
    _, met = project_to_texture(eyes, column, row, SIZE)
    middle = project(eyes.centres[0].double().numpy(), SIZE)
    radius = EYEBALL_RADIUS * 1015 / 224 * SIZE / middle[:, 2]
    for k in range(2):
        away = np.hypot(column[0, k] - middle[k, 0], row[0, k] - middle[k, 1])
        assert met[0, k][away < radius[k] * 0.97].min() > 0.9
        assert met[0, k][away > radius[k] * 1.005].max() == 0
        assert away[met[0, k] == 0].min() > 0.9 * radius[k]


def test_unwrapping_follows_the_chart():
    # A picture whose colours are its coordinates.
    line = torch.arange(SIZE) / SIZE
    picture = torch.stack(torch.meshgrid(line, line, indexing="ij"))[None].expand(2, -1, -1, -1)
    rows = random_motion(2)
    eyes = place_eyes(torch.tensor([[0.28, 0.02, 0.38]]), described(rows))
    for kind in range(3):
        chart, locate = unwrap_texture(picture, eyes, kind)
        row, column = (chart * SIZE).unbind(2)
        places, met = project_to_texture(eyes, column, row, SIZE)
        middles = ((torch.arange(TEXTURE) * 2 + 1) / TEXTURE - 1) * EXTENTS[kind]
        good = (locate[:, :, 0] > 0) & (met == 1)
        assert good.float().mean() > 0.5
        across = (places[:, kind, ..., 0] - middles).abs()
        down = (places[:, kind, ..., 1] + middles[:, None]).abs()
        assert across[good].max() < 0.02 and down[good].max() < 0.02


def eyeballs(batch: int = 1) -> Eyeballs:
    """White balls with a black iris of radius .3 and no highlight."""
    line = ((torch.arange(TEXTURE) * 2 + 1) / TEXTURE - 1) * EXTENTS[IRIS]
    within = (line[:, None] ** 2 + line**2) < 0.3**2
    iris = torch.full((batch, 4, TEXTURE, TEXTURE), -1.0)
    iris[:, 3] = within * 8.0 - 4
    whites = torch.ones(batch, 2, 4, TEXTURE, TEXTURE)
    place = torch.tensor([[0.28, 0.02, 0.38]]).expand(batch, -1)
    return Eyeballs(place, torch.full_like(whites, -4.0), whites, iris)


def contours(rows: torch.Tensor, opening: float = 1.0) -> ProjectedContours:
    """Windows around mouth and eyes of heads with these looks, open that far all over."""
    eyes = place_eyes(eyeballs().place, described(rows))
    middle = torch.cat([torch.tensor([128.0, 182.0]).expand(len(rows), 1, 2), projected(eyes.centres)], 1)
    window = Window.around(middle, 80, SIZE)
    full = torch.ones(window.row.shape)
    return ProjectedContours(window, full * opening, torch.zeros(len(rows), 2, *full.shape[1:]), full)


def projected(points: torch.Tensor) -> torch.Tensor:
    return Camera.of_size(SIZE).pixels(points)


def in_frame(rows: torch.Tensor, batch: int = 1, trust: float = 1.0) -> EyesInFrame:
    """Those in frames with these looks."""
    return eyes_in_frame(eyeballs(batch), described(rows), torch.full((1,), trust), SIZE)


def test_an_iris_is_drawn_where_the_gaze_turns_it():
    # Not so far that lids, which are not there, would cut it.
    for row in random_motion(5, seed=1) * 0.4:
        frame = in_frame(row[None]).composite_over(
            torch.zeros(1, 3, SIZE, SIZE), torch.ones(1, 1, SIZE, SIZE)
        )
        gaze = gaze_direction(row[[7, 6]].double().numpy())
        eyes = place_eyes(eyeballs().place, described(row[None]))
        # An iris's edge is a circle, whose middle lies inside the ball.
        middle = EYEBALL_RADIUS * (1 - 0.3**2) ** 0.5 * gaze
        wanted = project(eyes.centres[0].double().numpy() + middle, SIZE)
        for x, y, _ in wanted:
            near = frame[0, 0, int(y) - 14 : int(y) + 15, int(x) - 14 : int(x) + 15] < -0.5
            down, across = np.nonzero(near.numpy())
            assert abs(across.mean() + int(x) - 14 - x) < 1 and abs(down.mean() + int(y) - 14 - y) < 1


def test_nothing_is_drawn_where_lids_hide_it_or_elsewhere():
    under = torch.rand(2, 3, SIZE, SIZE)
    rows = random_motion(2)
    hidden = torch.zeros(2, 1, SIZE, SIZE)
    eyes = in_frame(rows, batch=2)
    assert torch.equal(eyes.composite_over(under, hidden), under)
    drawn = eyes.composite_over(under, hidden + 1)
    changed = (drawn != under).any(1)
    assert 0.01 < changed.float().mean() < 0.08
    half = eyes.composite_over(under, hidden + 0.5)
    assert torch.allclose(half, (drawn + under) / 2, atol=1e-5)


def test_frames_of_a_batch_are_those_drawn_alone():
    under, share, rows = torch.rand(3, 3, SIZE, SIZE), torch.rand(3, 1, SIZE, SIZE), random_motion(3)
    together = in_frame(rows).composite_over(under, share)
    for k in range(3):
        alone = in_frame(rows[k, None]).composite_over(under[k, None], share[k, None])
        assert torch.allclose(alone, together[k, None], atol=1e-5)


def test_a_reader_begins_with_the_mean_head_and_its_gradient_reaches_all_of_it():
    torch.manual_seed(0)
    reader = EyeEncoder()
    picture = image(SIZE, batch=2)
    found = reader(picture, torch.ones(2, 1, SIZE, SIZE), torch.zeros(2, 72))
    assert torch.allclose(found.place, torch.tensor([0.28, 0.017, 0.38]), atol=0.05)
    rows = random_motion(2)
    eyes = eyes_in_frame(found, described(rows), torch.ones(1), SIZE)
    drawn = eyes.composite_over(picture, torch.ones(2, 1, SIZE, SIZE))
    (drawn.square().sum() + found.place.sum()).backward()
    untouched = [n for n, p in reader.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched


def trusting(model, picture: torch.Tensor):
    """A source whose parts are drawn, whatever its random planes are taken to show."""
    source = model.encode_source(picture, motion(1, STYLISED))
    with torch.inference_mode():
        eyes = model.network.eyes(picture, torch.ones(len(picture), 1, 64, 64), source.descriptor)
        shape = model.network.shape(picture, source.descriptor)
    return replace(source, parts=FaceParts(shape, eyes, torch.ones(len(picture))))


def test_a_compiled_form_pads_the_last_batch_with_its_eyes():
    plain, compiled = animator(WITH_PARTS), animator(WITH_PARTS).compile(4, backend="eager")
    for count in (1, 5):  # one portrait for all frames, and one for each
        source = trusting(plain, image(64, batch=count))
        magnitudes = plain.magnitudes(plain.encode_source(image(64), motion(1, STYLISED)), windows(5))
        frames = compiled.decode(source, magnitudes)
        assert torch.allclose(frames, plain.decode(source, magnitudes), atol=1e-5)
        without = plain.decode(replace(source, parts=None), magnitudes)
        assert (frames - without).abs().max() > 0.01


def test_eyes_of_the_shipped_portraits_are_drawn_and_those_of_a_grey_wall_are_not():
    models = Models.load()
    for path in sorted((ASSETS / "portraits").glob("[0-9]*.jpg"))[::6]:
        picture = np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE)))
        found, gaze = models.extractor.extract([picture]), models.gaze_estimator.estimate([picture])
        own = Motion(pose=found.pose, expression=found.expression, gaze=gaze)
        pixels = torch.tensor(picture).permute(2, 0, 1)[None] / 127.5 - 1
        assert models.animator.encode_source(pixels, own).parts is not None, path.name
        assert models.animator.encode_source(pixels * 0, own).parts is None


def test_an_animator_draws_eyes_by_pose_and_gaze_alike_in_any_batch():
    model = animator(WITH_PARTS)
    source = trusting(model, image(64))
    magnitudes = model.magnitudes(source, windows(5))
    assert magnitudes.shape == (5, WITH_PARTS.n_directions + 72)
    told, still = (model.network.descriptors(source, magnitudes, strength) for strength in (1.0, 0.0))
    assert torch.allclose(told, windows(5)[:, :, 13], atol=1e-6)
    assert torch.allclose(still, source.descriptor, atol=1e-6)
    whole = model.decode(source, magnitudes)
    singles = torch.cat([model.decode(source, row) for row in magnitudes.split(1)])
    assert torch.allclose(whole, singles, atol=1e-4)
    turned_away = magnitudes.clone()
    turned_away[:, -2:] += 0.5
    assert (model.decode(source, turned_away) - whole).abs().max() > 0.01


def test_eyes_of_a_stored_head_are_found(avatar):
    rows = random_motion(3, seed=2)
    scale = {"xy": 64, "depth": 2000}
    vertices = []
    for row in rows:
        frame = posed(avatar, row)
        points = project(avatar.to_world(frame), SIZE)
        vertices.append(np.round(points * [64, 64, 2000]).astype(np.int16))
    arrays = {"vertices": np.stack(vertices), "pose": rows[:, :6].numpy(), "gaze": rows[:, [7, 6]].numpy()}
    clip = SimpleNamespace(
        read=lambda name, start, stop: arrays[name][start:stop],
        shapes={"frames": (3, SIZE, SIZE, 3)},
        info={"vertex_scale": scale},
    )
    for k in range(3):
        assert np.abs(eye_place(clip, k) - avatar.eye_centres[0]).max() < 2e-3


def test_eyes_that_the_portrait_does_not_show_are_not_drawn():
    rows = random_motion(1) * 0.3
    placed = contours(rows, opening=0.8)
    nothing = torch.zeros(1, 1, SIZE, SIZE)
    eyes = placed.window[1:]
    only_there = eyes.write(nothing, torch.full_like(eyes.read(nothing), 0.8))
    assert agreement(placed, only_there) > 0.95
    assert agreement(placed, only_there.roll(75, 2)) < 0.2
    assert agreement(placed, nothing) == 0
    under = torch.rand(1, 3, SIZE, SIZE)
    assert torch.equal(in_frame(rows, trust=0.0).composite_over(under, torch.ones(1, 1, SIZE, SIZE)), under)
