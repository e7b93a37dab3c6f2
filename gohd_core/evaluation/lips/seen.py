"""Lip openings read from a video, with its sound; cached by the file's content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gohd_core.audio import load_audio
from gohd_core.constants import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from gohd_core.errors import BadInput
from gohd_core.files import atomic_write, file_digest

FACING = ((13, 14), (82, 87), (312, 317))
"""Points of the mesh on the inner upper and lower lip that face each other."""
CORNERS = (61, 291)
"""Points of the mesh in the mouth's corners."""
EYES = (33, 263)
"""Points of the mesh in the eyes' outer corners, whose distance in space is the unit."""
STEADY = 2.0
"""Frames (standard deviation) over which that unit is smoothed: heads do not grow while they talk."""
LEAST_SEEN = 0.9
"""Share of the frames in which a face must be seen."""
LONGEST = 60.0
"""Seconds of a video that are read."""


@dataclass(frozen=True, eq=False)
class SeenLips:
    """Lips and sound of one video at 25 frames a second; frame k stands for (k + 1/2) / 25 s.

    Attributes:
        name: the file's, without its ending.
        gap: mean distance of the inner lips, in distances of the eyes' outer corners, float64 [T].
        width: distance of the mouth's corners, in the same unit, [T].
        sound: 16 kHz samples float32 [640 T].
    """

    name: str
    gap: np.ndarray
    width: np.ndarray
    sound: np.ndarray

    def __len__(self) -> int:
        return len(self.gap)


def lips_of_mesh(points: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """(gap, width) [T] at 25 frames a second of meshes [N, 478, 3] in pixels at `fps`."""
    from scipy.ndimage import gaussian_filter1d

    points = np.asarray(points, np.float64)

    def distance(first: int, second: int, axes: int) -> np.ndarray:
        return np.linalg.norm(points[:, first, :axes] - points[:, second, :axes], axis=1)

    unit = gaussian_filter1d(distance(*EYES, 3), STEADY)
    gap = np.mean([distance(upper, lower, 2) for upper, lower in FACING], axis=0) / unit
    width = distance(*CORNERS, 2) / unit
    time = (np.arange(len(points)) + 0.5) / fps
    wanted = (np.arange(int(len(points) / fps * FPS)) + 0.5) / FPS
    return np.interp(wanted, time, gap), np.interp(wanted, time, width)


def read_lips(path: str | Path, reader: Any, folder: str | Path | None = None) -> SeenLips:
    """Lips and sound of a video.

    Args:
        reader: a `face.mediapipe.reader.FaceReader`, or a function that loads one when it is needed.
        folder: where what was seen is kept, by the file's content; None keeps nothing.
    Raises: `BadInput` for a file without sound, and where no face is seen nearly all the time.
    """
    import soxr
    from safetensors.numpy import load_file, save

    path = Path(path)
    samples, rate = load_audio(path)
    sound = soxr.resample(samples.mean(0), rate, SAMPLE_RATE).astype(np.float32)
    kept = None
    if folder is not None:
        kept = Path(folder) / f"{path.stem}-{file_digest(path)[:16]}.safetensors"
    if kept is not None and kept.is_file():
        seen = load_file(kept)
    else:
        gap, width = lips_of_mesh(*_meshes(path, reader))
        seen = {"gap": gap, "width": width}
        if kept is not None:
            atomic_write(kept, save(seen))
    frames = len(seen["gap"])
    sound = np.pad(sound, (0, max(0, frames * SAMPLES_PER_FRAME - len(sound))))
    return SeenLips(path.stem, seen["gap"], seen["width"], sound[: frames * SAMPLES_PER_FRAME])


def _meshes(path: Path, reader: Any) -> tuple[np.ndarray, float]:
    """(points [N, 478, 3] of every frame, frames a second)."""
    from gohd_core.driving.mesh_tracks import follow
    from gohd_core.face import FaceChoice, FaceReader
    from gohd_core.video.reader import VideoReader

    if not isinstance(reader, FaceReader):
        reader = reader()
    film = VideoReader.open(path, seconds=LONGEST)
    faces = [face for _, block in follow(film.play(), reader, FaceChoice()) for face in block]
    return fill_gaps(faces, path.name), float(film.fps)


def fill_gaps(faces: Iterable[Any], name: str) -> np.ndarray:
    """Points [N, 478, 3] of faces; where there is none, those of the face before (or of the first)."""
    points = [None if face is None else face.points for face in faces]
    present = [k for k, one in enumerate(points) if one is not None]
    if len(present) < LEAST_SEEN * max(len(points), 1):
        raise BadInput(
            f"In {name} a face is seen in {len(present)} of {len(points)} frames; give a clip of one face."
        )
    last = points[present[0]]
    for k, one in enumerate(points):
        last = last if one is None else one
        points[k] = last
    return np.stack(points)
