"""Host manners: folders, missing files, interruption, missing libraries, memory, older hosts."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import folder_paths
import pytest
import torch
from comfy import model_management
from comfy.utils import UPDATES

from gohd_core.errors import BadCheckpoint, BadInput, MissingDependency
from gohd_core.motion import Motion
from tests.support.samples import picture, speech
from tests.support.tiny import write_family

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACK = [ROOT / "__init__.py", *sorted((ROOT / "nodes").glob("*.py"))]


def test_a_missing_file_says_where_it_belongs_and_how_to_get_it(nodes, base) -> None:
    said = nodes["GoHDLoadAnimator"].validate_inputs("FaceAnimator_GoHD.pt")
    assert str(base / "models" / "gohd" / "FaceAnimator_GoHD.pt") in said
    assert "https://drive.google.com" in said and said.count("\n") == 0
    unknown = nodes["GoHDLoadAnimator"].validate_inputs("mine.safetensors")
    assert "choose another one or put it there" in unknown


def test_a_missing_family_names_the_first_file(nodes, base) -> None:
    said = nodes["GoHDLoadModels"].validate_inputs("official")
    assert "FaceAnimator_GoHD.pt" in said and str(base) in said


def test_without_built_in_weights_a_sentence_says_so(nodes, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("gohd_core.checkpoints.loading.assets_folder", lambda: tmp_path)
    assert "no built-in weights" in nodes["GoHDLoadExtractor"].validate_inputs("builtin")
    assert "no built-in weights" in nodes["GoHDTalkingPortrait"].validate_inputs("builtin")


def test_an_optional_file_is_missed_when_it_is_used(run, base, tmp_path_factory) -> None:
    folder = write_family(base / "models" / "gohd", builtin=True)
    names = {"animator": "FaceAnimator_GoHD", "pose_diffusion": "audio2pose", "expression": "audio2exp"}
    names |= {"extractor": "epoch_20", "gaze_estimator": "L2CSNet_gaze360"}
    for component, name in names.items():
        (folder / f"{component}.safetensors").rename(folder / f"{name}.safetensors")
    found = run("GoHDLoadModels", weights="official")
    with pytest.raises(BadCheckpoint, match=r"audio2gaze\.pt"):
        run("GoHDSampleGaze", gaze_model=found[3], features=None, portrait=None)


def test_files_are_offered_where_they_fit(nodes, base) -> None:
    folder = write_family(base / "models" / "gohd", builtin=True)
    (folder / "audio2pose.pt").write_bytes(b"x")
    (folder / "strange.pth").write_bytes(b"x")
    (folder / "BFM_model_front.mat").write_bytes(b"x")
    (folder / "notes.txt").write_bytes(b"x")
    offered = {
        name: nodes[name].define_schema().inputs[0].options
        for name in ("GoHDLoadAnimator", "GoHDLoadPoseModel")
    }
    assert offered["GoHDLoadAnimator"] == ["builtin", "animator.safetensors", "strange.pth"]
    assert offered["GoHDLoadPoseModel"] == [
        "builtin",
        "audio2pose.pt",
        "pose_diffusion.safetensors",
        "strange.pth",
    ]


def test_folders_of_extra_model_paths_are_searched(nodes, base, tmp_path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    folder_paths.add_model_folder_path("gohd", str(other))
    write_family(other, builtin=True)
    assert "animator.safetensors" in nodes["GoHDLoadAnimator"].define_schema().inputs[0].options
    assert nodes["GoHDLoadAnimator"].validate_inputs("animator.safetensors") is True


def test_the_wrong_file_is_named(run, base) -> None:
    write_family(base / "models" / "gohd", builtin=True)
    with pytest.raises(BadCheckpoint, match="holds 'expression' weights, but 'animator'"):
        run("GoHDLoadAnimator", weights="expression.safetensors")


def test_a_changed_file_changes_the_fingerprint(nodes, base) -> None:
    path = base / "models" / "gohd" / "a.safetensors"
    path.write_bytes(b"1")
    first = nodes["GoHDLoadPoseModel"].fingerprint_inputs("a.safetensors")
    path.write_bytes(b"22")
    assert nodes["GoHDLoadPoseModel"].fingerprint_inputs("a.safetensors") != first


def test_a_changed_file_of_a_family_changes_its_fingerprint(nodes, base, builtin, family) -> None:
    """A conversion of a released file counts as that file, and a new built-in file too."""

    def said(name: str, *weights: str | None) -> list[str]:
        return [nodes[name].fingerprint_inputs(weights=choice) for choice in weights]

    converted = base / "models" / "gohd" / "audio2pose.safetensors"
    converted.write_bytes(b"1")
    wired = None
    models, portrait = said("GoHDLoadPoseModel", "builtin"), said("GoHDTalkingPortrait", "official", wired)
    converted.write_bytes(b"22")
    after = said("GoHDTalkingPortrait", "official", wired)
    assert all(a != b for a, b in zip(portrait, after, strict=True))
    assert said("GoHDLoadPoseModel", "builtin") == models
    shipped = family / "pose_diffusion.safetensors"
    shipped.touch()
    assert said("GoHDLoadPoseModel", "builtin") != models
    assert said("GoHDTalkingPortrait", wired) != after[1:]


@pytest.fixture
def interrupted():
    model_management.STATE["interrupt"] = True
    yield
    model_management.STATE["interrupt"] = False


def test_interruption_reaches_comfyui_and_leaves_no_file(
    run, base, models, portrait, motion, interrupted
) -> None:
    before = set(base.rglob("*"))
    with pytest.raises(model_management.InterruptProcessingException):
        run("GoHDRenderVideo", animator=models["animator"], portrait=portrait, motion=motion)
    assert set(base.rglob("*")) == before


def test_sampling_can_be_interrupted(run, models, portrait, features, interrupted) -> None:
    with pytest.raises(model_management.InterruptProcessingException):
        run("GoHDSampleHeadPoses", pose_model=models["pose"], features=features, portrait=portrait)


def test_strips_and_marks_can_be_interrupted(run, models, portrait, motion, interrupted) -> None:
    given = {"animator": models["animator"], "portrait": portrait, "motion": motion}
    with pytest.raises(model_management.InterruptProcessingException):
        run("GoHDMotionStrip", **given)
    with pytest.raises(model_management.InterruptProcessingException):
        run("GoHDAddWatermark", images=picture(256, 256, batch=9))


def test_progress_rises_to_the_end_and_shows_pictures(run, models, portrait, motion) -> None:
    UPDATES.clear()
    run("GoHDAnimatePortrait", animator=models["animator"], portrait=portrait, motion=motion, batch_size=2)
    values = [value for value, _, _ in UPDATES]
    assert values == sorted(values) and values[-1] == UPDATES[-1][1]
    previews = [preview for _, _, preview in UPDATES if preview]
    assert previews and previews[0][0] == "JPEG" and previews[0][1].size == (64, 64)


def test_talking_portrait_goes_through_its_stages(run, builtin) -> None:
    UPDATES.clear()
    run("GoHDTalkingPortrait", image=picture(), audio=speech(), gaze="sample")
    values = [value for value, _, _ in UPDATES]
    assert values == sorted(values) and values[-1] == UPDATES[-1][1]
    assert any(0 < value < 250 for value in values), "the motion is reported too"


def test_networks_are_comfyuis_to_load(run, models, portrait, motion) -> None:
    model_management.LOADED.clear()
    run("GoHDAnimatePortrait", animator=models["animator"], portrait=portrait, motion=motion)
    (patcher,) = model_management.LOADED
    assert patcher.model is models["animator"].runtime.network
    assert patcher.partially_unload("cpu", 10**9) == 0, "its layers can't stream weights: whole or not"


def test_a_network_stays_comfyuis_while_it_is_in_use(nodes, builtin) -> None:
    """ComfyUI holds patchers weakly: one that ends before its network is told as a leak, and never freed."""
    family = sys.modules["gohd_pack.nodes.family"]
    model_management.LOADED.clear()
    models = family.models_of(family.load_family("builtin"))
    held = [weakref.ref(patcher) for patcher in model_management.LOADED]
    model_management.LOADED.clear()
    gc.collect()
    assert len(held) == 6 and all(patcher() is not None for patcher in held)
    del models
    gc.collect()
    assert all(patcher() is None for patcher in held), "and ends with it"


def test_a_missing_library_is_a_sentence(run, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingDependency, match=r"needs the Python library 'soxr'.*requirements"):
        run("GoHDEncodeAudio", audio=speech())


def test_missing_libraries_disable_the_nodes_that_need_them_and_no_other() -> None:
    """In a fresh Python without any library that ComfyUI does not bring itself."""
    code = """
