"""Reading `.tflite` files: constants unfolded, and a sentence for each kind of bad file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.checkpoints.face_files import FACE_FILES, IRIS, check_face_file
from gohd_core.errors import BadCheckpoint
from gohd_core.face.mediapipe.detector import FaceDetector
from gohd_core.face.mediapipe.face_mesh import FaceMesh
from gohd_core.face.mediapipe.graph import read_graph
from gohd_core.face.mediapipe.iris import IrisReader
from gohd_core.face.mediapipe.network import TfliteNetwork
from gohd_core.face.mediapipe.person_mask import PersonMask
from gohd_core.face.mediapipe.reader import FaceReader
from tests.support.mediapipe_helpers import face_file, faces_folder, needs_files, tiny_tflite


def _kernel(sparse: bool) -> np.ndarray:
    kernel = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float16)
    return (
        np.where(np.random.default_rng(1).random(kernel.shape) < 0.5, kernel, np.float16(0))
        if sparse
        else kernel
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_a_sparse_half_kernel_is_unfolded(tmp_path: Path, sparse: bool) -> None:
    (tmp_path / "a.tflite").write_bytes(tiny_tflite(_kernel(sparse), sparse=sparse))
    graph = read_graph(tmp_path / "a.tflite")
    assert [operator.name for operator in graph.operators] == ["CONV_2D"]
    stored = graph.constants[graph.operators[0].inputs[1]]
    assert stored.dtype == np.float32
    assert np.array_equal(stored, _kernel(sparse).astype(np.float32))
    assert graph.operators[0].options["activation"] == "relu"


@pytest.mark.parametrize("stride", [1, 2])
def test_a_tiny_graph_is_run_as_its_file_says(tmp_path: Path, stride: int) -> None:
    (tmp_path / "a.tflite").write_bytes(tiny_tflite(_kernel(False), stride=stride))
    network = TfliteNetwork.load(tmp_path / "a.tflite")
    picture = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    found = network(picture)["maps"].numpy()
    kernel, before = _kernel(False).astype(np.float64), 1 if stride == 1 else 0
    padded = np.pad(picture.numpy().astype(np.float64), ((0, 0), (0, 0), (before, 3), (before, 3)))
    for k in range(2):
        for y in range(found.shape[1]):
            for x in range(found.shape[2]):
                window = padded[k, :, y * stride : y * stride + 3, x * stride : x * stride + 3]
                wanted = np.maximum(np.einsum("ohwi,ihw->o", kernel, window) + np.arange(4), 0)
                assert np.abs(found[k, y, x] - wanted).max() < 1e-4


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"<html>not found</html>")
    with pytest.raises(BadCheckpoint, match="not a .tflite file"):
        read_graph(tmp_path / "a.tflite")
    with pytest.raises(BadCheckpoint, match="can't be read"):
        read_graph(tmp_path / "b.tflite")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    content = tiny_tflite(_kernel(False))
    (tmp_path / "a.tflite").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadCheckpoint, match=r"damaged or cut off|not a \.tflite|another kind"):
        TfliteNetwork.load(tmp_path / "a.tflite")


def test_an_unknown_operator_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(tiny_tflite(_kernel(False), code=25))
    with pytest.raises(BadCheckpoint, match="SOFTMAX, which is not known here"):
        TfliteNetwork.load(tmp_path / "a.tflite")


def test_a_graph_that_is_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(tiny_tflite(_kernel(False)))
    network = TfliteNetwork.load(tmp_path / "a.tflite")
    for make in (FaceMesh, IrisReader, PersonMask, lambda one: FaceDetector(one, one)):
        with pytest.raises(BadCheckpoint, match="known here; get it again"):
            make(network)


def test_files_are_checked_by_their_digest(tmp_path: Path) -> None:
    (tmp_path / IRIS.name).write_bytes(tiny_tflite(_kernel(False)))
    with pytest.raises(BadCheckpoint, match="of another version: its SHA-256 begins"):
        check_face_file(tmp_path / IRIS.name, IRIS)
    (tmp_path / IRIS.name).write_bytes(b"something else")
    with pytest.raises(BadCheckpoint, match="not a .tflite file: its SHA-256 begins"):
        check_face_file(tmp_path / IRIS.name, IRIS)


def test_missing_files_name_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="run: gohd download faces --models") as caught:
        FaceReader.load(tmp_path)
    assert all(item.name in str(caught.value) for item in FACE_FILES)


@needs_files
def test_a_reader_names_the_file_that_is_cut_off(tmp_path: Path) -> None:
    for item in FACE_FILES:
        (tmp_path / item.name).write_bytes((faces_folder() / item.name).read_bytes())
    content = (tmp_path / IRIS.name).read_bytes()
    (tmp_path / IRIS.name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadCheckpoint, match=r"iris_landmark\.tflite is cut off"):
        FaceReader.load(tmp_path)


@needs_files
def test_cut_off_networks_are_refused_without_the_digest_too(tmp_path: Path) -> None:
    for item in FACE_FILES:
        content = face_file(item.name.removesuffix(".tflite")).read_bytes()
        for share in (0.2, 0.7):
            (tmp_path / item.name).write_bytes(content[: int(len(content) * share)])
            with pytest.raises(BadCheckpoint, match="damaged or cut off"):
                read_graph(tmp_path / item.name)
