"""The mesh animator: frames of a portrait, and the steps that make them."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gohd_core.animator.geometry.push_pull import push_pull_inpaint
from gohd_core.errors import BadInput, Interrupted
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh import drawing, sampling
from gohd_core.mesh.animator import MeshAnimator
from gohd_core.mesh.encoding.inpaint import inpaint_background
from gohd_core.mesh.encoding.matte import refined, split
from gohd_core.mesh.frame import EDGE, LIPS
from gohd_core.mesh.geometry import head
from gohd_core.mesh.geometry.contour_warp import contour_flows
from gohd_core.mesh.geometry.flow_inverse import inverse_flow, inverse_flow_plain
from gohd_core.mesh.reading.columns import DRAWN
from gohd_core.mesh.reading.gaze import from_head, into_head
from gohd_core.mesh.source import MeshSource, mesh_source
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.stylised.camera import gaze_in_head
from tests.support import mesh_faces as faces

SIZE = faces.SIZE


@functools.cache
def portrait() -> MeshSource:
    return faces.astronaut()


@functools.cache
def matted() -> MeshSource:
    """The astronaut before a wall: an ellipse around head and shoulders is the person."""
    face = portrait().face
    line = torch.linspace(-1, 1, SIZE)
    mask = ((line[None] / 0.75) ** 2 + ((line[:, None] - 0.25) / 1.05) ** 2 < 1).float()
    mesh = torch.cat([face.points, -face.points_in_head[:, 2:] * face.unit], 1)
    return mesh_source(face.image, mesh, mask[None, None])


def moved(source: MeshSource, **values: float) -> torch.Tensor:
    """The portrait's own descriptor with some columns changed by so much."""
    columns = dict(jaw=0, press=4, blink_left=10, blink_right=11, pitch=64, yaw=65, roll=66, look=70, up=71)
    descriptor = source.own.clone()
    for name, value in values.items():
        descriptor[0, columns[name]] += value
    return descriptor


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    return 10 * math.log10(4 / max((one - other).square().mean().item(), 1e-12))


def motion(descriptors: torch.Tensor, space: str = "stylised") -> Motion:
    """From descriptors [T,72] in the network's order."""
    parts = descriptors[:, :64], descriptors[:, 64:70], descriptors[:, 70:].flip(1)
    expression, pose, gaze = (kind(x, space) for kind, x in zip((Expression, Pose, Gaze), parts, strict=True))
    return Motion(pose=pose, expression=expression, gaze=gaze)


@pytest.mark.parametrize("made", [portrait, matted])
def test_a_portrait_at_its_own_motion_is_the_picture(made):
    source = made()
    frame = MeshAnimator().decode(source, source.own)
    assert frame.shape == (1, 3, SIZE, SIZE)
    assert psnr(frame, source.face.image) > 60


def test_turning_the_head_moves_the_face_as_its_geometry_says():
    source = portrait()
    target = moved(source, yaw=0.15, roll=0.08)
    flow = source.warp.flow(target).skin
    nose = source.face.points_in_head[[1, 4, 6, 50, 280, 9]]
    camera = Camera.of_size(SIZE)
    there, here = (camera.pixels(transform(nose, each[0, 64:70])) for each in (target, source.own))
    assert (there - here).norm(dim=-1).min() > 3
    found = there + sampling.flow_at(flow, there[None], SIZE)[0]
    assert (found - here).norm(dim=-1).max() < 1.5


def test_flows_are_inverted_where_pictures_are_stretched_and_where_they_are_compressed():
    side, size = 128, 512
    line = (torch.arange(side) + 0.5) / side
    bump = torch.exp(-(((line - 0.5) / 0.12) ** 2))
    slopes = 40 * (bump[1:] - bump[:-1]) * side / size
    assert slopes.max() > 0.5 and slopes.min() < -0.5
    shift = torch.stack([40 * bump.expand(side, side), -15 * bump[:, None].expand(side, side)])[None]
    flow = inverse_flow(shift, size)
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1) * size - 0.5
    came_from = at + flow[0].permute(1, 2, 0)
    back = came_from + sampling.flow_at(shift, came_from[None], size)[0]
    assert (back - at).norm(dim=-1)[8:-8, 8:-8].max() < 1.0


