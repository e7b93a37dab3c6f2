"""The shipped configs: each parses, the paper's hold its numbers, ablations change one thing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from gohd_core.commands.train import CONFIGS, config_path
from gohd_core.training.framework.config import load_config, read_yaml
from gohd_core.training.registry import TASKS, find_task

FILES = sorted(CONFIGS.glob("*/*.yaml"))

ABLATIONS = {
    # Table 3; "w/o Distillation" is a matter of data alone
    "expression-stage1/without_eye_motion": {"network.eye_motion_input": False},
    "expression-stage1/without_distillation": {},
    "expression-stage2/without_stage1": {"stage1": None},
    "expression-stage2/transformer": {"generator.kind": "transformer"},
    # Table 4
    "animator/without_parsing": {"losses.parsing": "off"},
    "animator/without_mask": {"losses.lips": 0.0, "losses.eyes": 0.0},
    # Table 5
    "expression-stage1/without_lip_reading": {"losses.lip_reading": "off"},
    "expression-stage1/without_landmarks": {"losses.landmarks": "off"},
    "expression-stage1/without_mouth_closing": {"losses.mouth_closing": "off"},
    # Table 6
    "expression-stage2/without_similarity": {"losses.similarity": "off"},
    "expression-stage2/without_eye_discriminator": {"losses.eye_discriminator": "off"},
    "expression-stage2/without_coefficient_discriminator": {"losses.coefficient_discriminator": "off"},
    "expression-stage2/without_eye_motion_discriminator": {"losses.eye_motion_discriminator": "off"},
    # Table 7
    "pose/without_attention": {"network.attention": False},
    "gaze/without_attention": {"network.attention": False},
}

PAPER = {
    "animator": {
        "losses.reconstruction": 1, "losses.perceptual": 1, "losses.expression": 1, "losses.gaze": 100,
        "losses.parsing": 1, "losses.adversarial": 1, "optimiser.learning_rate": 1e-4,
    },
    "pose": {"optimiser.learning_rate": 6e-4},
    "gaze": {"optimiser.learning_rate": 6e-4},
    "expression-stage1": {
        "losses.landmarks": 0.01, "losses.eye_motion": 2, "losses.mouth_closing": 1, "losses.lip_reading": 2,
        "losses.coefficients": 2, "optimiser.learning_rate": 1e-4, "frames": 30,
    },
    "expression-stage2": {
        "losses.similarity": 2, "losses.eye_motion": 2, "losses.eye_discriminator": 1,
        "losses.eye_motion_discriminator": 1, "losses.coefficient_discriminator": 1, "losses.stage1": 1,
        "optimiser.learning_rate": 1e-4, "discriminator_optimiser.learning_rate": 1e-6, "frames": 300,
    },
}  # fmt: skip
"""Supplement C, by module."""


def flat(config: dict, prefix: str = "") -> dict:
    """Dotted names of a nested config."""
    return {
        name: value
        for key, item in config.items()
        for name, value in (
            flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
        ).items()
    }


def loaded(module: str, name: str) -> dict:
    return flat(asdict(load_config(find_task(module).Config, CONFIGS / module / f"{name}.yaml")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_config_parses_and_has_a_comment(file: Path):
    load_config(find_task(file.parent.name).Config, file)
    assert file.read_text().startswith("# ")


@pytest.mark.parametrize("module", TASKS)
def test_every_module_has_a_large_and_a_small_config(module):
    names = {file.stem for file in FILES if file.parent.name == module}
    assert "stylised" in names and names & {"paper", "official"}
    assert config_path(module, "stylised") == CONFIGS / module / "stylised.yaml"


@pytest.mark.parametrize("module", PAPER)
def test_the_papers_numbers(module):
    config = loaded(module, "paper")
    assert {name: config[name] for name in PAPER[module]} == PAPER[module]
    assert config["data.space"] == "bfm09"


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_one_thing(name):
    module, _, stem = name.partition("/")
    assert read_yaml(CONFIGS / module / f"{stem}.yaml")
    full, without = loaded(module, "paper"), loaded(module, stem)
    changed = {key: value for key, value in without.items() if full.get(key, "absent") != value}
    assert changed == ABLATIONS[name]


def test_no_ablation_is_left_out():
    others = {"paper", "official", "stylised", "conditional", "unconditional", "dropout"}
    found = {f"{file.parent.name}/{file.stem}" for file in FILES if file.stem not in others}
    assert found == set(ABLATIONS)
