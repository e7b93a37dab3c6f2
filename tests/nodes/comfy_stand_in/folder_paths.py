"""Stands in for ComfyUI's folder_paths; a test points BASE at a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

BASE = Path(os.devnull).parent / "nowhere"
models_dir = str(BASE / "models")
folder_names_and_paths: dict[str, tuple[list[str], set[str]]] = {}


def set_base(base: Path) -> None:
    global BASE, models_dir
    BASE, models_dir = base, str(base / "models")
    folder_names_and_paths.clear()
    for name in ("input", "output", "temp", "models/gohd"):
        (base / name).mkdir(parents=True, exist_ok=True)


def get_input_directory() -> str:
    return str(BASE / "input")


def get_output_directory() -> str:
    return str(BASE / "output")


def get_temp_directory() -> str:
    return str(BASE / "temp")


def add_model_folder_path(folder_name: str, full_folder_path: str, is_default: bool = False) -> None:
    paths, _ = folder_names_and_paths.setdefault(folder_name, ([], set()))
    if full_folder_path not in paths:
        paths.insert(0 if is_default else len(paths), full_folder_path)


def get_folder_paths(folder_name: str) -> list[str]:
    return list(folder_names_and_paths[folder_name][0])


def get_filename_list(folder_name: str) -> list[str]:
    paths, endings = folder_names_and_paths[folder_name]
    found = {
        file.relative_to(folder).as_posix()
        for folder in map(Path, paths)
        for file in folder.rglob("*")
        if file.is_file() and (not endings or file.suffix in endings)
    }
    return sorted(found)


def get_full_path(folder_name: str, filename: str) -> str | None:
    for folder in get_folder_paths(folder_name):
        path = Path(folder) / os.path.relpath(os.path.join("/", filename), "/")
        if path.is_file():
            return str(path)
    return None


def annotated_filepath(name: str) -> tuple[str, str | None]:
    for kind, folder in (("output", get_output_directory()), ("input", get_input_directory())):
        if name.endswith(f"[{kind}]"):
            return name[: -len(kind) - 3], folder
    return name, None


def get_save_image_path(
    filename_prefix: str, output_dir: str, image_width: int = 0, image_height: int = 0
) -> tuple[str, str, int, str, str]:
    subfolder, filename = os.path.split(os.path.normpath(filename_prefix))
    folder = Path(output_dir) / subfolder
    folder.mkdir(parents=True, exist_ok=True)
    counter = 1 + sum(file.name.startswith(f"{filename}_") for file in folder.iterdir())
    return str(folder), filename, counter, subfolder, filename_prefix
