"""Files that appear whole or not at all, and what a safetensors file of ours says of itself."""

from __future__ import annotations

import errno
import glob
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gohd_core.errors import BadInput, GohdError

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes its place when the block ends without an error.

    Raises `BadInput` when the disk is full or the place can't be written; nothing is left behind then.
    A process that is killed leaves its part beside the whole old file; the next one that writes there
    takes it away.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk is full, free some space"
        else:
            reason = error.strerror or str(error)
        raise BadInput(f"{path} can't be written ({reason}); nothing was left behind.") from error
    finally:
        if part.parent.is_dir():
            part.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Takes away what killed processes left of this file."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        number = left.name[len(path.name) + 1 : -len(".part")]
        if number.isdecimal() and not _runs(int(number)):
            with suppress(OSError):
                left.unlink()


def _runs(process: int) -> bool:
    """Whether a process of that number is there; Windows lets nobody delete what one writes to."""
    if os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def write_whole(path: str | Path, content: bytes) -> Path:
    """Writes `content` to `path`, all of it or nothing."""
    with whole_file(path) as part:
        part.write_bytes(content)
    return Path(path)


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
