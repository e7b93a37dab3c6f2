"""The official code beside ours: a stand-in's modules come and go; the real one where a clone is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from gohd_core.errors import BadInput
from gohd_core.evaluation.speed.official_code import official_modules, official_table
from gohd_core.evaluation.speed.plan import SpeedPlan

CLONE = os.environ.get("GOHD_OFFICIAL")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A repository of one module, which wants a GPU as the authors' does."""
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "__init__.py").touch()
    (tmp_path / "networks" / "generator.py").write_text(
        "import torch\nfrom torch import nn\nimport networks\n\n"
        "def there():\n    return torch.zeros(2).cuda()\n"
    )
    (tmp_path / "folder_without_init").mkdir()
    (tmp_path / "folder_without_init" / "layers.py").touch()
    return tmp_path


def test_modules_come_and_go(folder):
    path, cuda = list(sys.path), torch.Tensor.cuda
    with official_modules(folder, "cpu") as load:
        module = load("networks.generator")
        assert module.there().device.type == "cpu"
        assert str(folder) in sys.path
        load("folder_without_init.layers")
    assert not {"networks", "networks.generator", "folder_without_init"} & set(sys.modules)
    assert sys.path == path and torch.Tensor.cuda is cuda


def test_other_folders_are_no_clone(folder, tmp_path_factory):
    with (
        pytest.raises(BadInput, match="no copy of the official code"),
        official_modules(tmp_path_factory.mktemp("empty"), "cpu"),
    ):
        pass
    (folder / "params.py").write_text("import a_module_that_is_nowhere\n")
    with pytest.raises(BadInput, match="a_module_that_is_nowhere"), official_modules(folder, "cpu") as load:
        load("params")
    assert "params" not in sys.modules
    cuda = torch.Tensor.cuda
    with pytest.raises(ZeroDivisionError), official_modules(folder, "cpu"):
        raise ZeroDivisionError
    assert torch.Tensor.cuda is cuda, "also where the work in it fails"


@pytest.mark.skipif(not CLONE, reason="GOHD_OFFICIAL names no clone of the official code")
def test_both_give_the_same(monkeypatch):
    plan = SpeedPlan(seconds=(1.0,), frames=4, dtypes=("fp32",), clock="processor")
    rows = official_table(Path(CLONE), plan).rows
    assert set(rows) == {"a frame, fp32", "head pose, 1 s", "expression, 1 s"}
    assert all(row["difference ppm"] < 200 for row in rows.values())
    assert rows["head pose, 1 s"]["ours / official"] < 0.2
    assert "networks" not in sys.modules
