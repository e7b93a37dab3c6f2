"""Makes the project's own environment in .venv; the standard library's Python alone is needed."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TORCH = "torch==2.13.0"
"""PyTorch of our own environment; in ComfyUI the host's torch is used, whichever it is."""
MODELS = ROOT / "models" / "gohd"
"""Folder of the networks that read faces, which are no part of the repository."""
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"


def environment(extras: tuple[str, ...]) -> Path:
    """Makes or completes .venv with the project and `extras`; returns its Python."""
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        raise SystemExit(f"Python 3.10 to 3.13 is needed; this is {platform.python_version()}.")
    folder = ROOT / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = _fingerprint(extras)
    marker = folder / f"ready-{'-'.join(extras)}"
    if python.exists() and marker.exists() and marker.read_text() == wanted:
        _face_networks(python)
        return python
    if not python.exists():
        print(f"Making an environment in {folder} ...", flush=True)
        venv.create(folder, with_pip=True, clear=folder.exists())
    if not _has_torch(python):
        _pip(python, *torch_arguments())
    print(f"Installing ComfyUI-GoHD with {', '.join(extras)} ...", flush=True)
    _pip(python, "--editable", f"{ROOT}[{','.join(extras)}]")
    _opencv_without_display(python)
    marker.write_text(wanted)
    _face_networks(python)
    return python


def torch_arguments() -> list[str]:
    """Arguments for pip: the CPU build where there is no NVIDIA GPU, the plain one on a Mac."""
    if sys.platform == "darwin":
        return [TORCH if platform.machine() == "arm64" else "torch"]
    if shutil.which("nvidia-smi"):
        print("Installing torch for CUDA (about 3 GB, once) ...", flush=True)
        return [TORCH, "--extra-index-url", CUDA_INDEX]
    print("Installing torch for the CPU (about 200 MB, once) ...", flush=True)
    return [TORCH, "--extra-index-url", CPU_INDEX]


def run(python: Path, *arguments: str | Path) -> int:
    """Runs the environment's Python in the repository; returns its exit code."""
    return subprocess.call([str(python), *map(str, arguments)], cwd=ROOT)


def _face_networks(python: Path) -> None:
    """Fetches the networks that read faces, once; goes on without them where they can't be had."""
    command = [str(python), "-m", "gohd_core.cli", "download", "faces", "--models", str(MODELS), "--json"]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode:
        print("Without the face networks only drawn portraits talk; later: gohd download faces", flush=True)


def _has_torch(python: Path) -> bool:
    check = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    return subprocess.call([str(python), "-c", check]) == 0


def _opencv_without_display(python: Path) -> None:
    """Puts OpenCV's build for servers in place of the plain one where that misses a system library."""
    if subprocess.call([str(python), "-c", "import cv2"], stderr=subprocess.DEVNULL):
        subprocess.call([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "opencv-python"])
        _pip(python, "--force-reinstall", "--no-deps", "opencv-python-headless")


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*command, "--retries", "2", *arguments]):
        raise SystemExit(f"pip could not install {arguments[0]}: see its message above, then run this again.")


def _fingerprint(extras: tuple[str, ...]) -> str:
    project = (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(project + repr(extras).encode() + str(ROOT).encode()).hexdigest()
