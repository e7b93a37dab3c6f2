"""People in videos, read by their meshes: with a reader that knows its faces, and no networks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from gohd_core.driving import extract_by_meshes, extract_motion, extract_people, mesh_tracks
from gohd_core.driving.dubbing import dub, read_speaker
from gohd_core.driving.eye_contact import read_eyes, turn_eyes
from gohd_core.driving.lids import BLINK_COLUMNS, without_gaze_following
from gohd_core.driving.mesh_reading import SAMPLE, MeshReadings, pitch_bias
from gohd_core.driving.mesh_tracks import People
from gohd_core.driving.shots import people_of
from gohd_core.errors import BadInput, Interrupted
from gohd_core.motion import Expression, Motion
from gohd_core.video.reader import VideoReader
from tests.support.clip_faces import KnownFaces, acted, head, landmarks
from tests.support.driving_fakes import FakeExtractor
from tests.support.mesh_faces import SIZE


def film(count: int, once: bool = False, fps: float = 25) -> VideoReader:
    frames = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    frames[:, 40:200, 60:200] = 128
    frames[:, 0, 0, 0] = np.arange(count)
    return VideoReader.of_frames(iter(frames), fps) if once else VideoReader.of_images(frames, fps)


def turning(count: int = 40):
    return [[landmarks(acted((0.0, 0.3 * np.sin(k / 6), 0.0), gap=0.1 * (k % 8 == 4)))] for k in range(count)]


def test_a_turning_head_is_read_as_it_turns() -> None:
    made = extract_by_meshes(film(40), KnownFaces(turning()))
    yaw = made.motion.pose.values[:, 1].numpy()
    assert np.corrcoef(yaw, np.sin(np.arange(40) / 6))[0, 1] > 0.995
    assert made.motion.space == "stylised" and made.report.without_face == 0
    jaw = made.motion.expression.values[:, 0]
    assert jaw[4::8].min() > 5 * jaw[::8].max().clamp_min(0.01)
    assert made.lips.shape == (40, 2) and made.lips[4, 0] > made.lips[0, 0] + 0.08


def test_frames_without_the_face_are_held_and_counted() -> None:
    faces = turning()
    for k in range(10, 15):
        faces[k] = []
    made = extract_by_meshes(film(40), KnownFaces(faces))
    assert made.report.without_face == 5 and not made.motion.pose.valid[10:15].any()
    assert torch.isfinite(made.motion.pose.values).all()


def test_a_film_without_any_face_is_at_rest_and_not_an_error() -> None:
    made = extract_by_meshes(film(10), KnownFaces([[]] * 10))
    assert made.report.without_face == 10 and made.square is None
    assert made.motion.pose.values.abs().max() == 0 and len(made.lips) == 10


def test_other_rates_and_films_that_play_once() -> None:
    made = extract_by_meshes(film(40, once=True, fps=50), KnownFaces(turning()))
    assert len(made.motion) == 20 and made.report.source_fps == 50


class Stylised(FakeExtractor):
    space = "stylised"


@pytest.mark.parametrize("drawn", [True, False])
def test_drawn_heads_stay_with_the_extractor(monkeypatch, drawn) -> None:
    from gohd_core.driving import extraction

    monkeypatch.setattr(extraction, "is_drawn_head", lambda picture, extractor: drawn)
    extractor = Stylised(aligned=False)
    made = extract_motion(film(12, once=True), extractor, reader=KnownFaces(turning(12)))
    assert (made.lips is None) == drawn and bool(extractor.calls) == drawn
    assert made.report.frames_read == 12


def test_official_extractors_align_faces_by_the_meshes() -> None:
    extractor = FakeExtractor()
    made = extract_motion(film(12), extractor, reader=KnownFaces(turning(12)), steady_crop=False)
    assert made.motion.space == "bfm09" and len(extractor.landmarks) == 12
    assert np.allclose(extractor.landmarks[3], turning(12)[3][0].landmarks68)


def test_people_have_a_track_each_also_who_comes_later() -> None:
    faces = [[placed(k, 10), *([placed(-k, 160)] if k >= 30 else [])] for k in range(60)]
    made = extract_people(film(60), KnownFaces(faces))
    assert len(made) == 2
    assert made[0].report.without_face == 0
    assert made[1].report.without_face == 30, "seen from their first frame on, between two searches"
    slopes = [np.polyfit(np.arange(20), d.motion.pose.values[38:58, 1].numpy(), 1)[0] for d in made]
    assert slopes[0] > 0.015 and slopes[1] < -0.015


def placed(k: int, x: float):
    """A small face at a place, turned by its frame's number."""
    mesh = acted((0.0, 0.02 * k, 0.0)) * torch.tensor([0.3, 0.3, 0.3])
    return landmarks(mesh + torch.tensor([x, 90.0, 0.0]))


