"""Stands in for comfy.model_patcher."""

from __future__ import annotations

from typing import Any


class ModelPatcher:
    def __init__(self, model: Any, load_device: Any, offload_device: Any, size: int = 0) -> None:
        self.model, self.load_device, self.offload_device = model, load_device, offload_device

    def partially_unload(self, device_to: Any, memory_to_free: float = 0, **options: Any) -> int:
        raise NotImplementedError
