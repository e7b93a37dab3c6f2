"""Runs every workflow in a running ComfyUI and makes its thumbnail of what it saved: workflows/NAME.jpg.

    python scripts/make_workflow_pictures.py --server http://127.0.0.1:8188 [NAME ...]

Needs an environment with the video extra (`scripts/demo.py` makes one). A workflow whose weights are not part
of the pack is left out unless it is named; the thumbnails of those show their graphs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = ROOT / "workflows"
sys.path.insert(0, str(WORKFLOWS / "api"))

from client import fetch, queue, results, wait  # noqa: E402

APART = ("official_weights", "upscale_model_before_paste_back")
"""Workflows that need files which are not part of the pack."""
WIDTH, MOMENTS = 400, (0.15, 0.4, 0.65, 0.9)
"""Pixels of a thumbnail, and the parts of a video that it shows; cards of the template browser are square."""
MOST_BYTES = 60_000
PICTURES = (".png", ".jpg", ".webp")


def main() -> None:
    """Makes the thumbnails of all workflows, or of those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="workflows; all when none is named")
    parser.add_argument("--server", default="http://127.0.0.1:8188", help="address of ComfyUI")
    given = parser.parse_args()
    for path in sorted((WORKFLOWS / "api").glob("*.json")):
        if path.stem in given.names or (not given.names and path.stem not in APART):
            rows = run(given.server, path)
            if rows:
                save(sheet(rows), WORKFLOWS / f"{path.stem}.jpg")
                print(path.stem, "is drawn", flush=True)


def run(server: str, path: Path) -> list[list[Image.Image]]:
    """Results that a workflow saves, as rows of pictures."""
    history = wait(server, queue(server, json.loads(path.read_text(encoding="utf-8"))))
    if history["status"]["status_str"] != "success":
        raise SystemExit(f"{path.stem} failed: {history['status']['messages'][-1]}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for result in results(history):
            file = fetch(server, result, Path(folder))
            if file.suffix == ".mp4":
                rows += frames(file)
            elif file.suffix in PICTURES:
                rows += halves(Image.open(file).convert("RGB"))
    return rows if sheet(rows).height < 1.5 * WIDTH else four(rows)


def frames(path: Path) -> list[list[Image.Image]]:
    """Four moments of a video in rows of two; of a wide one, as many beneath one another as make a square."""
    import av

    with av.open(str(path)) as container:
        made = [frame.to_image() for frame in container.decode(video=0)]
    chosen = [made[round(share * (len(made) - 1))] for share in MOMENTS]
    across = round(made[0].width / made[0].height)
    return [chosen[:2], chosen[2:]] if across < 2 else [[picture] for picture in chosen[1 : 1 + across]]


def halves(picture: Image.Image) -> list[list[Image.Image]]:
    """A picture as a row; a strip of many as two."""
    width, height = picture.size
    if width < 4 * height:
        return [[picture]]
    return [[picture.crop((left, 0, left + width // 2, height))] for left in (0, width // 2)]


def four(rows: list[list[Image.Image]]) -> list[list[Image.Image]]:
    """Four pictures of many rows, in rows of two."""
    pictures = [picture for row in rows for picture in row]
    chosen = [pictures[round(k * (len(pictures) - 1) / 3)] for k in range(4)]
    return [chosen[:2], chosen[2:]]


def sheet(rows: list[list[Image.Image]], width: int = WIDTH) -> Image.Image:
    """Rows of pictures beneath one another, each as wide as the sheet."""
    lines = []
    for row in rows:
        height = round(width / sum(picture.width / picture.height for picture in row))
        line = Image.new("RGB", (width, height))
        left = 0
        for number, picture in enumerate(row, 1):
            right = width if number == len(row) else left + round(height * picture.width / picture.height)
            line.paste(picture.resize((right - left, height), Image.Resampling.LANCZOS), (left, 0))
            left = right
        lines.append(line)
    made = Image.new("RGB", (width, sum(line.height for line in lines)))
    top = 0
    for line in lines:
        made.paste(line, (0, top))
        top += line.height
    return made


def save(picture: Image.Image, path: Path) -> None:
    """A JPEG of at most `MOST_BYTES`."""
    for quality in range(88, 30, -6):
        picture.save(path, quality=quality, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{path.name} does not get smaller than {path.stat().st_size} bytes.")


if __name__ == "__main__":
    main()
