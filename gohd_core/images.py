"""Takes images in the forms that people have them and makes plain RGB of them, or says why not."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from gohd_core.errors import BadInput

logger = logging.getLogger(__name__)

CHANNELS = (1, 3, 4)
_WHITES = (255, 65_535)
_TRANSPOSITIONS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""Transposition that turns a picture upright, by its EXIF orientation."""
_PNG = b"\x89PNG\r\n\x1a\n"
OVERSHOOT = 0.1
"""Float images may leave 0..1 by this much, as sharp resizing makes them do; they are clipped."""

Image = np.ndarray
"""One picture, uint8 [H, W, 3], RGB."""


def rgb_images(images: Any, what: str = "image") -> list[Image]:
    """One or several images as a list of uint8 RGB arrays [H, W, 3].

    Args:
        images: an array or tensor [H, W], [H, W, C], [B, H, W, C] or [B, C, H, W] / [C, H, W] with
            1, 3 or 4 channels, uint8, or floating point in 0..1; a PIL image; or a list of those,
            which may differ in size. Channels-last wins where both readings are possible. Grey is
            repeated; alpha is blended over mid grey, so that no hidden colour shows.
        what: how an error names the input.
    Raises: `BadInput` with one sentence.
    """
    if isinstance(images, Sequence) and not isinstance(images, str | bytes):
        if not images:
            raise BadInput(f"There is no {what} in the list; give at least one.")
        return [rgb for image in images for rgb in rgb_images(image, what)]
    array = to_array(images, what)
    batch = array[None] if array.ndim == 3 else array
    return [_to_uint8(_flatten_alpha(image)) for image in batch]


def to_array(image: Any, what: str = "image") -> np.ndarray:
    """An image or batch as a channels-last array [H, W, C] or [B, H, W, C], checked, type kept."""
    array = _plain(image, what)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim not in (3, 4):
        raise BadInput(
            f"The {what} has {array.ndim} dimensions, shape {tuple(array.shape)}; give [H, W], "
            "[H, W, C] or [B, H, W, C]."
        )
    if array.shape[-1] not in CHANNELS and array.shape[-3] in CHANNELS:
        array = np.moveaxis(array, -3, -1)
    if array.shape[-1] not in CHANNELS:
        raise BadInput(
            f"The {what} has shape {tuple(array.shape)}; its last dimension must be 1, 3 or 4 channels."
        )
    if array.size == 0:
        raise BadInput(f"The {what} is empty (shape {tuple(array.shape)}); give one with pixels.")
    return _check_values(array, what)


def _plain(image: Any, what: str) -> np.ndarray:
    if isinstance(image, Tensor):
        image = image.detach().cpu()
        return (image.float() if image.dtype == torch.bfloat16 else image).numpy()
    if hasattr(image, "getbands"):
        return _of_pil(image, what)
    if isinstance(image, np.ndarray):
        return image
    raise BadInput(f"The {what} is a {type(image).__name__}; give an array, a tensor or a PIL image.")


def _of_pil(picture: Any, what: str) -> np.ndarray:
    """A PIL image as uint8 with 1, 3 or 4 channels, or, of a mode with more than 8 bits, as floats in 0..1.

    Pillow's own conversion of those clips values above 255.
    """
    mode = picture.mode
    if mode in ("L", "RGB", "RGBA"):
        return np.asarray(picture)
    if mode[0] not in "IF":
        return np.asarray(picture.convert("RGBA"))
    levels = np.asarray(picture, np.float64)
    if not np.isfinite(levels).all() or levels.min() < 0:
        raise BadInput(f"The {what} holds NaN, infinite or negative values; save it with 8 or 16 bits.")
    highest = float(levels.max())
    if mode == "F" and highest <= 1 + OVERSHOOT:
        return levels.clip(0, 1).astype(np.float32)
    white = next((white for white in _WHITES if highest <= white), None)
    if white is None:
        raise BadInput(f"The {what} has levels up to {highest:g}; save it with 8 or 16 bits.")
    return (levels / (_WHITES[1] if mode.startswith("I;16") else white)).astype(np.float32)


def read_picture(path: str | Path) -> Any:
    """A picture file as a PIL image, turned upright as its camera said.

    Texts and colour profiles in a PNG are no reason not to read it, however long: ComfyUI writes whole
    workflows there. Raises: `BadInput` with one sentence.
    """
    from PIL import Image as Pictures

    path = Path(path)
    try:
        try:
            picture = Pictures.open(path)
            if picture.format == "TIFF":
                picture.close()
                return _upright_tiff(path.read_bytes())
            return _upright(picture)
        except ValueError:
            content = path.read_bytes()
            if not content.startswith(_PNG):
                raise
            return _upright(Pictures.open(io.BytesIO(_without_texts(content))))
    except Exception as error:  # Decoders raise what they like on damaged files.
        reason = str(error) or type(error).__name__
        raise BadInput(f"{path} can't be read as a picture ({reason}); save it as PNG or JPEG.") from error


