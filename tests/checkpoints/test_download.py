"""Downloads against a server on this machine: resumed, checked, confirmed; nothing wrong takes the name."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from gohd_core.checkpoints import sources
from gohd_core.checkpoints.download import download
from gohd_core.checkpoints.sources import SOURCES, DownloadSource
from gohd_core.cli import main
from gohd_core.errors import BadCheckpoint, BadInput, Interrupted

CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()
CONFIRM = """<html><form id="download-form" action="/confirmed" method="get">
<input type="hidden" name="id" value="7"><input type="hidden" name="uuid" value="a b">
<input type="submit" value="Download anyway"></form></html>"""


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; the path says with which fault."""

    def log_message(self, *arguments) -> None:
        pass

    def do_GET(self) -> None:
        log = self.server.log
        log.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        kind = self.path.partition("?")[0]
        if kind == "/gone":
            return self.send_error(404)
        if kind == "/busy" and len(log) == 1:
            return self.send_error(503)
        if kind in ("/confirm", "/page"):
            return self.page(CONFIRM if kind == "/confirm" else "<html>Quota exceeded</html>")
        if kind == "/elsewhere":
            return self.page(CONFIRM.replace("/confirmed", "http://example.com/confirmed"))
        self.content(cut=kind == "/cut" and len(log) <= self.server.cuts, ranges=kind != "/norange")

    def page(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def content(self, cut: bool, ranges: bool) -> None:
        wanted, start = self.headers.get("Range"), 0
        current = self.headers.get("If-Range") in (None, self.server.tag)
        if wanted and ranges and current:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", self.server.tag)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        rest = CONTENT[start:]
        self.wfile.write(rest[: len(rest) // 2] if cut else rest)


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.log, made.cuts, made.tag = [], 1, '"one"'
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def source(server, path: str, **changes) -> DownloadSource:
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    return replace(DownloadSource("weights.pth", "a test", url, "nobody", "none"), **changes)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_with_its_hash_beside_it(server, tmp_path) -> None:
    seen = []
    got = download(
        source(server, "/file", digest=DIGEST[:10]), tmp_path / "new", progress=lambda *s: seen.append(s)
    )
    assert got.path.read_bytes() == CONTENT and got.sha256 == DIGEST and got.fetched
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and len(seen) >= 4
    assert names(tmp_path / "new") == ["weights.pth", "weights.pth.sha256"]
    assert (tmp_path / "new" / "weights.pth.sha256").read_text() == f"{DIGEST}  weights.pth\n"
    again = download(source(server, "/file"), tmp_path / "new")
    assert not again.fetched and again.sha256 == DIGEST and len(server.log) == 1


def test_a_broken_connection_is_gone_on_with(server, tmp_path) -> None:
    server.cuts = 2
    got = download(source(server, "/cut"), tmp_path, pause=0)
    assert got.sha256 == DIGEST
    half, quarter = len(CONTENT) // 2, len(CONTENT) * 3 // 4
    assert server.log == [
        ("/cut", None, None),
        ("/cut", f"bytes={half}-", '"one"'),
        ("/cut", f"bytes={quarter}-", '"one"'),
    ]


def test_an_incomplete_download_is_kept_and_reported(server, tmp_path) -> None:
    server.cuts = 100
    with pytest.raises(BadInput, match="run the same command again"):
        download(source(server, "/cut"), tmp_path, pause=0)
    assert names(tmp_path) == ["weights.pth.part", "weights.pth.part.json"]
    server.cuts = 0
    assert download(source(server, "/cut"), tmp_path).sha256 == DIGEST
    assert server.log[-1][1] is not None


def test_stopping_keeps_what_came(server, tmp_path) -> None:
    with pytest.raises(Interrupted):
        download(source(server, "/file"), tmp_path, should_stop=lambda: True)
    part = tmp_path / "weights.pth.part"
    assert 0 < part.stat().st_size < len(CONTENT)
    assert download(source(server, "/file"), tmp_path).path.read_bytes() == CONTENT


def test_a_file_that_changed_at_its_source_is_begun_anew(server, tmp_path) -> None:
    with pytest.raises(Interrupted):
        download(source(server, "/file"), tmp_path, should_stop=lambda: True)
    server.tag = '"two"'
    assert download(source(server, "/file"), tmp_path).path.read_bytes() == CONTENT
    (tmp_path / "other.pth.part").write_bytes(bytes(2 * len(CONTENT)))
    too_long = source(server, "/file", name="other.pth")
    assert download(too_long, tmp_path, pause=0).path.read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(server, tmp_path) -> None:
    (tmp_path / "weights.pth.part").write_bytes(b"x" * 1000)
    assert download(source(server, "/norange"), tmp_path).path.read_bytes() == CONTENT


def test_drives_page_is_confirmed_once_and_nowhere_else(server, tmp_path) -> None:
    assert download(source(server, "/confirm?id=7"), tmp_path).sha256 == DIGEST
    assert server.log[1][0] == "/confirmed?id=7&uuid=a+b"
    for path in ("/page", "/elsewhere"):
        with pytest.raises(BadInput, match="sent a page in the place of the file"):
            download(source(server, path, name="other.pth"), tmp_path)
    assert names(tmp_path) == ["weights.pth", "weights.pth.sha256"]


def test_a_wrong_hash_or_content_is_deleted(server, tmp_path) -> None:
    with pytest.raises(BadCheckpoint, match="SHA-256 begins with"):
        download(source(server, "/file", digest="0123456789"), tmp_path)
    with pytest.raises(BadCheckpoint, match="not a weights file"):
        download(source(server, "/file", component="animator"), tmp_path)
    assert names(tmp_path) == []


def test_another_networks_file_is_refused(server, tmp_path, monkeypatch) -> None:
    holds = SimpleNamespace(component="extractor")
    monkeypatch.setattr("gohd_core.checkpoints.loading.read_checkpoint", lambda path: holds)
    with pytest.raises(BadCheckpoint, match="holds 'extractor' weights, not 'animator'"):
        download(source(server, "/file", component="animator"), tmp_path)
    assert download(source(server, "/file", component="extractor"), tmp_path).fetched


def test_a_source_that_is_gone_or_busy(server, tmp_path) -> None:
    with pytest.raises(BadInput, match="answer 404"):
        download(source(server, "/gone"), tmp_path)
    server.log.clear()
    assert download(source(server, "/busy"), tmp_path, pause=0).sha256 == DIGEST
    dead = DownloadSource("x.pth", "", "http://127.0.0.1:9/x", "", "")
    with pytest.raises(BadInput, match="run the same command again"):
        download(dead, tmp_path, pause=0)


def test_the_next_address_is_tried_where_the_first_fails(server, tmp_path) -> None:
    moved = source(server, "/gone", mirrors=(source(server, "/file").url,))
    assert download(moved, tmp_path, pause=0).sha256 == DIGEST
    nowhere = source(server, "/gone", name="other.pth", mirrors=(moved.url,))
    with pytest.raises(BadInput, match="can't be had"):
        download(nowhere, tmp_path, pause=0)


def test_a_full_disk_is_said_before_it_is_full(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(BadInput, match="free some space"):
        download(source(server, "/file"), tmp_path)


PLACES = (
    "https://drive.usercontent.google.com/",
    "https://www.adrianbulat.com/",
    "https://storage.googleapis.com/mediapipe-assets/",
)


def test_every_source_states_its_terms_and_is_one_of_the_known_places() -> None:
    assert len({item.name for item in SOURCES}) == len(SOURCES) >= 9
    for item in SOURCES:
        assert item.terms and item.makers and item.purpose
        assert item.url.startswith(PLACES) and all(url.startswith(PLACES) for url in item.mirrors)
        assert item.component or item.digest, "each is checked by what it holds or by its hash"


@pytest.fixture
def listed(server, monkeypatch):
    made = (source(server, "/file", needed=True, terms="for research"), source(server, "/file", name="b.pth"))
    monkeypatch.setattr(sources, "SOURCES", made)
    return made


def test_the_command_shows_the_terms_and_asks(listed, tmp_path, capsys, monkeypatch) -> None:
    to = ["--models", str(tmp_path)]
    assert main(["download", *to]) == 1
    shown = capsys.readouterr()
    assert "for research" in shown.out and "give --yes" in shown.err and names(tmp_path) == []
    answers = iter(["no\n", "y\n"])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True, readline=lambda: next(answers)))
    assert main(["download", *to]) == 1 and names(tmp_path) == []
    assert main(["download", *to]) == 0
    shown = capsys.readouterr().out
    assert shown.index("for research") < shown.index(DIGEST)
    assert names(tmp_path) == ["weights.pth", "weights.pth.sha256"]


def test_the_command_lists_fetches_all_and_speaks_json(listed, server, tmp_path, capsys) -> None:
    to = ["--models", str(tmp_path), "--json"]
    assert main(["download", "--list", *to]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["there"]) for row in rows] == [("weights.pth", False), ("b.pth", False)]
    assert not server.log, "listing asks no server"
    assert main(["download", "all", "--yes", *to]) == 0
    made = json.loads(capsys.readouterr().out)
    assert [row["sha256"] for row in made] == [DIGEST] * 2 and all(row["fetched"] for row in made)
    assert main(["download", "c.pth", *to]) == 1
    assert "not among the files" in capsys.readouterr().err