def test_the_fast_inverse_is_the_plain_one(monkeypatch):
    source = portrait()
    shifts = []
    monkeypatch.setattr(
        head, "inverse_flow", lambda shift, size: shifts.append(shift) or inverse_flow(shift, size)
    )
    targets = torch.cat([moved(source, yaw=0.1, roll=0.05), moved(source, pitch=-0.1)])
    targets[:, 0] = torch.tensor([0.5, 0.0])
    with torch.inference_mode():
        source.warp.flow(targets)
        fast, plain = (invert(shifts[0], SIZE) for invert in (inverse_flow, inverse_flow_plain))
        line = (torch.arange(plain.shape[-1]) + 0.5) / plain.shape[-1] * SIZE - 0.5
        came_from = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1) + plain.permute(0, 2, 3, 1)
        missed = plain.permute(0, 2, 3, 1) + sampling.flow_at(shifts[0], came_from, SIZE)
    assert shifts[0].abs().max() > 5
    error = (fast - plain).abs().amax(1)
    assert error.mean() < 5e-4
    # Where the picture folds, and right beside, Newton's method does not come to an end.
    folds = F.max_pool2d(missed.abs().amax(-1), 5, 1, 2) > 0.01
    assert folds.float().mean() < 0.01 and error[~folds].max() < 0.02


def test_nothing_flows_at_the_portraits_own_motion():
    for source in (portrait(), matted()):
        flow = source.warp.flow(source.own)
        assert max(each.abs().max() for each in (flow.skin, flow.held_back)) < 1e-3
        assert flow.rigid.abs().max() < 5e-3  # of points that were averaged before they are projected


def test_held_sides_that_the_person_crosses_stay():
    source = portrait()
    frame = MeshAnimator().decode(source, moved(source, yaw=0.2, roll=0.1))
    change = (frame - source.face.image).abs().amax(1)[0]
    assert torch.cat([change[0], change[-1], change[:, 0], change[:, -1]]).max() < 0.1
    assert change.max() > 0.5


def test_a_head_that_fills_its_picture_moves_all_the_way_and_bares_half_of_that():
    face, line = portrait().face, torch.arange(SIZE)
    mesh = torch.cat([face.points, -face.points_in_head[:, 2:] * face.unit], 1)
    mask = ((line > 0.1 * SIZE) & (line < 0.9 * SIZE)).float().expand(1, 1, SIZE, SIZE)
    free, held = (mesh_source(face.image, mesh, mask, (side,) * 4) for side in (False, True))
    down = free.own.clone()
    down[:, 68] -= 0.15
    whole = 0.15 * free.face.unit
    nose = (free.face.points[1] / SIZE * 128).long()
    for source, at_side in ((free, 0.5), (held, 0.0)):
        rows = -source.warp.flow(down).skin[0, 1, :, nose[0]]
        assert abs(rows[nose[1]] / whole - 1) < 0.1
        assert abs(rows[0] / whole - at_side) < 0.12


def test_shoulders_and_eyes_stay_while_the_mouth_moves():
    source = matted()
    own, flow = source.face, source.warp.flow(moved(source, jaw=0.6)).skin[0].norm(dim=0)
    chin, eyes = own.points[152, 1], own.points[[33, 133, 263, 362], 1].mean()
    rows = (torch.arange(len(flow)) + 0.5) * SIZE / len(flow)
    assert flow[rows < eyes].max() < 0.02 and flow[-1, [0, -1]].max() < 0.02
    assert flow[(rows > eyes) & (rows < chin)].max() > 2


def test_walls_do_not_show_things_twice():
    noise = torch.Generator().manual_seed(0)
    plain = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    grain = plain + 0.01 * torch.randn(SIZE, SIZE, 1, generator=noise).numpy()
    striped = plain + 0.3 * np.sign(np.sin(np.arange(SIZE) * 0.8)).astype(np.float32)[:, None, None]
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[60:200, 80:180] = True
    ring = np.zeros_like(hidden)
    ring[75:185, 92:96] = True  # 12 pixels deep
    for wall, least, most in ((grain, 0.005, 0.012), (striped, 0.0, 0.06)):
        filled = inpaint_background(wall, hidden)
        seen = cv2.dilate(hidden.astype(np.uint8), np.ones((9, 9))) == 0
        assert np.array_equal(filled[seen], wall[seen])
        assert least <= (filled - cv2.GaussianBlur(filled, (0, 0), 8))[ring].std() <= most


def test_a_wall_behind_a_matte_stays_while_the_head_turns():
    source = matted()
    frame = MeshAnimator().decode(source, moved(source, yaw=0.12))
    start = sampling.margin(SIZE)
    wall = source.texture[::2, ::2, 3][start:-start, start:-start] == 0
    far = -F.max_pool2d(-wall.float()[None, None], 61, 1, 30)[0, 0] > 0
    assert far.sum() > 200
    assert (frame - source.face.image)[0, :, far].abs().max() < 1e-5


def test_layers_add_up_to_the_picture():
    image = portrait().face.image
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 40:, 60:200] = 1
    layers = split(image, mask)
    whole = layers.person + layers.fringe + (1 - layers.alpha) * layers.background
    assert (whole - image).abs().max() < 1e-5
    assert layers.alpha[0, 0, 128, 130] == 1 and layers.alpha[0, 0, 10, 10] == 0


