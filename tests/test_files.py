"""Files are written whole or not at all, under any legal name; errors come early."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gohd_core.errors import BadInput
from gohd_core.files import atomic_path, atomic_write, check_target

LONG = ["x" * 251 + ".mp4", "声" * 83 + ".mp4", "é" * 124 + ".mp4"]


@pytest.mark.parametrize("name", LONG, ids=["ascii", "cjk", "accents"])
def test_names_as_long_as_file_systems_take_are_written(tmp_path, name) -> None:
    assert 240 < len(os.fsencode(name)) <= 255
    target = check_target(tmp_path / name, (".mp4",))
    assert atomic_write(target, b"all of it").read_bytes() == b"all of it"
    atomic_write(target, b"again")
    assert [path.name for path in tmp_path.iterdir()] == [name] and target.read_bytes() == b"again"


def one_sentence(error) -> str:
    said = str(error.value)
    assert said.endswith(".") and "\n" not in said
    return said


def test_too_long_names_are_refused_before_the_work(tmp_path) -> None:
    target = tmp_path / ("x" * 300 + ".mp4")
    with pytest.raises(BadInput, match="name is too long") as error:
        check_target(target)
    one_sentence(error)
    with pytest.raises(BadInput, match="name is too long"), atomic_path(target):
        raise AssertionError("the work was begun")
    assert not list(tmp_path.iterdir())


def test_unwritable_places_are_refused_before_the_work(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.mp4").mkdir()
    for target in (tmp_path / "file" / "a.mp4", tmp_path / "folder.mp4"):
        with pytest.raises(BadInput, match="can't be written") as error:
            check_target(target)
        one_sentence(error)
        with pytest.raises(BadInput, match="can't be written"), atomic_path(target):
            raise AssertionError("the work was begun")
    with pytest.raises(BadInput, match=r"otherwise than \.png or \.jpg"):
        check_target(tmp_path / "a.gif", (".png", ".jpg"))
    check_target(tmp_path / "new" / "newer" / "a.PNG", (".png", ".jpg"))
    assert not (tmp_path / "new").exists()


def test_a_read_only_place_is_refused_and_nothing_else_goes_wrong(tmp_path, monkeypatch) -> None:
    """As a read-only mount answers: it can neither be written to nor tidied."""

    def refuse(*_arguments, **_options):
        raise OSError(30, "Read-only file system")

    for call in ("touch", "mkdir", "unlink"):
        monkeypatch.setattr(Path, call, refuse)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(BadInput, match="can't be written"):
        check_target(tmp_path / "a.mp4")
    with pytest.raises(BadInput, match=r"can't be written \(Read-only file system\)") as error:
        atomic_write(tmp_path / "a.mp4", b"x")
    one_sentence(error)


def test_a_link_stays_a_link(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.mp4"
    link.symlink_to(tmp_path / "real" / "a.mp4")
    atomic_write(check_target(link), b"behind it")
    assert link.is_symlink() and (tmp_path / "real" / "a.mp4").read_bytes() == b"behind it"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path) -> None:
    target = atomic_write(tmp_path / "a.mp4", b"old")
    with pytest.raises(RuntimeError), atomic_path(target) as part:
        part.write_bytes(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1
