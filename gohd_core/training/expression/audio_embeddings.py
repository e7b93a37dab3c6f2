"""Audio embeddings of a frozen encoder, each frame of a clip computed once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

AT_ONCE = 512


class EmbeddingStore:
    """Remembers the embeddings of clips by file and frame, on the CPU, in float32.

    The encoder must be in evaluation mode and must not change.
    """

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder
        self.known: dict[str, Tensor] = {}

    @torch.no_grad()
    def embed(self, chunks: Tensor, paths: Sequence[str], starts: Tensor) -> Tensor:
        """Chunks [B, T, 80, 16] of clips from frame `starts` [B] on -> embeddings [B, T, A]."""
        rows = [
            self._one(clip, path, int(start)) for clip, path, start in zip(chunks, paths, starts, strict=True)
        ]
        return torch.stack(rows).to(chunks.device)

    def _one(self, chunks: Tensor, path: str, start: int) -> Tensor:
        stop = start + len(chunks)
        table = self.known.get(path)
        if table is None or len(table) < stop:
            table = self._grow(table, stop)
            self.known[path] = table
        part = table[start:stop]
        missing = part[:, 0].isnan()
        if missing.any():
            places = torch.nonzero(missing)[:, 0]
            for block in places.split(AT_ONCE):
                found = self.encoder(chunks[block.to(chunks.device)]).float()
                part[block] = found.cpu()
        return part

    def _grow(self, table: Tensor | None, length: int) -> Tensor:
        grown = torch.full((length, self.encoder.width), torch.nan, dtype=torch.float32, device="cpu")
        if table is not None:
            grown[: len(table)] = table
        return grown