import asyncio, sys, torch
sys.path[:0] = sys.argv[1:]
sys.modules.update(dict.fromkeys(("cv2", "face_alignment", "librosa", "scipy", "soundfile", "soxr")))
from tests.support.pack import load_pack
from gohd_core.errors import MissingDependency
from gohd_core.motion import Motion
nodes = asyncio.run(asyncio.run(load_pack("fresh").comfy_entrypoint()).get_node_list())
run = {cls.define_schema().node_id: cls.execute for cls in nodes}
models = run["GoHDLoadModels"](weights="builtin", precision="float32").result
(image,) = run["GoHDSampleAvatar"](number=2).result
edits = {item.id: item.default for item in run["GoHDEditMotion"].__self__.define_schema().inputs[1:]}
still = Motion.from_descriptors(torch.zeros(5, 72), "stylised")
_, frames = run["GoHDEditMotion"](motion=still, **edits).result
print(len(run), tuple(image.shape), frames)
sound = {"waveform": torch.zeros(1, 1, 44_100), "sample_rate": 44_100}
read = {"image": image, "extractor": models[4], "gaze_estimator": models[5]}
heard = {"audio": sound, "start": 0.0, "duration": 0.0, "match_loudness": False, "loudness": -23.0}
for name, given in (("GoHDPreparePortrait", read), ("GoHDEncodeAudio", heard)):
    try:
        run[name](**given)
    except MissingDependency as error:
        print(error)
