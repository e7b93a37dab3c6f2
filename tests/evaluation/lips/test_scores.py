"""`benchmark lips`: lips from a mesh, and scores of predicted against seen lips."""

from __future__ import annotations

import numpy as np
import pytest

from gohd_core.errors import BadInput
from gohd_core.evaluation.lips.run import closure_table, fit_table
from gohd_core.evaluation.lips.scores import (
    CLOSED,
    Compared,
    amplitude,
    best_correlation,
    closures,
    compare,
    correlation,
    eye_distance,
    inside,
    interval,
    ridge_guess,
)
from gohd_core.evaluation.lips.seen import CORNERS, EYES, FACING, SeenLips, fill_gaps, lips_of_mesh, read_lips
from gohd_core.measures.lag import LipLag


def meshes(frames: int, gap: np.ndarray, scale: float = 100.0) -> np.ndarray:
    """Meshes of a face whose eyes are `scale` px apart and whose lips are `gap` of that."""
    points = np.zeros((frames, 478, 3))
    points[:, EYES[0]], points[:, EYES[1]] = (-scale / 2, -50, 0), (scale / 2, -50, 0)
    points[:, CORNERS[0]], points[:, CORNERS[1]] = (-scale / 4, 50, 0), (scale / 4, 50, 0)
    for upper, lower in FACING:
        points[:, upper, 1], points[:, lower, 1] = 50 - gap * scale / 2, 50 + gap * scale / 2
    return points


def clip(frames: int = 120, seed: int = 0, **given: np.ndarray) -> Compared:
    rng = np.random.default_rng(seed)
    gap = np.maximum(0.2 * np.sin(np.arange(frames) / (2.0 + 0.1 * seed)), 0)
    mel = np.stack([gap * k + rng.normal(size=frames) * 0.05 for k in range(1, 6)], 1)
    fields = {
        "gap": gap,
        "width": 1 - gap,
        "opening": 0.5 * gap,
        "jaw": gap + 0.02 * rng.normal(size=frames),
        "narrow": gap.copy(),
        "loudness": rng.normal(size=frames),
        "mel": mel,
    }
    lag = LipLag(1.0, 0.9, 0.5, 0.1)
    return Compared(f"clip{seed}", lag, 0.9, **(fields | given))


@pytest.mark.parametrize("fps", [25.0, 30.0, 50.0])
def test_gap_and_width_are_in_eye_distances_at_25_frames(fps: float) -> None:
    frames = round(4 * fps)
    time = (np.arange(frames) + 0.5) / fps
    gap, width = lips_of_mesh(meshes(frames, 0.1 + 0.1 * np.sin(2 * np.pi * time)), fps)
    assert len(gap) == len(width) == 100
    wanted = 0.1 + 0.1 * np.sin(2 * np.pi * (np.arange(100) + 0.5) / 25)
    np.testing.assert_allclose(gap[1:-1], wanted[1:-1], atol=2e-3)
    np.testing.assert_allclose(width, 0.5)


def test_size_of_the_face_does_not_count() -> None:
    gap = np.full(50, 0.15)
    for scale in (40.0, 400.0):
        np.testing.assert_allclose(lips_of_mesh(meshes(50, gap, scale), 25)[0], 0.15)


def test_missing_faces_take_the_one_before() -> None:
    class Face:
        def __init__(self, value: float) -> None:
            self.points = np.full((478, 3), value)

    faces = [None, *[Face(k) for k in range(1, 28)], None]
    found = fill_gaps(faces, "clip")
    assert len(found) == 29 and found[0, 0, 0] == 1 and found[-1, 0, 0] == 27
    with pytest.raises(BadInput, match="a face is seen in 1 of 4 frames"):
        fill_gaps([None, Face(1), None, None], "clip")


def test_correlation_and_best_correlation_against_numpy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 60))
    assert correlation(first, second) == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert correlation(first, np.ones(60)) == 0
    late = np.r_[np.zeros(3), first][:60]
    assert best_correlation(first, late) == pytest.approx(1)
    assert best_correlation(first, late, within=2) < 0.9


