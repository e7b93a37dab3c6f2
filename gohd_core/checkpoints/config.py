"""A network's config dataclass to JSON and back; unknown keys are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from gohd_core.errors import BadCheckpoint


def config_to_json(config: Any) -> dict[str, Any]:
    """A (nested) config dataclass as plain JSON values."""
    return dataclasses.asdict(config)


def config_from_json(cls: type, data: Mapping[str, Any], where: str) -> Any:
    """Builds `cls` from JSON; `BadCheckpoint` names a key that the class does not have.

    Lists become tuples, so that frozen configs stay hashable, and nested dataclasses are built too.
    """
    hints = get_type_hints(cls)
    known = {field.name for field in dataclasses.fields(cls)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise BadCheckpoint(
            f"The config in {where} has {', '.join(unknown)}, which {cls.__name__} does not know; "
            "update GoHD or use another file."
        )
    try:
        return cls(**{key: _value(hints[key], value, where) for key, value in data.items()})
    except TypeError as error:
        raise BadCheckpoint(
            f"The config in {where} does not make a {cls.__name__} ({error}); use another file."
        ) from error


def _value(hint: Any, value: Any, where: str) -> Any:
    kinds = [kind for kind in (hint, *get_args(hint)) if dataclasses.is_dataclass(kind)]
    if kinds and isinstance(value, Mapping):
        return config_from_json(kinds[0], value, where)
    if isinstance(value, list):
        return tuple(_value(None, item, where) for item in value)
    return value
