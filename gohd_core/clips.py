"""The clip format: a safetensors file per clip plus `dataset.json`; atomic writes, lazy reads.

Every trainer and benchmark streams this format, whether a clip was rendered (`gohd stylised make`)
or extracted from a real video (`gohd extract`). docs/DATA.md describes each field.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .choices import SPLITS, TRACKS
from .constants import N_EXPRESSION, N_GAZE, N_IDENTITY, N_LANDMARKS, N_POSE, SPACES
from .errors import BadInput
from .files import atomic_write, read_header

if TYPE_CHECKING:
    from .motion import Motion

FORMAT = 1
INDEX_NAME = "dataset.json"
_REMEDY = "delete it and make it again"


@dataclass(frozen=True)
class Field:
    """One array of a clip: numpy dtype and shape, where a letter stands for a length.

    T is the clip's number of frames; a letter must have one length in all fields of a clip.
    """

    dtype: str
    shape: tuple[int | str, ...]


FIELDS: dict[str, Field] = {
    "frames": Field("uint8", ("T", "H", "W", 3)),
    "audio": Field("int16", ("N",)),
    "expression": Field("float32", ("T", N_EXPRESSION)),
    "pose": Field("float32", ("T", N_POSE)),
    "gaze": Field("float32", ("T", N_GAZE)),
    "identity": Field("float32", (N_IDENTITY,)),
    "landmarks": Field("float32", ("T", N_LANDMARKS, 2)),
    "landmarks_3d": Field("float32", ("T", N_LANDMARKS, 3)),
    "irises": Field("float32", ("T", 2, 2)),
    "visible": Field("bool", ("T", N_LANDMARKS)),
    "parsing": Field("uint8", ("T", "H", "W")),
    "valid": Field("bool", ("T",)),
    "phoneme_start": Field("float32", ("P",)),
    "phoneme_end": Field("float32", ("P",)),
    "triangle": Field("uint16", ("T", "H", "W")),
    "barycentric": Field("uint8", ("T", "H", "W", 2)),
    "depth": Field("float16", ("T", "H", "W")),
    "vertices": Field("int16", ("T", "V", 3)),
    "faces": Field("uint16", ("F", 3)),
    "material": Field("uint8", ("F",)),
}
"""Arrays of a clip file; `expression`, `pose` and `gaze` are always there."""

REQUIRED = ("expression", "pose", "gaze")


@dataclass(frozen=True)
class Entry:
    """One clip's metadata in `dataset.json`, enough to choose it without opening it.

    identity, voice and text are keys that never occur in two splits of one data set.
    """

    name: str
    split: str
    identity: str
    voice: str
    text: str
    frames: int


def check_clip(arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> int:
    """Refuse arrays that are not a clip; return the number of frames T."""
    for name in REQUIRED:
        if name not in arrays:
            raise BadInput(f"A clip needs the array '{name}'; it was not given.")
    lengths: dict[str, int] = {}
    for name, array in arrays.items():
        field = FIELDS.get(name)
        if field is None:
            raise BadInput(f"'{name}' is not a field of the clip format; see docs/DATA.md.")
        if array.dtype != np.dtype(field.dtype):
            raise BadInput(f"The clip field '{name}' must be {field.dtype}, not {array.dtype}.")
        if array.ndim != len(field.shape):
            raise BadInput(f"The clip field '{name}' must have shape {field.shape}, not {array.shape}.")
        for wanted, got in zip(field.shape, array.shape, strict=True):
            expected = lengths.setdefault(wanted, got) if isinstance(wanted, str) else wanted
            if got != expected:
                raise BadInput(
                    f"The clip field '{name}' has shape {array.shape}, but {field.shape} "
                    f"with {lengths} was expected."
                )
        if field.dtype.startswith("float") and not np.isfinite(array).all():
            raise BadInput(f"The clip field '{name}' holds values that are not finite numbers.")
    for key in ("space", "fps"):
        if key not in info:
            raise BadInput(f"The clip's description lacks '{key}'.")
    if info["space"] not in SPACES:
        raise BadInput(f"Unknown coefficient space '{info['space']}'; use one of {SPACES}.")
    if lengths["T"] == 0:
        raise BadInput("A clip without frames can't be stored.")
    return lengths["T"]


def save_clip(path: str | Path, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> int:
    """Write one clip file atomically; return its number of frames.

    arrays: fields of `FIELDS`; info: JSON-able description with at least `space` and `fps`.
    The bytes depend on the content alone. Raises BadInput for wrong fields or a full disk.
    """
    from safetensors.numpy import save

    frames = check_clip(arrays, info)
    header = json.dumps(dict(info), sort_keys=True, ensure_ascii=False, allow_nan=False)
    whole = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    atomic_write(path, save(whole, metadata={"clip": header}))
    return frames


class Clip:
    """One clip on disk. Nothing but the header is read until an array is asked for.

    It keeps no file open, so that it can be pickled to data-loading workers by the thousand.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Clip({str(self.path)!r})"

    def _open(self):
        from safetensors import SafetensorError, safe_open

        self._require_file()
        try:
            return safe_open(str(self.path), framework="np")
        except (SafetensorError, OSError) as error:
            raise BadInput(f"'{self.path}' is not a whole clip file ({error}); {_REMEDY}.") from error

    def _require_file(self) -> None:
        if not self.path.is_file():
            raise BadInput(f"There is no clip file '{self.path}'.")

    @cached_property
    def info(self) -> dict[str, Any]:
        """The description: text, phonemes, voice, engine, split, fps, space, units ..."""
        self._require_file()
        header = read_header(self.path, "clip", what="clip file", remedy=_REMEDY)
        if header is None:
            raise BadInput(f"'{self.path}' is a safetensors file, but not a clip.")
        return header

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every stored array, by field name."""
        with self._open() as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118

    def __contains__(self, field: str) -> bool:
        return field in self.shapes

    def __len__(self) -> int:
        return self.shapes["expression"][0]

    def read(self, field: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """Rows start..stop (default all) of one field; only these bytes are read."""
        self._require(field)
        with self._open() as file:
            if start is None and stop is None:
                return file.get_tensor(field)
            rows = slice(*slice(start, stop).indices(self.shapes[field][0]))
            return file.get_slice(field)[rows.start : max(rows.start, rows.stop)]

    def read_at(self, field: str, indices: Sequence[int]) -> np.ndarray:
        """The rows `indices` of one field, in that order; only these bytes are read."""
        self._require(field)
        count = self.shapes[field][0]
        if any(not 0 <= index < count for index in indices):
            raise BadInput(f"Rows {list(indices)} of '{field}' are outside 0..{count - 1}.")
        with self._open() as file:
            rows = file.get_slice(field)
            return np.concatenate([rows[int(index) : int(index) + 1] for index in indices])

    def motion(self) -> Motion:
        """Pose, expression and gaze as the typed sequences of `gohd_core.motion`."""
        import torch

        from .motion import Expression, Gaze, Motion, Pose

        valid = self.read("valid") if "valid" in self else np.ones(len(self), bool)
        common = {
            "fps": self.info["fps"],
            "space": self.info["space"],
            "valid": torch.from_numpy(valid.copy()),
        }
        pose, expression, gaze = (torch.from_numpy(self.read(name)) for name in TRACKS)
        return Motion(Pose(pose, **common), Expression(expression, **common), Gaze(gaze, **common))

    def _require(self, field: str) -> None:
        if field not in self.shapes:
            raise BadInput(
                f"The clip '{self.path.name}' holds no '{field}'; it has: {', '.join(sorted(self.shapes))}."
            )


class ClipDataset:
    """A folder of clips with its index; iterate, select by split, open lazily."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.header = read_index(self.folder)
        self.entries = tuple(Entry(**entry) for entry in self.header["clips"])

    space = property(lambda self: self.header["space"], doc="Coefficient space of all clips.")
    fps = property(lambda self: self.header["fps"], doc="Frames a second of all clips.")
    size = property(lambda self: self.header["size"], doc="Height and width of frames, in pixels.")
    kind = property(lambda self: self.header["kind"], doc="'talk' or 'stills'.")

    def __len__(self) -> int:
        return len(self.entries)

    def select(self, split: str) -> tuple[Entry, ...]:
        """The entries of one split, in order."""
        if split not in SPLITS:
            raise BadInput(f"Unknown split '{split}'; use one of {', '.join(SPLITS)}.")
        return tuple(entry for entry in self.entries if entry.split == split)

    def path(self, entry: Entry) -> Path:
        """Path of an entry's clip file."""
        return clip_path(self.folder, entry.split, entry.name)

    def clip(self, entry: Entry) -> Clip:
        """The clip of an entry, unopened."""
        return Clip(self.path(entry))


