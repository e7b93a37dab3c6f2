"""Examples by number: their order, windows, sound, workers, and bad clips."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features
from gohd_core.clips import Clip
from gohd_core.constants import BFM09
from gohd_core.errors import BadInput
from gohd_core.training.audio.features import read_sound
from gohd_core.training.framework import data
from gohd_core.training.framework.sampling import (
    audio_frames,
    coefficient_windows,
    random_frames,
    random_window,
    read_window,
)
from gohd_core.training.framework.settings import DataConfig
from tests.support.clip_folder import rewrite, write_clips


@dataclass(frozen=True)
class Windows:
    """Draws expression windows of some frames."""

    frames: int = 5

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return read_window(clip, ["expression"], random_window(clip, self.frames, rng))


def examples(folder, *, seed=0, draw=None, **settings):
    config = DataConfig(folders=(str(folder),), **settings)
    return data.clip_examples(config, draw or Windows(), seed=seed, split="train")


def stream(found, config, count, **where):
    where = {"start": 0, "rank": 0, "processes": 1, "pin": False, **where}
    return [data.checked(batch) for batch in itertools.islice(data.loader(found, config, **where), count)]


def signature(batches):
    return [
        (name, int(draw), float(first))
        for batch in batches
        for name, draw, first in zip(batch["clip"], batch["draw"], batch["expression"][:, 0, 0], strict=True)
    ]


def test_order_depends_on_the_seed_alone(tmp_path):
    write_clips(tmp_path)
    config = DataConfig(batch=3)
    one = signature(stream(examples(tmp_path), config, 5))
    assert one == signature(stream(examples(tmp_path), config, 5))
    assert one != signature(stream(examples(tmp_path, seed=1), config, 5))


def test_a_stream_can_begin_anywhere(tmp_path):
    write_clips(tmp_path)
    config = DataConfig(batch=3)
    whole = signature(stream(examples(tmp_path), config, 6))
    assert signature(stream(examples(tmp_path), config, 2, start=12)) == whole[12:]


def test_two_processes_share_the_examples_of_one(tmp_path):
    write_clips(tmp_path)
    whole = signature(stream(examples(tmp_path), DataConfig(batch=4), 3))
    parts = [stream(examples(tmp_path), DataConfig(batch=2), 3, rank=rank, processes=2) for rank in (0, 1)]
    woven = [batch for pair in zip(*parts, strict=True) for batch in pair]
    assert signature(woven) == whole


def test_workers_change_nothing(tmp_path):
    write_clips(tmp_path)
    plain = signature(stream(examples(tmp_path), DataConfig(batch=3), 4))
    shared = stream(examples(tmp_path), DataConfig(batch=3, workers=1, prefetch=1), 4)
    assert signature(shared) == plain


def test_every_pass_goes_over_all_clips_in_a_new_order(tmp_path):
    write_clips(tmp_path, clips=5)
    found = examples(tmp_path)
    passes = ["".join(found[n]["clip"] for n in range(5 * k, 5 * k + 5)) for k in range(6)]
    assert all(Counter(one) == Counter("abcde") for one in passes) and len(set(passes)) > 3


def test_windows_reach_every_start_and_no_further(tmp_path):
    (path,) = write_clips(tmp_path, clips=1, frames=9)
    rng = np.random.default_rng(0)
    starts = Counter(random_window(Clip(path), 5, rng).start for _ in range(500))
    assert set(starts) == {0, 1, 2, 3, 4} and min(starts.values()) > 60
    assert random_window(Clip(path), 9, rng) == slice(0, 9)
    assert {random_window(Clip(path), 5, rng, limit=6).start for _ in range(50)} == {0, 1}


def test_windows_avoid_frames_without_a_face(tmp_path):
    (path,) = write_clips(tmp_path, clips=1, frames=12)
    valid = np.ones(12, bool)
    valid[5] = False
    rewrite(path, valid=valid)
    rng = np.random.default_rng(0)
    assert {random_window(Clip(path), 5, rng).start for _ in range(200)} == {0, 6, 7}
    chosen = {int(frame) for _ in range(200) for frame in random_frames(Clip(path), 2, rng)}
    assert chosen == set(range(12)) - {5}
    with pytest.raises(BadInput, match="no 7 frames in a row"):
        random_window(Clip(path), 7, rng)
    with pytest.raises(BadInput, match="in 11 frames, and 12"):
        random_frames(Clip(path), 12, rng)


def test_coefficient_windows_repeat_the_ends():
    values = np.arange(6, dtype=np.float32)[:, None]
    windows = coefficient_windows(values, [0, 3, 5], 2)[..., 0]
    assert windows.tolist() == [[0, 0, 0, 1, 2], [1, 2, 3, 4, 5], [3, 4, 5, 5, 5]]


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("alignment", ["aligned", "mel100"])
def test_sound_of_a_window_is_a_part_of_the_whole_clips(tmp_path, keep, alignment):
    (path,) = write_clips(tmp_path, clips=1, frames=20)
    clip = Clip(path)
    whole = audio_features(clip.read("audio").astype(np.float32) / 32768, 16000, alignment)
    for window in (slice(0, 5), slice(7, 12), slice(15, 20), slice(0, 20)):
        heard = read_sound(clip, window, alignment=alignment, keep=keep)
        assert np.array_equal(heard["mel"], whole.mel[window].numpy())
        assert np.array_equal(heard["chunks"], whole.chunks[window].numpy())
    assert (tmp_path / "features").is_dir() == keep


def test_kept_sound_follows_the_clip(tmp_path):
    import os

    (path,) = write_clips(tmp_path, clips=1)
    before = read_sound(Clip(path), slice(0, 4))["mel"]
    rewrite(path, audio=np.zeros(20 * 640, np.int16))
    os.utime(path, (2e9, 2e9))
    assert not np.array_equal(read_sound(Clip(path), slice(0, 4))["mel"], before)


def test_sound_that_does_not_fit_is_refused(tmp_path):
    (path,) = write_clips(tmp_path, clips=1)
    rewrite(path, audio=np.zeros(10 * 640, np.int16))
    with pytest.raises(BadInput, match="20 frames of motion but sound for 10"):
        audio_frames(Clip(path))


def spoil(path, how: str) -> str:
    """Makes a clip unusable; returns a part of the sentence that must tell so."""
    if how == "missing":
        path.unlink()
        return "no clip file"
    if how == "cut off":
        path.write_bytes(path.read_bytes()[:200])
        return "not a whole clip file"
    if how == "no face":
        rewrite(path, valid=np.zeros(20, bool))
        return "no 5 frames in a row"
    rewrite(path, space=BFM09)
    return "space 'bfm09'"


@pytest.mark.parametrize("how", ["missing", "cut off", "no face", "wrong space"])
def test_a_bad_clip_stops_by_name_or_is_skipped_and_counted(tmp_path, how):
    paths = write_clips(tmp_path)
    why = spoil(paths[2], how)
    config = DataConfig(batch=4)
    with pytest.raises(BadInput, match=f"{paths[2].name} can't be used.*{why}"):
        stream(examples(tmp_path), config, 1)
    (batch,) = stream(examples(tmp_path, bad_clips="skip"), config, 1)
    assert len(batch["clip"]) == 4 and "c" not in batch["clip"]
    assert all(why in sentence for sentence in batch["skipped"]) and batch["skipped"]


def test_only_bad_clips_stop_even_when_skipping(tmp_path):
    for path in write_clips(tmp_path):
        path.unlink()
    with pytest.raises(BadInput, match="clips in a row can't be used"):
        stream(examples(tmp_path, bad_clips="skip"), DataConfig(batch=2), 1)


def test_examples_of_different_shapes_are_named(tmp_path):
    a, b = ({"x": torch.zeros(n), "clip": f"clip{n}", "skipped": []} for n in (2, 3))
    with pytest.raises(BadInput, match=r"clip2.*\[2\].*clip3.*\[3\]"):
        data.checked(data.collate([a, b]))


def test_folders_are_drawn_from_as_one(tmp_path):
    write_clips(tmp_path / "one", clips=2)
    write_clips(tmp_path / "two", clips=3)
    folders = (str(tmp_path / "one"), str(tmp_path / "two"))
    assert len(data.find_clips(DataConfig(folders=folders), "train")) == 5
    assert data.find_clips(DataConfig(folders=folders), "validation") == []


def test_foreign_or_missing_data_is_refused(tmp_path):
    write_clips(tmp_path / "bfm", space=BFM09)
    with pytest.raises(BadInput, match="'bfm09'.*'stylised'"):
        examples(tmp_path / "bfm")
    with pytest.raises(BadInput, match="not a data set"):
        examples(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="--data"):
        data.find_clips(DataConfig(), "train")


def test_reading_each_clip_names_a_bad_one_or_passes_over_it(tmp_path, caplog):
    write_clips(tmp_path)
    config = DataConfig(folders=(str(tmp_path),))
    clips = data.find_clips(config, "train")
    bad = clips[1].path

    def read(clip):
        if clip.path == bad:
            raise BadInput("it is cut short.")
        return clip.path.name

    with pytest.raises(BadInput, match=f"{bad.name} can't be used: it is cut short"):
        list(data.read_each(config, "train", read, 10))
    found = list(data.read_each(replace(config, bad_clips="skip"), "train", read, 10))
    assert found == [clip.path.name for clip in clips if clip.path != bad]
    assert bad.name in caplog.text
    assert list(data.read_each(config, "train", read, 1)) == found[:1]
