"""Clips in a mirror: every field agrees with the mirrored picture, and trainers can draw from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gohd_core.clips import Clip, save_clip
from gohd_core.errors import BadInput
from gohd_core.stylised.ground_truth.face_tracks import face_tracks
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.person.identity import Identity
from gohd_core.training.animator.examples import AnimatorDraw, PairShares, RegionWeights, stored_flow
from gohd_core.training.animator.flip_augmentation import MirroredClip, maybe_mirrored
from tests.support import tiny_stills


@pytest.fixture
def clip(tmp_path) -> Clip:
    folder = tiny_stills.write(tmp_path, clips=1)
    return Clip(next((folder / "train").glob("*.safetensors")))


def talking(path: Path, space: str = "stylised", size: int = 64) -> Clip:
    """A clip of a lopsided face that turns and looks about, with its true landmarks; pictures are empty."""
    rng = np.random.default_rng(3)
    expression = np.zeros((6, 64), np.float32)
    for name in ("smile_left", "blink_right", "brow_outer_up_left", "jaw_open", "mouth_shift"):
        expression[:, INDEX[name]] = rng.random(6)
    pose = rng.normal(0, 0.2, (6, 6)).astype(np.float32)
    gaze = rng.normal(0, 0.2, (6, 2)).astype(np.float32)
    identity = Identity.random(5)
    tracks = face_tracks(identity, expression, pose, gaze, size)
    arrays = {"expression": expression, "pose": pose, "gaze": gaze, "landmarks": tracks["landmarks"]}
    arrays |= {"identity": np.asarray(identity.coefficients, np.float32)}
    arrays |= {"frames": np.zeros((6, size, size, 3), np.uint8), "irises": tracks["irises"]}
    save_clip(path, arrays, {"space": space, "fps": 25})
    return Clip(path)


def test_mirrored_coefficients_make_the_mirrored_landmarks(tmp_path):
    plain = talking(tmp_path / "a.safetensors")
    mirrored = MirroredClip(plain.path)
    rows = [mirrored.read(name) for name in ("expression", "pose", "gaze")]
    made = face_tracks(Identity.random(5), *rows, 64)["landmarks"]
    # A few landmarks of the lips lie on vertices whose counterparts are a little elsewhere.
    gap = np.abs(made - mirrored.read("landmarks"))
    assert np.median(gap[:, :48]) < 0.02 and gap[:, :48].max() < 0.2 and gap.max() < 1
    assert np.abs(made - plain.read("landmarks")).max() > 5
    assert np.allclose(mirrored.read("gaze"), plain.read("gaze") * [1, -1])


def test_a_mirror_shows_the_same_after_two_turns(clip):
    mirrored = MirroredClip(clip.path)
    for name in ("expression", "pose", "gaze", "frames", "landmarks", "triangle", "vertices"):
        once = mirrored.read(name)
        assert np.allclose(mirrored._mirrored(name, once), clip.read(name), atol=1e-5)
        assert np.array_equal(once[[2, 5]], mirrored.read_at(name, [2, 5]))


def test_its_flow_is_the_mirrored_flow(clip):
    flow, visible, parsing = stored_flow(clip, 0, 7, 32)
    seen = stored_flow(MirroredClip(clip.path), 0, 7, 32)
    assert np.abs(flow).max() > 1
    assert np.allclose(seen[0], flow[:, ::-1] * [-1, 1], atol=1e-3)
    assert np.array_equal(seen[1], visible[:, ::-1]) and np.array_equal(seen[2], parsing[:, ::-1])


def test_trainers_draw_a_share_of_their_examples_from_it(clip):
    draw = AnimatorDraw(32, 32, True, 1.0, 1.0, 0.0, PairShares(), RegionWeights(), mirror_share=1.0)
    for seed in range(5):
        rng = [np.random.default_rng(seed) for _ in range(2)]
        example = draw(clip, rng[0])
        rng[1].random()  # whether it is mirrored
        straight = replace(draw, mirror_share=0.0)(clip, rng[1])
        assert np.array_equal(example["target"], straight["target"][:, :, ::-1])
    draws = [maybe_mirrored(clip, 0.5, np.random.default_rng(seed)) for seed in range(40)]
    assert {type(one) for one in draws} == {Clip, MirroredClip}


def test_clips_without_mirror_image_are_refused(tmp_path):
    measured = talking(tmp_path / "b.safetensors", space="bfm09")
    with pytest.raises(BadInput, match="mirror_share=0"):
        MirroredClip(measured.path).read("expression")
    with pytest.raises(BadInput, match="irises"):
        MirroredClip(talking(tmp_path / "c.safetensors").path).read("irises")
