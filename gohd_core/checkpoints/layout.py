"""Layout of an official file: its fingerprint, and the official key of each of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """The layout of one released checkpoint (`components.Component.layouts`).

    Attributes:
        outer: dictionary keys around the state dict, outermost first.
        fingerprint: official keys (prefix stripped) that together identify this layout.
        infer_config: official tensors (prefix stripped) -> the network's config.
        official_names: (regex, replacement) pairs for `re.sub`, applied in order to a key of OUR
            state dict; the result is the official key. One direction suffices: the network itself
            lists our keys, so that missing tensors can be named as their authors name them.
        unused: regexes (full match) of official keys that the method never uses.
        prefix: what every key in the file starts with, e.g. "module.".
        adapt: changes official tensors before they are renamed, where a rename is not enough.
    """

    outer: tuple[str, ...]
    fingerprint: tuple[str, ...]
    infer_config: Callable[[Mapping[str, Tensor]], Any]
    official_names: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    prefix: str = ""
    adapt: Callable[[Tensors], Tensors] | None = None

    def find(self, content: Any) -> Tensors | None:
        """The state dict inside a file's content, prefix stripped; None where it is not laid out so."""
        for key in self.outer:
            if not isinstance(content, Mapping) or key not in content:
                return None
            content = content[key]
        if not isinstance(content, Mapping):
            return None
        state = {k: v for k, v in content.items() if isinstance(v, Tensor)}
        if not all(key.startswith(self.prefix) for key in state):
            return None
        state = {key[len(self.prefix) :]: value for key, value in state.items()}
        return self.adapt(state) if state and self.adapt else state or None

    def similarity(self, state: Mapping[str, Tensor]) -> float:
        """Share of the fingerprint that a state dict has: 1 means it is this layout."""
        return sum(key in state for key in self.fingerprint) / len(self.fingerprint)

    def official_name(self, key: str) -> str:
        """The official key (prefix stripped) of one of ours."""
        for pattern, replacement in self.official_names:
            key = re.sub(pattern, replacement, key)
        return key

    def is_unused(self, key: str) -> bool:
        """Whether an official key holds something that the method never uses."""
        return any(re.fullmatch(pattern, key) for pattern in self.unused)

    def differences(
        self, state: Mapping[str, Tensor], our_keys: Iterable[str]
    ) -> tuple[list[str], list[str]]:
        """Official keys that are missing from a state dict, and those that it has and should not."""
        expected = {self.official_name(key) for key in our_keys}
        unexpected = [key for key in state if key not in expected and not self.is_unused(key)]
        return sorted(expected - set(state)), sorted(unexpected)

    def translate(self, state: Mapping[str, Tensor], our_keys: Iterable[str]) -> Tensors:
        """Official tensors -> the same tensors under our names."""
        return {key: state[self.official_name(key)] for key in our_keys}