def test_who_comes_back_is_seen_from_their_first_frame_on() -> None:
    faces = [[placed(k, 10), *([placed(-k, 160)] if not 20 <= k < 37 else [])] for k in range(60)]
    made = extract_people(film(60), KnownFaces(faces))
    assert [each.report.without_face for each in made] == [0, 17]


def test_a_face_beside_another_is_nobody_new_while_somebody_may_be_behind(monkeypatch) -> None:
    """Half hidden, they do not look like themselves."""
    there = [[placed(-k, 170)] if k < 10 else [placed(-k, 40)] if k >= 30 else [] for k in range(60)]
    faces = [[placed(k, 90), *other] for k, other in enumerate(there)]
    people = People(KnownFaces(faces))
    times = list(film(60).play())
    monkeypatch.setattr(mesh_tracks, "ALIKE", -1.0)
    for start in (0, 16, 32):
        assert len(people.follow(times[start : start + 16])) == 2
    monkeypatch.setattr(mesh_tracks, "HIDDEN", 0.5)
    assert len(people.follow(times[48:])) == 3, "they were lost too long ago"


def pictures(count: int) -> list[np.ndarray]:
    return [np.full((SIZE, SIZE, 3), 120, np.uint8)] * count


def broad(mesh: torch.Tensor) -> torch.Tensor:
    middle = mesh[:, 0].mean()
    return torch.cat([middle + 1.12 * (mesh[:, :1] - middle), mesh[:, 1:]], 1)


def gaps(count: int) -> list[float]:
    return [0.1 * max(0.0, np.sin(k / 3)) for k in range(count)]


def test_who_comes_after_a_cut_is_read_against_their_own_face_at_rest() -> None:
    first = [landmarks(acted(gap=gap)) for gap in gaps(40)]
    second = [landmarks(broad(acted(gap=gap))) for gap in gaps(40)]
    light = [np.full((SIZE, SIZE, 3), 220, np.uint8)] * 40
    alone, after, both = MeshReadings(), MeshReadings(), MeshReadings()
    alone.add(first, pictures(40))
    after.add(second, light)
    both.add(first + second, pictures(40) + light)
    apart = alone.readings(25.0)[:38] + after.readings(25.0)[2:]
    told = both.readings(25.0)
    told = told[:38] + told[42:]
    for wanted, found in zip(apart, told, strict=True):
        assert np.allclose(wanted.expression, found.expression, atol=0.06)


def test_the_face_at_rest_is_made_of_a_bounded_sample() -> None:
    made, face = MeshReadings(), landmarks(acted())
    for _ in range(60):
        made.add([face] * 16, pictures(16))
    assert len(made._sample) <= SAMPLE and len(made.readings(25.0)) == 960


def test_hard_frames_are_counted() -> None:
    made = MeshReadings()
    made.add([landmarks(acted((0.0, yaw, 0.0))) for yaw in (0.0, 1.0, 1.0)], pictures(3))
    moved = acted() + torch.tensor([-120.0, 0.0, 0.0])
    made.add([landmarks(moved)], pictures(1))
    assert made.doubtful["turned away"] == 2 and made.doubtful["at the edge"] == 1
    assert made.doubtful["fast"] >= 1


def test_reading_stops_when_asked() -> None:
    with pytest.raises(Interrupted):
        extract_by_meshes(film(12), KnownFaces(turning(12)), should_stop=lambda: True)


