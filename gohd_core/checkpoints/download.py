"""Fetches a listed weights file: resumable, checked, and under its name only when it is whole and right."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import Request, urlopen

from gohd_core.checkpoints.sources import DownloadSource
from gohd_core.errors import BadCheckpoint, BadInput, raise_if_stopped
from gohd_core.files import file_digest

_BLOCK = 1 << 18
_TIMEOUT = 30
_TRIES = 4
_PAGE_LIMIT = 1 << 20
_TRUSTED = (".google.com", ".googleusercontent.com")


@dataclass(frozen=True)
class Downloaded:
    """Result of one file: path, size in bytes, SHA-256, and whether it was fetched now."""

    path: Path
    size: int
    sha256: str
    fetched: bool


class _Broken(Exception):
    """The connection broke; the bytes that arrived are kept."""


def download(
    source: DownloadSource,
    folder: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    pause: float = 2.0,
) -> Downloaded:
    """Fetches one file of `sources.SOURCES` into a folder.

    It is written to NAME.part, resumed after an interruption, and renamed once its size, its digest (where
    its makers state one) and its contents have been checked. Its SHA-256 is kept in NAME.sha256.

    Args:
        progress: called with (bytes there, bytes in all or 0).
        pause: seconds before a broken connection is tried again.
    Raises: `BadInput` when the source can't be reached or the disk is full; `BadCheckpoint` when what
    came is not what was wanted (it is deleted); `Interrupted`. An unfinished file stays as NAME.part.
    """
    addresses = (source.url, *source.mirrors)
    for address in addresses:
        try:
            return _download(replace(source, url=address), Path(folder), progress, should_stop, pause)
        except (BadInput, BadCheckpoint):
            if address == addresses[-1]:
                raise
    raise AssertionError("a source has an address")


def _download(
    source: DownloadSource, folder: Path, progress: Any, should_stop: Any, pause: float
) -> Downloaded:
    target = folder / source.name
    if target.exists():
        digest = file_digest(target)
        _check_digest(source, target, digest)
        return Downloaded(target, target.stat().st_size, digest, False)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{source.name}.part"
    for attempt in range(_TRIES):
        try:
            _fetch(source, part, progress, should_stop)
            break
        except _Broken as reason:
            if attempt + 1 == _TRIES:
                raise BadInput(
                    f"{source.name} did not come whole ({reason}); run the same command again to go on "
                    "where it stopped."
                ) from reason
            time.sleep(pause * attempt)
    digest = file_digest(part)
    try:
        _check_digest(source, part, digest)
        _check_content(source, part)
    except BadCheckpoint:
        _forget(part)
        raise
    size = part.stat().st_size
    os.replace(part, target)
    _state(part).unlink(missing_ok=True)
    target.with_name(f"{target.name}.sha256").write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return Downloaded(target, size, digest, True)


def _fetch(source: DownloadSource, part: Path, progress: Any, should_stop: Any) -> None:
    there = part.stat().st_size if part.exists() else 0
    answer = _open(source, source.url, there, part)
    with answer:
        if answer.status == 416:
            _forget(part)
            raise _Broken("the file at the source has changed")
        start = there if answer.status == 206 else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else 0
        _check_room(part.parent, total - start, source.name)
        _state(part).write_text(json.dumps({"version": _version(answer)}), encoding="utf-8")
        done = start
        with part.open("ab" if start else "wb") as file:
            while block := _read(answer):
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, total)
                raise_if_stopped(should_stop, f"Stopped; what was loaded of {source.name} is kept.")
    if total and done != total:
        raise _Broken(f"{done} of {total} bytes came")


def _open(source: DownloadSource, url: str, there: int, part: Path, *, asked: bool = False) -> Any:
    """The answer that carries the file; a page that asks to confirm (Google Drive) is confirmed once."""
    headers = {"User-Agent": "gohd"}
    if there:
        headers["Range"] = f"bytes={there}-"
        if version := _known_version(part):
            headers["If-Range"] = version
    try:
        answer = urlopen(Request(url, headers=headers), timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code == 416:
            return error
        if error.code >= 500:
            raise _Broken(f"the source answered {error.code}") from error
        raise BadInput(
            f"{source.name} can't be had at {source.url} (answer {error.code}); it may have moved, see "
            "`gohd doctor` for its page."
        ) from error
    except (URLError, OSError, http.client.HTTPException) as error:
        raise _Broken(str(getattr(error, "reason", error))) from error
    if answer.headers.get_content_type() != "text/html":
        return answer
    with answer:
        page = answer.read(_PAGE_LIMIT).decode("utf-8", "replace")
    form = None if asked else _confirmation(page, answer.url)
    if form is None:
        raise BadInput(
            f"The source of {source.name} sent a page in the place of the file (often a limit on how many "
            f"may fetch it a day); try later, or open {source.url} in a browser."
        )
    return _open(source, form, there, part, asked=True)


class _Form(HTMLParser):
    """The form of a confirmation page."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = values.get("action")
        if tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""


def _confirmation(page: str, url: str) -> str | None:
    form = _Form()
    form.feed(page)
    if not form.action or not form.fields:
        return None
    address = urljoin(url, form.action)
    host, scheme = urlsplit(address).hostname or "", urlsplit(address).scheme
    same = host == urlsplit(url).hostname and scheme == urlsplit(url).scheme
    if not same and not (scheme == "https" and host.endswith(_TRUSTED)):
        return None
    return f"{address.partition('?')[0]}?{urlencode(form.fields)}"


def _read(answer: Any) -> bytes:
    try:
        return answer.read(_BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(str(error) or "the connection was lost") from error


def _version(answer: Any) -> str | None:
    tag = answer.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")


def _known_version(part: Path) -> str | None:
    try:
        return json.loads(_state(part).read_text(encoding="utf-8")).get("version")
    except (OSError, json.JSONDecodeError):
        # Without it the range is asked for as it is; the checks at the end catch what does not fit.
        return None


def _state(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state(part).unlink(missing_ok=True)


def _check_room(folder: Path, wanted: int, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise BadInput(
            f"{name} needs {wanted / 2**20:.0f} MiB and {folder} has {free / 2**20:.0f} MiB; free some space."
        )


def _check_digest(source: DownloadSource, path: Path, digest: str) -> None:
    if source.digest and not digest.startswith(source.digest):
        raise BadCheckpoint(
            f"{path.name} is not the file that its makers released: its SHA-256 begins with "
            f"{digest[: len(source.digest)]}, not with {source.digest}; delete it and download it again."
        )


def _check_content(source: DownloadSource, part: Path) -> None:
    if source.component is None:
        return
    from gohd_core.checkpoints.loading import read_checkpoint

    found = read_checkpoint(part).component
    if found != source.component:
        raise BadCheckpoint(f"{source.name} holds {found!r} weights, not {source.component!r}.")
