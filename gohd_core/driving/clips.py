"""A real film as training clips (`gohd_core.clips`), so that one trainer serves films and stylised data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core.choices import SPLITS
from gohd_core.clips import INDEX_NAME, Entry, clip_path, read_index, save_clip, write_index
from gohd_core.constants import FPS, SAMPLES_PER_FRAME
from gohd_core.driving.crop_readers import pose_in
from gohd_core.driving.result import Driving
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, face_crop_box, resize_crop, slice_box
from gohd_core.images import Image
from gohd_core.video.reader import VideoReader

UNITS = {
    "pose": "radians (Euler angles x, y, z), then model units",
    "gaze": "radians (pitch up, yaw to the image's left, camera's axes)",
    "landmarks": "pixels, x right, y down, pixel centres at integers",
}


@dataclass(frozen=True)
class ClipPlan:
    """Options of cutting a film into clips.

    Attributes:
        name: of the film; clips are called name-000, name-001 ...
        size: side of the pictures in pixels.
        seconds: longest clip; a film is cut into clips of equal length.
        split: train, validation or test; None draws it from the identity, so that one person never occurs
            in two splits.
        identity: who is seen (and heard); None takes the film's name.
    """

    name: str
    size: int = 256
    seconds: float = 10.0
    split: str | None = None
    identity: str | None = None

    def __post_init__(self) -> None:
        if self.split is not None and self.split not in SPLITS:
            raise BadInput(f"There is no split {self.split!r}; use one of {', '.join(SPLITS)}.")
        if not 32 <= self.size <= 1024 or not 0.2 <= self.seconds <= 60:
            raise BadInput("Clips have pictures of 32 to 1024 pixels and last 0.2 to 60 seconds.")

    @property
    def person(self) -> str:
        """The identity's key in the index."""
        return self.identity or self.name

    @property
    def place(self) -> str:
        """The split: eight tenths of identities train, one tenth each validates and tests."""
        digit = hashlib.sha256(self.person.encode()).digest()[0] % 10
        return self.split or SPLITS[max(0, digit - 7)]


def write_clips(
    folder: str | Path, film: VideoReader, driving: Driving, plan: ClipPlan, audio: np.ndarray | None = None
) -> list[Path]:
    """Writes a film, and what was read of it at 25 fps, as clips; a data set that is there is added to.

    Each clip has one still square crop, around the mean of its landmarks; poses, landmarks and pictures are
    those of that crop (official poses refer to the aligned face, as ever). One clip's pictures are in
    memory at a time.

    Args:
        film: the same film again; it can't be one that plays once.
        audio: 16 kHz mono [N] with full scale 1, from the film's start, or None.
    """
    motion, folder = driving.motion, Path(folder)
    if motion.fps != FPS:
        raise BadInput(f"Training clips have {FPS} frames a second, and this motion {float(motion.fps):g}.")
    if film.once:
        raise BadInput("The film's frames came from an iterator and are used up; give a file or a batch.")
    header, entries = _index(folder, motion.space, plan)
    count = max(1, -(-len(motion) // round(plan.seconds * FPS)))
    bounds = np.linspace(0, len(motion), count + 1).round().astype(int)
    pictures, written = film.at(FPS, len(motion)), []
    for number, (start, stop) in enumerate(pairwise(bounds.tolist())):
        name = f"{plan.name}-{number:03d}"
        frames = [next(pictures) for _ in range(start, stop)]
        arrays = _arrays(frames, driving, slice(start, stop), plan.size)
        if audio is not None:
            arrays["audio"] = _sound(audio, start, stop)
        path = clip_path(folder, plan.place, name)
        about = {"name": name, "split": plan.place, "kind": "talk", "space": motion.space, "fps": FPS}
        about |= {"size": plan.size, "units": UNITS, "source": plan.name, "engine": "film", "text": ""}
        save_clip(path, arrays, about)
        entry = Entry(name, plan.place, plan.person, plan.person, name, stop - start)
        entries = [*(e for e in entries if (e.name, e.split) != (name, plan.place)), entry]
        write_index(folder, header, entries)
        written.append(path)
    return written


def _index(folder: Path, space: str, plan: ClipPlan) -> tuple[dict[str, Any], list[Entry]]:
    fresh = {"space": space, "fps": FPS, "size": plan.size, "seed": 0, "kind": "talk"}
    if not (folder / INDEX_NAME).is_file():
        return fresh, []
    header = read_index(folder)
    for key in ("space", "fps", "size", "kind"):
        if header[key] != fresh[key]:
            raise BadInput(
                f"{folder} holds clips with {key} {header[key]}, these have {fresh[key]}; use another."
            )
    entries = [Entry(**entry) for entry in header.pop("clips")]
    other = next((e for e in entries if e.identity == plan.person and e.split != plan.place), None)
    if other is not None:
        raise BadInput(f"{plan.person} is in the split {other.split} of {folder}; a person has one split.")
    return {key: value for key, value in header.items() if key != "format"}, entries


def _arrays(frames: list[Image], driving: Driving, rows: slice, size: int) -> dict[str, np.ndarray]:
    motion, landmarks = driving.motion, driving.landmarks[rows].numpy().astype(np.float64)
    square = _square(frames[0], driving, landmarks)
    pose = motion.pose.values[rows]
    if driving.square is not None:
        pose = torch.stack([pose_in(p, Box(*driving.square), square) for p in pose])
    corner = np.array([square.left, square.top])
    place = (landmarks + 0.5 - corner) * size / square.width - 0.5
    return {
        "frames": np.stack([resize_crop(slice_box(image, square), size) for image in frames]),
        "expression": motion.expression.values[rows].numpy(),
        "pose": pose.float().numpy(),
        "gaze": motion.gaze.values[rows].numpy(),
        "identity": driving.identity.numpy(),
        "landmarks": place.astype(np.float32),
        "valid": motion.pose.valid[rows].numpy(),
    }


def _square(image: Image, driving: Driving, landmarks: np.ndarray) -> Box:
    """Crop box: of a square film in which nothing moved its whole picture, else around the mean landmarks."""
    height, width = image.shape[:2]
    if driving.square == (0, 0, width, height):
        side = min(height, width)
        return Box(0, 0, side, side)
    mean = landmarks.mean(0)
    if not np.ptp(mean, axis=0).all():
        raise BadInput("No face was seen in the film, so there is nothing to learn from; leave it out.")
    return Box(*face_crop_box(Box.around(mean), height, width).ints())


def _sound(audio: np.ndarray, start: int, stop: int) -> np.ndarray:
    part = np.asarray(audio, np.float64)[start * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME]
    whole = np.zeros((stop - start) * SAMPLES_PER_FRAME)
    whole[: len(part)] = part
    return np.round(np.clip(whole, -1, 1) * 32767).astype(np.int16)
