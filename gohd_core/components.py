"""All networks in one table: what each is for, its classes, and the file that its authors released."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gohd_core.errors import BadInput

if TYPE_CHECKING:
    from torch import nn

    from gohd_core.checkpoints.layout import Layout

BUILTIN = "builtin"
"""Stands for the weights that ship in the pack's assets folder."""


HEADER = "gohd"
"""Key of our own weights' metadata (JSON) in a safetensors header."""


@dataclass(frozen=True)
class ReleasedFile:
    """One file that the authors, or those they build on, have released.

    Attributes:
        name: as released; GoHD looks for it under this name.
        purpose: what it does here.
        makers: who made it.
        terms: its licence, as far as known; not legal advice.
        drive_id: its id on Google Drive, as the authors' own download script lists it.
        needed: whether audio-driven animation with the official weights needs it.
    """

    name: str
    purpose: str
    makers: str
    terms: str
    drive_id: str | None = None
    needed: bool = True

    @property
    def url(self) -> str | None:
        """Address for a browser."""
        return f"https://drive.google.com/file/d/{self.drive_id}/view" if self.drive_id else None


@dataclass(frozen=True)
class Component:
    """One kind of network. Its classes are imported on first use.

    Attributes:
        name: in the header of our files; the built-in weights are assets/<name>.safetensors.
        role: its name in `pipeline.Models`; None for networks that no family needs.
        runtime: class that a program works with, and the module where it is public.
        loader: public function of `gohd_core` that makes a runtime object from a file.
        official: module with the network's class, its config and the layouts of the released files.
        file: the released file.
    """

    name: str
    role: str | None
    runtime: str
    module: str
    loader: str
    official: str
    file: ReleasedFile

    @property
    def runtime_class(self) -> Any:
        """The class that a program works with."""
        return getattr(import_module(self.module), self.runtime)

    @property
    def network(self) -> type[nn.Module]:
        """The network's class."""
        return import_module(self.official).NETWORK

    @property
    def config(self) -> type:
        """The dataclass of the network's config."""
        return import_module(self.official).CONFIG

    def renamed(self, key: str) -> str:
        """Today's name of a tensor in one of our files."""
        for pattern, replacement in getattr(import_module(self.official), "RENAMED", ()):
            key = re.sub(pattern, replacement, key)
        return key

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Layouts of the released files."""
        return import_module(self.official).LAYOUTS


_GOHD = "the authors of GoHD (github.com/Jia1018/GoHD)"
_GOHD_TERMS = "as stated by their authors; trained on VoxCeleb and HDTF, which are for research"

_TABLE = (
    Component(
        name="animator",
        role="animator",
        runtime="Animator",
        module="gohd_core.animator",
        loader="load_animator",
        official="gohd_core.animator.official",
        file=ReleasedFile(
            name="FaceAnimator_GoHD.pt",
            purpose="face animator",
            makers=_GOHD,
            terms=_GOHD_TERMS,
            drive_id="17eMdl3zTgYhg7JlYCaRgJKVmp3TOAZQ9",
        ),
    ),
    Component(
        name="pose_diffusion",
        role="pose",
        runtime="PoseDiffusion",
        module="gohd_core.pose",
        loader="load_pose_model",
        official="gohd_core.pose.official",
        file=ReleasedFile(
            name="audio2pose.pt",
            purpose="head-pose diffusion",
            makers=_GOHD,
            terms=_GOHD_TERMS,
            drive_id="1QVamgnISBRjFdJfUZVeq1hnzK45eLGak",
        ),
    ),
    Component(
        name="gaze_diffusion",
        role="gaze",
        runtime="GazeDiffusion",
        module="gohd_core.pose",
        loader="load_gaze_model",
        official="gohd_core.pose.official_gaze",
        file=ReleasedFile(
            name="audio2gaze.pt",
            purpose="gaze diffusion",
            makers=_GOHD,
            terms=_GOHD_TERMS,
            drive_id="1P7QZepvq3s9PKM6LLVYVauXyTrZFunzL",
            needed=False,
        ),
    ),
    Component(
        name="expression",
        role="expression",
        runtime="ExpressionPredictor",
        module="gohd_core.expression",
        loader="load_expression_model",
        official="gohd_core.expression.official",
        file=ReleasedFile(
            name="audio2exp.pth",
            purpose="expression predictor, stage 1",
            makers=_GOHD,
            terms=_GOHD_TERMS,
            drive_id="1kp27iFDpabZiWCIJVxOyc6Xf-vjGY4ub",
        ),
    ),
    Component(
        name="extractor",
        role="extractor",
        runtime="CoefficientExtractor",
        module="gohd_core.face",
        loader="load_extractor",
        official="gohd_core.face.reading.official_extractor",
        file=ReleasedFile(
            name="epoch_20.pth",
            purpose="coefficient extractor",
            makers="Deep3DFaceRecon_pytorch, in the copy that GoHD's authors link",
            terms="MIT code; the weights build on the Basel Face Model, which is for research",
            drive_id="1DFASeWXn1IwgsI4CNzALtDNdfAWeuE9m",
        ),
    ),
    Component(
        name="gaze_estimator",
        role="gaze_estimator",
        runtime="GazeEstimator",
        module="gohd_core.face",
        loader="load_gaze_estimator",
        official="gohd_core.face.reading.official_gaze_estimator",
        file=ReleasedFile(
            name="L2CSNet_gaze360.pkl",
            purpose="gaze estimator",
            makers="L2CS-Net, in the copy that GoHD's authors link",
            terms="MIT code; trained on Gaze360, which is for research",
            drive_id="16CkA_WBleBmXIp3hQOJSgYBkaJ9SYF1E",
        ),
    ),
    Component(
        name="face_parsing",
        role=None,
        runtime="FaceParser",
        module="gohd_core.face",
        loader="load_face_parser",
        official="gohd_core.face.segmentation.official_face_parsing",
        file=ReleasedFile(
            name="79999_iter.pth",
            purpose="face parsing",
            makers="face-parsing.PyTorch, in the copy that GoHD's authors link",
            terms="MIT code; trained on CelebAMask-HQ, which is for non-commercial research",
            drive_id="1XIQEzJvLPDlJQimgz4MrkFOkwc3OA-0s",
            needed=False,
        ),
    ),
    Component(
        name="lip_sync",
        role=None,
        runtime="LipSync",
        module="gohd_core.expression",
        loader="load_lip_sync",
        official="gohd_core.expression.official_lip_sync",
        file=ReleasedFile(
            name="lipsync_expert.pth",
            purpose="lip-sync expert, for training and measuring",
            makers="Wav2Lip",
            terms="research and non-commercial",
            needed=False,
        ),
    ),
)

FACE_MODEL = ReleasedFile(
    name="BFM_model_front.mat",
    purpose="morphable model, for training and the eye motion",
    makers="derived from the Basel Face Model 2009 (University of Basel)",
    terms="academic, non-commercial; obtained on request from its makers",
    needed=False,
)
"""The official weights' morphable model, the user's own file."""

COMPONENTS = {item.name: item for item in _TABLE}
"""Name -> component."""

ROLES = {item.role: item for item in _TABLE if item.role is not None}
"""Role in `pipeline.Models` -> component; only those make a family."""

RELEASED = (*(item.file for item in _TABLE), FACE_MODEL)
"""All released files."""


def component(name: str) -> Component:
    """The component of that name; `BadInput` when there is none."""
    if name not in COMPONENTS:
        raise BadInput(f"There is no component {name!r}; use one of {', '.join(COMPONENTS)}.")
    return COMPONENTS[name]
