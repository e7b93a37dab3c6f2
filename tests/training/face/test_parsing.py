"""The face parser's training: its losses and figures by hand, and overfitting of four clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.clips import Clip, Entry, save_clip, write_index
from gohd_core.errors import BadInput
from gohd_core.parsing_labels import NAMES
from gohd_core.training.face.examples import UNCHANGED
from gohd_core.training.face.parsing import (
    FaceParsingTask,
    ParsingDraw,
    ParsingTraining,
    hard_cross_entropy,
    mirrored_parts,
    parsing_figures,
)
from gohd_core.training.features import FEATURES
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.loop import train

SETTINGS = [
    "network.image_size=64", "network.backbone.width=8", "network.width=8", "data.batch=8", "loop.device=cpu",
    "data.validation_batches=1", "optimiser.learning_rate=5e-3", "optimiser.warmup_steps=5",
]  # fmt: skip


def write_faces(folder, clips=4, size=64):
    """Clips of two frames: a disc of skin with a mouth and two eyes on a dark ground, each elsewhere."""
    y, x = np.mgrid[:size, :size]
    entries = []
    for split in ("train", "validation"):
        for index in range(clips if split == "train" else 1):
            rng = np.random.default_rng([index, split == "train"])
            parts, colours = np.zeros((2, size, size), np.uint8), rng.integers(60, 255, (19, 3))
            colours[0] = 10
            for frame in range(2):
                cx, cy = rng.uniform(26, 38, 2)
                for name, dx, dy, radius in (
                    ("skin", 0, 0, 22),
                    ("right eye", -10, -7, 7),
                    ("left eye", 10, -7, 7),
                    ("mouth", 0, 11, 7),
                ):
                    inside = (x - cx - dx) ** 2 + (y - cy - dy) ** 2 < radius**2
                    parts[frame][inside] = NAMES.index(name)
            motion = {"expression": 64, "pose": 6, "gaze": 2}
            arrays = {
                "frames": colours[parts].astype(np.uint8),
                "parsing": parts,
                **{name: np.zeros((2, width), np.float32) for name, width in motion.items()},
            }
            save_clip(folder / split / f"face{index}.safetensors", arrays, {"space": "stylised", "fps": 25})
            entries.append(Entry(f"face{index}", split, f"{split}{index}", "", "", 2))
    header = {"space": "stylised", "fps": 25, "size": size, "seed": 0, "kind": "stills"}
    write_index(folder, header, entries)


def test_it_overfits_four_clips(tmp_path):
    write_faces(tmp_path / "data")
    changes = [
        "changes.blur_share=0",
        "changes.noise=0",
        "loop.steps=90",
        f"data.folders=[{tmp_path / 'data'}]",
    ]
    config = load_config(ParsingTraining, None, [*SETTINGS, *changes, "loop.picture_every=90"])
    summary = train(FaceParsingTask, config, tmp_path / "run")
    assert summary.figures.keys() == {"accuracy", "mean_iou"}
    parser = FEATURES["face_parsing"].load(str(tmp_path / "run" / "face_parsing.safetensors"))
    for index in range(4):
        clip = Clip(tmp_path / "data" / "train" / f"face{index}.safetensors")
        images = torch.from_numpy(clip.read("frames")).permute(0, 3, 1, 2) / 127.5 - 1
        (logits,) = parser(images)
        found, truth = logits.argmax(1), torch.from_numpy(clip.read("parsing"))
        for part in ("background", "skin", "mouth", "left eye", "right eye"):
            label = NAMES.index(part)
            assert (found == label)[truth == label].float().mean() > 0.5, part


def test_every_parameter_is_reached(tmp_path):
    task = FaceParsingTask(load_config(ParsingTraining, None, SETTINGS))
    batch = {"image": torch.randint(0, 255, (2, 3, 32, 32)), "parts": torch.randint(0, 19, (2, 32, 32))}
    task.losses("parser", batch, None).total().backward()
    lost = [n for n, p in task.networks.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert lost == []


def test_the_loss_is_the_mean_of_the_hardest_pixels():
    rng = np.random.default_rng(0)
    logits, parts = rng.standard_normal((2, 5, 3, 4)), rng.integers(0, 5, (2, 3, 4))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    each = sorted(
        -np.log(chances[b, parts[b, i, j], i, j]) for b in range(2) for i in range(3) for j in range(4)
    )
    found = hard_cross_entropy(torch.tensor(logits), torch.tensor(parts), 0.25)
    assert float(found) == pytest.approx(np.mean(each[-6:]), rel=1e-5)


def test_figures_by_hand():
    figures = parsing_figures(torch.tensor([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    assert figures["accuracy"] == pytest.approx(7 / 8)
    assert figures["mean_iou"] == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_mirroring_swaps_left_and_right(tmp_path):
    assert NAMES[mirrored_parts()[NAMES.index("left eye")]] == "right eye"
    assert np.array_equal(mirrored_parts()[mirrored_parts()], np.arange(19))
    write_faces(tmp_path)
    clip = Clip(tmp_path / "train" / "face0.safetensors")
    draw = ParsingDraw(64, UNCHANGED, True)
    examples = [draw(clip, np.random.default_rng(seed)) for seed in range(30)]
    eyes = {tuple(np.argwhere(e["parts"] == NAMES.index("left eye")).mean(0).round(1)) for e in examples}
    assert len(eyes) == 4  # two frames, each as it is and mirrored
    assert all(
        np.argwhere(e["parts"] == NAMES.index("left eye"))[:, 1].mean()
        > np.argwhere(e["parts"] == NAMES.index("right eye"))[:, 1].mean()
        for e in examples
    )


def test_clips_without_parts_are_refused(tmp_path):
    motion = {"expression": 64, "pose": 6, "gaze": 2}
    arrays = {name: np.zeros((2, width), np.float32) for name, width in motion.items()}
    save_clip(tmp_path / "a.safetensors", arrays, {"space": "stylised", "fps": 25})
    with pytest.raises(BadInput, match="no 'frames'"):
        ParsingDraw(64, UNCHANGED, True)(Clip(tmp_path / "a.safetensors"), np.random.default_rng(0))
