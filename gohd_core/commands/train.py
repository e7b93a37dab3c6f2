"""`gohd train MODULE`: trains one module from a config file, a data folder and `key=value` pairs."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from gohd_core.training.registry import CONFIGS, TASKS

_WHAT = {
    "animator": "portrait and motion to pictures (eq. 9, 11-17)",
    "pose": "head poses from sound, by diffusion (eq. 1-4)",
    "gaze": "gaze from sound, by diffusion (eq. 1-4)",
    "expression-stage1": "lips from sound (eq. 5, 18-24)",
    "expression-stage2": "eye motion on top of stage 1 (eq. 6-8, 25-27)",
    "extractor": "coefficients from pictures",
    "gaze-estimator": "gaze from pictures",
    "face-parsing": "parts of the face from pictures (eq. 15)",
}


def add_commands(subparsers: Any) -> None:
    """Adds `train` with one command per module to an argparse subparsers object."""
    train = subparsers.add_parser(
        "train",
        help="train a module as the paper does",
        description="Train a module. Launch with `accelerate launch -m gohd_core.cli train ...` to use "
        "several GPUs or machines; docs/TRAINING.md tells more.",
    )
    modules = train.add_subparsers(dest="module", required=True, metavar="MODULE")
    for name in TASKS:
        what = _WHAT.get(name, name)
        parser = modules.add_parser(name, help=what, description=f"Train {name}: {what}.")
        _add_arguments(parser, name)
        parser.set_defaults(run=run)


def _add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    known = ", ".join(sorted(path.stem for path in (CONFIGS / name).glob("*.yaml"))) or "none"
    parser.add_argument("--config", help=f"a YAML file, or one that ships with GoHD: {known}")
    parser.add_argument(
        "--data", action="append", metavar="DIR", help="a data set of clips; may be given several times"
    )
    parser.add_argument("--out", metavar="DIR", help="where checkpoints, logs and weights go")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --out")
    parser.add_argument(
        "--export", action="store_true", help="only write the weights of the newest checkpoint"
    )
    parser.add_argument("--dry-run", action="store_true", help="show sizes, memory and speed, then stop")
    parser.add_argument("--max-minutes", type=float, metavar="M", help="end the run after M minutes in all")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="e.g. loop.steps=2000 data.batch=4")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit status."""
    from gohd_core.errors import BadInput
    from gohd_core.training.framework.config import load_config
    from gohd_core.training.registry import find_task

    kind = find_task(arguments.module)
    overrides = list(arguments.settings)
    if arguments.data:
        overrides.append(f"data.folders=[{', '.join(_quoted(folder) for folder in arguments.data)}]")
    if arguments.max_minutes is not None:
        overrides.append(f"loop.max_minutes={arguments.max_minutes}")
    config = load_config(kind.Config, config_path(arguments.module, arguments.config), overrides)
    if arguments.dry_run:
        from gohd_core.training.framework.dry_run import dry_run

        sys.stdout.write(dry_run(kind, config) + "\n")
        return 0
    if not arguments.out:
        raise BadInput("Where should the run go? Give --out DIR.")
    from gohd_core.training.framework.loop import train

    summary = train(
        kind,
        config,
        arguments.out,
        resume=arguments.resume,
        export_only=arguments.export,
        command=command_line(),
    )
    if os.environ.get("RANK", "0") != "0":
        return 0
    written = ", ".join(str(path) for path in summary.exported) or "no weights yet (--resume goes on)"
    sys.stdout.write(
        f"{summary.reason} at step {summary.step} after {summary.seconds / 60:.1f} minutes, "
        f"{summary.wait_share:.0%} of the time waiting for data; {written}\n"
    )
    return 0


def config_path(module: str, given: str | None) -> Path | None:
    """The file that `--config` means: a path, or the name of one that ships with GoHD."""
    if given is None:
        return None
    shipped = CONFIGS / module / f"{given}.yaml"
    return shipped if shipped.is_file() and not Path(given).is_file() else Path(given)


def command_line() -> str:
    """Command line of this process, without the folder of the program."""
    return shlex.join(["gohd", *sys.argv[1:]])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
