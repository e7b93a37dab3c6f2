"""Makes environments of other Python, NumPy and PyTorch versions and runs a smoke test in each.

    python scripts/environments.py                    # all; 1 to 6 GB each, with those Pythons on PATH
    python scripts/environments.py newest             # some of them by name
    python scripts/environments.py --here             # none is made: all modes in this one

Each environment runs `scripts/smoke.py` three times: with warnings as errors, with asserts and docstrings
stripped (PYTHONOPTIMIZE=2), and in the C locale without UTF-8.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from environment import CPU_INDEX, ROOT

FOLDER = ROOT / ".environments"


@dataclass(frozen=True)
class Versions:
    """Versions in one environment; an empty one is the newest."""

    python: str
    torch: str = ""
    numpy: str = ""
    av: str = ""


ENVIRONMENTS = {
    "oldest": Versions("3.10", "==2.4.1", "==1.26.4", "==14.2.0"),
    "middle": Versions("3.11", "==2.7.1", "==1.26.4"),
    "newest": Versions("3.13"),
}
"""By name. ComfyUI asks for PyTorch 2.4 and PyAV 14.2 at least."""

MODES = {
    "strict": {"PYTHONWARNINGS": "error"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
    "C locale": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *ENVIRONMENTS], help="which (all)")
    parser.add_argument("--here", action="store_true", help="run in this Python, make nothing")
    arguments = parser.parse_args()
    if arguments.here:
        return _smoke("this one", Path(sys.executable))
    failed = 0
    for name in arguments.names or ENVIRONMENTS:
        python = _environment(name, ENVIRONMENTS[name])
        failed += 1 if python is None else _smoke(name, python)
    return 1 if failed else 0


def _environment(name: str, versions: Versions) -> Path | None:
    """Its Python, made where it is not there yet; None where this machine can't make it."""
    folder = FOLDER / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    marker = folder / "ready"
    wanted = f"{versions} {(ROOT / 'pyproject.toml').stat().st_mtime_ns}"
    if marker.is_file() and marker.read_text() == wanted:
        return python
    base = _interpreter(versions.python)
    if base is None:
        print(f"{name}: there is no python{versions.python} here; put one on PATH")
        return None
    print(f"{name}: making {folder} ...", flush=True)
    packages = [f"torch{versions.torch}", f"numpy{versions.numpy}", f"av{versions.av}", f"{ROOT}[video]"]
    steps = [
        [base, "-m", "venv", "--clear", folder],
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--retries",
            "1",
            "--extra-index-url",
            CPU_INDEX,
            *packages,
        ],
    ]
    for step in steps:
        if subprocess.call([str(part) for part in step]):
            print(f"{name}: could not be made")
            return None
    marker.write_text(wanted)
    return python


def _interpreter(version: str) -> str | None:
    """A Python of that version on PATH that runs: pyenv leaves names of all its versions there."""
    name = f"python{version}" + ".exe" * (os.name == "nt")
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found and not subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL):
            return found
    return None


def _smoke(name: str, python: Path) -> int:
    """Runs the smoke test in every mode; how many of them failed."""
    failed = 0
    for mode, settings in MODES.items():
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
        code = subprocess.call([str(python), str(ROOT / "scripts" / "smoke.py")], env=environment)
        print(f"{name}, {mode}: {'failed' if code else 'passed'}", flush=True)
        failed += bool(code)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
