"""The archive for ComfyUI's registry is complete, safe to scan, and works on its own."""

from __future__ import annotations

import ast
import fnmatch
import itertools
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IGNORED = [line for line in (ROOT / ".comfyignore").read_text().splitlines() if line and line[0] != "#"]

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_METHODS = {"system", "popen", "add_route", "add_routes", "add_static"}
FORBIDDEN_MODULES = {
    *("subprocess", "multiprocessing", "pickle", "marshal", "shelve", "dill", "ctypes", "socket", "runpy"),
    *("code", "builtins"),
}
NOT_IN_NODES = {"shutil"}
NETWORK = {"requests", "urllib", "http", "httpx", "aiohttp", "huggingface_hub"}
DOWNLOADER = "gohd_core/checkpoints/download.py"
"""The only file that fetches anything."""
HOST_MODULES = {"comfy", "folder_paths", "server"}
WEIGHTS_READER = "gohd_core/checkpoints/reading.py"
"""The only file that may name pickle: for the error that torch.load raises."""
ROUTES = "nodes/routes.py"
"""The only file that opens a route; `test_face_preview` tells what it takes."""


def ignored(path: Path) -> bool:
    """Whether .comfyignore keeps a file out, for the two kinds of patterns that it has."""
    name = "/" + path.relative_to(ROOT).as_posix()
    folders = (line for line in IGNORED if line.endswith("/"))
    return any(map(name.startswith, folders)) or any(fnmatch.fnmatch(name, line) for line in IGNORED)


@lru_cache
def shipped() -> tuple[Path, ...]:
    """Files of the archive, as the registry's tool takes them: what git tracks and .comfyignore leaves in."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [ROOT / name for name in listed.stdout.split("\0") if name]
    return tuple(path for path in found if path.is_file() and not ignored(path))


CODE = sorted(path.relative_to(ROOT).as_posix() for path in shipped() if path.suffix == ".py")


FLAGGED = re.compile(
    r"subprocess|os\.environ\.get\(|\beval\(|\.eval\(|(?<!\.)\bexec\(|os\.system|\.connect\(|\.bind\(|"
    r"base64\.b64decode|\bpickle\.loads?\(|__import__\("
)
"""Words that scanners of the registry look for, in comments too."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """The zip that the registry gets."""
    path = tmp_path_factory.mktemp("archive") / "node.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in shipped():
            packed.write(file, file.relative_to(ROOT).as_posix())
    return path


def test_no_scanner_finds_a_substring_that_it_flags(archive) -> None:
    """In any text of the archive, of any language; weights and pictures are no text."""
    found, read = [], 0
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            content = packed.read(name)
            if b"\0" not in content:
                read += 1
                text = content.decode("utf-8")
                found += [f"{name}: {match.group()}" for match in FLAGGED.finditer(text)]
    assert read > 200 and not found, "\n".join(found)
    assert archive.stat().st_size < 25 * 2**20


def test_the_list_of_what_is_flagged_is_no_dead_letter() -> None:
    for text in (
        "import subprocess",
        "os.environ.get('A')",
        "network.eval()",
        "eval(x)",
        "socket.connect(a)",
    ):
        assert FLAGGED.search(text), text
    assert not FLAGGED.search("evaluate(x)") and not FLAGGED.search("def execute(cls)")


OPERATING_SYSTEMS = {
    "Operating System :: OS Independent",
    "Operating System :: Microsoft :: Windows",
    "Operating System :: POSIX :: Linux",
    "Operating System :: MacOS",
}
ACCELERATORS = {
    *(
        "Environment :: GPU :: NVIDIA CUDA",
        "Environment :: GPU :: AMD ROCm",
        "Environment :: GPU :: Intel Arc",
    ),
    *("Environment :: GPU :: Apple Metal", "Environment :: NPU :: Huawei Ascend"),
}
"""Keys of the registry's specification."""


def test_classifiers_say_that_a_gpu_is_no_must(pyproject) -> None:
    """By the registry's specification: systems, and accelerators beside CUDA."""
    given = pyproject["project"]["classifiers"]
    assert {"Operating System :: OS Independent", "Environment :: GPU :: Apple Metal"} <= set(given)
    assert {name for name in given if name.startswith("Operating System")} <= OPERATING_SYSTEMS
    assert {name for name in given if name.startswith("Environment")} <= ACCELERATORS


def test_nothing_is_pinned(pyproject) -> None:
    """Lower bounds alone: what is pinned breaks the environment of another pack."""
    project = pyproject["project"]
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    asked += (ROOT / "requirements.txt").read_text().splitlines()
    for line in filter(None, (line.partition("#")[0].strip() for line in asked)):
        assert re.fullmatch(r"[\w.-]+(>=[\d.]+)?", line), f"{line} is more than a lower bound"


