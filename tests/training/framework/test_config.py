"""Configs: strict names, strict types, files that extend each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from gohd_core.errors import BadInput
from gohd_core.training.framework.config import Weight, is_on, load_config, save_config


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1
    steps: int = 3
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass(frozen=True)
class Config:
    loop: Inner = field(default_factory=Inner)
    weight: Weight = 1.0
    kind: Literal["cosine", "constant"] = "cosine"
    names: tuple[str, ...] = ()
    limit: float | None = None
    compile: bool = False
    inner: Inner | None = None


def test_defaults_then_file_then_command_line(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("loop:\n  rate: 6e-4\n  steps: 10\nweight: 2\n")
    config = load_config(Config, file, ["loop.steps=20", "limit=1.5", "names=[a, b]"])
    assert config.loop == Inner(rate=6e-4, steps=20)
    assert config.weight == 2.0 and isinstance(config.weight, float)
    assert config.limit == 1.5 and config.names == ("a", "b")


def test_a_file_extends_another(tmp_path):
    (tmp_path / "base.yaml").write_text("loop:\n  rate: 0.5\n  steps: 10\nkind: constant\n")
    (tmp_path / "less.yaml").write_text("extends: base.yaml\nloop:\n  steps: 7\n")
    config = load_config(Config, tmp_path / "less.yaml")
    assert config.loop == Inner(rate=0.5, steps=7) and config.kind == "constant"


def test_extending_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(BadInput, match="circle"):
        load_config(Config, tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("given", "wrong", "nearest"),
    [
        ("loop.stepps=1", "loop.stepps", "loop.steps"),
        ("steps=1", "steps", "loop.steps"),
        ("weigth=1", "weigth", "weight"),
        ("loop.weight=1", "loop.weight", "weight"),
    ],
)
def test_an_unknown_key_names_the_nearest(given, wrong, nearest):
    with pytest.raises(BadInput, match=rf"'{wrong}', which does not exist.*'{nearest}'"):
        load_config(Config, None, [given])


@pytest.mark.parametrize(
    "given",
    ["loop.steps=1.5", "loop.rate=fast", "compile=1", "kind=linear", "loop.betas=[1]", "weight=on", "loop=3",
     "loop.steps=true", "names=[1]"],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_refused(given):
    with pytest.raises(BadInput, match=given.partition("=")[0]):
        load_config(Config, None, [given])


def test_off_is_a_word_and_not_false():
    config = load_config(Config, None, ["weight=off"])
    assert config.weight == "off" and not is_on(config.weight)
    assert is_on(0.5) and not is_on(0.0)


def test_whole_floats_are_whole_numbers():
    assert load_config(Config, None, ["loop.steps=1e5"]).loop.steps == 100_000


def test_a_saved_config_loads_to_an_equal_one(tmp_path):
    config = load_config(
        Config, None, ["weight=off", "loop.rate=1e-6", "names=[x]", "inner.rate=2", "kind=constant"]
    )
    save_config(tmp_path / "c.yaml", config)
    assert load_config(Config, tmp_path / "c.yaml") == config


def test_broken_files_are_named(tmp_path):
    (tmp_path / "c.yaml").write_text("loop: [1\n")
    with pytest.raises(BadInput, match=r"c\.yaml is not valid YAML"):
        load_config(Config, tmp_path / "c.yaml")
    with pytest.raises(BadInput, match=r"no\.yaml can't be read"):
        load_config(Config, tmp_path / "no.yaml")
    with pytest.raises(BadInput, match="key=value"):
        load_config(Config, None, ["loop.steps"])
