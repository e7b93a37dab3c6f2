"""The trainers by name, each imported when it is asked for, so that one may be absent."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from gohd_core.errors import BadInput

if TYPE_CHECKING:
    from gohd_core.training.framework.task import Task

CONFIGS = Path(__file__).parent / "configs"
"""Config files that ship with GoHD: configs/<module>/<name>.yaml, given as `--config NAME`."""

TASKS = {
    "animator": "gohd_core.training.animator.task:AnimatorTask",
    "pose": "gohd_core.training.pose:PoseTask",
    "gaze": "gohd_core.training.pose:GazeTask",
    "expression-stage1": "gohd_core.training.expression.stage1:ExpressionStage1Task",
    "expression-stage2": "gohd_core.training.expression.stage2:ExpressionStage2Task",
    "extractor": "gohd_core.training.face.extractor:ExtractorTask",
    "gaze-estimator": "gohd_core.training.face.extractor:GazeEstimatorTask",
    "face-parsing": "gohd_core.training.face.parsing:FaceParsingTask",
}
"""Name on the command line -> "module:class"."""


def find_task(name: str) -> type[Task]:
    """The trainer of that name; `BadInput` when this copy has none."""
    if name not in TASKS:
        raise BadInput(f"There is no trainer {name!r}; use one of {', '.join(TASKS)}.")
    module, _, kind = TASKS[name].partition(":")
    try:
        return getattr(import_module(module), kind)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise BadInput(f"This copy of GoHD lacks the trainer {name!r} ({module}).") from error
