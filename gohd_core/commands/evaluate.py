"""`gohd evaluate`: the paper's measures on two videos or folders of videos, result against real."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gohd_core.commands.inputs import show
from gohd_core.commands.report_options import add_report_options


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "evaluate",
        help="the paper's measures on videos, result against real",
        description="Measures videos against real ones of the same names. Each figure's source is printed "
        "under the table; figures made under different settings are not compared.",
    )
    parser.add_argument("result", type=Path, nargs="?", help="a video or a folder of videos")
    parser.add_argument("real", type=Path, nargs="?", help="the real video or folder")
    parser.add_argument(
        "--compare", type=Path, nargs=2, metavar=("OLD", "NEW"), help="compare two --json files instead"
    )
    parser.add_argument(
        "--crop", type=_box, metavar="L,T,R,B", help="a square around the head, in pixels (whole)"
    )
    parser.add_argument("--size", type=int, default=256, help="side that crops are resized to (256)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how much of each video at most (60)")
    parser.add_argument(
        "--extractor", default="builtin", help="coefficient extractor (builtin: stylised faces)"
    )
    parser.add_argument("--gaze-estimator", default="builtin", help="gaze estimator")
    parser.add_argument("--face-model", help="BFM_model_front.mat, for official extractors")
    parser.add_argument("--lip-sync", help="lip expert's weights, for LSE-C and LSE-D")
    parser.add_argument("--inception", help="Inception's weights, for FID")
    parser.add_argument("--arcface", help="ArcFace's weights (iResNet-50), for CSIM")
    add_report_options(parser, "evaluate", measure)


def measure(arguments: argparse.Namespace) -> Any:
    """The report of a command line's arguments."""
    from gohd_core.errors import BadInput
    from gohd_core.evaluation.report import Report, compare

    if arguments.compare is not None:
        return compare(*map(Report.read, arguments.compare))
    if arguments.result is None or arguments.real is None:
        raise BadInput("Give a result and a real video (or folder), or --compare OLD NEW.")
    from gohd_core.evaluation.videos.clips import Readers, VideoReadConfig
    from gohd_core.evaluation.videos.measures import check_size, evaluate
    from gohd_core.face import CoefficientExtractor, GazeEstimator
    from gohd_core.face.geometry.expression_geometry import FaceGeometry

    extractor = CoefficientExtractor.load(arguments.extractor)
    readers = Readers(
        extractor,
        GazeEstimator.load(arguments.gaze_estimator),
        FaceGeometry.load(arguments.face_model, extractor.space),
    )
    reading = VideoReadConfig(arguments.crop, check_size(arguments.size), arguments.seconds)
    networks = _networks(arguments)
    return evaluate(arguments.result, arguments.real, readers, reading, networks, progress=show)


def _networks(arguments: argparse.Namespace) -> Any:
    from gohd_core.evaluation.report import provenance
    from gohd_core.evaluation.videos.measures import Networks

    given = {name: getattr(arguments, name) for name in ("extractor", "gaze_estimator", "lip_sync")}
    given |= {name: getattr(arguments, name) for name in ("inception", "arcface")}
    lip_sync = inception = arcface = None
    if arguments.lip_sync:
        from gohd_core.expression import LipSync

        lip_sync = LipSync.load(arguments.lip_sync)
    if arguments.inception:
        from gohd_core.measures.fid import inception_features

        inception = inception_features(arguments.inception)
    if arguments.arcface:
        from gohd_core.training.feature_networks.arcface import load_arcface

        arcface = load_arcface(arguments.arcface).eval()
    names = {n: path if path == "builtin" else provenance(path) for n, path in given.items() if path}
    return Networks(lip_sync, inception, arcface, names)


def _box(text: str) -> tuple[int, int, int, int]:
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not LEFT,TOP,RIGHT,BOTTOM") from error
    return left, top, right, bottom
