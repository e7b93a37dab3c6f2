"""Writes a run's networks as weights files with the training's record in the header."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gohd_core.checkpoints.writing import save_network
from gohd_core.training.framework.config import as_dict

if TYPE_CHECKING:
    from gohd_core.training.framework.run import Run


def write_exports(run: Run, out: Path, figures: dict[str, float], command: str) -> list[Path]:
    """Writes `<component>.safetensors` into `out` for every network that the task exports.

    The metadata hold the network's config, its coefficient space, and under "training" the command,
    seed, steps, examples, minutes, the validation figures and the whole training config.
    """
    paths = []
    for export in run.task.exports():
        info = {**export.info, "training": training_record(run, figures, command)}
        paths.append(
            save_network(
                out / f"{export.component}.safetensors",
                export.network,
                component=export.component,
                config=export.config,
                space=export.space,
                info=info,
            )
        )
    return paths


def training_record(run: Run, figures: dict[str, float], command: str) -> dict[str, Any]:
    """Provenance of a run's weights, as JSON."""
    return {
        "command": command,
        "seed": run.config.loop.seed,
        "steps": run.step,
        "examples": run.step * run.per_step,
        "minutes": round(run.seconds / 60, 1),
        "averaged_weights": run.ema is not None,
        "figures": figures,
        "config": as_dict(run.config),
    }
