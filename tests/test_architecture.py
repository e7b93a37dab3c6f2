"""Packages of gohd_core, and folders of its largest ones, import downwards only, by all import statements."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ORDER = (
    ("choices", "constants", "errors", "components", "landmarks68", "parsing_labels", "kernels", "clips"),
    ("devices", "files", "images", "lazy", "media", "audio", "workers", "talk_options"),
    ("motion", "video", "checkpoints", "stylised"),
    ("face", "measures"),
    ("pose", "expression", "animator"),
    ("mesh",),
    ("render", "driving", "models", "portraits"),
    ("pipeline",),
    ("conversation",),
    ("training",),
    ("evaluation",),
    ("commands",),
    ("cli",),
)
"""Packages, lowest first; those of one row may import what lies lower, but not each other in a circle."""

MESH_ORDER = (
    ("sampling",),
    ("frame",),
    ("contours",),
    ("reading",),
    ("picture",),
    ("geometry",),
    ("clip", "encoding", "face_at_rest"),
    ("eyes", "mouth"),
    ("dubbing", "eye_contact", "source"),
    ("drawing",),
    ("animator",),
    ("builtin", "portrait"),
)
"""The same within `gohd_core.mesh`."""

FACE_ORDER = (
    ("crop", "geometry"),
    ("picking",),
    ("mediapipe", "reading"),
    ("segmentation", "portrait"),
    ("detection",),
)
"""The same within `gohd_core.face`."""

STYLISED_ORDER = (
    ("camera", "head", "speech"),
    ("motion", "person"),
    ("rendering", "ground_truth"),
    ("making",),
    ("dataset",),
)
"""The same within `gohd_core.stylised`."""

ORDERS = pytest.mark.parametrize(
    ("within", "order"),
    [
        ("gohd_core", ORDER),
        ("gohd_core.face", FACE_ORDER),
        ("gohd_core.mesh", MESH_ORDER),
        ("gohd_core.stylised", STYLISED_ORDER),
    ],
)


def imported_packages(path: Path, within: str = "gohd_core") -> set[str]:
    """Packages of a package that a module imports, wherever in the module; type checking apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {id(inner) for node in ast.walk(tree) if _is_type_checking(node) for inner in ast.walk(node)}
    modules: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = node.module == within
            modules |= {f"{within}.{alias.name}" for alias in node.names} if whole else {node.module}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    inside = within + "."
    names = {name.removeprefix(inside).split(".")[0] for name in modules if name.startswith(inside)}
    return names - {"__version__"}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def package_imports(within: str) -> dict[str, set[str]]:
    """Package -> packages that it imports, of the same package."""
    root = ROOT / within.replace(".", "/")
    found: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        package = path.relative_to(root).parts[0].removesuffix(".py")
        if package != "__init__":
            found.setdefault(package, set()).update(imported_packages(path, within) - {package})
    return found


def wrong_imports(within: str, order: tuple[tuple[str, ...], ...]) -> set[tuple[str, str]]:
    """Imports that go up, or to a package of the same row that imports back, over others too."""
    floor = {package: row for row, packages in enumerate(order) for package in packages}
    imports = package_imports(within)

    def reaches(start: str, goal: str) -> bool:
        seen, todo = set(), [start]
        while todo:
            package = todo.pop()
            if package == goal:
                return True
            seen.add(package)
            todo += [each for each in imports[package] - seen if floor[each] == floor[start]]
        return False

    pairs = {(package, other) for package, others in imports.items() for other in others}
    return {
        (package, other)
        for package, other in pairs
        if floor[other] > floor[package] or (floor[other] == floor[package] and reaches(other, package))
    }


@ORDERS
def test_every_package_has_its_floor(within, order) -> None:
    assert set(package_imports(within)) == {package for packages in order for package in packages}


@ORDERS
def test_packages_import_downwards_only(within, order) -> None:
    assert wrong_imports(within, order) == set()


def test_an_import_upwards_would_be_found(tmp_path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from gohd_core.commands import talk\n    import gohd_core.cli\n")
    assert imported_packages(module) == {"commands", "cli"}
    module.write_text("from gohd_core.mesh.eyes.lids import Lids\n")
    assert imported_packages(module, "gohd_core.mesh") == {"eyes"}
