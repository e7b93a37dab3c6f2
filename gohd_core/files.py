"""Atomic writing of files, and the metadata of our safetensors files."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gohd_core.errors import BadInput, GohdError

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST_NAME = 230
"""Bytes that leave room for a process's number beside the name; file systems take 255."""


def check_target(path: str | Path, endings: tuple[str, ...] = ()) -> Path:
    """The path, when a file can be written there; else `BadInput`, before the work that would be lost.

    endings: what its name may end with; none takes any.
    """
    path = Path(path)
    if endings and path.suffix.lower() not in endings:
        raise BadInput(f"{path} ends otherwise than {' or '.join(endings)}; give it such a name.")
    try:
        _refuse_folder(path)
        target = _real(path)
        folder = next((each for each in target.parents if each.exists()), Path())
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        _check_name(folder / target.name)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, UnicodeEncodeError) as error:
        raise _write_error(path, error) from error
    return path


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _check_name(path: Path) -> None:
    """Raises the system's own error for a name that it does not take."""
    with suppress(FileNotFoundError):
        os.stat(path)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes its place when the block ends without an error.

    A link stays one: what it points to is written. Raises `BadInput` when the disk is full or the place can't
    be written, before the block where that can be known; nothing is left behind then. A process that is
    killed leaves its part beside the whole old file; the next one that writes there takes it away.
    """
    path = Path(path)
    target = path
    part = None
    try:
        target = _real(path)
        part = _part_of(target)
        _refuse_folder(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_name(target)
        _clear(target)
        part.touch()
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except (OSError, UnicodeEncodeError) as error:
        raise _write_error(path, error) from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _write_error(path: Path, error: OSError | UnicodeError) -> BadInput:
    if isinstance(error, UnicodeError):
        reason = "this system's file names can't have these characters"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "the disk is full, free some space"
    elif error.errno == errno.ENAMETOOLONG:
        reason = "the name is too long, give a shorter one"
    else:
        reason = error.strerror or str(error)
    return BadInput(f"{path} can't be written ({reason}); nothing was left behind.")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _part_of(path: Path) -> Path:
    """Temporary path beside `path`, one a process; of a long name a digest is taken."""
    return path.with_name(f"{_stem(path)}.{os.getpid()}.part")


def _stem(path: Path) -> str:
    name = os.fsencode(path.name)
    return path.name if len(name) <= _LONGEST_NAME else hashlib.sha256(name).hexdigest()


def _clear(path: Path) -> None:
    """Takes away what killed processes left of this file."""
    for left in path.parent.glob(f"{glob.escape(_stem(path))}.*.part"):
        number = left.name[len(_stem(path)) + 1 : -len(".part")]
        if number.isdecimal() and not _runs(int(number)):
            with suppress(OSError):
                left.unlink()


def _runs(process: int) -> bool:
    """Whether a process of that number runs; False on Windows, where open files can't be deleted anyway."""
    if os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def atomic_write(path: str | Path, content: bytes) -> Path:
    """Writes `content` to `path`, all of it or nothing."""
    with atomic_path(path) as part:
        part.write_bytes(content)
    return Path(path)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    state = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def read_header(
    path: str | Path,
    key: str,
    *,
    what: str = "safetensors file",
    remedy: str = "make it again",
    error: type[GohdError] = BadInput,
) -> Any:
    """The JSON that a safetensors file keeps under `key` in its header; None where it keeps none.

    Raises `error` for a file that is not a whole one: what it should be, and what to do.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return json.loads((file.metadata() or {}).get(key, "null"))
    except (SafetensorError, OSError, json.JSONDecodeError) as problem:
        raise error(f"{path} is damaged or cut off, not a whole {what} ({problem}); {remedy}.") from problem


def read_safetensors(path: str | Path, key: str, **said: Any) -> tuple[dict[str, Tensor], Any]:
    """All tensors of a safetensors file, on the CPU, and its header; see `read_header`."""
    from safetensors.torch import load_file

    header = read_header(path, key, **said)
    return load_file(path, device="cpu"), header
