"""The stylised benchmark: weights over held-out heads, voices and texts, with exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gohd_core import __version__
from gohd_core.checkpoints.loading import builtin_path
from gohd_core.components import ROLES
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.progress import Progress
from gohd_core.evaluation.quality.controllability import (
    Head,
    blink_table,
    command_table,
    draw_heads,
    monotone_table,
    reader_table,
)
from gohd_core.evaluation.quality.data import MESH, PARTS, VERSION, Plan, benchmark_data, default_folder
from gohd_core.evaluation.quality.factor_grid import Sheet
from gohd_core.evaluation.quality.frame_tables import identity_table, still_table
from gohd_core.evaluation.quality.lip_closure import closure_table
from gohd_core.evaluation.quality.speech_files import speech_table
from gohd_core.evaluation.quality.speech_motion import speak
from gohd_core.evaluation.quality.speech_tables import coefficient_table, gaze_table, head_table, mouth_table
from gohd_core.evaluation.quality.talk_table import talk_table
from gohd_core.evaluation.quality.targets import target_table
from gohd_core.evaluation.report import Report, Table, machine, provenance
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.models import Models


@dataclass(frozen=True)
class Weights:
    """Weights to measure: role -> file; roles that are not named take the built-in ones."""

    files: dict[str, Path]

    def load(self) -> Models:
        """The models, all of which must be in the stylised space."""
        unknown = [role for role in self.files if role not in ROLES]
        if unknown:
            raise BadInput(f"There is no {unknown[0]!r} to replace; use some of {', '.join(ROLES)}.")
        given = {role: ROLES[role].runtime_class.load(path) for role, path in self.files.items()}
        foreign = [role for role, model in given.items() if model.space != STYLISED]
        if foreign:
            raise BadInput(
                f"These {foreign[0]} weights are in the {given[foreign[0]].space!r} space; the benchmark's "
                f"truth is in the {STYLISED!r} space. Measure them on videos with `gohd evaluate`."
            )
        return replace(Models.load(), **given)

    def provenance(self) -> dict[str, str]:
        """Each role's file name and the first digits of its SHA-256."""
        return {
            role: provenance(self.files[role])
            if role in self.files
            else provenance(builtin_path(component.name), "built-in")
            for role, component in ROLES.items()
        }


def mesh_targets(heads: list[Head], sheet: Sheet) -> Table:
    """The targets of single pictures of heads that are drawn by the mesh animator."""
    table = target_table([measure(heads, sheet) for measure in (command_table, blink_table, still_table)])
    return replace(table, title="Targets, drawn by the mesh animator")


def quality(
    weights: Weights,
    plan: Plan,
    folder: Path | None = None,
    *,
    parts: Sequence[str] = PARTS,
    speech: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Report:
    """Runs the benchmark.

    Args:
        weights: the weights under test.
        plan: how much of the stylised world.
        folder: where its data is kept (None: the user's cache) and made when missing.
        parts: "animator" (single pictures), "motion" (from sound), "talk" (both together), and "mesh" (the
            targets of single pictures, drawn by the mesh animator as the face networks read them).
        speech: real recordings, measured beside it.
    """
    known = (*PARTS, MESH)
    wrong = [part for part in parts if part not in known]
    if wrong:
        raise BadInput(f"There is no part {wrong[0]!r} of the benchmark; use some of {', '.join(known)}.")
    reader = FaceReader.find() if MESH in parts else None
    if MESH in parts and reader is None:
        raise BadInput("The mesh animator needs the face networks; `gohd download faces` fetches them.")
    models = weights.load()
    size = models.animator.config.size
    data = benchmark_data(folder or default_folder(), plan, size, parts, progress=progress)
    tables: list[Table] = []
    if "animator" in parts:
        heads = draw_heads(models, data, progress)
        tables += [command_table(heads, data.sheet), blink_table(heads, data.sheet)]
        tables += [still_table(heads, data.sheet), identity_table(heads, data.sheet)]
        tables.append(monotone_table(models, heads, data.sheet, progress))
        tables.append(reader_table(heads, data.sheet))
    if "motion" in parts or "talk" in parts:
        spoken = speak(models, data, progress)
        if "motion" in parts:
            tables += [mouth_table(spoken), coefficient_table(spoken), head_table(spoken), gaze_table(spoken)]
        if "talk" in parts:
            tables.append(talk_table(models, data, spoken, progress))
            tables.append(closure_table(models, data, spoken, progress))
    if speech:
        tables.append(speech_table(models, speech))
    targets = target_table(tables)
    if targets.rows:
        tables.insert(0, targets)
    if reader is not None:
        tables.append(mesh_targets(draw_heads(models, data, progress, reader), data.sheet))
    setting: dict[str, Any] = {"benchmark": VERSION, "size": size, "fps": 25, "parts": "+".join(parts)}
    setting["noise"] = "each clip its own"
    setting |= {f"plan {name}": value for name, value in asdict(plan).items()}
    subject = {"gohd": __version__, **weights.provenance(), "machine": machine()}
    return Report("quality", setting, subject, tables)
