"""A wheel has all that the library needs at run time: its code, its data, the weights and the samples."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "gohd_core", "assets")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """A wheel of this tree, built without a network, as it is installed."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "-w", str(folder), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def files(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


def test_code_data_and_assets_are_all_there(unpacked: Path) -> None:
    ours = {f"gohd_core/{name}" for name in files(ROOT / "gohd_core")}
    ours |= {f"gohd_core/assets/{name}" for name in files(ROOT / "assets")}
    assert {name for name in files(unpacked) if ".dist-info/" not in name} == ours


def test_it_finds_its_own_weights(unpacked: Path, tmp_path: Path) -> None:
    code = "from gohd_core.checkpoints.loading import builtin_path; print(builtin_path('animator'))"
    where = {"env": {"PYTHONPATH": str(unpacked)}, "cwd": tmp_path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **where)
    assert Path(done.stdout.strip()).is_relative_to(unpacked), done.stderr