def test_what_hangs_beside_the_head_in_its_colour_is_the_persons_and_the_wall_beside_it_is_not():
    rgb = np.full((128, 128, 3), (0.2, 0.5, 0.3), np.float32)
    rgb += np.random.default_rng(0).normal(0, 0.01, rgb.shape).astype(np.float32)
    rgb[20:100, 40:80] = rgb[50:80, 84:92] = (0.15, 0.1, 0.1)  # a head, and a plait beside it
    mask = np.zeros((128, 128), np.float32)
    mask[20:100, 40:80] = 1
    mask[44:86, 80:98] = 0.3  # the network knows of something there
    alpha = refined(rgb, mask)
    assert alpha[56:74, 86:90].min() > 0.9
    assert alpha[56:74, 95:].max() < 0.05


def test_lips_part_by_what_is_commanded():
    source = faces.painted()
    gaps = []
    for jaw in (0.0, 0.3, 0.6, 1.0):
        descriptor = moved(source, jaw=jaw)
        target = source.shape.contours_in(descriptor, SIZE)
        base = source.shape.contours_in(source.own, SIZE)
        opening = contour_flows(target, base, SIZE)[LIPS].opening
        middle = opening.coverage[0, 0].sum(0).max().item()
        commanded = (target[0, LIPS, EDGE, 36] - target[0, LIPS, EDGE, 12])[1].item()
        gaps.append((commanded, middle))
    commanded, seen = np.array(gaps).T
    assert commanded[0] < 0.2 and commanded[-1] > 15
    assert np.polyfit(commanded, seen, 1)[0] == pytest.approx(1, abs=0.03)


def test_lids_shut_at_a_whole_blink():
    source = portrait()
    target = source.shape.contours_in(moved(source, blink_left=1.0, blink_right=1.0), SIZE)
    flows = contour_flows(target, source.shape.contours_in(source.own, SIZE), SIZE)
    assert max(flow.opening.coverage.max() for flow in flows[1:]) < 0.05


def test_skin_outside_the_edges_flows_to_its_own_contour():
    source = faces.painted()
    target = source.shape.contours_in(moved(source, jaw=0.5), SIZE)
    base = source.shape.contours_in(source.own, SIZE)
    flow = contour_flows(target, base, SIZE)[LIPS]
    for contour in (2, 3, 4):
        for point in (10, 12, 15, 33, 36, 40):
            at = target[0, LIPS, contour, point]
            x, y = (at - torch.stack([flow.window.x[0], flow.window.y[0]])).round().long()
            expected = (base - target)[0, LIPS, contour, point]
            assert (flow.shift[0, :, y, x] - expected).norm() < 1.2, (contour, point)


def test_frames_do_not_depend_on_the_batch():
    source = matted()
    commands = [dict(jaw=0.4, yaw=0.1), dict(blink_left=1.0, blink_right=0.5), dict(look=0.3, roll=-0.1)]
    descriptors = torch.cat([moved(source, **each) for each in commands])
    together = drawing.draw(source, descriptors)
    for k, each in enumerate(descriptors.split(1)):
        # In a batch windows are as large as the largest one; sums are in another order.
        assert (drawing.draw(source, each)[0] - together[k]).abs().max() < 5e-3
    descriptors = torch.cat([descriptors, descriptors.flip(0)])
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        side_by_side = MeshAnimator().decode(source, descriptors)
        torch.set_num_threads(1)
        assert torch.equal(side_by_side, MeshAnimator().decode(source, descriptors))
    finally:
        torch.set_num_threads(threads)


def test_sampling_is_exact_at_pixels_and_as_fast_as_plain():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 4, 40, 40, generator=generator) * 2 - 1
    texture = sampling.doubled(image)
    assert texture.shape == (79, 79, 4)
    line = 2 * torch.arange(40, dtype=torch.float32)
    texels = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None]
    assert torch.allclose(sampling.sample(texture, texels), image, atol=1e-6)
    at = torch.rand(2, 33, 21, 2, generator=generator) * 120 - 20
    # OpenCV rounds places to 1/32 of a texel.
    for reflected in (True, False):
        fast, plain = (f(texture, at, reflected=reflected) for f in (sampling.sample, sampling.sample_plain))
        assert (fast - plain).abs().max() < 0.08 and (fast - plain).abs().mean() < 0.01
    beyond = 2 * torch.tensor([[[-9.0, 7.0], [52.0, 7.0], [7.0, -9.0], [7.0, 52.0]]])[None]
    found = sampling.sample(texture, beyond, reflected=False)[0, :, 0]
    assert torch.equal(
        found, torch.stack([image[0, :, 7, 0], image[0, :, 7, -1], image[0, :, 0, 7], image[0, :, -1, 7]], 1)
    )


