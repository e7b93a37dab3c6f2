"""How often the invisible mark is found, how often it is found where there is none, and how faint it is.

    python benchmarks/watermark.py [--folder PICTURES_AND_VIDEOS] [--libraries]

Clips pan over the shipped portraits, and over what lies in the folder; each is encoded at CRF 23, then
resized to 720 rows and encoded at CRF 23 once more. --libraries does the same with invisible-watermark
(pip install invisible-watermark), for comparison.
"""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

from gohd_core.render.watermark import THRESHOLD, marked, read_frames

ROOT = Path(__file__).resolve().parents[1]
FRAMES = 8
SIZES = ((256, 256), (1280, 720))


def encoded(frames: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """Frames [T, H, W, 3] after H.264 at CRF 23, resized before where a size is given."""
    file, (height, width) = io.BytesIO(), frames.shape[1:3]
    width, height = size or (width, height)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "23"}
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture = picture.reformat(width=width, height=height, format="yuv420p", interpolation="BICUBIC")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def pictures(folder: Path | None) -> Iterator[Image.Image]:
    paths = sorted((ROOT / "assets" / "portraits").glob("*.jpg"))
    if folder is not None:
        paths += sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            yield Image.open(path).convert("RGB")
        elif path.suffix.lower() in (".mp4", ".mov", ".mkv", ".webm"):
            with av.open(str(path)) as container:
                for number, frame in enumerate(container.decode(video=0)):
                    if number % 50 == 0:
                        yield frame.to_image()


def clip(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    whole = np.asarray(picture.resize((width + FRAMES, height + FRAMES), Image.Resampling.BICUBIC))
    return np.stack([whole[k : k + height, k // 2 : k // 2 + width] for k in range(FRAMES)])


def resized(size: tuple[int, int]) -> tuple[int, int]:
    return round(size[0] * 720 / size[1] / 2) * 2, 720


def libraries(frames: np.ndarray, size: tuple[int, int]) -> None:
    from imwatermark import WatermarkDecoder, WatermarkEncoder

    payload = b"GoHD"
    wanted = np.unpackbits(np.frombuffer(payload, np.uint8))
    for method in ("dwtDct", "dwtDctSvd"):
        encoder, decoder = WatermarkEncoder(), WatermarkDecoder("bytes", len(wanted))
        encoder.set_watermark("bytes", payload)
        made = np.stack([encoder.encode(frame[..., ::-1].copy(), method)[..., ::-1] for frame in frames])
        stages = {"plain": made, "CRF 23": encoded(made), "720p": encoded(encoded(made), resized(size))}
        right = []
        for stage, found in stages.items():
            bits = [
                np.unpackbits(np.frombuffer(decoder.decode(f[..., ::-1], method), np.uint8)) for f in found
            ]
            right.append(f"{stage} {100 * np.mean([(b == wanted).mean() for b in bits]):.0f} %")
        print(f"{method} at {size[0]}x{size[1]}: bits right (50 % is chance): {', '.join(right)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--libraries", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for size in SIZES:
        scores: dict[str, list[float]] = {name: [] for name in ("plain", "CRF 23", "720p", "unmarked")}
        faintness, keys = [], []
        for number, picture in enumerate(pictures(given.folder)):
            frames = clip(picture, size)
            if given.libraries and number == 0:
                libraries(frames, size)
            floats = torch.from_numpy(frames).permute(0, 3, 1, 2) / 127.5 - 1
            made = ((next(marked([floats])) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
            faintness.append(10 * math.log10(255**2 / np.square(made.astype(float) - frames).mean()))
            once = encoded(made)
            unmarked = encoded(frames)
            scores["plain"].append(read_frames(made).score)
            scores["CRF 23"].append(read_frames(once).score)
            scores["720p"].append(read_frames(encoded(once, resized(size))).score)
            scores["unmarked"].append(read_frames(unmarked).score)
            keys += [read_frames(unmarked, f"key {k}").score for k in range(25)]
        print(f"{size[0]}x{size[1]}, {len(faintness)} clips: PSNR {np.mean(faintness):.1f} dB")
        for name, found in scores.items():
            share = np.mean(np.array(found) >= THRESHOLD)
            print(
                f"  {name:9} found {100 * share:5.1f} %, score {min(found):.1f} to {max(found):.1f}, "
                f"median {np.median(found):.1f}"
            )
        alarms = sum(key >= THRESHOLD for key in keys)
        print(
            f"  {len(keys)} more readings of unmarked clips with other keys: {alarms} found, highest "
            f"{max(keys):.1f}, deviation {np.std(keys):.2f}"
        )


if __name__ == "__main__":
    main()