def test_a_height_at_which_somebody_looks_is_no_look_up_or_down() -> None:
    rng = np.random.default_rng(0)
    steady = np.radians(-8) + rng.normal(0, 0.02, 200)
    assert pitch_bias(steady) == pytest.approx(np.radians(-8), abs=0.02)
    assert pitch_bias(rng.uniform(-1, 1, 200)) == 0.0
    assert pitch_bias(steady[:10]) == 0.0


def test_lids_are_drawn_as_they_were_seen() -> None:
    """The mesh animator's own rule, laid on what comes out, gives the blinks that went in."""
    from gohd_core.mesh.drawing import _with_lids
    from gohd_core.mesh.reading.gaze import into_head

    descriptors = torch.zeros(6, 72)
    descriptors[:, BLINK_COLUMNS] = torch.tensor([-0.1, 0.0, 0.2, 0.5, 0.9, 1.0])[:, None]
    descriptors[:, -2] = torch.linspace(-0.5, 0.3, 6)  # pitch of the gaze
    seen = without_gaze_following(Motion.from_descriptors(descriptors, "stylised"))
    up = into_head(seen.pose.values, seen.gaze.values.flip(-1))[:, 1]
    drawn = _with_lids(torch.cat([seen.expression.values, descriptors[:, 64:]], 1), up)
    assert torch.allclose(drawn[:, BLINK_COLUMNS], descriptors[:, BLINK_COLUMNS], atol=1e-5)


def test_eyes_of_a_film_are_turned_and_faceless_frames_stay() -> None:
    faces = [[landmarks(acted(look=(0.15, 0.0)))] for _ in range(30)]
    faces[7] = []
    source, reader = film(30), KnownFaces(faces)
    made, report = turn_eyes(source, read_eyes(source, reader), (0.0, -0.15))
    assert report.without_face == 1 and not report.reflections
    pairs = list(zip(source.play(), made.play(), strict=True))
    assert len(pairs) == 30 and np.array_equal(pairs[7][0][1], pairs[7][1][1])
    same, _ = turn_eyes(source, read_eyes(source, reader), strength=0.0)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(source.play(), same.play(), strict=True))


def test_who_comes_after_a_cut_has_eyes_of_their_own() -> None:
    first = [[landmarks(acted(look=(0.1, 0.0)))] for _ in range(40)]
    second = [[landmarks(broad(acted(look=(-0.2, 0.0))))] for _ in range(40)]
    dark, light = (np.full((SIZE, SIZE, 3), level, np.uint8) for level in (60, 220))

    def film_of(levels: list[np.ndarray]) -> VideoReader:
        images = [each.copy() for each in levels]
        for k, image in enumerate(images):
            image[0, 0, 0] = k
        return VideoReader.of_images(images, 25)

    both = read_eyes(film_of([dark] * 40 + [light] * 40), KnownFaces(first + second))
    alone = [
        read_eyes(film_of([level] * 40), KnownFaces(faces))
        for level, faces in ((dark, first), (light, second))
    ]
    assert both.who.tolist() == [0] * 40 + [1] * 40
    for person, own in zip(both.people, alone, strict=True):
        for eye, wanted in zip(person.eyes, own.people[0].eyes, strict=True):
            assert eye.plane.width == pytest.approx(wanted.plane.width, rel=0.01)
        assert np.allclose(person.gaze_bias(), own.people[0].gaze_bias(), atol=0.01)


def test_faces_without_irises_are_left_alone_with_a_word() -> None:
    images = np.full((5, SIZE, SIZE, 3), 128, np.uint8)
    images[:, 0, 0, 0] = np.arange(5)
    grey = VideoReader.of_images(images)
    read = read_eyes(grey, KnownFaces([[landmarks(acted(look=(0.2, 0.0)))]] * 5))
    made, report = turn_eyes(grey, read)
    assert report.unseen == 5 and "no irises are seen" in str(report).lower()
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(grey.play(), made.play(), strict=True))


def test_bad_input_to_eye_contact_is_named() -> None:
    source = film(5)
    nobody = read_eyes(source, KnownFaces([[]] * 5))
    with pytest.raises(BadInput, match="both eyes in view"):
        turn_eyes(source, nobody)
    once = film(5, once=True)
    with pytest.raises(BadInput, match="used up"):
        turn_eyes(once, nobody)


