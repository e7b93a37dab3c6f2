"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gohd_core.errors import BadInput


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
