"""Drawn frames of the factor sheet beside rendered truth: quality, sharpness, identity."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gohd_core.clips import Clip
from gohd_core.evaluation.quality.controllability import Head
from gohd_core.evaluation.quality.drawing import as_pictures
from gohd_core.evaluation.quality.factor_grid import FACTORS, FREE, NEAR, Sheet
from gohd_core.evaluation.report import Table
from gohd_core.measures.coefficient_errors import explained_variance
from gohd_core.measures.images import frame_figures, perceptual_distance, sharpness
from gohd_core.training.animator.examples import boxes

REGIONS = ("", "eyes ", "mouth ")
FRAME_NOTE = (
    "PSNR (of the mean squared error over all pictures) and SSIM at the animator's size, over the whole "
    "picture or boxes around both eyes or the mouth; "
    "perc.: our multi-scale distance of oriented edges (measures/images.py), 0 is identical; "
    "sharpness: mean pixel gradient as a share of the truth's."
)


def picture_figures(made: np.ndarray, true: np.ndarray, landmarks: np.ndarray) -> dict[str, Tensor]:
    """PSNR, SSIM and perceptual distance by region, and sharpness, [n] each.

    Frames u8 [n, S, S, 3], true landmarks [n, 68, 2].
    """
    a, b = as_pictures(made), as_pictures(true)
    parts = torch.from_numpy(np.stack([boxes(points, true.shape[1]) for points in landmarks]))
    regions = dict(zip(REGIONS, (None, parts[:, :2], parts[:, 2:]), strict=True))
    figures = frame_figures(a, b, regions)
    return figures | {"sharpness": sharpness(a, b)}


def add_frames(table: Table, row: str, groups: list[dict[str, Tensor]]) -> None:
    """Puts the means over several groups of frames into a table; PSNR is that of the mean squared error."""
    figures = {}
    for name in groups[0]:
        values = torch.cat([group[name] for group in groups])
        decibels = name.endswith("dB")
        figures[name] = -10 * (10 ** (-values / 10)).mean().log10() if decibels else values.mean()
    table.put(row, figures)


def still_table(heads: list[Head], sheet: Sheet) -> Table:
    """Near-pose and free pictures, and every factor, beside repeating the source."""
    table = Table("Single pictures of held-out heads", note=FRAME_NOTE)
    rows = {
        "near pose": [k for k, name in enumerate(sheet.names) if name == NEAR],
        "free": [k for k, name in enumerate(sheet.names) if name == FREE],
    }
    for group in ("gaze", "lids", "mouth", "brows", "head"):
        members = [factor.name for factor in FACTORS if factor.group == group]
        rows[f"{group} only"] = [k for k, name in enumerate(sheet.names) if name in members]
    for name, chosen in rows.items():
        if not chosen:
            continue
        drawn, copied = [], []
        for head in heads:
            true, landmarks = head.clip.read_at("frames", chosen), head.clip.read_at("landmarks", chosen)
            source = np.repeat(head.clip.read("frames", 0, 1), len(chosen), 0)
            drawn.append(picture_figures(head.drawn[chosen], true, landmarks))
            copied.append(picture_figures(source, true, landmarks))
        add_frames(table, name, drawn)
        add_frames(table, f"{name}: copy source", copied)
    return table


def identity_table(heads: list[Head], sheet: Sheet) -> Table:
    """Whether a drawn head is nearer to its own true picture than to other people's."""
    table = Table(
        "Identity",
        note="All heads do the same sheet, so a drawn picture can be looked up among true pictures of all "
        "people with the same pose, expression and gaze: recognised is how often its own is the nearest "
        "by the perceptual distance (whole picture, background included). Coefficient distance: "
        "the extractor's identity of drawn frames to that of the true ones, as a share of the distance "
        "between people; meaningless where the reader's own r2 is near 0.",
    )
    chosen = [k for k, name in enumerate(sheet.names) if k and name.startswith("head")]
    chosen += [k for k, name in enumerate(sheet.names) if name in (NEAR, FREE)]
    true = [_small(head.clip.read_at("frames", chosen)) for head in heads]
    own, other, hits = [], [], []
    for at, head in enumerate(heads):
        drawn = _small(head.drawn[chosen])
        gaps = torch.stack([perceptual_distance(drawn, candidate) for candidate in true])
        self_gap = gaps[at]
        rest = torch.cat([gaps[:at], gaps[at + 1 :]]).min(0).values
        own.append(self_gap)
        other.append(rest)
        hits.append((self_gap < rest).float())
    made, real = (
        np.stack([getattr(h, part).identity[chosen] for h in heads]) for part in ("of_drawn", "of_true")
    )
    people = real.mean(1)
    between = np.linalg.norm(people[:, None] - people[None], axis=-1)[~np.eye(len(heads), dtype=bool)].mean()
    stated = np.stack([head.clip.read("identity") for head in heads])[:, None].repeat(len(chosen), 1)
    table.put(
        "drawn",
        {
            "recognised": torch.cat(hits).mean(),
            "distance to self": torch.cat(own).mean(),
            "to nearest other": torch.cat(other).mean(),
            "coefficient distance": np.linalg.norm(made - real, axis=-1).mean() / max(between, 1e-9),
            "reader r2": explained_variance(
                *(torch.from_numpy(x.reshape(-1, x.shape[-1])).float() for x in (real, stated))
            ),
        },
    )
    return table


def _small(frames: np.ndarray) -> Tensor:
    """Half size: identity shows in features larger than two pixels."""
    return torch.nn.functional.avg_pool2d(as_pictures(frames), 2)


def shot_frames(clip: Clip) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Frames, landmarks and the frame numbers in the whole clip of a `shots` clip."""
    return clip.read("frames"), clip.read("landmarks"), list(clip.info["at"])
