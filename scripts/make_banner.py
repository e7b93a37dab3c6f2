"""Makes the registry page's icon and banner of the sample portraits: docs/images/icon.png and banner.jpg."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
ICON_SIZE, ICON_PORTRAIT = 256, 14
BANNER_SIZE = (1260, 540)
"""21 to 9, as the registry wants it."""
BANNER_PORTRAITS = (3, 9, 5, 14, 12, 8, 13)
GROUND, INK, SOUND = "#1b2027", "#f2efe9", "#58a6c9"


def main() -> None:
    """Writes both pictures."""
    icon().save(IMAGES / "icon.png", optimize=True)
    banner().save(IMAGES / "banner.jpg", quality=85, optimize=True)


def icon() -> Image.Image:
    """A portrait with a voice beneath, on a rounded ground."""
    made = portrait(ICON_PORTRAIT, ICON_SIZE)
    draw = ImageDraw.Draw(made)
    edge, height = 24, 44
    draw.rectangle((0, ICON_SIZE - height, ICON_SIZE, ICON_SIZE), fill=GROUND)
    bars(draw, (edge, ICON_SIZE - height + 6, ICON_SIZE - edge, ICON_SIZE - 6), 21)
    made = made.convert("P", palette=Image.Palette.ADAPTIVE, colors=192).convert("RGB")
    made.putalpha(rounded(ICON_SIZE, 40))
    return made


def banner() -> Image.Image:
    """Portraits in a row, the voice that moves them, and the name."""
    width = BANNER_SIZE[0]
    made = Image.new("RGB", BANNER_SIZE, GROUND)
    draw = ImageDraw.Draw(made)
    gap, count = 14, len(BANNER_PORTRAITS)
    size = (width - gap * (count + 1)) // count
    left = (width - count * size - (count - 1) * gap) // 2
    for k, number in enumerate(BANNER_PORTRAITS):
        made.paste(portrait(number, size), (left + k * (size + gap), 230), rounded(size, 18))
    bars(draw, (left, 424, width - left, 516), 150)
    draw.text((width / 2, 88), "ComfyUI-GoHD", INK, font=ImageFont.load_default(84), anchor="mm")
    line = "Any portrait talks: head pose, expression and gaze from a sound"
    draw.text((width / 2, 170), line, SOUND, font=ImageFont.load_default(34), anchor="mm")
    return made


def portrait(number: int, size: int) -> Image.Image:
    """One of the sample portraits, square."""
    with Image.open(ROOT / "assets" / "portraits" / f"{number:02d}.jpg") as picture:
        return picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def rounded(size: int, radius: int) -> Image.Image:
    """A mask with round corners, smooth at the edge."""
    mask = Image.new("L", (4 * size, 4 * size))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * size - 1, 4 * size - 1), 4 * radius, fill=255)
    return mask.resize((size, size), Image.Resampling.LANCZOS)


def bars(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], count: int) -> None:
    """The loudness of the sample greeting as upright bars in a box (left, top, right, bottom)."""
    sound, _ = soundfile.read(ROOT / "assets" / "speech" / "hello.flac")
    loud = np.array([np.sqrt((part**2).mean()) for part in np.array_split(sound, count)])
    left, top, right, bottom = box
    step, middle = (right - left) / count, (top + bottom) / 2
    for k, share in enumerate(0.08 + 0.92 * loud / loud.max()):
        half = share * (bottom - top) / 2
        draw.rectangle((left + k * step, middle - half, left + (k + 0.6) * step, middle + half), fill=SOUND)


if __name__ == "__main__":
    main()