def clip_path(folder: Path, split: str, name: str) -> Path:
    """DIR/<split>/<name>.safetensors."""
    return folder / split / f"{name}.safetensors"


def write_index(folder: str | Path, header: Mapping[str, Any], entries: Iterable[Entry]) -> None:
    """Write `dataset.json` atomically. header: space, fps, size, seed, kind, and whatever else."""
    for key in ("space", "fps", "size", "seed", "kind"):
        if key not in header:
            raise BadInput(f"The data set's description lacks '{key}'.")
    content = {"format": FORMAT, **header, "clips": [asdict(entry) for entry in entries]}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    atomic_write(Path(folder) / INDEX_NAME, (text + "\n").encode())


def read_index(folder: str | Path) -> dict[str, Any]:
    """Read and check `dataset.json`; raises BadInput when it is missing, damaged or newer."""
    path = Path(folder) / INDEX_NAME
    if not path.is_file():
        raise BadInput(
            f"'{folder}' is not a data set: it has no {INDEX_NAME}; make one with "
            "`gohd stylised make --out DIR` or `gohd extract`."
        )
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        version = header["format"]
        entries = [Entry(**entry) for entry in header["clips"]]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise BadInput(f"'{path}' is damaged ({error}); make the data set again.") from error
    if version != FORMAT:
        raise BadInput(f"'{path}' has format {version}, but this version reads format {FORMAT}.")
    for entry in entries:
        if entry.split not in SPLITS:
            raise BadInput(f"'{path}' names the unknown split '{entry.split}'.")
    return header
