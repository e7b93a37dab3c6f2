"""The official files by name: what each is for, where its authors put it, and whether it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Released:
    """One file that the authors, or those they build on, have released.

    Attributes:
        name: as released; GoHD looks for it under this name.
        purpose: what it does here.
        drive_id: its id on Google Drive, as the authors' own download script lists it.
        needed: whether audio-driven animation with the official weights needs it.
    """

    name: str
    purpose: str
    drive_id: str | None
    needed: bool

    @property
    def url(self) -> str | None:
        """Where a browser finds it."""
        return f"https://drive.google.com/file/d/{self.drive_id}/view" if self.drive_id else None


RELEASED = (
    Released("FaceAnimator_GoHD.pt", "face animator", "17eMdl3zTgYhg7JlYCaRgJKVmp3TOAZQ9", True),
    Released("audio2pose.pt", "head-pose diffusion", "1QVamgnISBRjFdJfUZVeq1hnzK45eLGak", True),
    Released("audio2gaze.pt", "gaze diffusion", "1P7QZepvq3s9PKM6LLVYVauXyTrZFunzL", False),
    Released("audio2exp.pth", "expression predictor, stage 1", "1kp27iFDpabZiWCIJVxOyc6Xf-vjGY4ub", True),
    Released("epoch_20.pth", "coefficient extractor", "1DFASeWXn1IwgsI4CNzALtDNdfAWeuE9m", True),
    Released("L2CSNet_gaze360.pkl", "gaze estimator", "16CkA_WBleBmXIp3hQOJSgYBkaJ9SYF1E", True),
    Released("79999_iter.pth", "face parsing", "1XIQEzJvLPDlJQimgz4MrkFOkwc3OA-0s", False),
    Released("lipsync_expert.pth", "lip-sync expert, for training and measuring", None, False),
    Released("BFM_model_front.mat", "morphable model, for training and the eye motion", None, False),
)


def find_released(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Official files, or conversions of them, that lie in the given folders, by released name."""
    found: dict[str, Path] = {}
    for item in RELEASED:
        candidates = (item.name, Path(item.name).with_suffix(".safetensors").name)
        for path in (folder / name for folder in folders for name in candidates):
            if path.is_file():
                found.setdefault(item.name, path)
    return found
