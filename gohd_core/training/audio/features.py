"""Audio features of a window of a clip, computed once per clip and kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from gohd_core.clips import Clip
from gohd_core.constants import SAMPLE_RATE
from gohd_core.errors import BadInput
from gohd_core.files import atomic_write
from gohd_core.training.framework.sampling import audio_frames

_log = logging.getLogger(__name__)

FOLDER = "features"
"""Folder inside a data set that keeps audio features, one file per clip and alignment."""

_IN_MEMORY = 64
"""Clips whose features a process remembers when they are not kept on disk."""

Rows = Callable[[str, int, int], np.ndarray]


def read_sound(
    clip: Clip, window: slice, *, alignment: str = "aligned", keep: bool = True
) -> dict[str, np.ndarray]:
    """The features under a window of T frames, taken from those of the whole clip.

    Returns: "mel" float32 [T, 320] in `alignment` (`gohd_core.audio`), "chunks" float32 [T, 80, 16].
    `keep` stores the clip's features beside the data set (`DIR/features/`), where that can be written.
    """
    from gohd_core.audio import chunk_index

    rows = _kept(clip, alignment) if keep else _remembered(str(clip.path), alignment)
    index = chunk_index(audio_frames(clip))[window]
    low, high = int(index.min()), int(index.max()) + 1
    spectrogram = rows("spectrogram", low, high)
    return {
        "mel": np.ascontiguousarray(rows("mel", window.start, window.stop)),
        "chunks": np.ascontiguousarray(spectrogram[index - low].transpose(0, 2, 1)),
    }


def compute_features(clip: Clip, alignment: str) -> dict[str, np.ndarray]:
    """ "mel" [T, 320] and "spectrogram" [N, 80] of a clip's whole sound."""
    from gohd_core.audio import audio_features

    if "audio" not in clip:
        raise BadInput("it has no sound, which this trainer needs; use clips of the kind 'talk'.")
    waveform = clip.read("audio").astype(np.float32) / 32768
    found = audio_features(waveform, SAMPLE_RATE, alignment)
    return {"mel": found.mel.numpy(), "spectrogram": found.spectrogram.numpy()}


@lru_cache(maxsize=_IN_MEMORY)
def _remembered(path: str, alignment: str) -> Rows:
    arrays = compute_features(Clip(path), alignment)
    return lambda name, low, high: arrays[name][low:high]


def _kept(clip: Clip, alignment: str) -> Rows:
    from safetensors import safe_open
    from safetensors.numpy import save

    path = (
        clip.path.parent.parent / FOLDER / clip.path.parent.name / f"{clip.path.stem}.{alignment}.safetensors"
    )
    if not path.is_file() or path.stat().st_mtime < clip.path.stat().st_mtime:
        content = save(compute_features(clip, alignment))
        try:
            atomic_write(path, content)
        except BadInput as error:
            _log.warning("Audio features are not kept: %s", error)
            return _remembered(str(clip.path), alignment)

    def rows(name: str, low: int, high: int) -> np.ndarray:
        with safe_open(str(path), framework="np") as file:
            return file.get_slice(name)[low:high]

    return rows
