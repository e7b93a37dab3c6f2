"""Trains the paper's ablations small, with equal budgets and several seeds, beside its tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gohd_core import __version__
from gohd_core.clips import Clip, ClipDataset
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.ablation_tables import ABLATIONS, SMALL, Ablation, Variant
from gohd_core.evaluation.report import Report, Table
from gohd_core.evaluation.sequences import structural_similarity
from gohd_core.evaluation.speech_motion import features_of
from gohd_core.expression import ExpressionPredictor
from gohd_core.pose import PoseDiffusion
from gohd_core.training.cli import CONFIGS
from gohd_core.training.config import load_config, update
from gohd_core.training.expression_geometry import FaceGeometry
from gohd_core.training.loop import train
from gohd_core.training.settings import RunConfig
from gohd_core.training.tasks import find_task

Progress = Callable[[str, int, int], None]
_CLEAR = 2.0
"""An effect is clear from this many standard errors of the mean difference between seeds."""
_MOUTH = slice(48, 68)


@dataclass(frozen=True)
class AblationPlan:
    """How much is trained.

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

    def steps_of(self, module: str) -> int:
        """Optimiser steps of every run of a module; those that `steps` does not name get 150."""
        return self.steps if isinstance(self.steps, int) else self.steps.get(module, 150)


def ablations(plan: AblationPlan, out: Path, *, progress: Progress | None = None) -> Report:
    """Trains every variant of every chosen table into `out` and measures it on held-out clips.

    A run of as many steps whose weights are there already is not trained again, so that a stopped
    benchmark goes on.
    """
    begun = time.perf_counter()
    chosen = [ablation for ablation in ABLATIONS if ablation.table in plan.tables]
    total = sum(len(plan.seeds) * len(_trained(ablation, plan)) for ablation in chosen)
    done = 0
    tables = []
    for ablation in chosen:
        found: dict[str, list[dict[str, float]]] = {}
        for variant in _trained(ablation, plan):
            for seed in plan.seeds:
                weights = trained(ablation, variant, seed, plan, out)
                found.setdefault(variant.name, []).append(measure(ablation, weights, plan))
                done += 1
                if progress is not None:
                    progress("runs", done, total)
        tables.append(ablation_table(ablation, found))
    modules = sorted({ablation.module for ablation in chosen})
    setting: dict[str, Any] = {
        "steps": ", ".join(f"{module} {plan.steps_of(module)}" for module in modules),
        "seeds": ", ".join(map(str, plan.seeds)),
    }
    setting |= {"clips": plan.clips, "talk": ", ".join(path.name for path in plan.talk)}
    setting |= {"tables": ", ".join(map(str, plan.tables))}
    setting = {key: str(value) for key, value in setting.items()}
    return Report("ablations", setting, {"gohd": __version__}, tables, time.perf_counter() - begun)


def _trained(ablation: Ablation, plan: AblationPlan) -> list[Variant]:
    with_parser = ablation.module == "animator" and plan.parsing is not None
    return [v for v in ablation.variants if not v.left_out or with_parser]


def trained(ablation: Ablation, variant: Variant, seed: int, plan: AblationPlan, out: Path) -> Path:
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
    """What a shipped ablation config changes, without the config that it extends."""
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
    folders, steps = plan.stills if module == "animator" else plan.talk, plan.steps_of(module)
    data = replace(config.data, folders=tuple(map(str, folders)), workers=0, validation_batches=0)
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
    if not weights.is_file():
        config = config_of(module, settings, seed, plan)
        train(find_task(module), config, folder, resume=True, command="gohd benchmark ablations")
    return weights


_COMPONENT = {
    "expression-stage1": "expression",
    "expression-stage2": "expression",
    "pose": "pose_diffusion",
    "animator": "animator",
}


def measure(ablation: Ablation, weights: Path, plan: AblationPlan) -> dict[str, float]:
    """The table's measures of trained weights, on held-out clips."""
    folders = plan.stills if ablation.module == "animator" else plan.talk
    sets = [ClipDataset(folder) for folder in folders]
    clips = [one.clip(entry) for one in sets for entry in one.select("test")][: plan.clips]
    if not clips:
        raise BadInput(f"{folders[0]} holds no clip of the split 'test'; give a larger data set.")
    if ablation.module == "animator":
        rows = [_frames_of(weights, clip) for clip in clips]
    elif ablation.module == "pose":
        model = PoseDiffusion.load(weights)
        rows = [_pose_of(model, clip) for clip in clips]
    else:
        predictor, geometry = ExpressionPredictor.load(weights), FaceGeometry.load(None, STYLISED)
        rows = [_expression_of(predictor, geometry, clip) for clip in clips]
    return {name: float(np.mean([row[name] for row in rows])) for name in ablation.measures}


