"""Where weights of others may be downloaded from, on whose terms: the whole list, there is no other."""

from __future__ import annotations

from dataclasses import dataclass

from gohd_core.checkpoints.detector_files import DETECTOR_FILES
from gohd_core.checkpoints.released import RELEASED

_DRIVE = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"


@dataclass(frozen=True)
class DownloadSource:
    """One file that `gohd download` fetches.

    Attributes:
        name: as its makers released it, and as GoHD looks for it.
        purpose: what it does here.
        url: where its makers put it.
        makers: who made it.
        terms: what is known of its licence; not legal advice.
        digest: beginning of its SHA-256 in hexadecimal where its makers state one, else None.
        component: what it must hold to be taken (`checkpoints.registry.NAMES`), or None.
        needed: whether audio-driven animation with the official weights needs it.
    """

    name: str
    purpose: str
    url: str
    makers: str
    terms: str
    digest: str | None = None
    component: str | None = None
    needed: bool = False


_GOHD = (
    "the authors of GoHD (github.com/Jia1018/GoHD)",
    "as stated by their authors; trained on VoxCeleb and HDTF, which are for research",
)
_ABOUT = {
    "FaceAnimator_GoHD.pt": (*_GOHD, "animator"),
    "audio2pose.pt": (*_GOHD, "pose_diffusion"),
    "audio2gaze.pt": (*_GOHD, "gaze_diffusion"),
    "audio2exp.pth": (*_GOHD, "expression"),
    "epoch_20.pth": (
        "Deep3DFaceRecon_pytorch, in the copy that GoHD's authors link",
        "MIT code; the weights build on the Basel Face Model, which is for research",
        "extractor",
    ),
    "L2CSNet_gaze360.pkl": (
        "L2CS-Net, in the copy that GoHD's authors link",
        "MIT code; trained on Gaze360, which is for research",
        "gaze_estimator",
    ),
    "79999_iter.pth": (
        "face-parsing.PyTorch, in the copy that GoHD's authors link",
        "MIT code; trained on CelebAMask-HQ, which is for non-commercial research",
        "face_parsing",
    ),
}
_DETECTOR = (
    "face-alignment (github.com/1adrianb/face-alignment)",
    "BSD-3-Clause code; trained on WIDER FACE and 300W-LP, which are for research",
)

SOURCES = (
    *(
        DownloadSource(
            name=item.name,
            purpose=item.purpose,
            url=_DRIVE.format(item.drive_id),
            makers=_ABOUT[item.name][0],
            terms=_ABOUT[item.name][1],
            component=_ABOUT[item.name][2],
            needed=item.needed,
        )
        for item in RELEASED
        if item.drive_id is not None
    ),
    *(
        DownloadSource(item.name, item.purpose, item.url, *_DETECTOR, digest=item.digest)
        for item in DETECTOR_FILES
    ),
)
