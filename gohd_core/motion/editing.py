"""Edits of one track of motion: scale, offset, smooth, retime, loop, ease, freeze. Each returns a new one."""

from __future__ import annotations

from collections.abc import Sequence as Places
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

import torch
from torch import Tensor

from gohd_core.choices import CENTRES, SMOOTHING, TRACKS
from gohd_core.constants import MAX_FPS
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Sequence, smoothing
from gohd_core.motion.curves import nearest_turn, smoothstep
from gohd_core.motion.keyframes import Keyframes

Track = TypeVar("Track", bound=Sequence)

SPEEDS = (0.1, 10.0)
_SPEED_BASE = 10
"""A rate whose tenth and tenfold are both frame rates that a `Sequence` takes."""


def exact_fps(fps: Fraction | int | float) -> Fraction:
    """A frame rate as a fraction; 23.976, 29.97 and 59.94 become 24000/1001 and so on."""
    if not 1 <= fps <= MAX_FPS:
        raise BadInput(f"The frame rate is {fps}; give one from 1 to {MAX_FPS} frames a second.")
    whole = round(float(fps) * 1.001)
    ntsc = Fraction(whole * 1000, 1001)
    if fps != int(fps) and abs(float(ntsc) - float(fps)) < 0.004:
        return ntsc
    return Fraction(fps).limit_denominator(1001)


def scaled(track: Track, factor: float, centre: str | Tensor = "first") -> Track:
    """Moves every value away from (factor > 1) or towards a centre: a frame's, the mean, zero, or [C]."""
    middle = _centre(track, centre)
    return replace(track, values=middle + (track.unwrapped - middle) * factor)


def offset(track: Track, amount: Tensor) -> Track:
    """Adds [C] to every frame."""
    amount = torch.as_tensor(amount, dtype=torch.float32, device="cpu")
    if amount.shape != (track.width,):
        raise BadInput(f"An offset has {track.width} values here; {list(amount.shape)} were given.")
    return replace(track, values=track.values + amount)


def smoothed(track: Track, seconds: float, method: str = "gaussian", starts: Places[int] = ()) -> Track:
    """Takes jitter out of a track; angles are unwrapped first.

    Args:
        seconds: how slow is slow. "gaussian": the standard deviation of the window, no lag.
            "savitzky-golay": the window of a cubic fit, which keeps peaks. "one-euro": the time
            constant at rest of the one-euro filter (Casiez et al. 2012), which follows fast motion
            closely; it runs both ways in time, so that nothing lags.
        starts: frames at which shots begin after a cut: nothing is smoothed across them.
    """
    if method not in SMOOTHING:
        raise BadInput(f"{method!r} is no way to smooth; use one of {', '.join(SMOOTHING)}.")
    if seconds < 0:
        raise BadInput(f"The smoothing is {seconds} s; it can't be negative.")
    if seconds == 0 or len(track) < 2:
        return track
    shots = track.unwrapped.tensor_split(list(starts))
    fps = float(track.fps)
    return replace(track, values=torch.cat([_smooth(shot, seconds, method, fps) for shot in shots]))


def retimed(track: Track, speed: float) -> Track:
    """Plays faster (speed > 1) or slower at the same frame rate; `round(T / speed)` frames."""
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise BadInput(f"The speed is {speed}; give a factor from {SPEEDS[0]} to {SPEEDS[1]}.")
    rate = Fraction(_SPEED_BASE) / Fraction(speed).limit_denominator(10_000)
    played = replace(track, fps=_SPEED_BASE).resampled(rate)
    return replace(played, fps=track.fps)


def looped(track: Track, seconds: float) -> Track:
    """Makes the end meet the beginning: the last `seconds` are blended into the first, and cut off."""
    count = round(seconds * float(track.fps))
    if count <= 0:
        return track
    if 2 * count > len(track):
        raise BadInput(
            f"A loop with {seconds:g} s of blending needs a track of twice that; this one lasts "
            f"{track.duration:g} s."
        )
    values = track.unwrapped
    # The blend must not travel the whole turns that the track may have made in between.
    tail = nearest_turn(values[-count:], track.angles, values[:count])
    share = smoothstep(0, 1, torch.arange(count, dtype=torch.float32, device="cpu") / count)[:, None]
    head = tail * (1 - share) + values[:count] * share
    valid = torch.cat([track.valid[:count] & track.valid[-count:], track.valid[count:-count]])
    return replace(track, values=torch.cat([head, values[count:-count]]), valid=valid)


def eased(track: Track, rest: Tensor, *, begin: float = 0.0, end: float = 0.0) -> Track:
    """Starts from rest [C] and comes back to it, over `begin` and `end` seconds."""
    rest = torch.as_tensor(rest, dtype=torch.float32, device="cpu")
    if begin < 0 or end < 0:
        raise BadInput("The time to ease in or out can't be negative.")
    if begin == end == 0:
        return track
    if begin + end > track.duration + 1e-6:
        raise BadInput(
            f"Easing over {begin:g} s and {end:g} s does not fit into {track.duration:g} s; shorten it."
        )
    time = torch.arange(len(track), dtype=torch.float32, device="cpu") / float(track.fps)
    left = (len(track) - 1 - torch.arange(len(track), dtype=torch.float32, device="cpu")) / float(track.fps)
    weight = torch.ones(len(track), dtype=torch.float32, device="cpu")
    if begin > 0:
        weight = weight * smoothstep(0, 1, time / begin)
    if end > 0:
        weight = weight * smoothstep(0, 1, left / end)
    return blended(_still(track, rest), track, weight)


