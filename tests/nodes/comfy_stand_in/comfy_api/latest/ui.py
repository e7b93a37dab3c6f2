"""Stands in for comfy_api.latest.ui."""

from __future__ import annotations

from typing import Any


class PreviewText:
    def __init__(self, value: str) -> None:
        self.value = value

    def as_dict(self) -> dict[str, tuple[str, ...]]:
        return {"text": (self.value,)}


class PreviewImage:
    def __init__(self, image: Any, animated: bool = False, cls: Any = None) -> None:
        self.image = image