def _upright(picture: Any) -> Any:
    from PIL import ImageOps

    with picture:
        picture.load()
        try:
            return ImageOps.exif_transpose(picture).copy()
        except Exception:  # Pillow raises many kinds on damaged EXIF data.
            logger.warning(
                "The EXIF data of %s are damaged; it is taken as it lies.", picture.filename or "a picture"
            )
            return picture.copy()


def _upright_tiff(content: bytes) -> Any:
    """A TIFF's picture, rotated here: Pillow shears uncompressed ones that it rotates by their tag."""
    from PIL import Image as Pictures

    orientation, content = _without_orientation(content)
    picture = _upright(Pictures.open(io.BytesIO(content)))
    if orientation == 1:
        return picture
    return picture.transpose(Pictures.Transpose[_TRANSPOSITIONS[orientation]])


def _without_orientation(tiff: bytes) -> tuple[int, bytes]:
    """The orientation (tag 274) of a TIFF's first picture, and the file without it (TIFF 6.0, section 2)."""
    order = "little" if tiff[:2] == b"II" else "big"
    start = int.from_bytes(tiff[4:8], order)
    for place in range(start + 2, start + 2 + 12 * int.from_bytes(tiff[start : start + 2], order), 12):
        if tiff[2:4] != b"+\0"[:: 1 if order == "little" else -1] and place + 12 <= len(tiff):
            orientation = int.from_bytes(tiff[place + 8 : place + 10], order)
            if int.from_bytes(tiff[place : place + 2], order) == 274 and orientation in _TRANSPOSITIONS:
                return orientation, tiff[: place + 8] + (1).to_bytes(2, order) + tiff[place + 10 :]
    return 1, tiff


def _without_texts(png: bytes) -> bytes:
    """A PNG without its texts and colour profile (PNG specification, 5.3: chunks)."""
    kept, place = [_PNG], len(_PNG)
    while place + 12 <= len(png):
        stop = place + 12 + int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] not in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            kept.append(png[place:stop])
        place = stop
    return b"".join(kept)


def _check_values(array: np.ndarray, what: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise BadInput(f"The {what} holds {array.dtype} values; give uint8, or floats in 0..1.")
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise BadInput(f"The {what} holds NaN or infinite values; replace them first.")
    if low < -OVERSHOOT or high > 1 + OVERSHOOT:
        raise BadInput(
            f"The {what} holds floats from {low:.3g} to {high:.3g}; scale them to 0..1, or give uint8."
        )
    return array


def _flatten_alpha(image: np.ndarray) -> np.ndarray:
    if image.shape[-1] == 1:
        return np.repeat(image, 3, axis=-1)
    if image.shape[-1] == 3:
        return image
    colour, alpha = _to_float(image[..., :3]), _to_float(image[..., 3:])
    return colour * alpha + 0.5 * (1 - alpha)


def _to_float(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return image.astype(np.float32) / 255
    return np.clip(image.astype(np.float32), 0, 1)


def _to_uint8(image: np.ndarray) -> Image:
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    return np.rint(np.clip(image.astype(np.float32), 0, 1) * 255).astype(np.uint8)


def single_image(image: Any, index: int | None = None, what: str = "image") -> np.ndarray:
    """One image as RGB [H, W, 3]: uint8 stays uint8, floats become float32 in 0..1.

    index: which one of a batch; None wants a single one.
    """
    array = to_array(image, what)
    batch = array[None] if array.ndim == 3 else array
    if index is None and len(batch) != 1:
        raise BadInput(f"One {what} is wanted and {len(batch)} were given; choose one by its index.")
    if not -len(batch) <= (index or 0) < len(batch):
        raise BadInput(f"There is no {what} number {index} among {len(batch)}.")
    rgb = _flatten_alpha(batch[index or 0])
    return np.ascontiguousarray(rgb if rgb.dtype == np.uint8 else _to_float(rgb))


def to_tensor(images: Sequence[Image], device: torch.device, dtype: torch.dtype) -> Tensor:
    """uint8 images of one size [H, W, 3] -> [B, 3, H, W] in 0..1."""
    stacked = torch.from_numpy(np.stack(images)).to(device)
    return (rearrange(stacked, "b h w c -> b c h w").to(torch.float32) / 255).to(dtype)


def check_landmarks(landmarks: Any, n_images: int, n_points: int) -> np.ndarray:
    """Landmarks of several images as float64 [n_images, n_points, 2]; `BadInput` otherwise."""
    if isinstance(landmarks, Tensor):
        landmarks = landmarks.detach().cpu()
    try:
        points = np.asarray(landmarks, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The landmarks are not an array of numbers ({error}).") from error
    points = points[None] if points.ndim == 2 else points
    if points.shape != (n_images, n_points, 2):
        raise BadInput(
            f"The landmarks have shape {points.shape}; {(n_images, n_points, 2)} is wanted: x and y "
            "in pixels of each image."
        )
    if not np.isfinite(points).all():
        raise BadInput("The landmarks hold NaN or infinite values; leave out frames without a face.")
    return points
