"""`gohd train`: arguments, configs by name, lazy trainers, dry run, resuming, and the weights it writes."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest
import torch

from gohd_core.checkpoints.loading import load_network, read_checkpoint
from gohd_core.commands.train import add_commands, config_path
from gohd_core.errors import BadInput
from gohd_core.face.reading.extractor_network import ExtractorConfig, ExtractorNetwork
from gohd_core.face.reading.resnet import ResNetConfig
from gohd_core.training import registry as tasks
from gohd_core.training.framework.task import Export
from tests.support.toy import ToyTask

CONFIG = ExtractorConfig(32, False, ResNetConfig("basic", (1, 1, 1, 1), 4), ("expression",))


class ExportingTask(ToyTask):
    """The toy, whose line is a small extractor's head as far as exporting goes."""

    averaged = ("line", "extractor")

    def __init__(self, config):
        super().__init__(config)
        self.networks["extractor"] = ExtractorNetwork(CONFIG)
        self.extra = self.networks["extractor"].heads[0].bias

    def players(self):
        line, critic = super().players()
        return (type(line)(line.name, [*line.parameters, self.extra], line.optimiser), critic)

    def losses(self, player, batch, moment):
        terms = super().losses(player, batch, moment)
        if player == "line":
            terms.add("pull", 1.0, (self.extra - 1).square().mean())
        return terms

    def exports(self):
        return (Export("extractor", self.networks["extractor"], CONFIG, "stylised", {"licence": "MIT"}),)


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setitem(tasks.TASKS, "toy", f"{__name__}:ExportingTask")


def gohd(*arguments: str) -> int:
    """Runs `gohd` with its train command alone."""
    parser = argparse.ArgumentParser("gohd")
    add_commands(parser.add_subparsers())
    given = parser.parse_args(["train", "toy", *arguments])
    return given.run(given)


def test_a_run_writes_weights_that_load_with_their_record(tmp_path, capsys):
    assert gohd("--out", str(tmp_path), "loop.steps=8", "loop.seed=3") == 0
    assert "finished at step 8" in capsys.readouterr().out
    weights = tmp_path / "extractor.safetensors"
    loaded = load_network(weights, "extractor")
    assert loaded.config == CONFIG and loaded.space == "stylised" and loaded.info["licence"] == "MIT"
    record = loaded.info["training"]
    assert (record["seed"], record["steps"], record["examples"]) == (3, 8, 32)
    assert record["command"].startswith("gohd") and record["config"]["loop"]["steps"] == 8
    assert record["figures"]["square"] > 0

    from gohd_core.training.framework.checkpointing import Checkpoints

    state = Checkpoints(tmp_path / "checkpoints", 2).load_latest()[1]
    exported = read_checkpoint(weights).network.heads[0].bias
    assert torch.allclose(exported, state["ema"]["extractor.heads.0.bias"])
    assert not torch.allclose(exported, state["networks"]["extractor.heads.0.bias"])


def test_resuming_and_exporting_again(tmp_path, capsys):
    assert gohd("--out", str(tmp_path), "loop.pause_after_minutes=0") == 0
    assert "paused at step 1" in capsys.readouterr().out
    assert not (tmp_path / "extractor.safetensors").exists()
    assert gohd("--out", str(tmp_path), "--export") == 0
    assert read_checkpoint(tmp_path / "extractor.safetensors").info["training"]["steps"] == 1
    with pytest.raises(BadInput, match="--resume"):
        gohd("--out", str(tmp_path))
    assert gohd("--out", str(tmp_path), "--resume") == 0
    assert read_checkpoint(tmp_path / "extractor.safetensors").info["training"]["steps"] == 12


def test_a_dry_run_needs_no_folder(capsys):
    assert gohd("--dry-run", "--max-minutes", "2") == 0
    assert "steps in 2 minutes" in capsys.readouterr().out


def test_wrong_use_is_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="--out"):
        gohd()
    with pytest.raises(BadInput, match=r"'loop\.steps'"):
        gohd("--out", str(tmp_path), "loop.stepps=2")
    with pytest.raises(BadInput, match=r"nothing\.yaml can't be read"):
        gohd("--config", "nothing.yaml", "--out", str(tmp_path))


def test_data_folders_may_be_several(tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(
        "gohd_core.training.framework.loop.train",
        lambda kind, config, *_, **__: given.update(c=config) or 1 / 0,
    )
    with pytest.raises(ZeroDivisionError):
        gohd("--data", "one's", "--data", "two, three", "--out", str(tmp_path))
    assert given["c"].data.folders == ("one's", "two, three")


def test_a_missing_trainer_does_not_break_the_rest(monkeypatch):
    monkeypatch.setitem(tasks.TASKS, "gone", "gohd_core.training.gone:Task")
    with pytest.raises(BadInput, match="lacks the trainer 'gone'"):
        tasks.find_task("gone")
    with pytest.raises(BadInput, match="no trainer 'nose'"):
        tasks.find_task("nose")
    assert tasks.find_task("toy") is ExportingTask


def test_configs_go_by_name_or_path(tmp_path):
    assert config_path("pose", None) is None
    assert config_path("pose", "my.yaml").name == "my.yaml"


def test_help_is_quick_to_come():
    code = "import sys; from gohd_core.commands import train; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
