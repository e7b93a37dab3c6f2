"""Base of the runtime classes: a network with its config and coefficient space, loaded from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gohd_core.checkpoints.loading import load_network
from gohd_core.components import BUILTIN

if TYPE_CHECKING:
    from typing import Self


class Runtime:
    """A network ready for use.

    Attributes:
        components: names of the networks that it can be, see `components.COMPONENTS`.
        network: the module, in evaluation mode.
        config: its config.
        space: coefficient space, "bfm09" or "stylised".
        info: what else its file says.
    """

    components: ClassVar[tuple[str, ...]]

    def __init__(
        self, network: nn.Module, config: Any, space: str, info: Mapping[str, Any] | None = None
    ) -> None:
        self.network = network.train(False)
        self.config, self.space, self.info = config, space, dict(info or {})

    @property
    def component(self) -> str:
        """The network's name."""
        return self.components[0]

    @classmethod
    def load(
        cls,
        path: str | Path = BUILTIN,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """From an official file, one of ours, or the built-in weights.

        Raises `BadCheckpoint` with one sentence for a file that does not hold such a network.
        """
        loaded = load_network(path, cls.components, device=device, dtype=dtype)
        return cls(loaded.network, loaded.config, loaded.space, loaded.info)
