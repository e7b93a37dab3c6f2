"""Another node's default dtype or device changes nothing: every tensor factory names both."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FACTORIES = {
    "zeros",
    "ones",
    "full",
    "empty",
    "arange",
    "linspace",
    "logspace",
    "eye",
    "tensor",
    "rand",
    "randn",
}
FACTORIES |= {"randint", "randperm", "normal", "hann_window", "scalar_tensor", "tril_indices", "triu_indices"}
CONVERTING = {"as_tensor", "asarray"}
"""They keep the dtype of what they are given, but not its place."""


def unnamed() -> Iterator[str]:
    """Calls of tensor factories that leave something to PyTorch's defaults."""
    for path in sorted([*(ROOT / "gohd_core").rglob("*.py"), *(ROOT / "nodes").rglob("*.py")]):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            module, name = call.func.value, call.func.attr
            if not isinstance(module, ast.Name) or module.id != "torch":
                continue
            wanted = {"dtype", "device"} if name in FACTORIES else {"device"} if name in CONVERTING else set()
            given = {keyword.arg for keyword in call.keywords}
            if None not in given and wanted - given:
                place = f"{path.relative_to(ROOT)}:{call.lineno}"
                yield f"{place} torch.{name} names no {', '.join(sorted(wanted - given))}"


def test_every_tensor_factory_names_its_dtype_and_device() -> None:
    assert list(unnamed()) == []


DEFAULTS = [("float32", "cpu"), ("float64", "cpu"), ("float16", "cpu"), ("bfloat16", "meta")]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, dict[str, np.ndarray]]:
    """Results of the main path in processes with these defaults, side by side."""
    folder = tmp_path_factory.mktemp("defaults")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GOHD_FACES": str(folder), "OMP_NUM_THREADS": "1"}
    running = {}
    for dtype, device in DEFAULTS:
        command = [
            sys.executable,
            HERE / "foreign_defaults.py",
            "builtin",
            folder / f"{dtype}.npz",
            dtype,
            device,
        ]
        running[dtype] = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    for process in running.values():
        said = process.communicate()[1]
        assert process.returncode == 0, said[-2000:]
    return {dtype: dict(np.load(folder / f"{dtype}.npz")) for dtype in running}


@pytest.mark.parametrize("dtype", [dtype for dtype, _ in DEFAULTS[1:]])
def test_the_main_path_is_the_same_under_any_default(made, dtype) -> None:
    plain = made["float32"]
    assert np.ptp(plain["drawn"]) > 0.5 and np.ptp(plain["talk"], axis=0).max() > 0
    for name, values in plain.items():
        assert np.array_equal(made[dtype][name], values), name
