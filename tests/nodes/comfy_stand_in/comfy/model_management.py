"""Stands in for comfy.model_management: everything on the CPU, loading and interruption recorded."""

from __future__ import annotations

from typing import Any

import torch

LOADED: list[Any] = []
"""Patchers in the order of their loading."""
STATE = {"interrupt": False}


class InterruptProcessingException(Exception):
    pass


def processing_interrupted() -> bool:
    return STATE["interrupt"]


def throw_exception_if_processing_interrupted() -> None:
    if STATE["interrupt"]:
        STATE["interrupt"] = False
        raise InterruptProcessingException


def get_torch_device() -> torch.device:
    return torch.device("cpu")


def unet_offload_device() -> torch.device:
    return torch.device("cpu")


def intermediate_device() -> torch.device:
    return torch.device("cpu")


def load_models_gpu(models: list[Any], memory_required: float = 0, force_full_load: bool = False) -> None:
    for patcher in models:
        patcher.model.device = patcher.load_device  # as ComfyUI's own patcher does
    LOADED.extend(models)
