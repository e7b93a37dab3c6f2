"""`gohd evaluate`'s measures with known answers: closed-form FID, known shifts, identical and moved clips."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gohd_core.audio import audio_features
from gohd_core.errors import BadInput
from gohd_core.evaluation.videos import measures
from gohd_core.evaluation.videos.clips import VideoClip, VideoReadConfig, pairs
from gohd_core.expression import LipSync, LipSyncConfig, LipSyncNetwork
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.measures.fid import Gaussian, frechet_distance, gaussian_of
from gohd_core.measures.lse import clip_score, lip_score


def test_frechet_distance_in_closed_form():
    """Diagonal Gaussians: sum of (m1 - m2)^2 + (s1 - s2)^2."""
    first = Gaussian(np.array([0.0, 1.0]), np.diag([4.0, 9.0]), 10)
    second = Gaussian(np.array([3.0, 1.0]), np.diag([1.0, 25.0]), 10)
    assert frechet_distance(first, second) == pytest.approx(9 + 1 + 4)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))[0]
    turned = [Gaussian(turn @ g.mean, turn @ g.covariance @ turn.T, 10) for g in (first, second)]
    assert frechet_distance(*turned) == pytest.approx(14)


def test_frechet_distance_of_few_pictures_is_that_of_the_matrix_root():
    """Fewer pictures than features: covariances are singular."""
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    one, two = rng.normal(size=(8, 12)), rng.normal(1, 2, size=(9, 12))
    first, second = Gaussian.of(one), Gaussian.of(two)
    shift = 1e-9 * np.eye(12)
    root = sqrtm((first.covariance + shift) @ (second.covariance + shift)).real
    gap = first.mean - second.mean
    plain = gap @ gap + np.trace(first.covariance + second.covariance - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(plain, rel=1e-3)


def test_frechet_distance_of_brighter_pictures():
    def mean_colour(pictures: torch.Tensor) -> torch.Tensor:
        return pictures.float().mean((2, 3))

    rng = np.random.default_rng(2)
    frames = rng.integers(0, 200, (40, 4, 4, 3), dtype=np.uint8)
    dark, light = (gaussian_of([part[:20], part[20:]], mean_colour) for part in (frames, frames + 10))
    assert frechet_distance(dark, light) == pytest.approx(300, rel=1e-6)
    with pytest.raises(BadInput):
        Gaussian.of(np.zeros((1, 3)))


@pytest.mark.parametrize("shift", [-4, 0, 7])
def test_lip_score_finds_a_known_shift(shift):
    rng = torch.Generator().manual_seed(0)
    audio = torch.nn.functional.normalize(torch.randn(90, 16, generator=rng), dim=-1)
    mouths = torch.roll(audio, shift, 0)
    found = lip_score(audio, mouths)
    assert found.shift == shift and found.distance < 0.2
    assert found.confidence > 1
    with pytest.raises(BadInput):
        lip_score(audio[:20], mouths[:20])


def test_clip_score_runs_on_crops():
    torch.manual_seed(0)
    config = LipSyncConfig((2, 2, 2, 2, 4), 1, (2, 2, 2, 2, 4, 4), (1, 1, 1, 1))
    expert = LipSync(LipSyncNetwork(config), config, "bfm09")
    frames = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), dtype=np.uint8)
    found = clip_score(expert, frames, torch.randn(40, 80, 16))
    assert 0 <= found.distance <= 2 and abs(found.shift) <= 15


@pytest.fixture(scope="module")
def clip() -> VideoClip:
    """Four seconds: the jaw opens with bursts of noise, two blinks, the head drifts."""
    rng = np.random.default_rng(4)
    frames, count = rng.integers(0, 255, (100, 32, 32, 3), dtype=np.uint8), 100
    loud = (rng.random(25) > 0.5).repeat(4)
    expression = torch.zeros(1, count, 64)
    expression[0, :, 0] = torch.from_numpy(0.7 * loud)
    for start in (20, 70):
        expression[0, start : start + 5, 10:12] = 1
    sound = audio_features(loud.repeat(640) * rng.normal(0, 0.2, 64_000), 16_000)
    pose = np.cumsum(rng.normal(0, 0.02, (count, 6)), 0)
    gaze = np.stack([np.zeros(count), rng.normal(0, 0.1, count)], 1).astype(np.float32)
    return VideoClip(frames, pose, gaze, FaceGeometry.load(None, "stylised").face(expression), sound)


def test_a_clip_against_itself(clip):
    found = measures.paired_figures(clip, clip, measures.Networks(arcface=colour_identity))
    assert found["PSNR dB"] == pytest.approx(100) and found["SSIM"] == pytest.approx(1, abs=1e-5)
    assert found["MLD px"] == found["perc."] == 0 and found["gaze error"] < 1e-5
    assert found["SSIM_p"] == pytest.approx(1) and found["SSIM_e"] == pytest.approx(1)
    assert 0.9 < found["CSIM"] <= 1
    own = measures.own_figures(clip, clip.sound, measures.Networks())
    assert own["blinks/min"] == pytest.approx(30) and own["blink s"] == pytest.approx(0.2)
    assert abs(own["lag frames"]) < 0.6 and own["lag corr."] > 0.7
    assert own["Var_p x1000"] == pytest.approx(1000 * clip.pose.var(axis=0).mean(), rel=1e-5)


def colour_identity(pictures: torch.Tensor) -> tuple[torch.Tensor]:
    return (torch.nn.functional.normalize(pictures.mean((2, 3)) + 2, dim=-1),)


def test_a_known_translation_turn_and_delay(clip):
    moved = clip.face.landmarks + torch.tensor([3.0, 4.0, 0.0])
    face = type(clip.face)(moved, clip.face.eye_motion, clip.face.offsets)
    gaze = clip.gaze + np.array([0, np.radians(10)], np.float32)
    other = VideoClip(clip.frames, clip.pose, gaze, face, clip.sound)
    found = measures.paired_figures(other, clip, measures.Networks())
    assert found["MLD px"] == pytest.approx(5, abs=1e-4) and found["gaze error"] == pytest.approx(
        10, abs=1e-3
    )
    late = type(clip.face)(*(torch.roll(part, 4, 1) for part in vars(clip.face).values()))
    delayed = VideoClip(clip.frames, clip.pose, clip.gaze, late, clip.sound)
    now, then = (
        measures.own_figures(one, clip.sound, measures.Networks())["lag frames"] for one in (clip, delayed)
    )
    assert then - now == pytest.approx(4, abs=0.7)


def test_the_report_has_the_real_row_and_its_setting(clip, tmp_path, monkeypatch):
    for folder in ("made", "real"):
        (tmp_path / folder).mkdir()
        for name in ("a.mp4", "b.mp4"):
            (tmp_path / folder / name).touch()
    (tmp_path / "made" / "c.mp4").touch()
    monkeypatch.setattr(measures, "read_video", lambda path, reading, readers: clip.cut(90))
    readers = SimpleNamespace(extractor=SimpleNamespace(space="stylised"))
    report = measures.evaluate(
        tmp_path / "made",
        tmp_path / "real",
        readers,
        VideoReadConfig((0, 0, 64, 64)),
        measures.Networks(inception=lambda p: p.float().mean((2, 3)), names={"inception": "x 1"}),
    )
    rows = report.tables[0].rows
    assert list(rows) == ["result", "real"] and rows["result"]["FID"] == pytest.approx(0, abs=1e-6)
    assert rows["result"]["LSE-D"] is None and rows["real"]["MLD px"] == 0
    assert report.setting["crop"] == "0,0,64,64" and report.setting["inception"] == "x 1"
    assert report.setting["videos"] == 2
    assert all(name in report.tables[0].note for name in measures.SOURCES)


def test_videos_without_partners_are_refused(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x.mp4").touch()
    with pytest.raises(BadInput, match="name them alike"):
        pairs(tmp_path / "a", tmp_path / "b")
    for wrong in ((tmp_path / "none", tmp_path / "b"), (tmp_path / "a" / "x.mp4", tmp_path / "none")):
        with pytest.raises(BadInput, match="There is no .*none;"):
            pairs(*wrong)
    with pytest.raises(BadInput, match="one is a folder"):
        pairs(tmp_path / "a" / "x.mp4", tmp_path / "b")
    with pytest.raises(BadInput):
        measures.check_size(5)
