"""Sources of weights: released files in the user's folders, and addresses of all others, with their terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gohd_core.checkpoints.detector_files import DETECTOR_FILES
from gohd_core.checkpoints.face_files import FACE_FILES, FOLDER
from gohd_core.components import BUILTIN, COMPONENTS, RELEASED, ROLES
from gohd_core.errors import BadCheckpoint

_DRIVE = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"


def find_released(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Official files, or conversions of them, found in the given folders, by released name."""
    found: dict[str, Path] = {}
    for item in RELEASED:
        candidates = (item.name, Path(item.name).with_suffix(".safetensors").name)
        for path in (folder / name for folder in folders for name in candidates):
            if path.is_file():
                found.setdefault(item.name, path)
    return found


def family_paths(family: str | Path, roles: Iterable[str] = tuple(ROLES)) -> dict[str, str | Path]:
    """Source of each role's weights: "builtin", or the released files in a folder.

    A file that nothing needs may be missing. Raises `BadCheckpoint` with the names of others.
    """
    if str(family) == BUILTIN:
        return dict.fromkeys(roles, BUILTIN)
    found = find_released((Path(family),))
    files = {role: ROLES[role].file for role in roles}
    missing = [file.name for file in files.values() if file.needed and file.name not in found]
    if missing:
        raise BadCheckpoint(f"{family} lacks {', '.join(missing)}; `gohd doctor` says where each can be had.")
    return {role: found[file.name] for role, file in files.items() if file.name in found}


@dataclass(frozen=True)
class DownloadSource:
    """One file that `gohd download` fetches.

    Attributes:
        name: as its makers released it, and as GoHD looks for it.
        purpose: what it does here.
        url: where its makers put it.
        makers: who made it.
        terms: its licence, as far as known; not legal advice.
        digest: beginning of its SHA-256 in hexadecimal where its makers state one, else None.
        component: what it must hold to be taken (`components.COMPONENTS`), or None.
        needed: whether audio-driven animation with the official weights needs it.
        folder: of the models folder, where it belongs.
        mirrors: other addresses of the same bytes, tried in this order.
        free: its licence is an open one, which asks for no consent.
    """

    name: str
    purpose: str
    url: str
    makers: str
    terms: str
    digest: str | None = None
    component: str | None = None
    needed: bool = False
    folder: str = ""
    mirrors: tuple[str, ...] = ()
    free: bool = False


_DETECTOR = (
    "face-alignment (github.com/1adrianb/face-alignment)",
    "BSD-3-Clause code; trained on WIDER FACE and 300W-LP, which are for research",
)

FACES = tuple(
    DownloadSource(
        name=item.name,
        purpose=item.purpose,
        url=item.addresses[0],
        makers="Google, MediaPipe (github.com/google-ai-edge/mediapipe)",
        terms="Apache-2.0",
        digest=item.digest,
        folder=FOLDER,
        mirrors=item.addresses[1:],
        free=True,
    )
    for item in FACE_FILES
)
"""Files that `gohd download faces` fetches."""

SOURCES = (
    *(
        DownloadSource(
            name=item.file.name,
            purpose=item.file.purpose,
            url=_DRIVE.format(item.file.drive_id),
            makers=item.file.makers,
            terms=item.file.terms,
            component=item.name,
            needed=item.file.needed,
        )
        for item in COMPONENTS.values()
        if item.file.drive_id is not None
    ),
    *(
        DownloadSource(item.name, item.purpose, item.url, *_DETECTOR, digest=item.digest)
        for item in DETECTOR_FILES
    ),
    *FACES,
)
"""Every file that `gohd download` may fetch."""
