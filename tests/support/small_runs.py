"""Settings of training runs that are over in a moment."""

from __future__ import annotations

from pathlib import Path


def two_steps(folder: Path, batch: int) -> list[str]:
    """Two steps on the CPU over a folder of clips, nothing cached."""
    return [
        *(f"data.folders=['{folder}']", f"data.batch={batch}", "data.validation_batches=1"),
        *("data.cache_features=false", "loop.device=cpu", "loop.steps=2"),
    ]