def talking(count: int = 60):
    return [[landmarks(acted(gap=0.12 * max(0.0, np.sin(k / 3)), shut=0.0))] for k in range(count)]


def test_a_dubbed_face_changes_around_the_mouth_alone() -> None:
    source, faces = film(60), talking()
    faces[3] = []
    rng = np.random.default_rng(0)
    frames = np.stack([image for _, image in source.play()])
    frames[:, 30:220, 50:210] = rng.integers(60, 200, frames[:, 30:220, 50:210].shape)
    source = VideoReader.of_images(frames)
    speaker = read_speaker(source, KnownFaces(faces))
    values = torch.zeros(60, 64)
    values[:, 0] = 0.5 + 0.5 * torch.cos(torch.arange(60) / 4)
    made = dub(source, speaker, Expression(values, "stylised", Fraction(25)))
    eyes = slice(0, int(faces[0][0].points[[33, 263], 1].min()))
    changed = 0
    for k, ((_, before), (_, after)) in enumerate(zip(source.play(), made.play(), strict=True)):
        assert np.array_equal(before[eyes], after[eyes])
        if k == 3:
            assert np.array_equal(before, after)
        changed += int((before != after).any())
    assert changed > 40


def test_two_speakers_of_a_dubbed_film_keep_their_own_mouths() -> None:
    faces = [[landmarks(acted(gap=gap))] for gap in gaps(40)]
    faces += [[landmarks(broad(acted(gap=gap)))] for gap in gaps(40)] + faces[:40]
    rng = np.random.default_rng(0)
    frames = np.stack([image for _, image in film(120).play()])
    light = np.repeat([0, 90, 0], 40)[:, None, None, None]
    frames[:, 30:220, 50:210] = light + rng.integers(60, 160, (1, 190, 160, 3))
    source = VideoReader.of_images(frames)
    speaker = read_speaker(source, KnownFaces(faces))
    assert len(speaker.faces) == 2 and speaker.who.tolist() == [0] * 40 + [1] * 40 + [0] * 40
    made = dub(source, speaker, Expression(torch.full((120, 64), 0.5), "stylised", Fraction(25)))
    changed = [bool((a[1] != b[1]).any()) for a, b in zip(source.play(), made.play(), strict=True)]
    assert sum(changed[:40]) > 30 and sum(changed[40:80]) > 30 and sum(changed[80:]) > 30
    alone = read_speaker(VideoReader.of_images(frames[40:80]), KnownFaces(faces))
    assert np.allclose(speaker.faces[1].gap, alone.faces[0].gap, atol=1e-3), "by another square"


def test_short_shots_belong_to_whom_they_look_like_most() -> None:
    shapes = torch.stack([head(), 1.1 * head(), 1.08 * head(), head() + 0.001])
    assert people_of(shapes, [90, 60, 10, 40]) == [0, 1, 1, 0]


def test_a_speaker_who_is_hardly_seen_is_refused() -> None:
    with pytest.raises(BadInput, match="25"):
        read_speaker(film(30), KnownFaces([[]] * 20 + talking(10)))


def test_official_readings_begin_anew_at_a_cut() -> None:
    here = acted()
    there = here + torch.tensor([0.4 * float(np.ptp(here[:, 0].numpy())), 0.0, 0.0])
    faces = [[landmarks(here if k < 10 else there)] for k in range(20)]
    frames = np.stack(list(image for _, image in film(20).play()))
    frames[10:, 1:, :, 0] += 40  # the head in the second shot is turned further
    extractor = FakeExtractor()
    made = extract_motion(VideoReader.of_images(frames, 25), extractor, reader=KnownFaces(faces))
    assert made.report.cuts == [10]
    assert np.allclose(extractor.landmarks[10], landmarks(there).landmarks68, atol=1e-3)
    yaw = made.motion.pose.values[:, 1]
    assert (yaw[:10] - yaw[0]).abs().max() < 0.02 < 0.3 < yaw[10] - yaw[9]
    assert (yaw[10:] - yaw[10]).abs().max() < 0.02