def test_name_and_licence_are_in_the_registrys_form(pyproject) -> None:
    """https://docs.comfy.org/registry/specifications"""
    project = pyproject["project"]
    assert re.fullmatch(r"[a-z](?:[a-z0-9]|[-_.](?=[a-z0-9])){1,99}", project["name"])
    assert "comfyui" not in project["name"]
    assert project["license"] == {"file": "LICENSE"} and (ROOT / "LICENSE").is_file()


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in it, in full."""
    package = path.relative_to(ROOT).parent.parts
    for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            above = package[: len(package) - item.level + 1] if item.level else ()
            module = ".".join([*above, *filter(None, [item.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in item.names)


def test_no_code_of_others_is_run_and_routes_are_opened_in_one_place() -> None:
    for name in CODE:
        for item in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(item, ast.Call):
                assert getattr(item.func, "id", "") not in FORBIDDEN_CALLS, f"{name}:{item.lineno}"
                assert getattr(item.func, "attr", "") not in FORBIDDEN_METHODS, f"{name}:{item.lineno}"
            if isinstance(item, ast.Attribute):
                assert item.attr != "routes" or name == ROUTES, f"{name}:{item.lineno}"
                if getattr(item.value, "id", "") == "pickle":
                    assert item.attr == "UnpicklingError", f"{name}:{item.lineno}"


def test_weights_are_read_in_one_place_and_safely() -> None:
    found = []
    for name in CODE:
        for item in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(item, ast.Call) and ast.unparse(item.func) == "torch.load":
                found.append(name)
                assert "weights_only=True" in map(ast.unparse, item.keywords)
    assert found == [WEIGHTS_READER]


def test_no_module_is_imported_that_has_no_place_in_a_node_pack() -> None:
    for name in CODE:
        in_pack = name.startswith("nodes/") or name == "__init__.py"
        for module in imported(ROOT / name):
            top = module.partition(".")[0]
            if top == "pickle" and name == WEIGHTS_READER:
                continue
            assert top not in FORBIDDEN_MODULES, f"{name} imports {module}"
            assert not in_pack or top not in NOT_IN_NODES, f"{name} imports {module}"
            served = top == "aiohttp" and name == ROUTES
            assert top not in NETWORK or served or name == DOWNLOADER, f"{name} imports {module}"
            assert top not in HOST_MODULES or name == "nodes/host.py", f"{name} imports {module}"


def test_nothing_that_is_shipped_needs_what_is_not() -> None:
    """All imports are followed from the nodes on, those inside functions too."""
    reached, waiting = set(), [ROOT / name for name in CODE if name.startswith("nodes/")]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        assert not ignored(path), f"the nodes reach {path.relative_to(ROOT)}, which is not in the archive"
        for module in imported(path):
            place = ROOT.joinpath(*module.split("."))
            waiting += [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
    assert len(reached) > 60


def test_patterns_are_anchored_and_keep_what_users_need() -> None:
    """`docs/` alone would leave out the help pages in web/docs too."""
    assert all(line.startswith(("/", "*")) for line in IGNORED)
    kept = {path.relative_to(ROOT).as_posix() for path in shipped()}
    for needed in ("web/docs/GoHDSetGaze.md", "web/js/gaze_pad.js", "locales/zh/nodeDefs.json"):
        assert needed in kept
    assert any(name.startswith("workflows/") for name in kept) and "assets/animator.safetensors" in kept
    assert (
        not kept & {"workflows/api/client.py", "setup.py"} and {"README.md", "LICENSE", "install.py"} <= kept
    )


def test_the_archive_works_on_its_own(archive, tmp_path) -> None:
    """Unpacked to a folder of its own, it is loaded, and a portrait and a sound are read with its weights."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "pack")
    code = """
import asyncio, importlib.util, sys
sys.path.insert(0, sys.argv[1])
import folder_paths, torch
from pathlib import Path
folder_paths.set_base(Path(sys.argv[3]))
spec = importlib.util.spec_from_file_location("pack", sys.argv[2] + "/__init__.py")
sys.modules["pack"] = pack = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
nodes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
run = {cls.define_schema().node_id: cls.execute for cls in nodes}
with torch.inference_mode():
    models = run["GoHDLoadModels"](weights="builtin", precision="float32").result
    (image,) = run["GoHDSampleAvatar"](number=2).result
    given = {"extractor": models[4], "gaze_estimator": models[5]}
    portrait, *_ = run["GoHDPreparePortrait"](image=image, **given).result
    (gaze,) = run["GoHDSetGaze"](portrait=portrait, pitch=0.0, yaw=10.0, relative=False).result
import gohd_core
print(Path(gohd_core.__file__).is_relative_to(sys.argv[2]), gaze.space, len(gaze))
"""
    folders = map(str, (HERE / "comfy_stand_in", tmp_path / "pack", tmp_path))
    command = [sys.executable, "-c", code, *folders]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split() == ["True", "stylised", "1"], done.stderr


@pytest.fixture
def pyproject() -> dict:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_registry_gets_all_keys(pyproject) -> None:
    project, comfy = pyproject["project"], pyproject["tool"]["comfy"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"]) and project["urls"]["Repository"]
    assert set(comfy) >= {"PublisherId", "DisplayName", "Icon", "Banner", "requires-comfyui"}
    assert comfy["requires-comfyui"] == ">=0.8.0"
    requirements = (ROOT / "requirements.txt").read_text().splitlines()
    assert not any(line.startswith("torch") for line in requirements), "torch is ComfyUI's own"


@pytest.mark.parametrize(("kind", "most", "shape"), [("Icon", 400, 1), ("Banner", 1300, 21 / 9)])
def test_icon_and_banner_are_there_and_have_their_shapes(pyproject, kind, most, shape) -> None:
    from PIL import Image

    address = pyproject["tool"]["comfy"][kind]
    assert address.startswith("https://")
    path = ROOT / "docs" / "images" / address.rpartition("/")[2]
    with Image.open(path) as picture:
        assert max(picture.size) <= most and picture.width / picture.height == pytest.approx(shape, rel=0.01)
    assert path.stat().st_size <= 150_000
