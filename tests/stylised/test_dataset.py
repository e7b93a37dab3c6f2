"""Data sets: same seed same bytes, resumable, splits that never overlap, one sentence per error."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from gohd_core import files
from gohd_core.choices import SPLITS
from gohd_core.clips import Clip, ClipDataset
from gohd_core.errors import BadInput, Interrupted, MissingDependency
from gohd_core.stylised import dataset, making
from gohd_core.stylised.dataset import make_dataset
from gohd_core.stylised.ground_truth.face_tracks import face_tracks
from gohd_core.stylised.making import Recipe, clip_place, make_clip
from gohd_core.stylised.motion.visemes import contacts, frame_times, mouth_opening
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.speech.engines import ENGINES
from gohd_core.stylised.speech.phones import BILABIAL, Phone
from gohd_core.stylised.speech.text import text_split
from gohd_core.stylised.speech.voices import all_voices


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def talk(out: Path, count: int = 6, seed: int = 4, **options) -> ClipDataset:
    return make_dataset(out, count, seed, "talk", size=64, pictures=False, workers=1, **options)


def test_talk_clips_hold_what_the_format_says(tmp_path, stand_in):
    data = talk(tmp_path / "d", 4)
    assert len(data) == 4
    assert (data.kind, data.space, data.fps, data.size) == ("talk", "stylised", 25, 64)
    for entry in data.entries:
        clip = data.clip(entry)
        frames = len(clip)
        assert entry.frames == frames
        assert clip.shapes["audio"] == (frames * 640,)
        assert clip.shapes["landmarks"] == (frames, 68, 2)
        assert "frames" not in clip
        info = clip.info
        assert len(info["phonemes"]) == clip.shapes["phoneme_start"][0]
        assert info["split"] == entry.split == data.path(entry).parent.name
        assert np.abs(clip.read("audio")).max() > 300
        identity = Identity.random(info["identity_seed"])
        np.testing.assert_allclose(clip.read("identity"), identity.coefficients, rtol=1e-6)


def test_every_clip_closes_its_lips_and_moves_with_its_sound(tmp_path, stand_in):
    data = talk(tmp_path / "d", 8)
    lags = []
    for entry in data.entries:
        clip = data.clip(entry)
        opening = mouth_opening(clip.read("expression"))
        times = frame_times(len(clip))
        rows = zip(
            clip.info["phonemes"],
            clip.read("phoneme_start").astype(float),
            clip.read("phoneme_end").astype(float),
            strict=True,
        )
        phones = [Phone(*row) for row in rows]
        shut = contacts(phones, BILABIAL)
        nearest = np.abs(times[:, None] - shut[:, 0]).argmin(0)
        assert opening[nearest].max() < 0.012
        sound = clip.read("audio").reshape(len(clip), 640).astype(float).std(1)
        found = [np.corrcoef(np.roll(opening, -lag), sound)[0, 1] for lag in range(-4, 5)]
        lags.append(int(np.argmax(found)) - 4)
    assert np.median(lags) == 0
    assert max(map(abs, lags)) <= 1


def test_same_seed_same_bytes_and_other_seed_other_bytes(tmp_path, stand_in):
    talk(tmp_path / "a")
    talk(tmp_path / "b")
    talk(tmp_path / "c", seed=5)
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path, stand_in):
    whole = talk(tmp_path / "whole", 5)
    seen = []

    def stop():
        return len(seen) >= 3

    with pytest.raises(Interrupted, match="run it again"):
        talk(tmp_path / "d", 5, progress=lambda done, total: seen.append(done), should_stop=stop)
    partly = ClipDataset(tmp_path / "d")
    assert 0 < len(partly) < 5
    (partly.path(partly.entries[0]).with_suffix(".part")).write_bytes(b"left by a crash")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "d").rglob("*.safetensors")}
    talk(tmp_path / "d", 5)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    made = digest(tmp_path / "d")
    assert {k: v for k, v in made.items() if not k.endswith(".part")} == digest(tmp_path / "whole")
    assert len(whole) == 5


def test_more_clips_extend_and_fewer_keep_all(tmp_path, stand_in):
    talk(tmp_path / "d", 3)
    assert len(talk(tmp_path / "d", 5)) == 5
    assert len(talk(tmp_path / "d", 2)) == 5
    talk(tmp_path / "at_once", 5)
    assert digest(tmp_path / "d") == digest(tmp_path / "at_once")


def test_nothing_of_one_split_is_in_another(tmp_path, stand_in):
    data = talk(tmp_path / "d", 60)
    speaker_split = {voice.speaker: voice.split for voice in all_voices()}
    for split in SPLITS:
        part = data.select(split)
        assert part
        for entry in part:
            info = data.clip(entry).info
            assert SPLITS[max(0, info["identity_seed"] % 10 - 7)] == split
            assert speaker_split[info["speaker"]] == split
    for key in ("identity", "voice", "text"):
        values = [{getattr(e, key) for e in data.select(split)} for split in SPLITS]
        assert not values[0] & values[1]
        assert not values[0] & values[2]
        assert not values[1] & values[2]


def test_sentences_of_a_clip_are_of_its_split(monkeypatch):
    from gohd_core.stylised.speech import text

    drawn = []
    plain = text.sentence

    def watched(rng, language, split):
        drawn.append((plain(rng, language, split), split))
        return drawn[-1][0]

    monkeypatch.setattr(text, "sentence", watched)
    for split in SPLITS:
        text.paragraph(np.random.default_rng(0), 300, "en", split)
    assert len(drawn) > 9
    assert all(text_split(sentence) == split for sentence, split in drawn)


def test_identity_seeds_of_any_two_data_sets_respect_splits():
    rng = np.random.default_rng(0)
    for split in SPLITS:
        seeds = [making.draw_identity(rng, split) for _ in range(100)]
        assert {SPLITS[max(0, seed % 10 - 7)] for seed in seeds} == {split}
    places = [clip_place(Recipe(seed), k)[0] for seed in (0, 1) for k in range(400)]
    assert 0.74 < places.count("train") / 800 < 0.86


def test_face_tracks_equal_the_renderer(graphics):
    from gohd_core.stylised.motion.stills import random_stills
    from gohd_core.stylised.rendering.renderer import HeadRenderer

    expression, pose, gaze, _ = random_stills(np.random.default_rng(0), 5)
    identity = Identity.random(31)
    tracks = face_tracks(identity, expression, pose, gaze, 96)
    with HeadRenderer(96) as renderer:
        for k in range(5):
            frame = renderer.render(identity, expression[k], pose[k], gaze[k])
            for name, values in tracks.items():
                np.testing.assert_allclose(values[k], getattr(frame, name), atol=2e-3)


def test_stills_are_exact_and_the_same_on_any_number_of_workers(tmp_path, graphics):
    options = {"kind": "stills", "size": 32, "burst": 3}
    data = make_dataset(tmp_path / "one", 3, 7, workers=1, **options)
    make_dataset(tmp_path / "two", 3, 7, workers=2, **options)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    clip = data.clip(data.entries[0])
    assert clip.shapes["frames"] == (3, 32, 32, 3)
    assert len(clip.info["changes"]) == 3
    triangle, faces = clip.read("triangle"), clip.read("faces")
    assert triangle.max() <= len(faces)
    assert (clip.read("material").shape[0]) == len(faces)
    scale = clip.info["vertex_scale"]
    vertices = clip.read("vertices") / np.array([scale["xy"], scale["xy"], scale["depth"]])
    row, column = np.nonzero(triangle[0])
    corners = vertices[0][faces[triangle[0, row, column] - 1]]
    first = clip.read("barycentric")[0, row, column] / 255
    weights = np.concatenate([first, 1 - first.sum(1, keepdims=True)], 1)
    # perspective-correct weights: interpolate in space, then project
    homogeneous = corners[..., :2] * corners[..., 2:]
    depth = (weights * corners[..., 2]).sum(1)
    place = np.einsum("pk,pkc->pc", weights, homogeneous) / depth[:, None]
    error = np.abs(place - np.stack([column, row], 1))
    assert np.percentile(error, 99) < 0.15


def test_pictures_of_talk_clips_match_their_coefficients(stand_in, graphics, monkeypatch):
    monkeypatch.setattr(making, "SECONDS", (0.5, 1.0))
    arrays, info = make_clip(Recipe(2, size=48), 1)
    frames = len(arrays["pose"])
    assert arrays["frames"].shape == (frames, 48, 48, 3)
    assert arrays["parsing"].shape == (frames, 48, 48)
    identity = Identity.random(info["identity_seed"])
    tracks = face_tracks(identity, arrays["expression"], arrays["pose"], arrays["gaze"], 48)
    np.testing.assert_allclose(tracks["landmarks"], arrays["landmarks"], atol=2e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clips": 0}, "at least 1"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"kind": "film"}, "Unknown kind"),
        ({"size": 5}, "between 16 and 2048"),
        ({"engines": ("siri",)}, "Unknown speech engine"),
        ({"engines": ()}, "at least one speech engine"),
        ({"kind": "stills", "pictures": False}, "nothing to learn"),
    ],
)
def test_bad_arguments_make_nothing(tmp_path, options, message):
    given = {"clips": 1, "seed": 0, "workers": 1} | options
    with pytest.raises(BadInput, match=message):
        make_dataset(tmp_path / "d", **given)
    assert not (tmp_path / "d").exists()


def test_another_data_set_is_not_overwritten(tmp_path, stand_in):
    talk(tmp_path / "d", 1)
    before = digest(tmp_path)
    with pytest.raises(BadInput, match="holds another data set \\(seed is 4, not 9\\)"):
        talk(tmp_path / "d", 1, seed=9)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not empty and holds no data set"):
        talk(tmp_path / "other", 1)
    assert before.items() <= digest(tmp_path).items()


def test_a_full_disk_is_one_sentence_and_the_rest_is_whole(tmp_path, stand_in, monkeypatch):
    written = []

    def fill_up(descriptor):
        written.append(descriptor)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fill_up)
    with pytest.raises(BadInput, match="the disk is full, free some space"):
        talk(tmp_path / "d", 6)
    assert not list((tmp_path / "d").rglob("*.part"))
    for path in (tmp_path / "d").rglob("*.safetensors"):
        assert len(Clip(path)) > 0
    assert len(ClipDataset(tmp_path / "d")) == len(list((tmp_path / "d").rglob("*.safetensors")))


def test_missing_engine_is_an_error_before_any_clip(tmp_path, monkeypatch):
    monkeypatch.setattr(ENGINES["flite"], "problem", lambda self: "install flite")
    with pytest.raises(MissingDependency, match="install flite"):
        make_dataset(tmp_path / "d", 1, 0, engines=("flite",), workers=1)
    assert not (tmp_path / "d").exists()


@pytest.mark.skipif(bool(ENGINES["espeak"]().problem()), reason="espeak-ng is not installed")
def test_talk_is_the_same_on_any_number_of_workers(tmp_path):
    options = {"size": 64, "pictures": False, "engines": ("espeak",)}
    make_dataset(tmp_path / "one", 4, 1, workers=1, **options)
    make_dataset(tmp_path / "two", 4, 1, workers=2, **options)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_progress_counts_clips(tmp_path, stand_in):
    seen = []
    talk(tmp_path / "d", 3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert dataset.INDEX_EVERY > 0


def _die(number: int) -> None:
    os._exit(3)


def test_a_dying_worker_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "partial", lambda *_: _die)
    with pytest.raises(BadInput, match="fewer workers"):
        make_dataset(tmp_path / "d", 4, 0, "stills", size=32, workers=2)
    assert ClipDataset(tmp_path / "d").entries == ()
