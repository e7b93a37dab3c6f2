"""Training of the extractor and the gaze estimator: losses by their definition, examples, figures, runs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.clips import Clip, Entry, save_clip, write_index
from gohd_core.commands.train import CONFIGS
from gohd_core.constants import BFM09, STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.extractor_network import ExtractorConfig
from gohd_core.face.reading.gaze_estimator import GazeConfig, GazeEstimator
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import ResNetConfig
from gohd_core.measures.coefficient_errors import explained_variance, reading_figures, slope
from gohd_core.training.face.examples import UNCHANGED, UNGUIDED, FaceDraw, GuideConfig, PictureChanges
from gohd_core.training.face.extractor import ExtractorTask, GazeEstimatorTask, openness
from gohd_core.training.face.extractor_config import ExtractorLosses, ExtractorTraining, GazeTraining
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.settings import DataConfig, LoopConfig, OptimiserConfig
from gohd_core.training.framework.task import Moment

TINY = ResNetConfig("basic", (1, 1, 1, 1), 8)
START = Moment(0, 0.0)


def _landmarks(rng: np.random.Generator, size: int) -> np.ndarray:
    points = rng.uniform(0.3, 0.7, (68, 2))
    for first, x in ((36, 0.35), (42, 0.65)):
        angles = np.deg2rad([180, 240, 300, 0, 60, 120])
        points[first : first + 6] = np.stack([x + 0.1 * np.cos(angles), 0.4 + 0.06 * np.sin(angles)], 1)
    return (points * size).astype(np.float32)


def _picture(expression: np.ndarray, pose: np.ndarray, gaze: np.ndarray, size: int) -> np.ndarray:
    """A picture that shows its coefficients as stripes, so that a network can read them."""
    values = np.concatenate([expression[:2], pose, 3 * gaze])
    stripes = np.repeat(0.5 + 0.25 * values, -(-size // len(values)))[:size]
    return np.rint(255 * np.clip(np.tile(stripes[None, :, None], (size, 1, 3)), 0, 1)).astype(np.uint8)


def _write(folder, *, space=STYLISED, size=64, clips=4, frames=6, without=()):
    entries = []
    for index in range(clips):
        rng = np.random.default_rng(index)
        split = "validation" if index == clips - 1 else "train"
        expression = np.zeros((frames, 64), np.float32)
        expression[:, :2] = rng.uniform(0, 1, (frames, 2))
        pose = (0.3 * rng.standard_normal((frames, 6))).astype(np.float32)
        gaze = (0.2 * rng.standard_normal((frames, 2))).astype(np.float32)
        rows = zip(expression, pose, gaze, strict=True)
        arrays = {
            "frames": np.stack([_picture(*row, size) for row in rows]),
            "expression": expression,
            "pose": pose,
            "gaze": gaze,
            "identity": rng.standard_normal(80).astype(np.float32),
            "landmarks": np.stack([_landmarks(rng, size) for _ in range(frames)]),
        }
        for name in without:
            del arrays[name]
        save_clip(folder / split / f"c{index}.safetensors", arrays, {"space": space, "fps": 25})
        entries.append(Entry(f"c{index}", split, f"id{index}", "", "", frames))
    header = {"space": space, "fps": 25, "size": size, "seed": 0, "kind": "stills"}
    write_index(folder, header, entries)
    return str(folder)


def _settings(folder: str, space: str = STYLISED) -> dict:
    return {
        "data": DataConfig(folders=(folder,), space=space, batch=6, validation_batches=1),
        "loop": LoopConfig(steps=3, log_every=1, validate_every=3, checkpoint_every=100),
        "optimiser": OptimiserConfig(learning_rate=2e-3),
    }


def _extractor(folder: str = "", **changes) -> ExtractorTraining:
    network = ExtractorConfig(
        image_size=64,
        aligned=False,
        backbone=TINY,
        heads=("identity", "expression", "angle", "shift", "depth"),
        glimpses=GlimpseConfig(size=16, width=4, features=8),
        hidden=32,
    )
    return ExtractorTraining(**{"network": network, **_settings(folder), **changes})


def _gaze(folder: str = "", **changes) -> GazeTraining:
    glimpses = GlimpseConfig(regions=("right_eye", "left_eye"), size=16, width=4, features=8)
    network = GazeConfig(image_size=64, backbone=TINY, glimpses=glimpses, hidden=32)
    return GazeTraining(**{"network": network, **_settings(folder), **changes})


def _batch(config, split: str = "train", count: int = 5):
    from gohd_core.training.framework import data

    task = (ExtractorTask if isinstance(config, ExtractorTraining) else GazeEstimatorTask)(config)
    examples = data.clip_examples(config.data, task.draw(split), seed=0, split=split)
    return task, data.collate([examples[n] for n in range(count)])


def test_extractor_terms_by_their_definition(tmp_path):
    task, batch = _batch(_extractor(_write(tmp_path)))
    for head in task.network.heads:
        torch.nn.init.normal_(head.weight, std=0.05)
    task.network.eval()
    terms = task.losses("reader", batch, START)
    with torch.no_grad():
        found, reading = task.network(batch["image"].float() / 255, batch["guide"])
    pose = np.array(batch["pose"])
    expected = {
        "landmarks": np.abs(reading.landmarks - batch["landmarks"]).mean(),
        "expression": ((found.expression - batch["expression"]) ** 2).mean(),
        "angle": np.abs(found.angle.numpy() - pose[:, :3]).mean(),
        "translation": np.abs(found.translation.numpy() - pose[:, 3:]).mean(),
        "identity": ((found.identity - batch["identity"]) ** 2).mean(),
    }
    model, distances = task.model, []
    for b in range(5):
        made = model.landmarks(found.identity[b], found.expression[b], found.pose[b])
        real = model.landmarks(batch["identity"][b], batch["expression"][b], batch["pose"][b])
        for p, q in zip(made.tolist(), real.tolist(), strict=True):
            for axis in (0, 1):
                u, v = (1015 * point[axis] / (10 - point[2]) for point in (p, q))
                distances.append(abs(u - v) / 112)
    expected["projection"] = np.mean(distances)
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert math.isclose(terms[name][1].item(), float(value), rel_tol=1e-4), name


def test_gaze_terms_by_their_definition(tmp_path):
    task, batch = _batch(_gaze(_write(tmp_path)))
    batch["landmarks"][1, 36:48, 1] = 0.1
    task.network.eval()
    terms = task.losses("reader", batch, START)
    with torch.no_grad():
        yaw, pitch, _ = task.network(batch["image"].float() / 255, batch["guide"])
    counted = [b for b in range(5) if b != 1]
    for name, logits, column in (("pitch", pitch, 0), ("yaw", yaw, 1)):
        bins, squares = [], []
        for b in counted:
            degrees = math.degrees(float(batch["gaze"][b, column]))
            probabilities = np.exp(np.float64(logits[b])) / np.exp(np.float64(logits[b])).sum()
            bins.append(-math.log(probabilities[round(degrees / 4 + 45)]))
            read = sum(p * (4 * k - 180) for k, p in enumerate(probabilities))
            squares.append(((read - degrees) / 10) ** 2)
        assert math.isclose(terms[f"{name}_bins"][1].item(), np.mean(bins), rel_tol=1e-3)
        assert math.isclose(terms[f"{name}_angle"][1].item(), np.mean(squares), rel_tol=1e-3)


def test_closed_eyes_are_found_from_landmarks():
    points = torch.tensor(_landmarks(np.random.default_rng(0), 100))[None]
    assert float(openness(points)) > 0.3
    shut, wink = points.clone(), points.clone()
    shut[:, 36:48, 1] = 40
    wink[:, 36:42, 1] = 40
    assert float(openness(shut)) == 0 and float(openness(wink)) > 0.3


def test_gradients_reach_every_weight(tmp_path):
    folder = _write(tmp_path)
    for config in (_extractor(folder), _gaze(folder)):
        task, batch = _batch(config)
        for head in getattr(task.network, "heads", ()):
            torch.nn.init.normal_(head.weight, std=0.05)
        task.losses("reader", batch, START).total().backward()
        dead = [n for n, p in task.network.named_parameters() if p.grad is None or not p.grad.any()]
        assert not dead


def test_examples_are_the_clip_s(tmp_path):
    _write(tmp_path, size=128)
    clip = Clip(tmp_path / "train" / "c0.safetensors")
    draw = FaceDraw(64, False, UNCHANGED, UNGUIDED)
    example = draw(clip, np.random.default_rng(1))
    again = draw(clip, np.random.default_rng(1))
    assert example["image"].shape == (3, 64, 64)
    assert all(np.array_equal(example[key], again[key], equal_nan=True) for key in example)
    at = int(np.flatnonzero((clip.read("pose") == example["pose"]).all(1))[0])
    expected = (clip.read("landmarks")[at] + 0.5) / 64 - 1
    np.testing.assert_allclose(example["landmarks"], expected, atol=1e-6)
    np.testing.assert_allclose(example["image"].mean(), clip.read("frames")[at].mean(), atol=1)
    _write(tmp_path / "bare", without=("landmarks",))
    with pytest.raises(BadInput, match="landmarks"):
        draw(Clip(tmp_path / "bare" / "train" / "c0.safetensors"), np.random.default_rng(0))


def test_official_extractor_sees_aligned_faces(tmp_path):
    from gohd_core.face.reading.alignment import align_face

    _write(tmp_path, size=128)
    clip = Clip(tmp_path / "train" / "c0.safetensors")
    example = FaceDraw(224, True, UNCHANGED, UNGUIDED)(clip, np.random.default_rng(1))
    at = int(np.flatnonzero((clip.read("pose") == example["pose"]).all(1))[0])
    face = align_face(clip.read("frames")[at], clip.read("landmarks")[at])
    assert (example["image"] == face.image.transpose(2, 0, 1)).all()


def test_changes_keep_the_picture_and_follow_the_seed():
    image = np.random.default_rng(0).integers(60, 200, (32, 32, 3)).astype(np.uint8)
    assert (UNCHANGED(image, np.random.default_rng(1)) == image).all()
    changes = PictureChanges()
    one, same, other = (changes(image, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()
    assert np.corrcoef(one.ravel(), image.ravel())[0, 1] > 0.5


def test_guides_are_the_true_landmarks_a_little_off():
    points = _landmarks(np.random.default_rng(0), 2) - 1
    guide, rng = GuideConfig(share=0.4), np.random.default_rng(1)
    drawn = [guide(points, rng) for _ in range(400)]
    guided = [d for d in drawn if not np.isnan(d).any()]
    assert all(np.isnan(d).all() for d in drawn if np.isnan(d).any())
    assert 0.3 < len(guided) / 400 < 0.5
    offsets = np.array([d.mean(0) - points.mean(0) for d in guided])
    assert abs(offsets.std() - 0.03) < 0.005 and abs(offsets.mean()) < 0.01
    sizes = np.array([np.linalg.norm(d - d.mean(0)) for d in guided])
    sizes /= np.linalg.norm(points - points.mean(0))
    assert abs(np.log(sizes).std() - 0.05) < 0.01
    exact = GuideConfig(share=1, shift=0, scale=0, turn=0)
    np.testing.assert_allclose(exact(points, rng), points, atol=1e-6)


def test_figures():
    truth = torch.linspace(-1, 1, 50)
    assert explained_variance(truth, truth) == 1 and math.isclose(
        slope(0.8 * truth + 3, truth), 0.8, rel_tol=1e-5
    )
    assert math.isclose(explained_variance(torch.zeros(50), truth), 0, abs_tol=1e-6)
    pose = torch.stack([truth] * 5 + [torch.zeros(50)], 1)
    read = pose + torch.deg2rad(torch.tensor(2.0))
    names = {"pose": ("pitch", "yaw", "roll", "x", "y", "z")}
    figures = reading_figures({"pose": read}, {"pose": pose}, names)
    assert math.isclose(figures["error/yaw"], 2, rel_tol=1e-4), "degrees"
    assert math.isclose(figures["error/x"], math.radians(2), rel_tol=1e-4), "model units"
    assert "error/z" not in figures, "what never moves has no figures"


def test_a_run_learns_and_exports(tmp_path):
    folder = _write(tmp_path / "data", clips=5, frames=8)
    loop = LoopConfig(steps=60, log_every=10, validate_every=60, checkpoint_every=100, picture_every=60)
    config = _extractor(folder, loop=loop, changes=UNCHANGED)
    summary = train(ExtractorTask, config, tmp_path / "run", command="gohd train extractor")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["reader/expression"] for line in lines if "reader/expression" in line]
    assert losses[-1] < 0.75 * losses[0]
    assert {"error/jaw_open", "error/yaw", "error/landmarks"} <= set(summary.figures)
    extractor = CoefficientExtractor.load(summary.exported[0])
    assert extractor.space == STYLISED and extractor.info["training"]["seed"] == 0
    frames = Clip(next((tmp_path / "data" / "train").iterdir())).read("frames")
    assert extractor.extract(frames).landmarks.shape == (8, 68, 2)
    # Fine-tuning begins where the file ends.
    again = ExtractorTask(_extractor(folder, start=str(summary.exported[0])))
    for key, value in extractor.network.state_dict().items():
        assert (again.network.state_dict()[key] == value).all()
    with pytest.raises(BadInput, match="space"):
        data = DataConfig(folders=(folder,), space=BFM09)
        ExtractorTask(_extractor(folder, start=str(summary.exported[0]), data=data))


OVERFITTING = {
    "loop": LoopConfig(steps=300, checkpoint_every=1000),
    "optimiser": OptimiserConfig(learning_rate=4e-3, warmup_steps=20, schedule="cosine"),
}


def _overfitting_clips(folder) -> tuple[list, np.ndarray, np.ndarray]:
    """Frames of the four training clips, and the coefficients that their stripes encode."""
    clips = [Clip(path) for path in sorted((folder / "train").iterdir())]
    frames = [frame for clip in clips for frame in clip.read("frames")]
    expression = np.concatenate([clip.read("expression")[:, :2] for clip in clips])
    pose, gaze = (np.concatenate([clip.read(name) for clip in clips]) for name in ("pose", "gaze"))
    return frames, np.concatenate([expression, pose[:, :3]], 1), gaze


def test_the_extractor_overfits_four_clips(tmp_path):
    folder = _write(tmp_path / "data", clips=5, frames=8)
    settings = _settings(folder) | OVERFITTING
    settings["data"] = replace(settings["data"], batch=16)
    # landmarks and identities are random, not in the pictures
    losses = ExtractorLosses(landmarks="off", projection="off", identity="off", expression=300.0)
    config = _extractor(folder, **settings, changes=UNCHANGED, losses=losses)
    whole = replace(config.network, glimpses=None)  # the stripes are not where eyes and mouth are
    summary = train(ExtractorTask, replace(config, network=whole), tmp_path / "run")
    frames, truth, _ = _overfitting_clips(tmp_path / "data")
    found = CoefficientExtractor.load(summary.exported[0]).extract(frames)
    read = np.concatenate([found.expression.values[:, :2], found.pose.values[:, :3]], 1)
    for column in range(read.shape[1]):
        assert np.corrcoef(read[:, column], truth[:, column])[0, 1] > 0.9, column


def test_the_gaze_estimator_overfits_four_clips(tmp_path):
    folder = _write(tmp_path / "data", clips=5, frames=8)
    settings = _settings(folder) | OVERFITTING
    settings["data"] = replace(settings["data"], batch=16)
    summary = train(GazeEstimatorTask, _gaze(folder, **settings, changes=UNCHANGED), tmp_path / "run")
    frames, _, truth = _overfitting_clips(tmp_path / "data")
    read = GazeEstimator.load(summary.exported[0]).estimate(frames).values.numpy()
    for column in range(2):
        assert np.corrcoef(read[:, column], truth[:, column])[0, 1] > 0.9, column


def test_a_gaze_run_exports(tmp_path):
    folder = _write(tmp_path / "data")
    summary = train(GazeEstimatorTask, _gaze(folder), tmp_path / "run")
    estimator = GazeEstimator.load(summary.exported[0])
    assert estimator.space == STYLISED and "error/gaze_yaw" in summary.figures


def test_the_gaze_estimator_can_begin_with_the_extractor_s_reader(tmp_path):
    folder = _write(tmp_path / "data")
    exported = train(ExtractorTask, _extractor(folder), tmp_path / "run").exported[0]
    task = GazeEstimatorTask(_gaze(folder, reader=str(exported)))
    theirs = CoefficientExtractor.load(exported).network.reader.state_dict()
    ours = task.network.reader.state_dict()
    assert set(theirs) - set(ours) and all((theirs[key] == ours[key]).all() for key in ours)
    network = GazeConfig(image_size=64, backbone=ResNetConfig("basic", (1, 1, 1, 1), 4))
    with pytest.raises(BadInput, match="another shape"):
        GazeEstimatorTask(_gaze(folder, reader=str(exported), network=network))


def test_real_clips_need_their_morphable_model(tmp_path):
    folder = _write(tmp_path, space=BFM09)
    with pytest.raises(BadInput, match="BFM_model_front"):
        ExtractorTask(_extractor(folder, **_settings(folder, BFM09)))


@pytest.mark.parametrize("name", ["stylised", "official"])
def test_shipped_configs(name):
    extractor = load_config(ExtractorTraining, CONFIGS / "extractor" / f"{name}.yaml")
    gaze = load_config(GazeTraining, CONFIGS / "gaze-estimator" / f"{name}.yaml")
    if name == "official":
        assert extractor.network == ExtractorConfig() and gaze.network == GazeConfig()
    else:
        assert extractor.network.glimpses and gaze.network.glimpses
