"""Several faces of one picture: each talks by its own voice, the others listen, and no seam is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.conversation import converse, face_of, paste_masks, speakers_among
from gohd_core.errors import BadInput
from gohd_core.mesh.builtin import BuiltinAnimator
from gohd_core.mesh.portrait import own_motion
from gohd_core.models import Models
from gohd_core.motion.idle import MOUTH
from gohd_core.motion.listening import SIDEWAYS, direction, listening
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.talk_options import TalkOptions
from tests.support import tiny
from tests.support.mesh_faces import SIZE, painted_mesh, painted_pair

RATE, SECONDS = 16_000, 5.0
FRAMES = round(SECONDS * 25)
LIPS = [INDEX[name] for name in MOUTH]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Models:
    made = Models.load(tiny.write_family(tmp_path_factory.mktemp("models")))
    return replace(made, animator=BuiltinAnimator(made.animator))


def voice(start: float, end: float) -> tuple[np.ndarray, int]:
    time = np.arange(round(SECONDS * RATE)) / RATE
    hum = 0.3 * np.sin(2 * np.pi * 150 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    return (hum * ((time >= start) & (time < end))).astype(np.float32)[None], RATE


@pytest.fixture(scope="module")
def talked(models):
    return converse(painted_pair(), [voice(0, 2.2), voice(2.8, 5)], models, TalkOptions(steps=2, seed=3))


def test_listeners_shut_their_mouths_and_look_at_the_speaker(talked) -> None:
    (left, right), _ = talked
    assert len(left) == len(right) == FRAMES
    for listener, frames, sign in ((right, slice(12, 50), 1), (left, slice(88, 120), -1)):
        assert listener.expression.values[frames, LIPS].abs().max() < 1e-6
        yaw = sign * listener.gaze.values[frames, 1]
        assert yaw.max() == pytest.approx(SIDEWAYS, abs=0.02), "positive gaze looks to the picture's left"
        assert (yaw > 0.4).float().mean() > 0.5
        turned = listener.pose.values[frames, 1] - listener.pose.values[0, 1]
        assert sign * turned.mean() < 0, "the nose follows the eyes"


def test_speakers_move_their_lips(talked) -> None:
    (left, right), _ = talked
    speaks, listens = slice(5, 50), slice(90, 120)
    assert left.expression.values[speaks, LIPS].std(0).max() > 1e-4
    assert left.expression.values[listens, LIPS].std(0).max() < 1e-6
    assert right.expression.values[90:120, LIPS].std(0).max() > 1e-4


def test_each_face_has_a_seed_of_its_own(models, talked) -> None:
    same, _ = converse(painted_pair(), [voice(0, 2.2), voice(2.8, 5)], models, TalkOptions(steps=2, seed=3))
    for one, other in zip(talked[0], same, strict=True):
        assert torch.equal(one.descriptors(), other.descriptors())
    alike, _ = converse(painted_pair(), [voice(0, 2.2)] * 2, models, TalkOptions(steps=2, seed=3))
    assert not torch.equal(alike[0].pose.values, alike[1].pose.values)


def test_frames_come_one_by_one_and_leave_the_rest_of_the_picture(models, monkeypatch) -> None:
    drawn = []
    from gohd_core.mesh.animator import MeshAnimator

    decode = MeshAnimator.decode
    monkeypatch.setattr(
        MeshAnimator, "decode", lambda self, *given: drawn.append(len(given[1])) or decode(self, *given)
    )
    portraits = painted_pair(apart=300)
    short = [(sound[:, : RATE * 2], RATE) for sound, _ in (voice(0, 2), voice(0, 2))]
    _, frames = converse(portraits, short, models, TalkOptions(steps=2, batch_size=2))
    assert not drawn, "nothing is drawn before it is asked for"
    first = next(iter(frames))
    assert first.shape[1:] == (3, SIZE, SIZE + 300) and sum(drawn) <= 2 * 16
    between = slice(SIZE + 4, 296)
    picture = portraits[0].frame.permute(2, 0, 1) * 2 - 1
    assert torch.equal(first[0][..., between], picture[..., between])


def test_overlapping_crops_share_pixels_without_a_seam() -> None:
    portraits = painted_pair()
    masks = paste_masks(portraits)
    from gohd_core.render.paste_mask import paste_mask

    first, second = (mask * paste_mask(each) for mask, each in zip(masks, portraits, strict=True))
    weights = torch.stack([first * (1 - second), second])  # as pasted over one another
    assert (weights.sum(0) <= 1 + 1e-5).all() and weights.min() >= 0
    middle = (portraits[1].box[0] + SIZE) // 2
    assert weights[0, 128, : middle - 30].min() > 0.97 or weights[0, 128, 30 : middle - 30].min() > 0.97
    assert weights[1, 128, middle + 30 : -30].min() > 0.97
    assert weights[:, 128, middle].tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    assert weights.diff(dim=2).abs().max() < 0.2, "soft borders"


def test_two_faces_that_stay_as_they_are_give_the_picture(models) -> None:
    from gohd_core.conversation import _draw_faces

    portraits = painted_pair()
    motions = [portrait.motion for portrait in portraits]
    (frame,) = torch.cat(list(_draw_faces(portraits, motions, models, TalkOptions(), None, None)))
    picture = portraits[0].frame.permute(2, 0, 1) * 2 - 1
    assert (frame - picture).abs().mean() < 2e-3


def test_a_face_without_a_voice_listens_all_the_time(models) -> None:
    motions, _ = converse(painted_pair(), [None, voice(0, 5)], models, TalkOptions(steps=2))
    assert motions[0].expression.values[:, LIPS].abs().max() == 0
    assert motions[0].pose.values.std(0).max() > 1e-3 and len(motions[0]) == FRAMES


def test_the_largest_faces_speak_from_left_to_right() -> None:
    left, right = painted_pair(apart=300)
    small = replace(right, mesh=right.mesh * torch.tensor([1.0, 0.5, 0.5]))
    first, second = (np.zeros((1, 5)), 8000), (np.ones((1, 5)), 8000)
    assert face_of(small)[2] < face_of(left)[2]
    assert speakers_among([small, left, right], [first, second]) == [None, first, second]
    with pytest.raises(BadInput, match="3 voices and 2 faces"):
        speakers_among([left, right], [first] * 3)


def test_directions_are_those_of_the_picture() -> None:
    here, there = torch.tensor([100.0, 100.0, 80.0]), torch.tensor([300.0, 60.0, 80.0])
    pitch, yaw = direction(here, there, 500.0)
    assert yaw == pytest.approx(-SIDEWAYS) and 0 < pitch < 0.21, "to the picture's right, and up"
    back = direction(there, here, 500.0)
    assert back == pytest.approx((-pitch, -yaw))
    near = direction(here, torch.tensor([130.0, 100.0, 300.0]), 500.0)
    assert abs(near[1]) < abs(yaw), "who stands before it is nearly ahead"


def test_nods_are_small_and_only_while_listening() -> None:
    own = own_motion(painted_mesh(), SIZE)
    still = own.fitted(500)
    towards = torch.tensor([[0.0, 0.3]]).expand(500, 2).clone()
    towards[:250] = torch.nan
    made = listening(still, own, torch.ones(500), towards, seed=1)
    nod = made.pose.values[:, 0] - still.pose.values[:, 0]
    assert not nod[:250].any() and 0.01 < nod.max() < 0.06 and nod.min() > -1e-6
    assert nod.diff().abs().max() < 0.02


@pytest.mark.parametrize(
    ("portraits", "voices", "said"),
    [(2, 1, "2 faces and 1 voices"), (0, 0, "0 faces"), (2, None, "Nobody speaks")],
)
def test_bad_input_is_named(models, portraits, voices, said) -> None:
    given = [None] * portraits if voices is None else [voice(0, 1)] * voices
    with pytest.raises(BadInput, match=said):
        converse(painted_pair()[:portraits], given, models)
