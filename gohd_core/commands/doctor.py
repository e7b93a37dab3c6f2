"""`gohd doctor`: installed libraries, weights found and missing, and how to get those."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from gohd_core.checkpoints.detector_files import DETECTOR_FILES, find_detector_files
from gohd_core.checkpoints.face_files import FACE_FILES, default_folders, find_face_files
from gohd_core.checkpoints.loading import assets_folder
from gohd_core.checkpoints.sources import find_released
from gohd_core.components import COMPONENTS, RELEASED
from gohd_core.errors import GohdError

_LIBRARIES = (
    ("torch", "the networks", "see pytorch.org for your machine"),
    ("safetensors", "weights and motion files", "pip install safetensors"),
    ("soundfile", "sound files", "pip install soundfile"),
    ("librosa", "resampling sound and its spectrograms", "pip install librosa"),
    ("scipy", "morphable models and loudness", "pip install scipy"),
    ("av", "video files", "pip install av"),
    ("opencv-python", "gaze crops and video frames", "pip install opencv-python"),
    ("face-alignment", "faces for the official weights", "pip install 'face-alignment>=1.5'"),
    ("c2pa-python", "content credentials in videos", "pip install c2pa-python"),
    ("accelerate", "training", "pip install accelerate"),
    ("moderngl", "drawing the stylised heads", "pip install moderngl"),
)
_ALTERNATIVES = {"opencv-python": ("opencv-python-headless", "opencv-contrib-python")}

DIFFERENCES = (
    ("starts", "does not start as shipped (missing import and module, np.float, CUDA hard-coded)", "starts"),
    ("lips", "driving expressions are zeroed unless --use_generated_exp is given", "lips follow the sound"),
    ("gaze", "the generated gaze is overwritten with a constant", "the gaze that you choose is used"),
    ("length", "each window loses a frame; some lengths crash", "as many frames as the sound has"),
    ("audio speed", "pose conditioning runs 25 % fast and wraps at 80 %", "option; `aligned` by default"),
    ("drift", "each window starts from the last one's end", "overlapping windows around the source's pose"),
    ("crop", "distorted at the right and bottom edge", "square; `release=True` gives the old boxes"),
    ("colours", "stretched by each clip's own extremes", "a fixed mapping"),
    ("speed", "the source is encoded again for every frame", "once per clip"),
    ("scales", "pose 1.2 and expression 1.5 always", "options --pose-scale and --expression-scale"),
)
"""Differences from the official script: (topic, official, ours)."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    topic: str
    name: str
    ok: bool
    detail: str


def add_commands(commands: Any) -> None:
    """Adds the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "doctor", help="what is installed, found and missing; or how good a picture is as a portrait"
    )
    parser.add_argument(
        "picture", type=Path, nargs="?", help="a picture: how good it is, and what of the result will suffer"
    )
    parser.add_argument(
        "--models", type=Path, action="append", default=[], help="a folder with official weights"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the report; exit status 0 when a portrait (or this picture) can be made to talk, else 1."""
    if arguments.picture is not None:
        return _run_picture(arguments)
    findings = examine(tuple(arguments.models))
    if arguments.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=1) + "\n")
    else:
        sys.stdout.write(report(findings))
    return 0 if all(finding.ok for finding in findings if finding.topic == "needed") else 1


def _run_picture(arguments: argparse.Namespace) -> int:
    from gohd_core.face.mediapipe.reader import FaceReader
    from gohd_core.images import read_picture
    from gohd_core.mesh.picture.examine import examine, picture_report
    from gohd_core.portraits import prepare_portrait

    folders = (*arguments.models, *default_folders())
    picture = read_picture(arguments.picture)
    portrait = prepare_portrait(picture, reader=FaceReader.load(folders))
    if arguments.json:
        remarks = [asdict(remark) for remark in examine(portrait)]
        sys.stdout.write(json.dumps(remarks, indent=1) + "\n")
    else:
        sys.stdout.write(picture_report(portrait) + "\n")
    return 0


def examine(models: tuple[Path, ...] = ()) -> list[Finding]:
    """Looks at everything; imports nothing heavy but torch."""
    return [*_machine(), *_libraries(), *_builtin(), *_official(models), *_stylised()]


def report(findings: list[Finding]) -> str:
    """The findings as text, with the table of differences from the official code."""
    lines = []
    for finding in findings:
        mark = "ok" if finding.ok else ("MISSING" if finding.topic == "needed" else "-")
        lines.append(f"{finding.topic:9} {mark:8} {finding.name:24} {finding.detail}")
    lines += ["", "Coming from the official code? What differs here:"]
    lines += [f"  {topic:12} official: {old}; here: {new}" for topic, old, new in DIFFERENCES]
    return "\n".join(lines) + "\n"


def _machine() -> list[Finding]:
    import torch

    python = sys.version_info[:2]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    if torch.backends.mps.is_available():
        device = "Apple GPU (mps)"
    return [
        Finding("needed", "python", (3, 10) <= python <= (3, 13), platform.python_version()),
        Finding("machine", "device", True, f"{device}, torch {torch.__version__}"),
    ]


def _libraries() -> list[Finding]:
    findings = []
    for name, purpose, remedy in _LIBRARIES:
        version = next(filter(None, map(_version, (name, *_ALTERNATIVES.get(name, ())))), None)
        topic = (
            "needed"
            if name in ("torch", "safetensors", "soundfile", "librosa", "scipy", "av", "opencv-python")
            else "optional"
        )
        detail = f"{version} ({purpose})" if version else f"for {purpose}: {remedy}"
        findings.append(Finding(topic, name, version is not None, detail))
    return findings


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _builtin() -> list[Finding]:
    findings = []
    for name, item in COMPONENTS.items():
        path = assets_folder() / f"{name}.safetensors"
        if path.is_file():
            findings.append(Finding("built-in", name, True, f"{path.stat().st_size / 2**20:.1f} MiB"))
        elif item.role is not None:
            findings.append(Finding("built-in", name, False, f"not in {assets_folder()}"))
    return findings


def _official(folders: tuple[Path, ...]) -> list[Finding]:
    found = find_released(folders)
    findings = []
    for item in RELEASED:
        path = found.get(item.name)
        where = _had(item) if item.url else "supplied by its makers, see WEIGHTS.md"
        need = "" if item.needed else "optional; "
        detail = str(path) if path else f"{item.purpose}; {need}{where}"
        findings.append(Finding("official", item.name, path is not None, detail))
    detector, faces = find_detector_files(folders), find_face_files((*folders, *default_folders()))
    for item in DETECTOR_FILES:
        detail = detector.get(item.name, f"{item.purpose}; for photographs; {_had(item)}")
        findings.append(Finding("detector", item.name, item.name in detector, str(detail)))
    for item in FACE_FILES:
        detail = faces.get(item.name, f"{item.purpose}; for any picture; `gohd download faces`")
        findings.append(Finding("faces", item.name, item.name in faces, str(detail)))
    return findings


def _had(item: Any) -> str:
    return f"`gohd download {item.name}`, or {item.url}"


def _stylised() -> list[Finding]:
    """The renderer and the voices: for training and benchmarks alone."""
    findings = []
    for module, function in (
        ("gohd_core.stylised.rendering.renderer", "renderer_status"),
        ("gohd_core.stylised.speech.voices", "engine_status"),
    ):
        try:
            rows = getattr(import_module(module), function)()
        except (ImportError, GohdError) as error:
            rows = [(module.rpartition(".")[2], False, str(error))]
        findings += [Finding("training", name, ok, detail) for name, ok, detail in rows]
    return findings
