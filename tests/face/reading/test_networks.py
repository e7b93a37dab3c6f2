"""The networks that read faces: shapes, batches, configs, files, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.checkpoints.writing import save_network
from gohd_core.constants import BFM09
from gohd_core.errors import BadInput, Interrupted
from gohd_core.face.reading.coefficients import Coefficients
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.gaze_estimator import GazeEstimator, angular_error, gaze_direction
from gohd_core.face.reading.glimpses import GlimpseConfig, region_crop
from gohd_core.face.reading.resnet import RESNET18, RESNET50, ResNet, ResNetConfig, infer_resnet
from gohd_core.face.segmentation.face_parser import FaceParser
from gohd_core.face.segmentation.parsing_network import ParsingConfig, ParsingNetwork
from gohd_core.motion import Motion
from gohd_core.parsing_labels import NAMES
from tests.support.face_helpers import (
    EYES,
    GLIMPSES,
    TINY,
    face_landmarks,
    picture,
    tiny_extractor,
    tiny_gaze_estimator,
)


@pytest.mark.parametrize("config", [RESNET18, RESNET50, TINY, ResNetConfig("bottleneck", (1, 2, 1, 3), 8)])
def test_config_is_inferred_from_the_weights(config):
    with torch.device("meta"):
        state = ResNet(config).state_dict()
    assert infer_resnet({f"a.{key}": value for key, value in state.items()}, "a.") == config


def test_resnet_parameters_and_stages():
    with torch.device("meta"):
        count = sum(p.numel() for p in ResNet(RESNET50).parameters())
    assert count == 23_508_032, "ResNet-50 without its classifier"
    maps = ResNet(TINY).eval().stages(torch.zeros(1, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [(8, 16, 24), (16, 8, 12), (32, 4, 6), (64, 2, 3)]
    with pytest.raises(BadInput, match="basic, bottleneck"):
        ResNetConfig("dense")
    with pytest.raises(BadInput, match="four numbers"):
        ResNetConfig(depths=(1, 2))


def test_stride_sits_on_the_wide_convolution():
    block = ResNet(ResNetConfig("bottleneck", (1, 1, 1, 1), 8)).get_submodule("layer2")[0]
    assert block.conv1.stride == (1, 1) and block.conv2.stride == (2, 2), "v1.5"


def test_groups_of_257_columns():
    columns = torch.arange(262.0)[None]
    groups = Coefficients.from_columns(columns)
    assert groups.identity[0, 0] == 0 and groups.expression[0].tolist() == list(range(80, 144))
    assert groups.pose[0].tolist() == [224, 225, 226, 254, 255, 256]
    assert (groups.columns() == columns[:, :257]).all()
    with pytest.raises(BadInput, match="257"):
        Coefficients.from_columns(torch.zeros(2, 70))


@pytest.mark.parametrize("aligned", [True, False])
def test_extraction_is_a_motion_whatever_the_batch(aligned):
    extractor = tiny_extractor(aligned=aligned)
    images = [picture(64, 64, seed) for seed in range(5)]
    found = extractor.extract(images, batch_size=5)
    single = extractor.extract(images, batch_size=2)
    assert isinstance(found, Motion) and len(found) == 5 and found.space == extractor.space
    assert found.identity.shape == (5, 80)
    torch.testing.assert_close(found.descriptors(), single.descriptors(), atol=1e-5, rtol=1e-4)
    assert found.expression.values.std(0).max() > 1e-4, "pictures differ, so do coefficients"
    assert not found.gaze.valid.any() and found.pose.valid.all(), "gaze was not observed"
    assert (found.landmarks is None) == aligned


def test_landmarks_align_the_official_extractor():
    extractor = tiny_extractor(aligned=True)
    image, points = picture(300, 400), face_landmarks(200, 150, 120)
    from gohd_core.face.reading.alignment import align_face

    direct = extractor.extract(align_face(image, points).image)
    torch.testing.assert_close(extractor.extract(image, points).pose.values, direct.pose.values)
    with pytest.raises(BadInput, match="no landmarks were given"):
        extractor.extract(image)


def test_landmarks_guide_the_builtin_extractor():
    extractor = tiny_extractor(aligned=False)
    image = picture(64, 64)
    own = extractor.extract(image)
    again = extractor.extract(image, own.landmarks)
    torch.testing.assert_close(own.expression.values, again.expression.values, atol=1e-5, rtol=1e-4)
    moved = extractor.extract(image, own.landmarks + 9)
    assert (moved.expression.values - own.expression.values).abs().max() > 1e-5
    large = extractor.extract(np.kron(image, np.ones((2, 2, 1), np.uint8)))
    assert (large.landmarks - (own.landmarks * 2 + 0.5)).abs().max() < 1.0


def test_frames_without_a_face_are_refused():
    extractor = tiny_extractor(aligned=True)
    points = [None, face_landmarks(100, 100, 90)]
    with pytest.raises(BadInput, match="not an array of numbers"):
        extractor.extract([picture(200, 200)] * 2, points)
    with pytest.raises(BadInput, match="is wanted"):
        extractor.extract([picture(200, 200)] * 2, points[1:])


def test_extraction_reports_and_stops():
    seen = []
    extractor = tiny_extractor(aligned=False)
    images = [picture(64, 64)] * 5
    extractor.extract(images, batch_size=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    with pytest.raises(Interrupted):
        extractor.extract(images, should_stop=lambda: True)


def test_gaze_order_and_expectation():
    estimator = tiny_gaze_estimator(official=True)
    network = estimator.network
    network.horizontal.weight.zero_()
    network.vertical.weight.zero_()
    network.horizontal.bias.fill_(-1e4)[50] = 0
    network.vertical.bias.fill_(-1e4)[45] = 0
    found = estimator.estimate(picture(40, 60))
    expected = torch.tensor([[0.0, np.deg2rad(4 * 50 - 180)]], dtype=torch.float32)
    torch.testing.assert_close(found.values, expected)
    logits = torch.randn(3, 90)
    by_hand = [sum(p * (4 * k - 180) for k, p in enumerate(row.softmax(0).tolist())) for row in logits]
    torch.testing.assert_close(torch.rad2deg(network.angle(logits)), torch.tensor(by_hand))


def test_gaze_signs():
    up, left = gaze_direction(torch.tensor([[0.3, 0.0], [0.0, 0.3]]))
    assert up[1] > 0 and left[0] < 0, "pitch > 0 looks up, yaw > 0 to the image's left"
    error = angular_error(torch.tensor([0.0, 0.2]), torch.tensor([0.0, -0.1]))
    assert abs(float(error) - np.rad2deg(0.3)) < 1e-3


def test_gaze_of_several_boxes_and_images():
    estimator = tiny_gaze_estimator(official=True)
    image = picture(120, 100)
    boxes = np.array([[10.7, 5, 60, 70], [-20, -5, 40, 60], [50, 60, 140, 150]])
    together = estimator.estimate(image, boxes, batch_size=2)
    assert together.values.shape == (3, 2)
    for box, row in zip(boxes, together.values, strict=True):
        left, top, right, bottom = (int(v) for v in box.clip(0))
        alone = estimator.estimate(image[top:bottom, left:right])
        torch.testing.assert_close(alone.values[0], row, atol=1e-6, rtol=1e-4)
    for bad, words in (
        ([[200, 10, 260, 60]], "outside"),
        ([[1, 2, 3]], "shape"),
        ([[30, 30, 20, 40]], "empty"),
        ("box", "not an array"),
    ):
        with pytest.raises(BadInput, match=words):
            estimator.estimate(image, bad)
    with pytest.raises(BadInput, match="2 images and 3 boxes"):
        estimator.estimate([image, image], boxes)


def test_glimpses_follow_the_face():
    """A face that is moved, enlarged and rolled gives the same look at eye and mouth."""
    landmarks = torch.tensor(face_landmarks(0, 0, 0.7), dtype=torch.float32)
    for region, index in (
        ("right_eye", slice(36, 42)),
        ("left_eye", slice(42, 48)),
        ("mouth", slice(48, 68)),
    ):
        views = []
        for angle, scale, shift in ((0.0, 1.0, (0.0, 0.0)), (0.5, 0.7, (0.2, -0.1))):
            c, s = np.cos(angle), np.sin(angle)
            turn = torch.tensor([[c, s], [-s, c]], dtype=torch.float32)
            points = landmarks @ turn * scale + torch.tensor(shift)
            centre = points[index].mean(0)
            y, x = torch.meshgrid(torch.linspace(-1, 1, 256), torch.linspace(-1, 1, 256), indexing="ij")
            blob = torch.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (0.05 * scale) ** 2)
            views.append(region_crop(blob.expand(1, 3, -1, -1), points[None], region, 32))
        assert (views[0] - views[1]).abs().max() < 0.06
        row = views[0][0, 0].sum(1).argmax()
        assert 8 < row < 24 and views[0].max() > 0.8, "the region lies in its glimpse"


def test_left_eye_is_mirrored():
    image = torch.zeros(1, 3, 64, 64)
    landmarks = torch.tensor(face_landmarks(0, 0, 0.9), dtype=torch.float32)[None]
    outer = ((landmarks[0, 45] + 1) * 32 - 0.5).round().long()
    image[..., outer[1], outer[0]] = 1
    crop = region_crop(image, landmarks, "left_eye", 32)
    assert crop[0, 0].sum(0).argmax() < 16, "the outer corner lies left, as the right eye's does"
    with pytest.raises(BadInput, match="regions"):
        GlimpseConfig(regions=("nose",))
    assert GLIMPSES.features and EYES.regions == ("right_eye", "left_eye")


def test_parser_at_any_size():
    config = ParsingConfig(backbone=TINY, width=8, image_size=64)
    torch.manual_seed(0)
    parser = FaceParser(ParsingNetwork(config), config, BFM09)
    labels = parser.parse(np.stack([picture(64, 64, 1), picture(64, 64, 2)]))
    assert labels.shape == (2, 64, 64) and labels.dtype == torch.uint8 and labels.max() < len(NAMES)
    assert (labels[0] == parser.logits(picture(64, 64, 1)).argmax(1)[0]).all()
    assert parser.parse(picture(90, 50)).shape == (1, 90, 50)
    with pytest.raises(BadInput, match="differ in size"):
        parser.parse([picture(64, 64), picture(32, 32)])


def test_our_own_files_hold_either_kind(tmp_path):
    for kind in (True, False):
        extractor = tiny_extractor(aligned=kind)
        path = save_network(
            tmp_path / f"e{kind}.safetensors",
            extractor.network,
            component="extractor",
            config=extractor.config,
            space=extractor.space,
        )
        again = CoefficientExtractor.load(path)
        assert again.config == extractor.config and again.space == extractor.space
        image = picture(64, 64)
        a, b = extractor.extract(image), again.extract(image)
        assert (a.coefficients.columns() == b.coefficients.columns()).all()
        estimator = tiny_gaze_estimator(official=kind)
        path = save_network(
            tmp_path / f"g{kind}.safetensors",
            estimator.network,
            component="gaze_estimator",
            config=estimator.config,
            space=estimator.space,
        )
        again = GazeEstimator.load(path)
        assert (again.estimate(image).values == estimator.estimate(image).values).all()


def test_half_precision_stays_close():
    images = [picture(64, 64, seed) for seed in range(3)]
    for aligned in (True, False):
        extractor = tiny_extractor(aligned=aligned)
        exact = extractor.extract(images).coefficients.columns()
        extractor.network.to(torch.bfloat16)
        rough = extractor.extract(images).coefficients.columns()
        assert rough.dtype == torch.float32
        assert (rough - exact).abs().max() < 0.05 * exact.abs().max()
    estimator = tiny_gaze_estimator(official=False)
    exact = estimator.estimate(images).values
    estimator.network.to(torch.bfloat16)
    torch.testing.assert_close(estimator.estimate(images).values, exact, atol=0.05, rtol=0)
