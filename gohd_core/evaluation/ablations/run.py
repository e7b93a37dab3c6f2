"""Trains the paper's ablations small, with equal budgets and several seeds, beside its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gohd_core import __version__
from gohd_core.errors import BadInput, Interrupted
from gohd_core.evaluation.ablations.effects import ablation_table
from gohd_core.evaluation.ablations.measures import measure
from gohd_core.evaluation.ablations.tables import ABLATIONS, SMALL, Ablation, Variant
from gohd_core.evaluation.progress import Progress, with_progress
from gohd_core.evaluation.report import Report
from gohd_core.training.framework.config import load_config, update
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.settings import RunConfig
from gohd_core.training.registry import CONFIGS, find_task


@dataclass(frozen=True)
class AblationPlan:
    """Size of the ablation trainings.

    Attributes:
        tables: numbers of the paper's tables.
        steps: optimiser steps of every run, or module -> steps: all variants of a module get the same.
        seeds: of the initial weights and the order of the data.
        talk: data sets of talking clips (train and test splits), frames not needed.
        stills: data sets of stills with correspondences, for table 4; without any it is left out.
        parsing: a face parser's weights, for table 4's parsing loss.
        clips: held-out clips that are measured.
    """

    talk: tuple[Path, ...]
    tables: tuple[int, ...] = (3, 5, 6, 7)
    steps: int | Mapping[str, int] = 150
    seeds: tuple[int, ...] = (0, 1, 2)
    stills: tuple[Path, ...] = ()
    parsing: Path | None = None
    clips: int = 16

    def __post_init__(self) -> None:
        known = [ablation.table for ablation in ABLATIONS]
        unknown = [table for table in self.tables if table not in known]
        if unknown:
            raise BadInput(f"Table {unknown[0]} is no ablation; choose of {', '.join(map(str, known))}.")
        modules = sorted({ablation.module for ablation in ABLATIONS})
        strange = [] if isinstance(self.steps, int) else [name for name in self.steps if name not in modules]
        if strange:
            raise BadInput(f"No ablation trains {strange[0]!r}; give steps for some of {', '.join(modules)}.")
        if min(map(self.steps_of, modules)) < 1 or not self.seeds:
            raise BadInput("Ablations need at least 1 step and 1 seed.")
        if 4 in self.tables and not self.stills:
            raise BadInput("Table 4 trains the animator: give --stills DIR with stills and correspondences.")

    def folders(self, module: str) -> tuple[Path, ...]:
        """The data sets that a module is trained and measured on."""
        return self.stills if module == "animator" else self.talk

    def steps_of(self, module: str) -> int:
        """Optimiser steps of every run of a module; those that `steps` does not name get 150."""
        return self.steps if isinstance(self.steps, int) else self.steps.get(module, 150)


def ablations(plan: AblationPlan, out: Path, *, progress: Progress | None = None) -> Report:
    """Trains every variant of every chosen table into `out` and measures it on held-out clips.

    A run of as many steps whose weights are there already is not trained again, so that a stopped
    benchmark goes on. Raises `Interrupted` when a training was stopped by a signal.
    """
    out = out.resolve()
    chosen = [ablation for ablation in ABLATIONS if ablation.table in plan.tables]
    runs = [
        (each, variant, seed)
        for each in chosen
        for variant in _variants_to_train(each, plan)
        for seed in plan.seeds
    ]
    found: dict[int, dict[str, list[dict[str, float]]]] = {ablation.table: {} for ablation in chosen}
    for ablation, variant, seed in with_progress(runs, "runs", progress):
        weights = train_variant(ablation, variant, seed, plan, out)
        figures = measure(ablation, weights, plan.folders(ablation.module), plan.clips)
        found[ablation.table].setdefault(variant.name, []).append(figures)
    tables = [ablation_table(ablation, found[ablation.table]) for ablation in chosen]
    modules = {ablation.module for ablation in chosen}
    # A second stage stands on a first one, which is trained too.
    modules = sorted(modules | ({"expression-stage1"} if "expression-stage2" in modules else set()))
    sets = {folder.name: None for module in modules for folder in plan.folders(module)}
    setting = {
        "steps": ", ".join(f"{module} {plan.steps_of(module)}" for module in modules),
        "seeds": ", ".join(map(str, plan.seeds)),
        "clips": plan.clips,
        "data": ", ".join(sets),
        "tables": ", ".join(map(str, plan.tables)),
    }
    return Report("ablations", setting, {"gohd": __version__}, tables)


def _variants_to_train(ablation: Ablation, plan: AblationPlan) -> list[Variant]:
    with_parser = ablation.module == "animator" and plan.parsing is not None
    return [v for v in ablation.variants if not v.left_out or with_parser]


def train_variant(ablation: Ablation, variant: Variant, seed: int, plan: AblationPlan, out: Path) -> Path:
    """Trains one variant with one seed; the path of its weights."""
    module, _, name = (variant.config or "").rpartition("/")
    module, settings = module or ablation.module, {}
    if module == "expression-stage2" and name == "without_stage1":
        settings = {"stage1_network": SMALL["expression-stage1"].settings["network"]}
    elif module == "expression-stage2":
        settings = {"stage1": str(_run("expression-stage1", [], seed, plan, out, "full"))}
    elif module == "animator" and plan.parsing is not None:
        settings = {"losses": {"parsing": 1.0}, "features": {"parsing": {"weights": str(plan.parsing)}}}
    return _run(module, [settings, _difference(module, name)], seed, plan, out, name or "full")


def _difference(module: str, name: str) -> dict[str, Any]:
    """Overrides of a shipped ablation config, without the config that it extends."""
    if not name:
        return {}
    import yaml

    content = yaml.safe_load((CONFIGS / module / f"{name}.yaml").read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key != "extends"}


def config_of(module: str, settings: Sequence[Any], seed: int, plan: AblationPlan) -> RunConfig:
    """The module's small config with each of the settings laid over it, at the plan's budget."""
    small = SMALL[module]
    config = load_config(find_task(module).Config, CONFIGS / module / f"{small.config}.yaml")
    for values in (small.settings, *settings):
        config = update(config, values, "the ablation")
    steps, folders = plan.steps_of(module), plan.folders(module)
    data = replace(
        config.data, folders=tuple(str(f.resolve()) for f in folders), workers=0, validation_batches=0
    )
    loop = replace(
        config.loop,
        steps=steps,
        max_minutes=None,
        seed=seed,
        validate_every=10 * steps,
        picture_every=0,
        sample_every=0,
        checkpoint_every=10 * steps,
        checkpoint_minutes=None,
    )
    return replace(config, data=data, loop=loop)


def _run(module: str, settings: Sequence[Any], seed: int, plan: AblationPlan, out: Path, label: str) -> Path:
    folder = out / f"{module}-{label}-{plan.steps_of(module)}-{seed}"
    weights = folder / f"{_COMPONENT[module]}.safetensors"
    config = config_of(module, settings, seed, plan)
    if weights.is_file():
        if load_config(type(config), folder / "config.yaml") != config:
            raise BadInput(f"{folder} was trained with other settings or data; give another --out.")
        return weights
    train(find_task(module), config, folder, resume=True, command="gohd benchmark ablations")
    if not weights.is_file():
        raise Interrupted("The ablations were stopped; give the same command again to go on.")
    return weights


_COMPONENT = {
    "expression-stage1": "expression",
    "expression-stage2": "expression",
    "pose": "pose_diffusion",
    "animator": "animator",
}
