"""The benchmark's data is made once, found again, refused when it is another; its speech tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.clips import save_clip
from gohd_core.errors import BadInput
from gohd_core.evaluation.quality import data as made
from gohd_core.evaluation.quality.speech_motion import (
    COPY,
    MEAN,
    NEAREST,
    OURS,
    TRUTH,
    Library,
    Spoken,
    features_of,
)
from gohd_core.evaluation.quality.speech_tables import gaze_table, head_table, mouth_table


def talking(path, rng, seconds=5.0, name="talk"):
    """A clip of bursts of noise, between which the jaw is shut."""
    from gohd_core.clips import Clip

    frames = int(25 * seconds)
    loud = (np.sin(np.arange(frames) / 3) > 0).astype(np.float32)
    expression = np.zeros((frames, 64), np.float32)
    expression[:, 0] = 0.6 * loud * rng.uniform(0.7, 1.0)
    pose = np.cumsum(rng.normal(0, 0.01, (frames, 6)), 0).astype(np.float32)
    gaze = np.cumsum(rng.normal(0, 0.01, (frames, 2)), 0).astype(np.float32)
    audio = (np.repeat(loud, 640) * rng.normal(0, 3000, frames * 640)).clip(-32000, 32000).astype(np.int16)
    quiet = np.flatnonzero(np.diff(loud) < 0)[:-1]
    save_clip(
        path,
        {
            "expression": expression,
            "pose": pose,
            "gaze": gaze,
            "audio": audio,
            "phoneme_start": ((quiet + 2) / 25).astype(np.float32),
            "phoneme_end": ((quiet + 5) / 25).astype(np.float32),
        },
        {"space": "stylised", "fps": 25, "name": name, "phonemes": ["p"] * len(quiet)},
    )
    return Clip(path)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("talk"), np.random.default_rng(0)
    return [talking(folder / f"{k}.safetensors", rng, name=f"talk-{k}") for k in range(3)]


def spoken_of(clip, late: int = 0) -> Spoken:
    """Every row is the truth, `late` frames late."""
    true = {name: clip.read(name) for name in ("expression", "pose", "gaze")}
    one = Spoken(clip, features_of(clip))
    moved = {name: np.concatenate([np.repeat(x[:1], late, 0), x])[: len(x)] for name, x in true.items()}
    for row in (OURS, "stage 1 only", NEAREST, MEAN, COPY):
        one.expression[row] = moved["expression"]
        one.pose[row], one.gaze[row] = [moved["pose"]] * 2, [moved["gaze"]] * 2
    one.expression[TRUTH], one.pose[TRUTH], one.gaze[TRUTH] = (
        true["expression"],
        [true["pose"]],
        [true["gaze"]],
    )
    return one


def test_the_truth_gets_full_marks(clips):
    spoken = [spoken_of(clip) for clip in clips]
    row = mouth_table(spoken).rows[OURS]
    assert row["opening correlation"] == pytest.approx(1) and row["opening slope"] == pytest.approx(1)
    assert abs(row["lag frames"]) < 0.05 and row["MLD px"] == 0 and row["closed on p b m"] == 1
    assert row["SSIM_e"] == pytest.approx(1)
    head = head_table(spoken).rows[OURS]
    assert head["SSIM_p"] == pytest.approx(1) and head["deviation"] == pytest.approx(1)
    assert head["variety"] == 0 and head["correlation"] == pytest.approx(1)
    assert gaze_table(spoken).rows[OURS] == {**gaze_table(spoken).rows[TRUTH], "variety": 0}


def test_a_known_lag(clips):
    row = mouth_table([spoken_of(clip, late=3) for clip in clips]).rows[OURS]
    assert row["lag frames"] == pytest.approx(3, abs=0.3)


def test_the_library_finds_its_own_sound(clips):
    library = Library.of(clips)
    from gohd_core.evaluation.quality.speech_motion import heard_frames

    own = heard_frames(features_of(clips[1]))
    rows = library.nearest(own)
    assert (rows == library.starts[1] + np.arange(len(own))).mean() > 0.8, (
        "all but silent frames, which are alike"
    )
    assert library.best_clip(rows) == 1
    assert torch.isfinite(library.sound).all()


def test_data_is_made_once(tmp_path, clips):
    header = {"space": "stylised", "fps": 25, "size": 64, "seed": 1, "kind": "talk", "version": 1}
    calls = []

    def make():
        calls.append(1)
        for k, clip in enumerate(clips[:2]):
            arrays = {name: clip.read(name) for name in ("expression", "pose", "gaze")}
            info = {
                "space": "stylised",
                "fps": 25,
                "name": f"c{k}",
                "split": "test",
                "identity_seed": 9 + 10 * k,
            }
            yield arrays, info

    first = made._dataset(tmp_path / "d", header, make, 2, None)
    again = made._dataset(tmp_path / "d", header, make, 2, None)
    assert len(calls) == 1 and len(first) == len(again) == 2
    with pytest.raises(BadInput, match="other data"):
        made._dataset(tmp_path / "d", {**header, "version": 2}, make, 2, None)
    with pytest.raises(BadInput):
        made.Plan(identities=1)
    with pytest.raises(BadInput):
        made.Plan(clips=9, speech=4)
