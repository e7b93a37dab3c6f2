"""`gohd stylised`: make data sets, contact sheets and talking clips of the stylised world."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gohd_core.choices import CLIP_KINDS, ENGINES
from gohd_core.errors import BadInput


def add_commands(commands: Any) -> None:
    """Adds `stylised make | sheet | clip` to an argparse subparsers object."""
    parser = commands.add_parser(
        "stylised", help="stylised heads and synthetic speech with exact ground truth"
    )
    below = parser.add_subparsers(dest="stylised_command", required=True, metavar="COMMAND")
    make = below.add_parser("make", help="make a data set (docs/DATA.md); run again to go on")
    make.add_argument("--out", type=Path, required=True, help="folder of the data set")
    make.add_argument("--clips", type=int, required=True, help="how many clips")
    make.add_argument("--seed", type=int, required=True, help="same seed, same bytes")
    make.add_argument("--kind", default="talk", choices=CLIP_KINDS)
    make.add_argument("--size", type=int, default=256, help="pixels of a picture's side (256)")
    make.add_argument("--no-frames", action="store_true", help="talk: coefficients and sound, no pictures")
    make.add_argument("--no-correspondence", action="store_true", help="stills: leave out triangle buffers")
    make.add_argument("--burst", type=int, default=20, help="stills: pictures per identity (20)")
    make.add_argument(
        "--engines",
        type=_names,
        default=ENGINES,
        help="speech engines to draw from (espeak,flite,festival; also piper,kokoro)",
    )
    make.add_argument("--workers", type=int, help="processes (one per core)")
    make.set_defaults(run=run_make)
    sheet = below.add_parser("sheet", help="draw a contact sheet of random heads")
    sheet.add_argument("--out", type=Path, required=True, help="a .png")
    sheet.add_argument("--rows", type=int, default=8)
    sheet.add_argument("--columns", type=int, default=8)
    sheet.add_argument("--seed", type=int, default=0)
    sheet.add_argument("--size", type=int, default=192, help="pixels of one head (192)")
    sheet.set_defaults(run=run_sheet)
    clip = below.add_parser("clip", help="make a talking clip with sound")
    clip.add_argument("--out", type=Path, required=True, help="an .mp4")
    clip.add_argument("--seed", type=int, default=0)
    clip.add_argument("--seconds", type=float, default=6.0, help="about how long (6)")
    clip.add_argument("--text", help="what to say (drawn from the grammar)")
    clip.add_argument("--voice", help="ENGINE/VOICE, e.g. flite/slt or espeak/de+f3 (drawn)")
    clip.add_argument("--identity", type=int, help="seed of the head (the clip's seed)")
    clip.add_argument("--size", type=int, default=256)
    clip.set_defaults(run=run_clip)


def run_make(arguments: argparse.Namespace) -> int:
    """Makes or goes on making a data set."""
    from gohd_core.stylised.dataset import make_dataset

    dataset = make_dataset(
        arguments.out,
        arguments.clips,
        arguments.seed,
        arguments.kind,
        size=arguments.size,
        pictures=not arguments.no_frames,
        correspondence=not arguments.no_correspondence,
        burst=arguments.burst,
        engines=arguments.engines,
        workers=arguments.workers,
        progress=_progress("clips"),
    )
    frames = sum(entry.frames for entry in dataset.entries)
    shares = ", ".join(f"{len(dataset.select(s))} {s}" for s in ("train", "validation", "test"))
    sys.stdout.write(f"{arguments.out}: {len(dataset)} clips ({shares}), {frames} frames\n")
    return 0


def run_sheet(arguments: argparse.Namespace) -> int:
    """Draws a contact sheet."""
    from gohd_core.stylised.rendering.sheet import write_sheet

    if arguments.out.suffix.lower() != ".png":
        raise BadInput(f"Contact sheets are written as .png; {arguments.out.name} ends otherwise.")
    write_sheet(
        arguments.out,
        rows=arguments.rows,
        columns=arguments.columns,
        seed=arguments.seed,
        size=arguments.size,
    )
    sys.stdout.write(f"{arguments.out}: {arguments.rows * arguments.columns} heads\n")
    return 0


def run_clip(arguments: argparse.Namespace) -> int:
    """Makes a talking clip and prints its text."""
    from gohd_core.commands.stylised_preview import stylised_clip

    made = stylised_clip(
        arguments.out,
        arguments.seed,
        arguments.seconds,
        text=arguments.text,
        voice=arguments.voice,
        identity=arguments.identity,
        size=arguments.size,
        progress=_progress("frames"),
    )
    sys.stdout.write(f"{made.path}: {len(made.phonemes)} frames, {made.voice}: {made.text}\n")
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _progress(what: str) -> Callable[[int, int], None]:
    """A line on stderr, rewritten at most four times a second."""
    started, shown = time.monotonic(), [0.0]

    def show(done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - shown[0] < 0.25:
            return
        shown[0] = now
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{done}/{total} {what}, {now - started:.0f} s {end}")
        sys.stderr.flush()

    return show