def _expression_of(predictor: ExpressionPredictor, geometry: FaceGeometry, clip: Clip) -> dict[str, float]:
    features = features_of(clip)
    true = torch.from_numpy(clip.read("expression")[: len(features)])
    real = geometry.face(true[None])
    given = None
    if predictor.config.eye_motion_input and predictor.network.eyes is None:
        given = real.eye_motion[0]
    found, _ = predictor.predict(features, true[0], eye_motion=given, seed=1)
    made = geometry.face(found[None])
    gap = (made.landmarks - real.landmarks)[0, :, _MOUTH, :2]
    similar = structural_similarity(real.eye_motion[0].numpy(), made.eye_motion[0].numpy())
    return {"MLD px": float(gap.norm(dim=-1).mean()), "SSIM_e": similar}


def _pose_of(model: PoseDiffusion, clip: Clip) -> dict[str, float]:
    features = features_of(clip)
    true = clip.read("pose")[: len(features)]
    mel, first = features.condition(model.alignment), torch.from_numpy(true[0].copy())
    made = model.sample_pose(mel, first, seed=1, sampler="dpmpp_2m", steps=20).values.numpy()
    return {"SSIM_p": structural_similarity(true, made)}


def _frames_of(weights: Path, clip: Clip) -> dict[str, float]:
    from gohd_core.animator import Animator
    from gohd_core.evaluation.drawing import draw_stills, encode
    from gohd_core.evaluation.frame_tables import picture_figures

    animator, motion = Animator.load(weights), clip.motion()
    frames, landmarks = clip.read("frames"), clip.read("landmarks")
    chosen = list(range(1, len(clip), 3))
    source = encode(animator, frames[0], motion[:1])
    drawn = draw_stills(animator, source, motion, chosen).frames
    figures = picture_figures(drawn, frames[chosen], landmarks[chosen])
    return {name: float(value.mean()) for name, value in figures.items()}


def ablation_table(ablation: Ablation, found: dict[str, list[dict[str, float]]]) -> Table:
    """Ours (mean and deviation over seeds) beside the paper's, with the effect of leaving something out."""
    columns: list[str] = []
    for ours, (theirs, _) in ablation.measures.items():
        columns += [
            ours,
            f"{ours} sd",
            f"paper {theirs}",
            f"effect {ours}",
            f"paper effect {theirs}",
            f"{ours} agrees",
        ]
    arrows = ", ".join(
        f"{name} {'up' if up else 'down'} is better" for name, (_, up) in ablation.measures.items()
    )
    table = Table(
        f"Table {ablation.table}: {ablation.title}",
        tuple(columns),
        note=f"{ablation.note} {arrows}. Effect: the row less the full strategy; agrees: same direction as "
        f"in the paper by at least {_CLEAR:g} standard errors over seeds, else 'no' or 'unclear'.",
    )
    for variant in ablation.variants:
        if variant.name not in found:
            table.put(
                variant.name, {f"paper {theirs}": variant.paper[theirs] for theirs, _ in _their(ablation)}
            )
            first = next(iter(ablation.measures))
            table.put(variant.name, {f"{first} agrees": f"not trained: {variant.left_out}"})
            continue
        for ours, (theirs, _) in ablation.measures.items():
            values = np.array([row[ours] for row in found[variant.name]])
            full = np.array([row[ours] for row in found[ablation.full.name]])
            put = {ours: values.mean(), f"{ours} sd": values.std(), f"paper {theirs}": variant.paper[theirs]}
            if variant is not ablation.full:
                expected = variant.paper[theirs] - ablation.full.paper[theirs]
                put |= {
                    f"effect {ours}": values.mean() - full.mean(),
                    f"paper effect {theirs}": expected,
                    f"{ours} agrees": verdict(values - full, expected),
                }
            table.put(variant.name, put)
    return table


def _their(ablation: Ablation) -> list[tuple[str, bool]]:
    return list(ablation.measures.values())


def verdict(effects: np.ndarray, expected: float) -> str:
    """Whether effects [S] over seeds point where the paper's does."""
    if len(effects) < 2:
        return "unclear"
    error = effects.std(ddof=1) / len(effects) ** 0.5
    if abs(effects.mean()) <= _CLEAR * error:
        return "unclear"
    return "yes" if np.sign(effects.mean()) == np.sign(expected) else "no"
