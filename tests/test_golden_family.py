"""The built-in family on a shipped portrait and shipped speech: motion and frames are unchanged.

`python -m tests.test_golden_family` makes the golden anew, where a change of them is meant.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gohd_core as gohd
from gohd_core.talk_options import TalkOptions

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden" / "builtin_family.npz"
SECONDS, SHOWN = 1.0, (0, 14)


def talking() -> dict[str, np.ndarray]:
    """The first second of a shipped portrait that says shipped speech: motion, and two of its frames."""
    from PIL import Image

    waveform, rate = gohd.load_audio(ROOT / "assets" / "speech" / "hello.flac")
    picture = np.asarray(Image.open(ROOT / "assets" / "portraits" / "07.jpg").convert("RGB"))
    models = gohd.Models.load()
    readers = {"extractor": models.extractor, "gaze_estimator": models.gaze_estimator}
    portrait = gohd.prepare_portrait(picture, **readers)
    features = gohd.audio_features(waveform[:, : int(SECONDS * rate)], rate)
    motion, frames = gohd.talk(portrait, features, models, TalkOptions(seed=3, gaze="sample"))
    drawn = torch.cat(list(frames))[list(SHOWN)]
    return {
        "motion": motion.descriptors().numpy(),
        "frames": ((drawn + 1) * 127.5).round().to(torch.uint8).numpy(),
    }


@pytest.fixture(scope="module")
def made() -> dict[str, np.ndarray]:
    return talking()


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as stored:
        return dict(stored)


def test_motion_is_the_golden_motion(made, golden) -> None:
    np.testing.assert_allclose(made["motion"], golden["motion"], atol=2e-3, rtol=0)


def test_frames_are_the_golden_frames(made, golden) -> None:
    """Within what processors differ by: one grey level nearly everywhere, a few at edges."""
    difference = np.abs(made["frames"].astype(int) - golden["frames"].astype(int))
    assert difference.mean() < 0.05
    assert (difference > 2).mean() < 1e-3


def test_the_golden_frames_differ_as_the_motion_does(golden) -> None:
    assert np.abs(np.subtract(*golden["frames"].astype(int))).mean() > 0.5


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, **talking())
