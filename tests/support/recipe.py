"""Official-layout weights made from the parity recipe, and the goldens that they are compared with.

The full fixtures (manifests, inputs, outputs of the official implementation) lie outside the
repository in ../shared/parity; tests that need them skip where that folder is absent. For a clean
clone each component has a small file in tests/golden/: the manifest and a few figures.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

PARITY = Path(__file__).resolve().parents[3] / "shared" / "parity"
SMALL = Path(__file__).resolve().parents[1] / "golden"


def parity_folder(component: str) -> Path:
    """The folder of a component's full fixtures; skips the test where there is none."""
    folder = PARITY / component
    if not folder.is_dir():
        pytest.skip(f"the full parity fixtures ({folder}) are not on this machine")
    return folder


def golden(component: str) -> dict[str, np.ndarray]:
    """Stored inputs and outputs of the official implementation."""
    with np.load(parity_folder(component) / "golden_a.npz") as file:
        return dict(file)


def manifest(component: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A component's manifest and its constant tables."""
    folder = parity_folder(component)
    content = json.loads((folder / "manifest.json").read_text())
    const: dict[str, np.ndarray] = {}
    if (folder / "const.npz").exists():
        with np.load(folder / "const.npz") as file:
            const = dict(file)
    return content, const


def generator(seed: int, tag: str) -> np.random.Generator:
    """The generator of the tensor or input called `tag`."""
    return np.random.Generator(np.random.PCG64(zlib.crc32(f"{seed}:{tag}".encode())))


def fill(entries: list[dict[str, Any]], seed: int, const: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """State dict of the recipe: each tensor depends on seed, key, shape, mean and std alone."""
    state = {}
    for entry in entries:
        key, shape, kind = entry["key"], tuple(entry["shape"]), entry["kind"]
        if kind == "int":
            value = np.zeros(shape, np.int64)
        elif kind == "const":
            value = np.asarray(const[key], np.float32).reshape(shape)
        else:
            value = generator(seed, key).standard_normal(shape) * entry["std"] + entry["mean"]
            if kind == "positive":
                value = np.abs(value) + 0.5
            value = np.asarray(value, np.float32)
        state[key] = torch.from_numpy(np.asarray(value, order="C"))
    return state


def official_content(component: str, seed: int | None = None) -> dict[str, Any]:
    """Content of a component's official file, nested as released, filled by the recipe."""
    content, const = manifest(component)
    seed = int(golden(component)["seed"]) if seed is None else seed
    return nest(content["outer_layout"], fill(content["entries"], seed, const))


def nest(outer_layout: list[str], tensors: dict[str, Any]) -> dict[str, Any]:
    """Wraps a state dict the way the checkpoint file does."""
    for name in reversed(outer_layout):
        tensors = {name: tensors}
    return tensors


def write_official(component: str, path: str | Path, seed: int | None = None) -> Path:
    """Writes a component's official file, filled by the recipe."""
    torch.save(official_content(component, seed), path)
    return Path(path)


def save_small_golden(
    component: str, seed: int, arrays: dict[str, np.ndarray], source: str | None = None
) -> Path:
    """Writes tests/golden/<component>.npz: the compact manifest, a seed, and a few figures."""
    content, const = manifest(source or component)
    SMALL.mkdir(exist_ok=True)
    path = SMALL / f"{component}.npz"
    header = {"outer_layout": content["outer_layout"], "entries": content["entries"], "seed": seed}
    packed = np.frombuffer(zlib.compress(json.dumps(header, separators=(",", ":")).encode(), 9), np.uint8)
    tables = {f"const/{key}": value for key, value in const.items()}
    np.savez_compressed(path, header=packed, **tables, **arrays)
    return path


def load_small_golden(component: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The official file's content on a clean clone, and the small golden's arrays."""
    with np.load(SMALL / f"{component}.npz") as file:
        arrays = dict(file)
    header = json.loads(zlib.decompress(arrays.pop("header").tobytes()))
    const = {k[len("const/") :]: arrays.pop(k) for k in list(arrays) if k.startswith("const/")}
    return nest(header["outer_layout"], fill(header["entries"], header["seed"], const)), arrays


def assert_close(ours: Any, reference: Any, relative: float) -> None:
    """Largest difference, against the reference's own largest value."""
    ours = np.asarray(ours.detach().float().cpu() if isinstance(ours, torch.Tensor) else ours, np.float64)
    reference = np.asarray(reference, np.float64)
    assert ours.shape == reference.shape, f"shape {ours.shape}, reference {reference.shape}"
    scale = max(float(np.abs(reference).max()), 1e-12)
    error = float(np.abs(ours - reference).max()) / scale
    assert error <= relative, f"differs by {error:.2e} of the reference's scale, {relative:.0e} allowed"
