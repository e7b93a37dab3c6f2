"""`gohd benchmark heads`: heads and eyes made for recordings, beside those of people in videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core import __version__
from gohd_core.audio import AudioFeatures, audio_features, load_audio
from gohd_core.constants import N_EXPRESSION, N_POSE, SAMPLE_RATE, STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.heads.figures import NOTE, SpokenHead, head_figures, speed
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Report, Table
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.measures.motion_statistics import audio_beats, beat_locking
from gohd_core.measures.sequences import blinks
from gohd_core.models import Models
from gohd_core.motion import Pose
from gohd_core.talk_options import TalkOptions

MEAN, JOINED = "mean", "all, one after another"
LONGEST = 60.0
"""Seconds of a video that are read."""


def heads(
    models: Models,
    sounds: Sequence[str | Path],
    videos: Sequence[str | Path] = (),
    reader: Any = None,
    *,
    seeds: int = 10,
    seconds: float = 20.0,
    progress: Progress | None = None,
) -> Report:
    """Measures poses and blinks that weights in the stylised space make of recordings.

    Args:
        videos: people who talk, for comparison; `reader` reads them (a `FaceReader`, or what loads one).
        seeds: heads that are made of each recording; the table of recordings holds their means.
        seconds: the part of each recording that is heard; all of these parts joined make the long clip.
    Raises: `BadInput` for weights in another space, and nothing to measure.
    """
    if not sounds:
        raise BadInput("There is nothing to measure; give recordings of speech.")
    if models.pose.space != STYLISED or models.expression.space != STYLISED:
        raise BadInput("Heads are measured in the stylised space; give stylised weights.")
    made, alike, heard = Table("Heads and eyes for recordings", note=NOTE), _seed_table(seeds), []
    for path in with_progress(sounds, "recordings", progress):
        features = _first_seconds(path, seconds)
        heard.append(features.waveform)
        samples = [make_head(models, features, seed) for seed in range(seeds)]
        made.put(Path(path).name, _means([head_figures(one) for one in samples]))
        alike.put(Path(path).name, seed_figures(samples))
    _mean_row(made), _mean_row(alike)
    joined = audio_features(torch.cat(heard), SAMPLE_RATE)
    made.put(JOINED, head_figures(make_head(models, joined, 0)))
    tables = [made, alike]
    if videos:
        real = Table("Heads and eyes of people in videos", note=NOTE)
        for path in with_progress(videos, "videos", progress):
            real.put(Path(path).stem, head_figures(seen_head(path, reader)))
        _mean_row(real)
        tables.append(real)
    setting = {"benchmark": 1, "seeds": seeds, "seconds": seconds}
    return Report("heads", setting, {"gohd": __version__}, tables)


def make_head(models: Models, features: AudioFeatures, seed: int) -> SpokenHead:
    """A head for a sound as `gohd talk` would make it for a portrait that looks ahead, at rest."""
    options = TalkOptions(seed=seed)
    p0, e0 = (torch.zeros(n, dtype=torch.float32, device="cpu") for n in (N_POSE, N_EXPRESSION))
    mel = features.condition(models.pose.alignment)
    pose = models.pose.sample_pose(mel, p0, seed=seed, sampler=options.sampler, steps=options.steps)
    expression, _ = models.expression.predict(features, e0, seed=seed)
    return _head(pose, expression, features)


def seen_head(path: str | Path, reader: Any) -> SpokenHead:
    """Head and eyes of the person in a video, and the beats of its sound."""
    from gohd_core.driving.extraction import extract_by_meshes
    from gohd_core.face.mediapipe.reader import FaceReader
    from gohd_core.video.reader import VideoReader

    reader = reader if isinstance(reader, FaceReader) else reader()
    driving = extract_by_meshes(VideoReader.open(Path(path), seconds=LONGEST), reader)
    features = audio_features(*load_audio(path))
    return _head(driving.motion.pose, driving.motion.expression.values, features)


def seed_figures(samples: Sequence[SpokenHead]) -> dict[str, float]:
    """Similarity of heads of several seeds, and the range of their figures."""
    speeds = [speed(one.angles) for one in samples]
    locked = [beat_locking(one.angles, one.beats) for one in samples]
    shut = [blinks(one.ratio)[0] for one in samples]
    pairs = [
        _correlation(first, second) for first, second in combinations([one.angles for one in samples], 2)
    ]
    return {
        "alike": float(np.mean(pairs)),
        "most alike": float(np.max(pairs)),
        "slowest deg/s": min(speeds),
        "fastest deg/s": max(speeds),
        "least locked": min(locked),
        "most locked": max(locked),
        "fewest blinks": min(shut),
        "most blinks": max(shut),
    }


def _head(pose: Pose, expression: torch.Tensor, features: AudioFeatures) -> SpokenHead:
    count = min(len(pose.values), len(expression), len(features))
    ratio = FaceGeometry.load(None, STYLISED).face(expression[None, :count]).eye_motion[0, :, 0]
    beats = audio_beats(features.mel.numpy()[:count])
    return SpokenHead(pose.values[:count, :3].double().numpy(), ratio.numpy(), beats)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Mean correlation over the three angles of two heads [T, 3]."""
    a, b = (x - x.mean(0) for x in (first, second))
    return float(((a * b).mean(0) / np.maximum(a.std(0) * b.std(0), 1e-9)).mean())


def _first_seconds(path: str | Path, seconds: float) -> AudioFeatures:
    samples, rate = load_audio(path)
    return audio_features(samples[:, : int(seconds * rate)], rate)


def _seed_table(seeds: int) -> Table:
    return Table(
        f"{seeds} seeds",
        note="Alike: correlation of the heads' angles between two seeds, mean and largest over all pairs; "
        "blinks a minute.",
    )


def _mean_row(table: Table) -> None:
    table.put(MEAN, _means(list(table.rows.values())))


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means of each figure over the rows that have it."""
    found = {
        name: [row[name] for row in rows if row.get(name) is not None and not np.isnan(row[name])]
        for name in rows[0]
    }
    return {name: float(np.mean(values)) for name, values in found.items() if values}
