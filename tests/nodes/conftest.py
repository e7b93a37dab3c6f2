"""The pack loaded as ComfyUI loads it, over the stand-in for ComfyUI's own modules."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import folder_paths
import pytest
import torch

from gohd_core.face.geometry.morphable_file import LANDMARK_FILE
from tests.support.pack import load_pack
from tests.support.samples import picture, speech
from tests.support.tiny import write_family

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def extension():
    module = sys.modules.get("gohd_pack") or load_pack()
    return asyncio.run(module.comfy_entrypoint())


@pytest.fixture(autouse=True)
def offline(monkeypatch) -> None:
    """Nodes fetch the face networks on first use; here they can't."""
    from gohd_core.errors import BadInput

    def download(source, folder, **others):
        raise BadInput(f"{source.url} could not be reached.")

    monkeypatch.setattr("gohd_core.checkpoints.download.download", download)


@pytest.fixture
def base(tmp_path, extension):
    """ComfyUI's folders, empty, with the weights folder registered."""
    folder_paths.set_base(tmp_path)
    asyncio.run(extension.get_node_list())
    return tmp_path


@pytest.fixture
def nodes(base, extension):
    """Every node class by its id."""
    classes = asyncio.run(extension.get_node_list())
    return {cls.define_schema().node_id: cls for cls in classes}


@pytest.fixture(scope="session")
def family(tmp_path_factory) -> Path:
    """A copy of assets, with a tiny network of every kind in the place of the built-in weights."""
    folder = write_family(tmp_path_factory.mktemp("weights"), builtin=True)
    shutil.copy(ROOT / "assets" / LANDMARK_FILE, folder)
    return folder


@pytest.fixture
def run(nodes):
    """Runs a node as ComfyUI does: defaults filled in, in inference mode, execute called by name."""

    def runner(node_id: str, **given):
        cls = nodes[node_id]
        schema = cls.define_schema()
        inputs = {}
        for item in schema.inputs:
            if item.id in given:
                inputs[item.id] = given.pop(item.id)
            elif not item.optional:
                assert hasattr(item, "default"), f"{node_id} needs {item.id}"
                inputs[item.id] = item.default
        assert not given, f"{node_id} has no {', '.join(given)}"
        with torch.inference_mode():
            made = cls.execute(**inputs).result
        assert len(made) == len(schema.outputs)
        return made

    return runner


@pytest.fixture
def builtin(monkeypatch, family):
    """The tiny networks in the place of the built-in weights."""
    monkeypatch.setattr("gohd_core.checkpoints.loading.assets_folder", lambda: family)


@pytest.fixture
def models(run, builtin):
    names = ("animator", "pose", "expression", "gaze", "extractor", "gaze_estimator")
    return dict(zip(names, run("GoHDLoadModels"), strict=True))


@pytest.fixture
def portrait(run, models):
    extractor, estimator = models["extractor"], models["gaze_estimator"]
    return run("GoHDPreparePortrait", image=picture(), extractor=extractor, gaze_estimator=estimator)[0]


@pytest.fixture
def features(run):
    return run("GoHDEncodeAudio", audio=speech())[0]


@pytest.fixture
def motion(run, models, portrait, features):
    pose = run("GoHDSampleHeadPoses", pose_model=models["pose"], features=features, portrait=portrait)[0]
    expression = run(
        "GoHDPredictExpressions", expression_model=models["expression"], features=features, portrait=portrait
    )[0]
    gaze = run("GoHDSetGaze", portrait=portrait, pitch=5.0, yaw=-10.0)[0]
    return run("GoHDMixMotion", portrait=portrait, pose=pose, expression=expression, gaze=gaze)[0]


@pytest.fixture
def schemas(nodes):
    return {name: cls.define_schema() for name, cls in nodes.items()}