"""
    folders = [str(ROOT), str(HERE / "comfy_stand_in")]
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True)
    pages = len(list((ROOT / "web" / "docs").glob("*.md")))
    ran, *said = done.stdout.strip().splitlines() or [done.stderr]
    assert ran == f"{pages} (1, 512, 512, 3) 5", ran
    assert len(said) == 2 and "'cv2'" in said[0] and "'soxr'" in said[1]
    assert all("which is not installed" in line and "pip install -r" in line for line in said)


@pytest.mark.parametrize(
    ("node", "given", "said"),
    [
        ("GoHDEncodeAudio", {"audio": None}, "no sound on the audio input"),
        (
            "GoHDEncodeAudio",
            {"audio": {"waveform": torch.zeros(1, 1, 0), "sample_rate": 16_000}},
            "audio input is empty",
        ),
        ("GoHDEncodeAudio", {"audio": speech(1.0), "start": 5.0}, "before the start at 5 s"),
        (
            "GoHDEncodeAudio",
            {"audio": {"waveform": torch.zeros(2, 1, 99), "sample_rate": 16_000}},
            "one clip",
        ),
        ("GoHDLoadMotion", {"file": "../secret.safetensors [output]"}, "leads out of"),
        ("GoHDLoadMotion", {"file": "/etc/passwd"}, "leads out of"),
    ],
)
def test_bad_input_is_one_sentence(run, node, given, said) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        run(node, **given)
    assert "\n" not in str(caught.value)


def test_bad_pictures_are_one_sentence(run, models) -> None:
    given = {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}
    with pytest.raises(BadInput, match="200 x 100"):
        run("GoHDPreparePortrait", image=picture(200, 100), **given)
    with pytest.raises(BadInput, match="no image number 7 among 3"):
        run("GoHDPreparePortrait", image=picture(batch=3), index=7, **given)
    with pytest.raises(BadInput, match="The mask is 64 x 64 and the picture 200 x 100"):
        run("GoHDPreparePortrait", image=picture(200, 100), face_mask=torch.ones(1, 64, 64), **given)


def test_transparent_pictures_are_taken(run, models) -> None:
    image = torch.cat([picture(), torch.ones(1, 80, 80, 1)], dim=-1)
    given = {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}
    with_alpha = run("GoHDPreparePortrait", image=image, **given)[1]
    assert torch.allclose(with_alpha, run("GoHDPreparePortrait", image=picture(), **given)[1], atol=1 / 255)


def test_talking_portrait_takes_one_picture_whose_face_is_shown(run, builtin) -> None:
    with pytest.raises(BadInput, match="3 pictures came in"):
        run("GoHDTalkingPortrait", image=picture(batch=3), audio=speech())
    empty = torch.zeros(1, 100, 200)
    with pytest.raises(BadInput, match="200 x 100 and nothing says where the face is"):
        run("GoHDTalkingPortrait", image=picture(200, 100), audio=speech(), face_mask=empty)


def test_an_empty_mask_counts_as_none(run, models) -> None:
    given = {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}
    portrait = run("GoHDPreparePortrait", image=picture(), face_mask=torch.zeros(1, 64, 64), **given)[0]
    assert portrait.box == (0, 0, 80, 80)


def test_spaces_never_mix(run, models, portrait, base) -> None:
    write_family(base / "models" / "gohd", space="bfm09", builtin=True)
    (other,) = run("GoHDLoadExpressionModel", weights="expression.safetensors")
    with pytest.raises(BadInput, match="'bfm09' coefficient space and the portrait in 'stylised'"):
        run("GoHDPredictExpressions", expression_model=other, features=None, portrait=portrait)
    foreign = Motion.from_descriptors(torch.zeros(5, 72), "bfm09")
    given = {"animator": models["animator"], "portrait": portrait, "motion": foreign}
    for node in ("GoHDAnimatePortrait", "GoHDRenderVideo", "GoHDMotionStrip"):
        with pytest.raises(BadInput, match="'bfm09' coefficient space, but these animator weights"):
            run(node, **given)


def test_a_path_that_would_fill_the_memory_is_refused(run, nodes, portrait) -> None:
    keys = "0 0 0\n99999999 0 10"
    with pytest.raises(BadInput, match="at most 36000 s"):
        run("GoHDGazePath", portrait=portrait, keys=keys)
    assert "at most 36000 s" in nodes["GoHDGazePath"].validate_inputs(keys)


def test_older_hosts_get_no_argument_that_they_do_not_know(nodes) -> None:
    sockets = sys.modules["gohd_pack.nodes.sockets"]

    class Old:
        def __init__(self, name, tooltip, default=None) -> None:
            pass

    class Kind:
        Input = Old

    sockets.field(Kind, "a", "A tooltip.", default=1, advanced=True)
    with pytest.raises(TypeError):
        sockets.field(Kind, "a", "A tooltip.", defualt=1)
    whole = sockets.io.Schema

    def older(node_id, display_name, category, inputs, outputs, description="", is_output_node=False):
        return whole(node_id, display_name, category, inputs, outputs, description=description)

    sockets.io.Schema = older
    try:
        assert all(node.define_schema().node_id for node in nodes.values())
    finally:
        sockets.io.Schema = whole


def test_importing_the_pack_imports_nothing_heavy() -> None:
    """In a fresh Python: none of the slow libraries, no networks, and under 0.3 s of processor time."""
    code = """