def frozen(track: Track, start: float, end: float) -> Track:
    """Holds the frame at `start` seconds until `end` seconds; later frames stay."""
    if not 0 <= start <= end:
        raise BadInput(f"A freeze from {start:g} s to {end:g} s makes no sense; give 0 <= start <= end.")
    index = torch.arange(len(track), dtype=torch.long, device="cpu")
    first = min(round(start * float(track.fps)), len(track) - 1)
    last = round(end * float(track.fps))
    index = torch.where((index >= first) & (index < last), first, index)
    return replace(track, values=track.values[index], valid=track.valid[index])


def blended(base: Track, source: Track, weight: float | Tensor) -> Track:
    """base + weight * (source - base), frame by frame; weight is a number or [T]."""
    if len(base) != len(source) or base.space != source.space:
        raise BadInput(
            f"Tracks of {len(base)} frames ({base.space}) and {len(source)} frames ({source.space}) can't "
            "be blended; fit them first."
        )
    share = torch.as_tensor(weight, dtype=torch.float32, device="cpu").reshape(-1, 1)
    difference = nearest_turn(source.values - base.values, base.angles)
    used = (share > 0).expand(len(base), -1)[:, 0]
    return replace(source, values=base.values + share * difference, valid=source.valid | ~used)


def relative(track: Track, own: Tensor) -> Track:
    """The driver's change over its first frame, on top of the portrait's own [C] (Euler angles add)."""
    values = track.unwrapped
    return replace(
        track, values=torch.as_tensor(own, dtype=torch.float32, device="cpu") + values - values[:1]
    )


def gaze_path(degrees: Keyframes, frames: int, *, own: Gaze, relative: bool = False) -> Gaze:
    """Gaze along a curve of (pitch, yaw) in degrees, in the space and at the rate of the portrait's own.

    relative: the angles are added to the portrait's own gaze, one frame; else (0, 0) looks ahead.
    """
    values = torch.deg2rad(degrees.frames(frames, own.fps))
    return Gaze(values + own.values[:1] if relative else values, own.space, own.fps)


@dataclass(frozen=True)
class Edits:
    """Several edits of a motion, applied in the order of the attributes; the defaults change nothing.

    Attributes:
        freeze: (from, to) seconds.
        speed: factor.
        smoothing: seconds; smoothing_method: one of `SMOOTHING`.
        scale: factor around `centre`, one of `CENTRES`.
        head_turn: degrees to nod (down is positive), turn (towards the image's right) and tilt
            (counter-clockwise in the picture).
        gaze_turn: degrees of pitch (up) and yaw (towards the image's left).
        loop: seconds of blending.
        ease: seconds to ease in from the first frame, and out to it.
        parts: what smoothing and scale apply to; the other edits concern time or name their part.
    """

    freeze: tuple[float, float] = (0.0, 0.0)
    speed: float = 1.0
    smoothing: float = 0.0
    smoothing_method: str = "gaussian"
    scale: float = 1.0
    centre: str = "first"
    head_turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gaze_turn: tuple[float, float] = (0.0, 0.0)
    loop: float = 0.0
    ease: tuple[float, float] = (0.0, 0.0)
    parts: tuple[str, ...] = TRACKS


def edited(motion: Motion, edits: Edits) -> Motion:
    """All edits of one `Edits`, each left out where it would change nothing."""
    tracks: dict[str, Any] = {name: getattr(motion, name) for name in TRACKS}
    rest = {name: track.values[0] for name, track in tracks.items()}
    for name, track in tracks.items():
        track = frozen(track, *edits.freeze)
        track = track if edits.speed == 1 else retimed(track, edits.speed)
        if name in edits.parts:
            track = smoothed(track, edits.smoothing, edits.smoothing_method)
            track = track if edits.scale == 1 else scaled(track, edits.scale, edits.centre)
        track = offset(track, _turn(name, edits))
        track = looped(track, edits.loop)
        tracks[name] = eased(track, rest[name], begin=edits.ease[0], end=edits.ease[1])
    return Motion(**tracks)


def _smooth(values: Tensor, seconds: float, method: str, fps: float) -> Tensor:
    if len(values) < 2:
        return values
    if method == "gaussian":
        return smoothing.gaussian(values, seconds * fps)
    if method == "savitzky-golay":
        return smoothing.savitzky_golay(values, seconds * fps)
    return smoothing.one_euro(values, seconds, fps)


def _still(track: Track, values: Tensor) -> Track:
    if values.shape != (track.width,):
        raise BadInput(f"A rest position has {track.width} values here; {list(values.shape)} were given.")
    every = torch.ones_like(track.valid)
    return replace(track, values=values.expand(len(track), -1), valid=every)


def _centre(track: Sequence, centre: str | Tensor) -> Tensor:
    if isinstance(centre, Tensor):
        if centre.shape != (track.width,):
            raise BadInput(f"A centre has {track.width} values here; {list(centre.shape)} were given.")
        return centre.float()
    if centre not in CENTRES:
        raise BadInput(f"{centre!r} is no centre; use one of {', '.join(CENTRES)}.")
    values = track.unwrapped
    return {
        "first": values[0],
        "mean": values.mean(0),
        "zero": torch.zeros(track.width, dtype=torch.float32, device="cpu"),
    }[centre]


def _turn(name: str, edits: Edits) -> Tensor:
    angles = {"pose": (*edits.head_turn, 0.0, 0.0, 0.0), "gaze": edits.gaze_turn}
    return torch.deg2rad(
        torch.tensor(angles.get(name, (0.0,) * Expression.width), dtype=torch.float32, device="cpu")
    )
