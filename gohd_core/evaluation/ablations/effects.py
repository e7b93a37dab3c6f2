"""Effect of each ablation over seeds, beside the paper's."""

from __future__ import annotations

import numpy as np

from gohd_core.evaluation.ablations.tables import Ablation
from gohd_core.evaluation.report import Table

_CONFIDENCE = 0.95
"""Confidence of Student's t interval over seeds; an effect is clear if its interval excludes 0."""


def ablation_table(ablation: Ablation, found: dict[str, list[dict[str, float]]]) -> Table:
    """Ours (mean and deviation over seeds) beside the paper's, with the effect of leaving something out."""
    columns: list[str] = []
    for ours, (theirs, _) in ablation.measures.items():
        columns += [
            ours,
            f"{ours} sd",
            f"paper {theirs}",
            f"effect {ours}",
            f"{ours} +-",
            f"paper effect {theirs}",
            f"{ours} agrees",
        ]
    arrows = ", ".join(
        f"{name} {'up' if up else 'down'} is better" for name, (_, up) in ablation.measures.items()
    )
    table = Table(
        f"Table {ablation.table}: {ablation.title}",
        tuple(dict.fromkeys(columns)),
        note=f"{ablation.note} {arrows}. Effect: the row less the full strategy, seed by seed; +-: "
        f"its {100 * _CONFIDENCE:g} % interval (Student's t over seeds); agrees: same direction as in the "
        "paper ('yes'), the other one ('no'), or within the interval ('unclear').",
    )
    for variant in ablation.variants:
        if variant.name not in found:
            table.put(
                variant.name, {f"paper {theirs}": variant.paper[theirs] for theirs, _ in _their(ablation)}
            )
            table.note += f" {variant.name} is not trained: {variant.left_out}."
            first = next(iter(ablation.measures))
            table.put(variant.name, {f"{first} agrees": "not trained"})
            continue
        for ours, (theirs, _) in ablation.measures.items():
            values = np.array([row[ours] for row in found[variant.name]])
            full = np.array([row[ours] for row in found[ablation.full.name]])
            put = {ours: values.mean(), f"{ours} sd": values.std(), f"paper {theirs}": variant.paper[theirs]}
            if variant is not ablation.full:
                expected = variant.paper[theirs] - ablation.full.paper[theirs]
                put |= {
                    f"effect {ours}": values.mean() - full.mean(),
                    f"{ours} +-": interval(values - full),
                    f"paper effect {theirs}": expected,
                    f"{ours} agrees": verdict(values - full, expected),
                }
            table.put(variant.name, put)
    return table


def _their(ablation: Ablation) -> list[tuple[str, bool]]:
    return list(ablation.measures.values())


def interval(effects: np.ndarray) -> float | None:
    """Half the confidence interval of the mean of effects [S] over seeds; None for a single one."""
    from scipy.stats import t

    if len(effects) < 2:
        return None
    error = effects.std(ddof=1) / len(effects) ** 0.5
    return float(t.ppf((1 + _CONFIDENCE) / 2, len(effects) - 1) * error)


def verdict(effects: np.ndarray, expected: float) -> str:
    """Whether effects [S] over seeds point where the paper's does."""
    half = interval(effects)
    if half is None or abs(effects.mean()) <= half:
        return "unclear"
    return "yes" if np.sign(effects.mean()) == np.sign(expected) else "no"