@pytest.mark.parametrize(("lag", "kept"), [(0.0, slice(0, 50)), (2.4, slice(0, 47)), (-2.4, slice(3, 50))])
def test_only_frames_with_their_lips_are_compared(lag: float, kept: slice) -> None:
    assert inside(50, lag) == kept


def test_amplitude_and_closures() -> None:
    assert amplitude(clip()) == pytest.approx(0.5)
    gap = np.full(60, 0.2)
    gap[10:13] = gap[30:32] = 0.0
    opening = np.full(60, 0.2)
    opening[13] = CLOSED / 2
    found = closures(clip(60, gap=gap, opening=opening))
    assert found["closures"] == 2 and found["met"] == 0.5
    assert found["seen"] == pytest.approx(5 / 60) and found["predicted"] == pytest.approx(1 / 60)
    assert found["by chance"] == 0 and found["above chance"] == 0.5
    always = closures(clip(60, gap=gap, opening=np.zeros(60)))
    assert always["met"] == always["by chance"] == 1 and always["above chance"] == 0


def test_ridge_regression_finds_a_linear_relation() -> None:
    clips = [clip(seed=seed) for seed in range(3)]
    guess = ridge_guess(clips[0], clips[1:])
    assert correlation(guess, clips[0].gap) > 0.9


def test_interval_holds_the_correlation_and_narrows_with_length() -> None:
    def pair(frames: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(7)
        base = rng.normal(size=frames)
        return base, base + rng.normal(size=frames)

    low, high = interval([pair(200)])
    assert low < correlation(*pair(200)) < high
    long_low, long_high = interval([pair(3000)])
    assert long_high - long_low < 0.6 * (high - low)


def test_tables_have_a_row_for_each_video_and_their_mean() -> None:
    clips = [clip(seed=seed) for seed in range(2)]
    table = fit_table(clips)
    assert list(table.rows) == ["clip0", "clip1", "mean"]
    assert table.rows["mean"]["jaw"] == pytest.approx(np.mean([table.rows[c.name]["jaw"] for c in clips]))
    assert table.rows["clip0"]["width"] == pytest.approx(1)
    assert fit_table(clips[:1]).rows["clip0"]["ridge"] is None, "nothing to train on"
    assert closure_table(clips).rows["mean"]["closures"] == sum(closures(one)["closures"] for one in clips)


def test_the_built_in_predictor_is_compared() -> None:
    from gohd_core.expression import ExpressionPredictor

    rng = np.random.default_rng(0)
    sound = rng.normal(size=100 * 640).astype(np.float32) * np.repeat(rng.uniform(0, 0.1, 100), 640)
    seen = SeenLips("noise", rng.uniform(0, 0.2, 100), rng.uniform(0.9, 1, 100), sound.astype(np.float32))
    found = compare(seen, ExpressionPredictor.load())
    whole = inside(100, found.lag.frames)
    for values in (found.gap, found.width, found.opening, found.jaw, found.loudness, found.mel):
        assert len(values) == whole.stop - whole.start
    assert found.mel.shape[1] == 7 * 80
    assert 0.4 < eye_distance() < 2


def test_readings_are_cached(tmp_path, monkeypatch) -> None:
    import soundfile

    from gohd_core.evaluation.lips import seen as module

    soundfile.write(tmp_path / "clip.wav", np.zeros(16_000), 16_000)
    monkeypatch.setattr(module, "_meshes", lambda path, reader: (meshes(50, np.full(50, 0.1)), 25.0))
    first = read_lips(tmp_path / "clip.wav", None, tmp_path / "kept")
    assert len(first) == 50 and len(first.sound) == 50 * 640

    def refuse(path, reader):
        raise AssertionError("read again")

    monkeypatch.setattr(module, "_meshes", refuse)
    again = read_lips(tmp_path / "clip.wav", None, tmp_path / "kept")
    np.testing.assert_array_equal(first.gap, again.gap)
