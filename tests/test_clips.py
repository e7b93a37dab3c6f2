"""The clip format: lazy round trips, and bad files refused in one sentence."""

from __future__ import annotations

import errno
import json
import pickle

import numpy as np
import pytest

from gohd_core import clips, files
from gohd_core.choices import SPLITS
from gohd_core.clips import Clip, ClipDataset, Entry, save_clip, write_index
from gohd_core.errors import BadInput

INFO = {"space": "stylised", "fps": 25, "text": "Grüße, papa"}
HEADER = {"space": "stylised", "fps": 25, "size": 8, "seed": 3, "kind": "talk"}


def arrays(frames: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "expression": rng.normal(size=(frames, 64)).astype("f4"),
        "pose": rng.normal(size=(frames, 6)).astype("f4"),
        "gaze": rng.normal(size=(frames, 2)).astype("f4"),
        "frames": rng.integers(0, 256, (frames, 8, 8, 3)).astype("u1"),
        "parsing": rng.integers(0, 19, (frames, 8, 8)).astype("u1"),
        "audio": rng.integers(-999, 999, frames * 640).astype("i2"),
        "valid": rng.random(frames) < 0.5,
        "depth": rng.normal(size=(frames, 8, 8)).astype("f2"),
    }


def test_round_trip_is_exact_and_leaves_no_part_file(tmp_path):
    written = arrays()
    assert save_clip(tmp_path / "train" / "a.safetensors", written, INFO) == 6
    clip = Clip(tmp_path / "train" / "a.safetensors")
    assert clip.info == INFO
    assert len(clip) == 6
    assert "frames" in clip
    assert "triangle" not in clip
    for name, array in written.items():
        got = clip.read(name)
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array)
    assert [p.name for p in (tmp_path / "train").iterdir()] == ["a.safetensors"]


def test_lazy_reads_equal_slices_of_the_whole(tmp_path):
    written = arrays(9)
    save_clip(tmp_path / "a.safetensors", written, INFO)
    clip = pickle.loads(pickle.dumps(Clip(tmp_path / "a.safetensors")))
    for start, stop in ((0, 3), (4, 9), (7, 30), (None, 2), (5, 5)):
        np.testing.assert_array_equal(clip.read("frames", start, stop), written["frames"][start:stop])
    np.testing.assert_array_equal(clip.read_at("pose", [8, 0, 8]), written["pose"][[8, 0, 8]])
    with pytest.raises(BadInput, match=r"outside 0\.\.8"):
        clip.read_at("pose", [9])
    with pytest.raises(BadInput, match="holds no 'triangle'"):
        clip.read("triangle")


def test_same_content_same_bytes_whatever_the_order(tmp_path):
    written = arrays()
    save_clip(tmp_path / "a", written, INFO)
    save_clip(tmp_path / "b", dict(reversed(written.items())), dict(reversed(INFO.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gaze": None}, "needs the array 'gaze'"),
        ({"pose": np.zeros((6, 7), "f4")}, "'pose' has shape"),
        ({"pose": np.zeros((6, 6))}, "must be float32"),
        ({"pose": np.full((6, 6), np.nan, "f4")}, "not finite"),
        ({"gaze": np.zeros((5, 2), "f4")}, "'gaze' has shape"),
        ({"gaze": np.zeros(12, "f4")}, "must have shape"),
        ({"parsing": np.zeros((6, 8, 9), "u1")}, "'parsing' has shape"),
        ({"secret": np.zeros(3, "f4")}, "not a field"),
    ],
)
def test_wrong_arrays_are_refused_and_nothing_is_written(tmp_path, change, message):
    given = {k: v for k, v in (arrays() | change).items() if v is not None}
    with pytest.raises(BadInput, match=message):
        save_clip(tmp_path / "a", given, INFO)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("info", "message"),
    [({"fps": 25}, "lacks 'space'"), ({"fps": 25, "space": "mars"}, "Unknown coefficient space")],
)
def test_wrong_description_is_refused(tmp_path, info, message):
    with pytest.raises(BadInput, match=message):
        save_clip(tmp_path / "a", arrays(), info)


def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(BadInput, match="the disk is full, free some space"):
        save_clip(tmp_path / "train" / "a", arrays(), INFO)
    assert not list((tmp_path / "train").iterdir())


def test_damaged_and_foreign_files_are_refused(tmp_path):
    from safetensors.numpy import save_file

    (tmp_path / "cut").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    save_file({"x": np.zeros(3, "f4")}, tmp_path / "other")
    with pytest.raises(BadInput, match="not a whole clip file"):
        Clip(tmp_path / "cut").read("pose")
    with pytest.raises(BadInput, match="but not a clip"):
        _ = Clip(tmp_path / "other").info
    with pytest.raises(BadInput, match="no clip file"):
        Clip(tmp_path / "absent").read("pose")


def test_index_round_trip_and_selection(tmp_path):
    entries = [Entry(f"c{k}", s, f"id{k}", "v", "t", 6) for k, s in enumerate(SPLITS)]
    for entry in entries:
        save_clip(clips.clip_path(tmp_path, entry.split, entry.name), arrays(), INFO)
    write_index(tmp_path, HEADER, entries)
    data = ClipDataset(tmp_path)
    assert data.entries == tuple(entries)
    assert (data.space, data.fps, data.size, data.kind) == ("stylised", 25, 8, "talk")
    assert [e.name for e in data.select("validation")] == ["c1"]
    assert len(data.clip(data.select("test")[0])) == 6
    with pytest.raises(BadInput, match="Unknown split"):
        data.select("dev")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no dataset.json"),
        ("{", "is damaged"),
        (json.dumps({"format": 1}), "is damaged"),
        (json.dumps({"format": 2, "clips": []}), "reads format 1"),
    ],
)
def test_bad_index_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(BadInput, match=message):
        ClipDataset(tmp_path)


def test_motion_carries_rate_space_and_validity(tmp_path):
    written = arrays()
    save_clip(tmp_path / "a", written, INFO)
    motion = Clip(tmp_path / "a").motion()
    np.testing.assert_array_equal(motion.pose.values.numpy(), written["pose"])
    np.testing.assert_array_equal(motion.gaze.values.numpy(), written["gaze"])
    np.testing.assert_array_equal(motion.expression.valid.numpy(), written["valid"])
    assert motion.pose.fps == 25
    assert motion.expression.space == "stylised"
