"""Printing that never fails a run: closed output, pipes without a reader, names that no terminal can show."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO


@contextmanager
def forgiving_output() -> Iterator[None]:
    """Within the block what can't be printed is shown as far as it can be, or goes nowhere."""
    _fill_closed_descriptors()
    with redirect_stdout(_stream(sys.stdout)), redirect_stderr(_stream(sys.stderr)):
        yield


def _fill_closed_descriptors() -> None:
    """Fills closed standard descriptors, or the next file that is opened would be printed into."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(descriptor)


def _stream(stream: TextIO | None) -> Any:
    return _Forgiving(open(os.devnull, "w", encoding="utf-8") if stream is None else stream)


class _Forgiving:
    """A text stream that takes everything; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            self._stream.write(shown)
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def isatty(self) -> bool:
        return not self._stream.closed and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self) -> None:
        """Discards further output, and Python's last flush, once the reader of a pipe has gone."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
