"""The networks against LiteRT, and the mesh against MediaPipe's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gohd_core.face.mediapipe.detector import FaceDetector, anchors, decode, merge
from gohd_core.face.mediapipe.face_mesh import FaceMesh
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.regions import whole_region
from tests.support.make_mediapipe_goldens import PICTURES, load_picture
from tests.support.mediapipe_helpers import face_file, needs_files

pytestmark = needs_files

GOLDEN = np.load(__file__.rsplit("face", 1)[0] + "golden/mediapipe_mesh.npz")
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("face_detection_short_range", 1e-3),
        ("face_detection_full_range_sparse", 1e-3),
        ("iris_landmark", 1e-3),
        ("selfie_segmentation", 1e-4),
    ],
)
def test_outputs_equal_those_of_litert(name: str, tolerance: float) -> None:
    interpreters = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
    network = TfliteNetwork.load(face_file(name))
    picture = torch.from_numpy(load_picture("astronaut")[:384, 64:448]).permute(2, 0, 1)[None].float() / 255
    pictures = torch.cat([picture, picture.flip(-1)])
    inputs = torch.nn.functional.interpolate(pictures, network.size, mode="area")
    with torch.inference_mode():
        found = network(inputs)
    other = interpreters.Interpreter(str(face_file(name)), num_threads=1)
    other.allocate_tensors()
    for k in range(2):
        other.set_tensor(other.get_input_details()[0]["index"], inputs[k : k + 1].permute(0, 2, 3, 1).numpy())
        other.invoke()
        for output in other.get_output_details():
            wanted = other.get_tensor(output["index"])
            assert np.abs(found[output["name"]][k].numpy() - wanted[0]).max() < tolerance


def _sampled_as_mediapipe_does(picture: np.ndarray, region: np.ndarray) -> torch.Tensor:
    """Its CPU code maps the region's corners to the window's and averages nothing."""
    import cv2

    x, y, size, angle = region
    cos, sin = np.cos(angle) * size / 2, np.sin(angle) * size / 2
    corners = [[x - cos + sin, y - sin - cos], [x + cos + sin, y + sin - cos], [x + cos - sin, y + sin + cos]]
    matrix = cv2.getAffineTransform(np.float32(corners), np.float32([[0, 0], [192, 0], [192, 192]]))
    window = cv2.warpAffine(picture, matrix, (192, 192), borderMode=cv2.BORDER_REPLICATE)
    return torch.from_numpy(window).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("name", PICTURES)
def test_the_mesh_is_mediapipe_s_own(name: str) -> None:
    mesh = FaceMesh(TfliteNetwork.load(face_file("face_landmark_with_attention")))
    picture, region, wanted = load_picture(name), GOLDEN[f"{name}_region"], GOLDEN[f"{name}_points"]
    with torch.inference_mode():
        points, presence = mesh(_sampled_as_mediapipe_does(picture, region))
    assert presence.item() > 0.99
    cos, sin = np.cos(region[3]), np.sin(region[3])
    offset = (wanted[:, :2] - region[:2]) * 192 / region[2]
    level = np.stack([offset @ [cos, sin], offset @ [-sin, cos]], 1) + 96  # pixels of the window
    assert np.abs(points[0, :, :2].numpy() - level).max() < 0.1
    assert np.abs(points[0, :, 2].numpy() - wanted[:, 2] * 192 / region[2]).max() < 0.1


def test_faces_are_detected_where_mediapipe_does() -> None:
    detector = FaceDetector(
        TfliteNetwork.load(face_file("face_detection_short_range")),
        TfliteNetwork.load(face_file("face_detection_full_range_sparse")),
    )
    for name in PICTURES[:3]:
        picture = load_picture(name)
        found = merge(detector([picture], whole_region(picture)[None], CPU)[0])
        region, wanted = found.regions()[0], GOLDEN[f"{name}_region"]
        assert found.scores[0] > 0.8
        # Two detectors are asked here and one there; a face is larger than their difference by far.
        assert np.linalg.norm(region[:2] - wanted[:2]) < 0.1 * wanted[2]
        assert abs(region[2] / wanted[2] - 1) < 0.25


def test_boxes_of_one_face_are_averaged_by_their_scores() -> None:
    centres = anchors(128, ((8, 2), (16, 6)))
    assert centres.shape == (896, 2)
    assert centres[0].tolist() == centres[1].tolist() == [1 / 32, 1 / 32]
    assert centres[512].tolist() == [1 / 16, 1 / 16]
    values, logits = np.zeros((896, 16)), np.full(896, -9.0)
    for k, shift in ((300, 0.0), (301, 0.02)):  # two boxes of one cell
        values[k, :4] = [shift, 0, 0.2, 0.2]
        logits[k] = 1.0 + k % 2
    values[600, :4], logits[600] = [0.3, 0.3, 0.1, 0.1], 3.0
    found = decode(values, logits, centres, np.array([63.5, 63.5, 128, 0]))
    first, second = 1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(-2.0))
    assert len(found) == 2 and found.scores[1] == pytest.approx(second)
    middle = (centres[300, 0] + 0.02 * second / (first + second)) * 128 - 0.5
    assert found.boxes[1, [0, 2]].mean() == pytest.approx(middle)
    assert found.boxes[1, 2] - found.boxes[1, 0] == pytest.approx(0.2 * 128)


def test_one_picture_is_read_as_in_a_batch() -> None:
    for name in ("face_landmark_with_attention", "face_detection_full_range_sparse"):
        network = TfliteNetwork.load(face_file(name))
        pictures = torch.rand(3, 3, *network.size, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            together, alone = network(pictures), network(pictures[1:2])
        for output, values in alone.items():
            assert (together[output][1:2] - values).abs().max() < 1e-3
