"""What commands that make videos share: full frame or crop, marks, and content credentials."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gohd_core.errors import BadInput

if TYPE_CHECKING:
    from torch import Tensor


def add_finishing_options(parser: argparse.ArgumentParser) -> None:
    """What becomes of the drawn frames."""
    group = parser.add_argument_group("finishing")
    group.add_argument(
        "--full-frame", action="store_true", help="paste the face back into the portrait's whole picture"
    )
    group.add_argument(
        "--no-invisible-mark",
        action="store_true",
        help="leave out the invisible mark that says that the video is generated (`gohd watermark read`)",
    )
    group.add_argument("--visible-mark", default="", metavar="TEXT", help="text in a corner of every frame")
    group.add_argument("--certificate", type=Path, help="PEM chain to sign content credentials (C2PA) with")
    group.add_argument("--private-key", type=Path, help="PEM key of that certificate (ES256)")


def check_finishing(arguments: argparse.Namespace) -> None:
    """Says before anything is drawn what would go wrong at the end."""
    if (arguments.certificate is None) != (arguments.private_key is None):
        raise BadInput("Content credentials need both --certificate and --private-key.")
    if arguments.certificate is not None:
        from gohd_core.render.credentials import c2pa_library

        c2pa_library()
        for path in (arguments.certificate, arguments.private_key):
            if not path.is_file():
                raise BadInput(f"There is no file at {path}; check the path.")


def finished(frames: Iterable[Tensor], portrait: Any, arguments: argparse.Namespace) -> Iterator[Tensor]:
    """Frames pasted back and marked, as a stream."""
    from gohd_core.render import Mark, marked, paste_back

    pasted = arguments.full_frame and not getattr(arguments, "into_video", False)
    whole = paste_back(frames, portrait) if pasted else frames
    return marked(whole, Mark(not arguments.no_invisible_mark, arguments.visible_mark))


def signed(video: Path, arguments: argparse.Namespace) -> None:
    """Content credentials into a written video, where a certificate was given."""
    if arguments.certificate is not None:
        from gohd_core.render.credentials import sign_video

        sign_video(video, arguments.certificate, arguments.private_key)
