"""Run by ComfyUI-Manager and comfy-cli after installing: fetches the networks that read faces.

They are Google's (MediaPipe, Apache-2.0) and no part of this repository. The standard library alone is used,
and an installation never fails for them: whatever happens is one sentence.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def models_folder() -> Path:
    """ComfyUI's models/gohd where this lies in its custom_nodes, else the checkout's own."""
    host = ROOT.parents[1]
    return (host if (host / "folder_paths.py").is_file() else ROOT) / "models" / "gohd"


def main() -> None:
    """Fetches what is not there yet."""
    sys.path.insert(0, str(ROOT))
    from gohd_core.checkpoints.download import download
    from gohd_core.checkpoints.face_files import find_face_files
    from gohd_core.checkpoints.sources import FACES
    from gohd_core.errors import GohdError

    folder = models_folder()
    try:
        there = find_face_files((folder,))
        for item in FACES:
            if item.name not in there:
                download(item, folder / item.folder, pause=0.5)
    except (GohdError, OSError) as error:
        print(f"GoHD: {error} Until then only drawn portraits talk; later, run: gohd download faces")
    else:
        print(f"GoHD: the networks that read faces are in {folder}.")


if __name__ == "__main__":
    main()
