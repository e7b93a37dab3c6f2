"""Frames of talking heads, end to end: from the sound alone, and with a channel from the video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.quality.data import BenchmarkData
from gohd_core.evaluation.quality.drawing import draw, encode
from gohd_core.evaluation.quality.frame_tables import FRAME_NOTE, add_frames, picture_figures, shot_frames
from gohd_core.evaluation.quality.speech_motion import COPY, MEAN, NEAREST, OURS, TRUTH, Spoken
from gohd_core.evaluation.report import Table
from gohd_core.models import Models
from gohd_core.motion import Motion


@dataclass(frozen=True)
class Source:
    """Row of `Spoken` that each channel comes from."""

    expression: str = OURS
    pose: str = OURS
    gaze: str = OURS


SOURCES = {
    "all from sound": Source(),
    "head pose from video": Source(pose=TRUTH),
    "expression from video": Source(expression=TRUTH),
    "gaze from video": Source(gaze=TRUTH),
    "all from video": Source(TRUTH, TRUTH, TRUTH),
    NEAREST: Source(NEAREST, NEAREST, NEAREST),
    MEAN: Source(MEAN, MEAN, MEAN),
}


def talk_table(
    models: Models, data: BenchmarkData, spoken: list[Spoken], progress: Progress | None = None
) -> Table:
    """Frames of the first clips against the rendered truth; frame 0 of each is the source."""
    table = Table(
        "Talking heads, frame by frame",
        note=f"{FRAME_NOTE} The source is the clip's first frame, its coefficients read by the extractor "
        "and the gaze estimator. A sampled head is not where the true one is, which the whole picture's "
        "figures punish: 'all from video' is what the animator can do, the other rows what a channel costs.",
    )
    by_name = {one.clip.info["name"]: one for one in spoken}
    groups: dict[str, list] = {name: [] for name in (*SOURCES, COPY)}
    for clip in with_progress(data.clips("shots"), "drawing talking heads", progress):
        true, landmarks, at = shot_frames(clip)
        one = by_name[clip.info["of"]]
        kept = [k for k, frame in enumerate(at) if 0 < frame < one.frames]
        own = read_source(models, true[0])
        source = encode(models.animator, true[0], own)
        for name, parts in SOURCES.items():
            motion = one.motion(parts.expression, parts.pose, parts.gaze)
            frames = [draw(models.animator, source, motion, range(at[k], at[k] + 1)).frames for k in kept]
            groups[name].append(picture_figures(np.concatenate(frames), true[kept], landmarks[kept]))
        copied = np.repeat(true[:1], len(kept), 0)
        groups[COPY].append(picture_figures(copied, true[kept], landmarks[kept]))
    for name, figures in groups.items():
        add_frames(table, name, figures)
    return table


def read_source(models: Models, picture: np.ndarray) -> Motion:
    """The portrait's own coefficients, as the pipeline reads them."""
    found = models.extractor.extract([picture])
    gaze = models.gaze_estimator.estimate([picture])
    values = torch.cat([found.expression.values, found.pose.values, gaze.values], 1)
    return Motion.from_descriptors(values, models.animator.space)
