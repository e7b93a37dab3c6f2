"""Feature networks: used with weights, refused without, off in words; their shapes and file layouts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gohd_core.checkpoints.writing import save_network
from gohd_core.errors import BadCheckpoint, BadInput
from gohd_core.face.reading.gaze_estimator import GazeConfig, GazeNetwork
from gohd_core.face.reading.glimpses import GlimpseConfig
from gohd_core.face.reading.resnet import ResNetConfig
from gohd_core.face.segmentation.parsing_network import ParsingConfig, ParsingNetwork
from gohd_core.training.feature_networks import ours
from gohd_core.training.feature_networks.arcface import ArcFace
from gohd_core.training.feature_networks.lip_reading import LipReader
from gohd_core.training.feature_networks.resnet50 import PooledResNet
from gohd_core.training.feature_networks.state import load_part
from gohd_core.training.feature_networks.vgg import Vgg19, load_vgg19
from gohd_core.training.features import FEATURES, FeatureConfig, load_features
from gohd_core.training.framework.config import Weight

SMALL = ResNetConfig("basic", (1, 1, 1, 1), 4)


@dataclass(frozen=True)
class Losses:
    pixels: Weight = 1.0
    perceptual: Weight = 1.0
    adversarial: Weight = "off"


@dataclass(frozen=True)
class Features:
    perceptual: FeatureConfig = field(default_factory=lambda: FeatureConfig("vgg19"))


def test_a_loss_that_is_on_wants_weights():
    with pytest.raises(
        BadInput, match=r"perceptual loss.*VGG-19.*features\.perceptual\.weights.*losses\.perceptual=off"
    ):
        load_features(Losses(), Features())


def test_a_loss_that_is_off_is_noted():
    networks, notes = load_features(Losses(perceptual="off"), Features())
    assert not networks
    assert "perceptual loss is off" in notes[0] and "VGG-19" in notes[0]
    assert notes[1] == "The adversarial loss is off." and len(notes) == 2


def test_an_unknown_network_is_named():
    with pytest.raises(BadInput, match="'vgg20'.*vgg19"):
        load_features(Losses(), Features(FeatureConfig("vgg20", "x")))


def test_with_weights_it_is_loaded_frozen(tmp_path):
    source = Vgg19()
    file = tmp_path / "vgg19.pth"
    state = {f"features.{key}": value for key, value in source.state_dict().items()}
    torch.save({**state, "features.34.weight": torch.zeros(1), "classifier.0.bias": torch.zeros(1)}, file)
    networks, notes = load_features(Losses(), Features(FeatureConfig("vgg19", str(file))))
    loaded = networks["perceptual"]
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert torch.equal(loaded.state_dict()["5.weight"], source.state_dict()["5.weight"])
    assert notes == ["The adversarial loss is off."]


def test_vgg_gives_four_resolutions_and_gradients():
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    maps = Vgg19(8)(images)
    assert [tuple(m.shape) for m in maps] == [(1, 8, 64, 64), (1, 16, 32, 32), (1, 32, 16, 16), (1, 64, 8, 8)]
    assert torch.autograd.grad(sum(m.mean() for m in maps), images)[0].abs().sum() > 0


def test_vgg_names_its_layers_as_the_released_file_does():
    convolutions = [int(key.split(".")[0]) for key in Vgg19().state_dict() if key.endswith("weight")]
    assert convolutions == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25]
    assert Vgg19().state_dict()["25.weight"].shape == (512, 512, 3, 3)


def test_other_feature_networks_have_their_shapes():
    images = torch.rand(2, 3, 32, 32)
    assert PooledResNet(SMALL, 64)(images)[0].shape == (2, 32)
    assert LipReader(4).eval()(torch.rand(2, 5, 24, 24))[0].shape == (2, 5, 32)
    (identity,) = ArcFace((1, 1, 1, 1), 4, 16).eval()(images)
    assert identity.shape == (2, 16) and torch.allclose(identity.norm(dim=1), torch.ones(2))


def test_the_lip_reader_sees_five_frames():
    reader, mouths = LipReader(4).eval(), torch.rand(1, 9, 24, 24)
    changed = mouths.clone()
    changed[:, 4] = 0
    moved = (reader(mouths)[0] - reader(changed)[0]).abs().amax(-1)[0] > 1e-6
    assert moved.tolist() == [False, False, True, True, True, True, True, False, False]


def test_our_networks_serve_as_features(tmp_path):
    glimpses = GlimpseConfig()
    gaze = GazeConfig(image_size=64, backbone=SMALL, bins=8, glimpses=glimpses, hidden=16)
    parsing = ParsingConfig(SMALL, 8, 5, 64)
    images = torch.rand(2, 3, 96, 96, requires_grad=True)
    for name, network, config, load in (
        ("gaze_estimator", GazeNetwork(gaze), gaze, ours.load_gaze),
        ("face_parsing", ParsingNetwork(parsing), parsing, ours.load_parsing),
    ):
        file = tmp_path / f"{name}.safetensors"
        save_network(file, network, component=name, config=config, space="stylised")
        (features,) = load(str(file)).eval()(images)
        assert len(features) == 2 and torch.isfinite(features).all()
        gradient = torch.autograd.grad(features.square().sum(), images)[0]
        assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0


def test_weights_are_found_under_any_prefix_and_checked(tmp_path):
    wanted = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    state = {f"encoder.net.{key}": value for key, value in wanted.state_dict().items()}
    torch.save({"state_dict": {**state, "head.weight": torch.zeros(1)}, "epoch": 3}, tmp_path / "a.pth")
    target = load_part(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), str(tmp_path / "a.pth"), "it")
    assert torch.equal(target[0].weight, wanted[0].weight)
    with pytest.raises(BadCheckpoint, match=r"shape \[3, 2\] where it has \[4, 2\]"):
        load_part(nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4)), str(tmp_path / "a.pth"), "it")
    save_file({"other": torch.zeros(2)}, tmp_path / "b.safetensors")
    with pytest.raises(BadCheckpoint, match="does not hold VGG-19"):
        load_vgg19(str(tmp_path / "b.safetensors"))


def test_every_named_loader_exists():
    from importlib import import_module

    for kind in FEATURES.values():
        module, _, function = kind.loader.partition(":")
        assert callable(getattr(import_module(module), function))
