"""The built-in readers on the shipped portraits, whose coefficients scripts/make_assets.py states."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

import gohd_core as gohd
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.constants import STYLISED

MAX_BYTES = 2_500_000


@pytest.fixture(scope="module")
def portraits():
    files = sorted((assets_folder() / "portraits").glob("[0-9]*.jpg"))
    extractor, estimator = gohd.load_extractor("builtin"), gohd.load_gaze_estimator("builtin")
    return [
        gohd.prepare_portrait(Image.open(file), extractor=extractor, gaze_estimator=estimator)
        for file in files
    ]


def test_pose_of_people_never_seen(portraits):
    read = np.degrees([portrait.p0[:3].numpy() for portrait in portraits])
    true = np.zeros((len(read), 3))
    true[:, 1] = [6 * math.sin(number) for number in range(1, len(read) + 1)]
    pitch, yaw, roll = np.abs(read - true).mean(0)
    assert yaw < 1 and pitch < 2 and roll < 1
    assert np.corrcoef(read[:, 1], true[:, 1])[0, 1] > 0.97


def test_gaze_at_the_camera(portraits):
    error = np.degrees([portrait.g0.numpy() for portrait in portraits])
    assert np.abs(error).mean() < 1.5


def test_open_eyes_and_closed_mouths(portraits):
    index = {"jaw_open": 0, "blink_left": 10, "blink_right": 11}
    read = np.stack([portrait.e0.numpy() for portrait in portraits])
    for name, column in index.items():
        assert np.abs(read[:, column]).mean() < 0.1, name


def test_size_resolution_and_origin(portraits):
    folder = assets_folder()
    for component in ("extractor", "gaze_estimator"):
        assert (folder / f"{component}.safetensors").stat().st_size < MAX_BYTES
    extractor = gohd.load_extractor("builtin")
    assert extractor.space == STYLISED and extractor.info["training"]["figures"]
    whole = Image.open(sorted((folder / "portraits").glob("[0-9]*.jpg"))[0])
    small = extractor.extract(whole.resize((150, 150), Image.Resampling.LANCZOS))
    large = extractor.extract(whole)
    assert (small.pose.values[:, :3] - large.pose.values[:, :3]).abs().max() < math.radians(2)
