"""`gohd blendshapes`: a motion for Live Link Face, VRM or Blender, and such a file as a motion."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from gohd_core.choices import FACE_FILES
from gohd_core.commands.inputs import within
from gohd_core.commands.output_options import check_results
from gohd_core.errors import BadInput

MOTION = ".safetensors"


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "blendshapes", help="write a motion for Live Link Face, VRM or Blender, or read such a file"
    )
    parser.add_argument("file", type=Path, help="a motion (.safetensors), or a face's motion (.csv, .json)")
    parser.add_argument(
        "--output", "-o", type=Path, required=True, help="the file to write, of the other kind"
    )
    parser.add_argument("--form", choices=FACE_FILES, help="form of the written file (by its ending)")
    parser.add_argument(
        "--fps", type=within(1, 120), help="frames a second of the written file, or of a .csv that is read"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Writes one file of the other kind."""
    from gohd_core.driving.face_files import ending_of, load_blendshapes, save_blendshapes
    from gohd_core.motion.editing import exact_fps
    from gohd_core.motion.file import load_motion, save_motion

    source, target = arguments.file, arguments.output
    reads_motion = source.suffix.lower() == MOTION
    if not reads_motion:
        check_results([target], [source], MOTION, arguments)
        rate = {} if arguments.fps is None else {"fps": exact_fps(arguments.fps)}
        motion = load_blendshapes(source, **rate)
        save_motion(target, motion, {"from": source.name})
    else:
        if target.suffix.lower() == MOTION:
            raise BadInput(f"{source} is a motion already; write a .csv or a .json.")
        form = arguments.form or target.suffix.lower()[1:]
        check_results([target], [source], ending_of(form), arguments)
        motion = load_motion(source)
        save_blendshapes(target, motion, form=form, fps=arguments.fps)
    sys.stdout.write(f"{target}: {motion.expression.duration:.2f} s\n")
