"""`gohd benchmark`: figures with exact truth, as tables, JSON, a chart and Markdown."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gohd_core.components import ROLES

_ROLES = tuple(role.replace("_", "-") for role in ROLES)


def add_commands(commands: Any) -> None:
    """Adds `benchmark` with one command per benchmark to an argparse subparsers object."""
    benchmark = commands.add_parser("benchmark", help="measure quality, speed and the paper's ablations")
    kinds = benchmark.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    _add_quality(kinds)
    _add_speed(kinds)
    _add_ablations(kinds)
    _add_lips(kinds)
    _add_heads(kinds)
    _add_pictures(kinds)


def _add_quality(kinds: Any) -> None:
    quality = kinds.add_parser(
        "quality",
        help="weights against exact truth on held-out stylised heads, voices and texts",
        description="Runs the built-in weights (or those given) over held-out heads, voices and texts of the "
        "stylised world. The data is made once (about 300 MB) and kept; making it needs the renderer and "
        "speech engines of `gohd stylised make`.",
    )
    for role in _ROLES:
        quality.add_argument(f"--{role}", type=Path, metavar="FILE", help=f"{role} weights to measure")
    quality.add_argument("--data", type=Path, metavar="DIR", help="where the data is kept (the user's cache)")
    quality.add_argument(
        "--parts",
        default="animator,motion,talk",
        help="single pictures (animator), motion from sound (motion), both together (talk), and where asked "
        "for single pictures by the mesh animator (mesh)",
    )
    quality.add_argument("--identities", type=int, default=8, help="heads that do the factor sheet (8)")
    quality.add_argument("--clips", type=int, default=6, help="talking heads that are drawn (6)")
    quality.add_argument("--speech-clips", type=int, default=16, help="talking clips that are measured (16)")
    quality.add_argument("--seed", type=int, default=90_009, help="of the data (90009)")
    quality.add_argument(
        "--speech", type=Path, nargs="+", default=(), metavar="FILE", help="real recordings to measure too"
    )
    add_output(quality, "quality")
    quality.set_defaults(run=run_quality)


def _add_speed(kinds: Any) -> None:
    parser = kinds.add_parser(
        "speed", help="frames a second, memory and real-time factor of each stage and of the whole"
    )
    parser.add_argument("--models", default="builtin", help="a folder with official weights (builtin)")
    parser.add_argument(
        "--official", type=Path, metavar="DIR", help="also measure the authors' inference code, a clone of it"
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument(
        "--seconds", default="10,30", help="lengths of sound; 10,60,600 shows scaling (10,30)"
    )
    parser.add_argument("--batches", default="1,8", help="batch sizes of the animator (1,8)")
    parser.add_argument("--dtypes", default="fp32,bf16", help="of fp32, bf16, fp16 (fp32,bf16)")
    parser.add_argument("--compiled", action="store_true", help="also with torch.compile")
    parser.add_argument("--frames", type=int, default=48, help="frames drawn for each figure (48)")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0 leaves torch's choice")
    parser.add_argument(
        "--clock",
        default="wall",
        choices=("wall", "processor"),
        help="processor: computing time of this process, which other work on the machine stretches less",
    )
    add_output(parser, "speed")
    parser.set_defaults(run=run_speed)


def _add_lips(kinds: Any) -> None:
    parser = kinds.add_parser(
        "lips",
        help="predicted lips against those of people who talk in videos",
        description="Finds by how much lips and sound are out of step in each video, and how well the lips "
        "that are predicted from the sound go with the ones that a face mesh sees, beside loudness alone and "
        "a ridge regression trained on the other videos. Videos are measured, never trained on.",
    )
    parser.add_argument("videos", type=Path, nargs="*", metavar="VIDEO", help="clips of one talking face")
    parser.add_argument(
        "--expression", type=Path, metavar="FILE", help="weights to measure (the built-in ones)"
    )
    parser.add_argument(
        "--faces", type=Path, metavar="DIR", help="folder with MediaPipe's .tflite files, for videos"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keeps what was seen, for the next weights")
    parser.add_argument(
        "--sounds",
        type=Path,
        metavar="DIR",
        help="whisper, crowd, music, silence and the like on the held-out talking clips of a data set, such "
        "as the quality benchmark's speech",
    )
    add_output(parser, "lips")
    parser.set_defaults(run=run_lips)


def run_lips(arguments: argparse.Namespace) -> int:
    """Runs `gohd benchmark lips`."""
    from gohd_core.evaluation.lips.run import lips

    check_outputs(arguments)

    report = lips(
        arguments.videos,
        partial(_face_reader, arguments.faces),
        expression=arguments.expression or "builtin",
        folder=arguments.data,
        sounds=arguments.sounds,
        progress=show,
    )
    finish(report, arguments, "lips")
    return 0


def _add_heads(kinds: Any) -> None:
    parser = kinds.add_parser(
        "heads",
        help="head movements and blinks made for recordings, beside those of people in videos",
        description="Blinks, speed, rhythm, drift and repeats of the heads that are made for recordings of "
        "speech, over several seeds, beside the same figures of people who talk in videos.",
    )
    parser.add_argument("sounds", type=Path, nargs="+", metavar="SOUND", help="recordings of speech")
    parser.add_argument("--videos", type=Path, nargs="+", default=(), metavar="VIDEO", help="people who talk")
    parser.add_argument(
        "--faces", type=Path, metavar="DIR", help="folder with MediaPipe's .tflite files, for videos"
    )
    parser.add_argument("--models", default="builtin", help="a folder with weights (builtin)")
    parser.add_argument("--seeds", type=int, default=10, help="heads for each recording (10)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each recording (20)")
    add_output(parser, "heads")
    parser.set_defaults(run=run_heads)


def run_heads(arguments: argparse.Namespace) -> int:
    """Runs `gohd benchmark heads`."""
    from gohd_core.evaluation.heads.run import heads
    from gohd_core.models import Models

    check_outputs(arguments)
    report = heads(
        Models.load(arguments.models),
        arguments.sounds,
        arguments.videos,
        partial(_face_reader, arguments.faces),
        seeds=arguments.seeds,
        seconds=arguments.seconds,
        progress=show,
    )
    finish(report, arguments, "heads")
    return 0


def _face_reader(folder: Path | None) -> Any:
    from gohd_core.errors import BadInput
    from gohd_core.face.mediapipe.reader import FaceReader

    if folder is None:
        raise BadInput("Faces in videos are read by MediaPipe's networks; name their folder with --faces.")
    return FaceReader.load(folder)


def run_speed(arguments: argparse.Namespace) -> int:
    """Runs `gohd benchmark speed`."""
    from gohd_core.evaluation.speed.plan import SpeedPlan
    from gohd_core.evaluation.speed.run import speed
    from gohd_core.models import Models

    check_outputs(arguments)
    plan = SpeedPlan(
        seconds=_numbers(arguments.seconds, float),
        batches=_numbers(arguments.batches, int),
        dtypes=tuple(arguments.dtypes.split(",")),
        compiled=arguments.compiled,
        frames=arguments.frames,
        device=arguments.device,
        threads=arguments.threads,
        official=arguments.official,
        clock=arguments.clock,
    )

    def load(device: str, dtype: Any) -> Any:
        return Models.load(arguments.models, device=device, dtype=dtype)

    finish(speed(load, plan, progress=show), arguments, "speed")
    return 0


def _add_ablations(kinds: Any) -> None:
    parser = kinds.add_parser(
        "ablations", help="the paper's Tables 3 to 7, trained small on the stylised world, beside its figures"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the runs go; run again to go on"
    )
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR",
        help="talking clips to train and measure on (the quality benchmark's own: few)",
    )
    parser.add_argument(
        "--stills",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="for table 4: stills of 128 pixels (gohd stylised make --kind stills --size 128)",
    )
    parser.add_argument("--parsing", type=Path, metavar="FILE", help="a face parser's weights, for table 4")
    parser.add_argument("--tables", default="3,5,6,7", help="of 3, 4, 5, 6, 7 (3,5,6,7)")
    parser.add_argument(
        "--steps",
        default="150",
        help="optimiser steps of every run (150), or by module: pose=400,expression-stage1=300",
    )
    parser.add_argument("--seeds", default="0,1,2", help="(0,1,2)")
    parser.add_argument("--clips", type=int, default=16, help="held-out clips that are measured (16)")
    add_output(parser, "ablations")
    parser.set_defaults(run=run_ablations)


def run_ablations(arguments: argparse.Namespace) -> int:
    """Runs `gohd benchmark ablations`."""
    from gohd_core.evaluation.ablations.run import AblationPlan, ablations
    from gohd_core.evaluation.quality.data import Plan, default_folder, speech_data

    check_outputs(arguments)
    talk = arguments.data or [speech_data(default_folder(), Plan(), progress=show).folder]
    plan = AblationPlan(
        talk=tuple(talk),
        tables=_numbers(arguments.tables, int),
        steps=_steps(arguments.steps),
        seeds=_numbers(arguments.seeds, int),
        stills=tuple(arguments.stills),
        parsing=arguments.parsing,
        clips=arguments.clips,
    )
    finish(ablations(plan, arguments.out, progress=show), arguments, "ablations")
    return 0


def _add_pictures(kinds: Any) -> None:
    parser = kinds.add_parser(
        "pictures",
        help="photographs, paintings and drawings as portraits: which of them talk, and how well",
        description="Prepares every picture of a folder, draws it after commands and after a shipped sound, "
        "and reads its face on the drawn frames.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of pictures, or one picture")
    parser.add_argument(
        "--size", type=int, default=512, help="side of the frames; 0 takes each face's own (512)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="the first N pictures only")
    parser.add_argument(
        "--sheets", type=Path, metavar="DIR", help="write contact sheets here, to be looked at"
    )
    parser.add_argument("--step", type=int, default=4, help="every how many frames of the clip are read (4)")
    parser.add_argument(
        "--speeds", default="", metavar="SIZES", help="also measure speed and memory at these: 256,512,1024"
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0 leaves torch's choice")
    parser.add_argument(
        "--clock",
        default="wall",
        choices=("wall", "processor"),
        help="processor: this process's computing time",
    )
    add_output(parser, "pictures")
    parser.set_defaults(run=run_pictures)


def run_pictures(arguments: argparse.Namespace) -> int:
    """Runs `gohd benchmark pictures`."""
    import torch

    from gohd_core.commands.inputs import PICTURES, files
    from gohd_core.evaluation.pictures.run import PicturePlan, pictures
    from gohd_core.evaluation.pictures.sheets import Sheets
    from gohd_core.images import read_picture
    from gohd_core.models import Models

    check_outputs(arguments)
    paths = files(arguments.folder, PICTURES, "picture")[: arguments.limit]
    plan = PicturePlan(
        size=arguments.size or None,
        speed_sizes=_numbers(arguments.speeds, int) if arguments.speeds else (),
        step=arguments.step,
        clock=arguments.clock,
    )
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    sheets = Sheets(arguments.sheets) if arguments.sheets is not None else None
    report = pictures(
        Models.load(device=arguments.device),
        [(path.name, partial(read_picture, path)) for path in paths],
        plan,
        look=None if sheets is None else sheets.add,
        progress=show,
    )
    if sheets is not None:
        sheets.finish()
    finish(report, arguments, "pictures")
    return 0


def _numbers(text: str, kind: type) -> tuple:
    from gohd_core.errors import BadInput

    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(f"{text!r} is not a list of numbers with commas.") from error


def _steps(text: str) -> Any:
    """A number, or module -> number."""
    if "=" not in text:
        return _numbers(text, int)[0]
    named = [part.partition("=") for part in text.split(",")]
    return {name: _numbers(number, int)[0] for name, _, number in named}


def add_output(parser: argparse.ArgumentParser, section: str) -> None:
    """The arguments that say where figures go."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with an earlier --json file")
    parser.add_argument(
        "--markdown",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=f"write or refresh the section '{section}' of a Markdown file; may be given several times",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures as a picture")


def run_quality(arguments: argparse.Namespace) -> int:
    """Runs `gohd benchmark quality`."""
    from gohd_core.evaluation.quality.data import Plan
    from gohd_core.evaluation.quality.run import Weights, quality

    check_outputs(arguments)
    given = {role.replace("-", "_"): getattr(arguments, role.replace("-", "_")) for role in _ROLES}
    report = quality(
        Weights({role: path for role, path in given.items() if path is not None}),
        Plan(
            seed=arguments.seed,
            identities=arguments.identities,
            clips=arguments.clips,
            speech=arguments.speech_clips,
        ),
        arguments.data,
        parts=tuple(part.strip() for part in arguments.parts.split(",") if part.strip()),
        speech=arguments.speech,
        progress=show,
    )
    finish(report, arguments, "quality")
    return 0


def check_outputs(arguments: argparse.Namespace) -> None:
    """Refuses at once what would fail after minutes of measuring."""
    from gohd_core.evaluation.chart import check_ending
    from gohd_core.evaluation.report import Report

    if arguments.plot is not None:
        check_ending(arguments.plot)
    if arguments.against is not None:
        Report.read(arguments.against)


def finish(report: Any, arguments: argparse.Namespace, section: str) -> None:
    """Prints a report and writes it wherever the arguments say."""
    from gohd_core.evaluation.report import Report, compare, refresh_section

    sys.stdout.write(report.text())
    if arguments.json is not None:
        report.write(arguments.json)
    for path in arguments.markdown:
        title = section if section == "evaluate" else f"benchmark {section}"
        refresh_section(path, section, f"## gohd {title}\n\n{report.markdown(command_line(sys.argv[1:]))}")
    if arguments.plot is not None:
        from gohd_core.evaluation.chart import write_chart

        write_chart(arguments.plot, report)
    if arguments.against is not None:
        sys.stdout.write("\n" + compare(Report.read(arguments.against), report).text())


_OUTPUTS = ("--json", "--against", "--markdown", "--plot")
"""Options that say where figures go, and change none."""


def command_line(arguments: Sequence[str]) -> str:
    """How `gohd` was called, without outputs and without folders, which are nobody else's."""
    words, skip = [], False
    for word in arguments:
        if skip or word.split("=", 1)[0] in _OUTPUTS:
            skip = not skip and "=" not in word
            continue
        words.append(Path(word).name if "=" not in word and Path(word).name else word)
    return shlex.join(["gohd", *words])


def show(stage: str, done: int, total: int) -> None:
    """A line that is written over, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{stage}: {done} of {total}   " + ("\n" if done == total else ""))
        sys.stderr.flush()
