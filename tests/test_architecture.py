"""Packages of gohd_core import downwards only: read from every module's import statements, lazy ones too."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "gohd_core"

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


def imported_packages(path: Path) -> set[str]:
    """Packages of gohd_core that a module imports, wherever in the module; type checking apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {id(inner) for node in ast.walk(tree) if _is_type_checking(node) for inner in ast.walk(node)}
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gohd_core"):
            whole = node.module == "gohd_core"
            names |= {alias.name for alias in node.names} if whole else {node.module.split(".")[1]}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("gohd_core.")}
    return names - {"__version__"}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def package_imports() -> dict[str, set[str]]:
    """Package -> packages that it imports."""
    found: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        package = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if package != "__init__":
            found.setdefault(package, set()).update(imported_packages(path) - {package})
    return found


def wrong_imports() -> set[tuple[str, str]]:
    """Imports that go up, or to a package of the same row that imports back, over others too."""
    floor = {package: row for row, packages in enumerate(ORDER) for package in packages}
    imports = package_imports()

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


def test_every_package_has_its_floor() -> None:
    assert set(package_imports()) == {package for packages in ORDER for package in packages}


def test_packages_import_downwards_only() -> None:
    assert wrong_imports() == set()


def test_an_import_upwards_would_be_found(tmp_path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from gohd_core.commands import talk\n    import gohd_core.cli\n")
    assert imported_packages(module) == {"commands", "cli"}
