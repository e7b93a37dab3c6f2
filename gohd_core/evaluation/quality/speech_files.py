"""Real recordings: does the mouth open with the syllables and rest in silence?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from gohd_core.audio import audio_features, load_audio
from gohd_core.constants import N_EXPRESSION
from gohd_core.evaluation.report import Table
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.measures.mouth_sync import best_lag, flutter, mouth_opening, speech_envelope
from gohd_core.measures.sequences import blinks
from gohd_core.models import Models

QUIET = 0.15
"""Share of the loudness range (50 dB below the loudest frame to the loudest) up to which a frame is quiet."""
LOUD = 0.6
"""Share from which it is loud."""


def speech_table(models: Models, files: Sequence[str | Path]) -> Table:
    """One row for each file; pixels are those of a 224-pixel face with identity zero."""
    table = Table(
        "Recordings",
        note="Opening of the inner lips against loudness (dB), at its best lag (positive: the mouth is "
        "late); "
        f"opening in frames below {QUIET:g} and above {LOUD:g} of the loudness range of 50 dB; flutter: mean "
        "change from frame to frame. Neutral source, no truth.",
    )
    geometry = FaceGeometry.load(None, models.expression.space)
    for path in files:
        features = audio_features(*load_audio(path))
        expression, _ = models.expression.predict(
            features, torch.zeros(N_EXPRESSION, dtype=torch.float32, device="cpu"), seed=1
        )
        face = geometry.face(expression[None])
        opening = mouth_opening(face.landmarks[0].numpy())
        loudness = speech_envelope(features.waveform.numpy())[: len(opening)]
        lag = best_lag(opening, loudness)
        table.put(
            Path(path).name,
            {
                "seconds": features.duration,
                "correlation": lag.correlation,
                "lag frames": lag.frames,
                "quiet px": _mean(opening[loudness < QUIET]),
                "loud px": _mean(opening[loudness > LOUD]),
                "flutter px": flutter(opening),
                "blinks a minute": blinks(face.eye_motion[0, :, 0].numpy())[0],
            },
        )
    return table


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
