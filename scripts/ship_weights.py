"""Puts a trained network into assets/: float16, with its header saying how it came about and no path of ours.

python scripts/ship_weights.py runs/a/animator.safetensors --data "gohd stylised make ..." --note "..."
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Reads one run's weights file, writes the shipped one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="what gohd train wrote")
    parser.add_argument("--data", action="append", default=[], help="command that made the training data")
    parser.add_argument("--note", help="what a reader of the model card should know")
    parser.add_argument("--begun-with", type=Path, help="weights that the run started from")
    parser.add_argument("--out", type=Path, default=ROOT / "assets")
    given = parser.parse_args()

    import torch

    from gohd_core.checkpoints import read_checkpoint, save_network

    loaded = read_checkpoint(given.weights)
    info: dict[str, Any] = dict(loaded.info)
    if given.begun_with is not None:
        info["begun_with"] = history(header(given.begun_with))
    info |= {"data": "; ".join(given.data), "licence": "MIT", "stored": "float16, from the run's float32"}
    if given.note:
        info["note"] = given.note
    path = save_network(
        given.out / f"{loaded.component}.safetensors",
        loaded.network,
        component=loaded.component,
        config=loaded.config,
        space=loaded.space,
        info=relative(info),
        dtype=torch.float16,
    )
    print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")


def header(weights: Path) -> dict[str, Any]:
    """Metadata of a weights file, whose network may be of an older form."""
    from gohd_core.components import HEADER
    from gohd_core.files import read_header

    return read_header(weights, HEADER)["info"]


def history(info: dict[str, Any]) -> list[Any]:
    """Commands and lengths of the runs before, the first one first."""
    earlier = info.get("begun_with") or []
    kept = ("command", "steps", "examples", "minutes", "seed")
    last = {key: value for key, value in info.get("training", {}).items() if key in kept}
    return [*(earlier if isinstance(earlier, list) else [earlier]), last]


def relative(info: dict[str, Any]) -> dict[str, Any]:
    """The header with every absolute path cut to its last two parts, such as runs/animator."""
    pattern = r'(?<![\w.:/])/[^\s"=,\]\\]+'
    return json.loads(re.sub(pattern, lambda found: "/".join(found[0].split("/")[-2:]), json.dumps(info)))


if __name__ == "__main__":
    main()
