"""Weights files: recognised by their keys, loaded safely, refused in a sentence, converted without loss."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from gohd_core.checkpoints import convert, load_network, read_checkpoint, save_network
from gohd_core.checkpoints.loading import builtin_path
from gohd_core.components import COMPONENTS, component
from gohd_core.errors import BadCheckpoint, BadInput
from tests.support import recipe


@pytest.fixture(scope="module")
def official() -> dict:
    """Content of audio2exp.pth, filled by the recipe."""
    return recipe.load_small_golden("expression")[0]


@pytest.fixture
def write(tmp_path, official):
    """Writes the official file after a change of its state dict."""

    def writer(change=lambda state: None, name: str = "audio2exp.pth"):
        state = dict(official["state_dict_G"])
        change(state)
        torch.save({"state_dict_G": state}, tmp_path / name)
        return tmp_path / name

    return writer


FIRST = "module.audio_encoder.0.conv_block.0.weight"


def test_official_file_is_recognised_by_its_keys(write) -> None:
    loaded = read_checkpoint(write(name="renamed.bin"))
    assert (loaded.component, loaded.space) == ("expression", "bfm09")
    assert loaded.info["origin"] == "audio2exp.pth"


def test_converted_file_gives_identical_tensors(write, tmp_path) -> None:
    source = write()
    target = convert(source, tmp_path / "expression.safetensors")
    ours, theirs = read_checkpoint(target), read_checkpoint(source)
    assert ours.config == theirs.config and ours.space == theirs.space
    for key, value in theirs.network.state_dict().items():
        assert torch.equal(value, ours.network.state_dict()[key]), key
    assert ours.info["converted_from"] == "audio2exp.pth"


@pytest.mark.parametrize("key", [FIRST, "module.audio_encoder.1.conv_block.0.bias"])
def test_missing_keys_are_named_as_in_the_file(write, key) -> None:
    with pytest.raises(BadCheckpoint, match=f"lacks {key.removeprefix('module.')}"):
        load_network(write(lambda state: state.pop(key)), "expression")


def test_missing_and_unexpected_keys_are_named_in_one_sentence(write) -> None:
    missing = "module.audio_encoder.1.conv_block.0.bias"

    def change(state) -> None:
        state["module.surprise.weight"] = state.pop(missing)

    with pytest.raises(BadCheckpoint) as caught:
        load_network(write(change), "expression")
    said = str(caught.value)
    assert missing.removeprefix("module.") in said and "surprise.weight" in said
    assert said.count(". ") == 0, "one sentence"


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_refused(write, value) -> None:
    def change(state) -> None:
        state[FIRST] = state[FIRST].clone().index_fill_(0, torch.tensor([0]), value)

    with pytest.raises(BadCheckpoint, match=r"not finite \(in audio_encoder\.0\.conv_block\.0\.weight"):
        load_network(write(change), "expression")


def test_wrong_shapes_are_refused(write) -> None:
    def change(state) -> None:
        state["module.audio_encoder.1.conv_block.0.weight"] = torch.zeros(2, 3)

    with pytest.raises(BadCheckpoint, match=r"shape \[2, 3\] where"):
        load_network(write(change), "expression")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_truncated_files_are_refused(write, tmp_path, share, ending) -> None:
    source = write()
    if ending == "safetensors":
        source = convert(source, tmp_path / "whole.safetensors")
    content = source.read_bytes()
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadCheckpoint, match="cut off|damaged|empty|not a weights file"):
        read_checkpoint(cut)


class Payload:
    """Would create a folder if it were unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_a_file_never_runs(tmp_path, legacy) -> None:
    mark, path = tmp_path / "was_run", tmp_path / "evil.pth"
    if legacy:
        path.write_bytes(pickle.dumps({"state_dict_G": Payload(str(mark))}, protocol=2))
    else:
        torch.save({"state_dict_G": Payload(str(mark))}, path)
    with pytest.raises(BadCheckpoint, match=r"plain tensors|damaged|not a weights file"):
        read_checkpoint(path)
    assert not mark.exists()


def test_other_files_are_refused(tmp_path) -> None:
    torch.save({"model": {"some.weight": torch.zeros(2)}}, tmp_path / "other.pth")
    with pytest.raises(BadCheckpoint, match="none of the files that GoHD knows"):
        read_checkpoint(tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(BadCheckpoint, match="not a weights file|cut off"):
        read_checkpoint(tmp_path / "text.pth")
    with pytest.raises(BadCheckpoint, match="no weights file at"):
        read_checkpoint(tmp_path / "absent.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    with pytest.raises(BadCheckpoint, match="begins with Tensor"):
        read_checkpoint(tmp_path / "tensor.pth")


def test_the_wrong_kind_of_weights_is_named(write) -> None:
    with pytest.raises(BadCheckpoint, match="holds 'expression' weights, but 'animator' weights"):
        load_network(write(), "animator")


def test_half_precision_storage_loads_as_float32(write, tmp_path) -> None:
    loaded = read_checkpoint(write())
    arguments = {"component": "expression", "config": loaded.config, "space": "bfm09"}
    path = save_network(tmp_path / "half.safetensors", loaded.network, dtype=torch.float16, **arguments)
    again = read_checkpoint(path)
    for key, value in loaded.network.state_dict().items():
        back = again.network.state_dict()[key]
        assert back.dtype == value.dtype
        torch.testing.assert_close(back, value, rtol=1e-3, atol=1e-6)
    assert path.stat().st_size < 0.55 * sum(v.nbytes for v in loaded.network.state_dict().values())


def test_saving_is_whole_or_not_at_all(write, tmp_path) -> None:
    loaded = read_checkpoint(write())
    with pytest.raises(BadInput, match=r"written as \.safetensors"):
        save_network(
            tmp_path / "a.pt", loaded.network, component="expression", config=loaded.config, space="bfm09"
        )
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises((BadInput, OSError)):
        save_network(
            blocked / "a.safetensors",
            loaded.network,
            component="expression",
            config=loaded.config,
            space="bfm09",
        )
    assert not list(tmp_path.glob("**/*.part"))


def test_an_unknown_config_key_is_named(write, tmp_path) -> None:
    import json

    from safetensors.torch import load_file, save_file

    path = convert(write(), tmp_path / "a.safetensors")
    metadata = {
        "component": "expression",
        "config": {"audio_widths": [32, 64, 128, 256, 512], "from_the_future": 1},
        "space": "bfm09",
    }
    save_file(load_file(path), path, metadata={"gohd": json.dumps(metadata)})
    with pytest.raises(BadCheckpoint, match="from_the_future, which ExpressionConfig does not know"):
        read_checkpoint(path)


def test_loading_leaves_the_random_state_alone(write) -> None:
    path = write()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load_network(path, "expression")
    assert torch.equal(before, torch.get_rng_state())


def test_absent_built_in_weights_get_a_sentence(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("gohd_core.checkpoints.loading.assets_folder", lambda: tmp_path)
    with pytest.raises(BadCheckpoint, match="no built-in weights for 'animator'"):
        builtin_path("animator")


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_names_every_official_key_once(name) -> None:
    """Names are a bijection: no two of our keys share an official one."""
    kind = component(name)
    assert kind.layouts
    keys = list(kind.network(kind.config()).state_dict())
    layout = kind.layouts[0]
    names = [layout.official_name(key) for key in keys]
    assert len(set(names)) == len(names) > 0


def test_an_unknown_component_is_named() -> None:
    with pytest.raises(BadInput, match="no component 'mouth'"):
        component("mouth")
