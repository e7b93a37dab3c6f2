"""Conversions between ComfyUI's values and GoHD's: sound, masks, the morphable model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gohd_core.constants import BFM09
from gohd_core.errors import BadInput

from . import weight_files


def entry(value: Any, key: str) -> Any:
    """A value's entry under a key; None without it. Core's and other packs' mappings need be no dict."""
    try:
        return value[key]
    except (KeyError, IndexError, TypeError):
        return None


def waveform(audio: Any) -> tuple[Tensor, int]:
    """Core's AUDIO as [C, N] and samples a second; `BadInput` when there is none, or several."""
    sound, rate = entry(audio, "waveform"), entry(audio, "sample_rate")
    if sound is None or rate is None:
        raise BadInput("There is no sound on the audio input; connect Load Audio or a video's sound.")
    if sound.ndim != 3 or len(sound) != 1:
        raise BadInput(f"The sound has shape {list(sound.shape)}; give one clip, [1, channels, samples].")
    if 0 in sound.shape:
        raise BadInput("The sound on the audio input is empty; connect one that lasts at least 40 ms.")
    one = sound[0]
    return one if isinstance(one, Tensor) else torch.from_numpy(one), int(rate)


def as_audio(sound: tuple[Any, int] | None) -> dict[str, Any] | None:
    """Sound (waveform [C,N], samples a second) as core's AUDIO; None without any."""
    if sound is None:
        return None
    waves = torch.as_tensor(sound[0], dtype=torch.float32, device="cpu")
    return {"waveform": waves[None], "sample_rate": sound[1]}


def check_single(image: Tensor) -> None:
    """`BadInput` for an image batch of several pictures."""
    if len(image) != 1:
        raise BadInput(f"{len(image)} pictures came in and one can talk; pick it with Get Image from Batch.")


def cut(sound: Tensor, rate: int, start: float, duration: float) -> Tensor:
    """A stretch of sound [C, N] in seconds; a duration of 0 goes to the end."""
    first = round(start * rate)
    last = first + round(duration * rate) if duration > 0 else sound.shape[1]
    if first >= sound.shape[1]:
        raise BadInput(f"The sound ends at {sound.shape[1] / rate:.2f} s, before the start at {start:g} s.")
    return sound[:, first:last]


def painted(mask: Tensor | None) -> Tensor | None:
    """The mask, or None where nothing is painted: Load Image gives an empty one of 64 x 64 without alpha."""
    return None if mask is None or not bool((mask > 0).any()) else mask


def mask_box(mask: Tensor | None, image: Tensor, index: int) -> tuple[int, int, int, int] | None:
    """Bounds (left, top, right, bottom) of a mask's painted part; None for no mask or an empty one."""
    return mask_bounds(mask, image.shape[1], image.shape[2], index)


def mask_bounds(
    mask: Tensor | None, height: int, width: int, index: int = 0
) -> tuple[int, int, int, int] | None:
    """`mask_box` for a picture of a given size."""
    mask = painted(mask)
    if mask is None:
        return None
    masks = mask if mask.ndim == 3 else mask[None]
    if masks.shape[1:] != (height, width):
        raise BadInput(
            f"The mask is {masks.shape[2]} x {masks.shape[1]} and the picture {width} x {height}; paint it "
            "on this picture."
        )
    rows, columns = torch.nonzero(masks[min(index, len(masks) - 1)] > 0, as_tuple=True)
    if not len(rows):
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def face_model_for(model: Any, portrait: Any) -> Any:
    """The morphable model that two-stage expression weights of the Basel space need, else None."""
    if portrait.motion.space != BFM09 or model.space != BFM09 or not model.config.generates_eye_motion:
        return None
    return weight_files.morphable_model(BFM09)


def part(source: Any, name: str) -> Any:
    """One part ("pose", "expression", "gaze") of a motion, or the part itself; None stays None."""
    from gohd_core.motion import Motion

    return getattr(source, name) if isinstance(source, Motion) else source