import asyncio, sys, time
import torch  # ComfyUI has it before any pack
sys.path[:0] = sys.argv[1:]
from tests.support.pack import load_pack
before = set(sys.modules)
began = time.process_time()
asyncio.run(asyncio.run(load_pack("fresh").comfy_entrypoint()).get_node_list())
took = time.process_time() - began
assert took < 0.3, f"importing took {took:.2f} s"
heavy = {"librosa", "cv2", "scipy", "face_alignment", "av", "numba", "PIL", "gohd_core.animator"}
print(sorted(heavy & (set(sys.modules) - before)))
"""
    folders = [str(ROOT), str(HERE / "comfy_stand_in")]
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_node_classes_keep_no_state() -> None:
    for path in PACK:
        for item in ast.walk(ast.parse(path.read_text())):
            if isinstance(item, ast.Assign | ast.AugAssign):
                targets = getattr(item, "targets", [getattr(item, "target", None)])
                stored = [t for t in targets if isinstance(t, ast.Attribute)]
                assert not any(getattr(t.value, "id", "") == "cls" for t in stored), path.name


def test_a_photograph_given_to_the_built_in_weights_is_warned_of_on_the_node(extension, caplog) -> None:
    from server import PromptServer

    from gohd_core.portraits import SENTENCE

    host = sys.modules["gohd_pack.nodes.host"]
    PromptServer.instance.texts.clear()
    host.warn_user(None)
    assert PromptServer.instance.texts == []
    host.warn_user(SENTENCE)
    assert PromptServer.instance.texts == [(SENTENCE, "7")] and SENTENCE in caplog.text


def test_a_library_that_does_not_load_is_a_sentence_too() -> None:
    from gohd_core.errors import missing_library

    said = str(missing_library(ImportError("libGL.so.1: cannot open shared object file"), "This node"))
    assert "without a display" in said and "opencv-python-headless" in said
    said = str(missing_library(ModuleNotFoundError("No module", name="cv2"), "This command"))
    assert "'cv2'" in said and "pip install opencv-python" in said


def test_samples_are_put_into_the_input_folder_once(nodes, base) -> None:
    from gohd_pack.nodes import assets

    folder = base / "input"
    assert {path.name for path in folder.iterdir()} == set(assets.SAMPLES)
    assert (folder / "gohd_astronaut.jpg").read_bytes() == (
        ROOT / "assets/portraits/astronaut.jpg"
    ).read_bytes()
    (folder / "gohd_hello.flac").write_bytes(b"the user's own")
    (folder / "gohd_driving.mp4").unlink()
    assets.copy_samples(folder)
    assert (folder / "gohd_hello.flac").read_bytes() == b"the user's own"
    assert (folder / "gohd_driving.mp4").is_file()


def test_an_input_folder_that_cannot_be_written_is_no_reason_to_fail(nodes, base, caplog) -> None:
    from gohd_pack.nodes import assets

    for path in (base / "input").iterdir():
        path.unlink()
    (base / "input").rmdir()
    (base / "input").write_text("a file")
    assets.copy_samples(base / "input")
    assert "The workflows of GoHD will lack it" in caplog.text
