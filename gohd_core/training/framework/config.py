"""Typed configs: frozen dataclasses, filled from YAML files and `key=value` pairs, strict about names."""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from gohd_core.errors import BadInput, MissingDependency

C = TypeVar("C")

Weight = float | Literal["off"]
"""The weight of a loss term. "off" says in words that the term is not used at all (see `is_on`)."""

_EXTENDS = "extends"


def is_on(weight: Weight) -> bool:
    """Whether a loss term is computed: its weight is a number other than 0."""
    return weight != "off" and weight != 0


def load_config(kind: type[C], file: str | Path | None = None, overrides: Sequence[str] = ()) -> C:
    """A config: the defaults of `kind`, then a YAML file, then `a.b=value` pairs, each over the last.

    A file may begin with `extends: other.yaml` (relative to itself) and then holds differences only.
    Raises `BadInput` for an unknown key (with the nearest valid one) or a value of the wrong type.
    """
    config = kind()
    if file is not None:
        config = update(config, read_yaml(file), str(file))
    changes: dict[str, Any] = {}
    for pair in overrides:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise BadInput(f"{pair!r} is not of the form key=value; write e.g. loop.steps=1000.")
        changes = _merge(changes, _nest(key, _parse_yaml(text, pair)))
    return update(config, changes, "the command line")


def read_yaml(file: str | Path, _seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The settings of a YAML file, laid over those of the file that it extends."""
    path = Path(file).resolve()
    if path in _seen:
        raise BadInput(f"{path} extends itself through {_seen[-1].name}; break the circle.")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"The config file {file} can't be read ({error.strerror}).") from error
    values = _parse_yaml(text, str(file)) or {}
    if not isinstance(values, dict):
        raise BadInput(f"The config file {file} holds no settings; write lines like `loop:`.")
    parent = values.pop(_EXTENDS, None)
    if parent is None:
        return values
    return _merge(read_yaml(path.parent / str(parent), (*_seen, path)), values)


def update(config: C, values: Mapping[str, Any], where: str, _prefix: str = "", _root: Any = None) -> C:
    """A copy of a config with some values changed; nested mappings change nested configs."""
    root = config if _root is None else _root
    hints = typing.get_type_hints(type(config))
    names = {field.name for field in dataclasses.fields(config)}
    changes: dict[str, Any] = {}
    for key, value in values.items():
        full = f"{_prefix}{key}"
        if key not in names:
            raise BadInput(f"{where} sets {full!r}, which does not exist; {_nearest(full, root)}")
        current = getattr(config, key)
        nested = _dataclass_in(hints[key])
        if nested is not None and isinstance(value, Mapping):
            current = nested() if current is None else current
            changes[key] = update(current, value, where, f"{full}.", root)
        else:
            changes[key] = _convert(value, hints[key], full, where)
    return dataclasses.replace(config, **changes)


def as_dict(config: Any) -> dict[str, Any]:
    """A config as nested dictionaries of plain values, for YAML and JSON."""
    return _plain(dataclasses.asdict(config))


def save_config(path: str | Path, config: Any) -> None:
    """Writes a config as YAML that `load_config` reads back to an equal one."""
    yaml = _yaml()
    Path(path).write_text(yaml.safe_dump(as_dict(config), sort_keys=False), encoding="utf-8")


def keys(config: Any, prefix: str = "") -> Iterator[str]:
    """All dotted names that a config knows, e.g. "loop.steps"."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        yield f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from keys(value, f"{prefix}{field.name}.")


def _nearest(key: str, root: Any) -> str:
    known = list(keys(root))
    leaf = key.rpartition(".")[2]
    same_leaf = [name for name in known if name.rpartition(".")[2] == leaf]
    nearest = difflib.get_close_matches(key, same_leaf or known, n=1, cutoff=0.0)
    return f"the nearest valid key is {nearest[0]!r}."


def _dataclass_in(hint: Any) -> type | None:
    return next((t for t in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(t)), None)


def _convert(value: Any, hint: Any, key: str, where: str) -> Any:
    """`value` as the type `hint`: exact, apart from whole floats for int and ints for float."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or (value is None and hint in (None, type(None))):
        return value
    if origin in (Union, types.UnionType):
        for option in args:
            try:
                return _convert(value, option, key, where)
            except BadInput:
                continue
    elif origin is Literal:
        if value in args and type(value) in {type(a) for a in args}:
            return value
    elif origin in (tuple, list) and isinstance(value, (list, tuple)):
        kinds = [args[0]] * len(value) if origin is list or args[-1] is Ellipsis else list(args)
        if len(kinds) == len(value):
            items = zip(value, kinds, strict=True)
            return origin(_convert(item, kind, key, where) for item, kind in items)
    elif origin is dict and isinstance(value, Mapping):
        return {str(k): _convert(v, args[1], f"{key}.{k}", where) for k, v in value.items()}
    elif hint is bool or isinstance(value, bool):
        if hint is bool and isinstance(value, bool):
            return value
    elif hint is float and isinstance(value, (int, float)):
        return float(value)
    elif hint is int and isinstance(value, (int, float)) and value == int(value):
        return int(value)
    elif isinstance(hint, type) and isinstance(value, hint):
        return value
    raise BadInput(f"{where} sets {key} to {value!r}, but it takes {_describe(hint)}.")


def _describe(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_describe(option) for option in args)
    if origin is Literal:
        return " or ".join(repr(option) for option in args)
    if origin in (tuple, list):
        return f"a list of {_describe(args[0])}"
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    return names.get(hint, "null" if hint in (None, type(None)) else getattr(hint, "__name__", str(hint)))


def _nest(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependency("Training reads YAML configs: pip install pyyaml.") from error
    return yaml


def _parse_yaml(text: str, where: str) -> Any:
    """YAML 1.2's scalars: only true/false are booleans ("off" stays text) and 6e-4 is a number."""
    yaml = _yaml()

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":float"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
    number = r"^[-+]?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.inf)$"
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(number), list("-+.0123456789"))
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise BadInput(f"{where} is not valid YAML: {' '.join(str(error).split())}.") from error
