"""Reads morphable models from files: the user's BFM_model_front.mat, and our landmark asset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core.constants import N_EXPRESSION, N_IDENTITY
from gohd_core.errors import BadCheckpoint

FIELDS = ("meanshape", "idBase", "exBase", "tri", "keypoints")
"""Arrays of Deep3DFaceRecon's BFM_model_front.mat that are used; indices in it count from 1."""

LANDMARK_FILE = "stylised_landmarks.safetensors"
LANDMARK_FIELDS = ("mean_shape", "identity_basis", "expression_basis")


def read_bfm(path: str | Path) -> dict[str, Any]:
    """The arguments of `MorphableModel` from BFM_model_front.mat.

    The mean shape is recentred (its vertex mean subtracted), as all official coefficients assume.
    Raises `BadCheckpoint` with one sentence when the file is absent, damaged or something else.
    """
    path = Path(path)
    if not path.is_file():
        raise BadCheckpoint(
            f"There is no Basel Face Model at {path}; request it from its authors "
            "(faces.dmi.unibas.ch), let Deep3DFaceRecon make BFM_model_front.mat of it, and give its path."
        )
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=FIELDS)
    except Exception as error:  # scipy raises many kinds on damaged files, its own and others'
        raise BadCheckpoint(f"{path} is damaged or not a MATLAB file ({error}); make it again.") from error
    missing = [name for name in FIELDS if name not in content]
    if missing:
        raise BadCheckpoint(
            f"{path} lacks {', '.join(missing)}: it isn't the BFM_model_front.mat that Deep3DFaceRecon "
            "makes; give that file."
        )
    return _arrays(content, path)


def _arrays(content: dict[str, np.ndarray], path: Path) -> dict[str, Any]:
    n = content["meanshape"].size // 3
    try:
        mean = content["meanshape"].reshape(n, 3).astype(np.float32)  # [1,3V] -> [V,3]
        bases = {
            name: content[name].reshape(n, 3, -1)[..., :count].astype(np.float32)
            for name, count in (("idBase", N_IDENTITY), ("exBase", N_EXPRESSION))
        }
    except ValueError as error:
        raise BadCheckpoint(f"The arrays of {path} don't fit together ({error}); make it again.") from error
    bad = [name for name, basis in bases.items() if not np.isfinite(basis).all()]
    if bad or not np.isfinite(mean).all():
        raise BadCheckpoint(f"{path} has values that are not finite ({', '.join(bad)}); make it again.")
    return {
        "mean_shape": mean - mean.mean(0, keepdims=True),
        "identity_basis": bases["idBase"],
        "expression_basis": bases["exBase"],
        "landmark_indices": content["keypoints"].astype(np.int64).ravel() - 1,
        "faces": content["tri"].astype(np.int64) - 1,
    }


def read_landmark_model(path: str | Path | None = None) -> dict[str, Any]:
    """The arguments of `MorphableModel` from the landmark file, by default the pack's own."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from gohd_core.checkpoints.loading import assets_folder

    path = assets_folder() / LANDMARK_FILE if path is None else Path(path)
    if not path.is_file():
        raise BadCheckpoint(f"This copy of GoHD lacks {path}; install it again.")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadCheckpoint(f"{path} is damaged ({error}); install GoHD again.") from error
    missing = [name for name in LANDMARK_FIELDS if name not in tensors]
    if missing:
        raise BadCheckpoint(f"{path} lacks {', '.join(missing)}; install GoHD again.")
    return {name: tensors[name] for name in LANDMARK_FIELDS} | {
        "landmark_indices": torch.arange(68, dtype=torch.long, device="cpu")
    }