def test_a_picture_is_doubled_as_it_is_defined():
    image = torch.rand(1, 4, 40, 40, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(sampling.doubled(image), sampling.doubled_plain(image), atol=1e-5)


def test_sampling_between_pixels_keeps_smooth_pictures_and_their_sharpness():
    line = torch.arange(64) / 64
    wave = torch.sin(line * 2 * math.pi * 4)[None, None, None].expand(1, 1, 64, 64)
    half = sampling.doubled(wave)[::2, 1::2, 0]
    expected = torch.sin((line[:-1] + 0.5 / 64) * 2 * math.pi * 4).expand(64, -1)
    assert (half - expected)[:, 6:-6].abs().max() < 0.03


def test_push_pull_keeps_what_is_known_and_fills_the_rest_with_its_range():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 23, 37, generator=generator)
    known = (torch.rand(1, 1, 23, 37, generator=generator) > 0.8).float()
    filled = push_pull_inpaint(image * known - 9 * (1 - known), known)
    assert torch.allclose(filled * known, image * known, atol=1e-5)
    assert filled.min() > -0.01 and filled.max() < 1.01


def test_gaze_goes_into_the_head_as_in_the_stylised_world_and_back():
    pose = torch.tensor([[0.2, -0.3, 0.1, 0, 0, 0], [-0.1, 0.4, 0.2, 0, 0, 0]])
    gaze = torch.tensor([[0.2, 0.1], [-0.3, -0.2]])
    found = into_head(pose, gaze)
    expected = gaze_in_head(pose.numpy(), gaze.flip(1).numpy())[:, ::-1]
    assert np.allclose(found.numpy(), expected, atol=1e-5)
    assert torch.allclose(from_head(pose, found), gaze, atol=1e-5)


def test_strength_scales_what_the_motion_differs_by():
    source, animator = portrait(), MeshAnimator()
    target = moved(source, jaw=0.6, yaw=0.1)
    still = animator.decode(source, target, strength=0.0)
    assert psnr(still, source.face.image) > 60
    half = animator.decode(source, target, strength=0.5)
    assert psnr(half, animator.decode(source, (target + source.own) / 2)) > 55


def test_motion_counts_from_a_reference_that_was_read_otherwise():
    source, animator = portrait(), MeshAnimator()
    reference = source.own + 0.05
    counted = replace(source, reference=reference)
    assert psnr(animator.decode(counted, reference), source.face.image) > 60


def test_a_clip_comes_in_batches_with_progress_and_stops_when_asked():
    source, animator = portrait(), MeshAnimator()
    descriptors = torch.cat([moved(source, jaw=0.1 * k) for k in range(5)])
    seen: list[tuple[int, int]] = []
    clip = list(
        animator.animate(source, motion(descriptors), batch_size=2, progress=lambda *x: seen.append(x))
    )
    assert [len(each) for each in clip] == [2, 2, 1] and seen == [(2, 5), (4, 5), (5, 5)]
    alone = torch.cat(list(animator.animate(source, motion(descriptors), batch_size=5)))
    assert torch.equal(torch.cat(clip), alone)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)  # drawn ahead, by several cores
        side_by_side = list(animator.animate(source, motion(descriptors), batch_size=2))
    finally:
        torch.set_num_threads(threads)
    assert [len(each) for each in side_by_side] == [2, 2, 1]
    assert torch.equal(torch.cat(side_by_side), alone)
    with pytest.raises(Interrupted, match="after 0 of 5"):
        next(animator.animate(source, motion(descriptors), should_stop=lambda: True))


def test_bad_input_is_told_in_a_sentence():
    source, animator = portrait(), MeshAnimator()
    mesh = torch.zeros(478, 3)
    with pytest.raises(BadInput, match="steps of 64"):
        animator.encode_source(torch.zeros(1, 3, 250, 250), mesh=mesh)
    with pytest.raises(BadInput, match="square RGB"):
        animator.encode_source(torch.zeros(2, 3, 256, 256), mesh=mesh)
    with pytest.raises(BadInput, match=r"lie in \[-1, 1\]"):
        animator.encode_source(torch.full((1, 3, 256, 256), 2.0), mesh=mesh)
    with pytest.raises(BadInput, match="face mesh"):
        animator.encode_source(torch.zeros(1, 3, 256, 256), mesh=mesh[:468])
    with pytest.raises(BadInput, match="coefficient space"):
        animator.check_motion(motion(source.own, "bfm09"))
    with pytest.raises(BadInput, match="Descriptors"):
        animator.decode(source, torch.zeros(3, 64))
    with pytest.raises(BadInput, match="batch size"):
        animator.animate(source, motion(source.own), batch_size=0)


def test_own_expression_is_that_of_the_drawn_columns():
    source = portrait()
    assert torch.equal(source.own[0, list(DRAWN)], source.shape.own)
    assert source.face.jaw == source.shape.jaw > 0  # she smiles with parted lips
    assert faces.painted().face.jaw == 0
