"""A portrait driven by motion: each part from a video, from sound, from the portrait itself, or set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from gohd_core.choices import DRIVEN_PARTS, TRACKS
from gohd_core.errors import BadInput
from gohd_core.face.geometry.morphable import MorphableModel
from gohd_core.face.portrait import Portrait
from gohd_core.motion import Gaze, Motion, Pose
from gohd_core.motion.mixing import MixSettings, mix_motion

OWN = "own"
FREE_WAY, LARGEST_WAY = 0.3, 0.6
"""Distance from its own place up to which a portrait's head goes as far as the driver's, and its largest, in
model units (a head is two wide): beyond, a picture shows a head that is cut off."""
FREE_DEPTH, LARGEST_DEPTH = 0.6, 1.2
"""The same for its distance from the viewer: with 1.2 of some 10 to 12 it is drawn an eighth larger."""
_TRACKS = {"pose": "pose", "mouth": "expression", "eyes": "expression", "gaze": "gaze"}
_MIXED = {"pose": "pose", "mouth": "expression", "eyes": "eyes", "gaze": "gaze"}


@dataclass(frozen=True)
class DriveOptions:
    """Sources of a driven motion's parts.

    Attributes:
        sources: part (`DRIVEN_PARTS`) -> name of a motion, or "own" for the portrait's. The
            gaze may be a pair (pitch, yaw) in radians instead.
        relative: parts of which only the change over their first frame counts, added to the portrait's own.
        length, fill: see `MixSettings`; the length may also be that of a part.
        own_where_unseen: frames in which the driver's face was not seen show the portrait's own.
    """

    sources: Mapping[str, str | tuple[float, float]] = field(
        default_factory=lambda: dict.fromkeys(DRIVEN_PARTS, "video")
    )
    relative: frozenset[str] = frozenset({"pose"})
    length: str = "longest"
    fill: str = "hold"
    own_where_unseen: bool = False

    def __post_init__(self) -> None:
        for part in (*self.sources, *self.relative):
            if part not in DRIVEN_PARTS:
                raise BadInput(f"There is no part {part!r} to drive; use some of {', '.join(DRIVEN_PARTS)}.")
        gaze = self.sources.get("gaze")
        if not (gaze is None or isinstance(gaze, str) or all(abs(angle) < math.pi / 2 for angle in gaze)):
            raise BadInput(f"The gaze {gaze} is beyond 90 degrees (pi / 2 radians); look less far.")


def driven_motion(
    portrait: Portrait,
    motions: Mapping[str, Motion],
    options: DriveOptions | None = None,
    model: MorphableModel | None = None,
) -> Motion:
    """Mixes motions on top of a portrait's own coefficients.

    Args:
        motions: by the names that the options use, "video" and "audio" for instance.
        model: the space's morphable model; needed where mouth and eyes have different sources.
    Raises: `BadInput` for a source that is not there, or where nothing moves the portrait.
    """
    options = options or DriveOptions()
    own = portrait.motion
    wanted = {part: options.sources.get(part, OWN) for part in DRIVEN_PARTS}
    tracks: dict[str, Any] = {}
    for part, source in wanted.items():
        if isinstance(source, str) and source != OWN:
            if source not in motions:
                known = ", ".join([*motions, OWN])
                raise BadInput(f"The {part} is to come from {source!r}, which is not there; use {known}.")
            tracks[part] = getattr(motions[source], _TRACKS[part])
    if not tracks:
        raise BadInput("Nothing drives the portrait; take at least one part from a video or from sound.")
    # What stands still lasts as long as what moves, or it would count as the shortest source.
    longest = max(tracks.values(), key=lambda track: track.duration)
    if wanted["mouth"] == wanted["eyes"] and ("mouth" in options.relative) == ("eyes" in options.relative):
        tracks.pop("eyes", None)
    elif "mouth" in tracks and "eyes" not in tracks:
        tracks["eyes"] = replace(own.expression, fps=longest.fps).fitted(len(longest))
    if not isinstance(wanted["gaze"], str):
        tracks["gaze"] = Gaze.constant(*wanted["gaze"], len(longest), space=own.space, fps=longest.fps)
    settings = MixSettings(
        relative=frozenset(_MIXED[part] for part in options.relative if part in tracks),
        length=_length(options.length, tracks),
        fill=options.fill,
    )
    mixed = mix_motion(own, **{_MIXED[part]: t for part, t in tracks.items()}, settings=settings, model=model)
    if "pose" in settings.relative:
        mixed = replace(mixed, pose=near_own_place(mixed.pose, own.pose))
    return _with_own(mixed, own) if options.own_where_unseen else mixed


def near_own_place(pose: Pose, own: Pose) -> Pose:
    """A pose whose places in the picture lie at most `LARGEST_WAY` from a portrait's own, and its depths at
    most `LARGEST_DEPTH`; both are limited softly."""
    ways = pose.values[:, 3:] - own.values[0, 3:]
    limited = (
        _limited(ways[:, :2], FREE_WAY, LARGEST_WAY),
        _limited(ways[:, 2:], FREE_DEPTH, LARGEST_DEPTH),
    )
    values = torch.cat([pose.values[:, :3], own.values[0, 3:] + torch.cat(limited, 1)], 1)
    return replace(pose, values=values)


def _limited(ways: torch.Tensor, free: float, largest: float) -> torch.Tensor:
    """Ways [T,n] of a length of at most `largest`; up to `free` they stay as they are."""
    length, room = ways.norm(dim=1, keepdim=True), largest - free
    limited = free + room * ((length - free) / room).tanh()
    return torch.where(length > free, ways * (limited / length.clamp(min=free)), ways)


def _length(length: str, tracks: Mapping[str, Any]) -> str:
    """The mixer's name for a length."""
    if length in DRIVEN_PARTS and _MIXED[length] not in {_MIXED[part] for part in tracks}:
        raise BadInput(f"The length is to be that of the {length}, but nothing drives it.")
    return _MIXED.get(length, length)


def _with_own(motion: Motion, own: Motion) -> Motion:
    parts = {}
    for name in TRACKS:
        track = getattr(motion, name)
        values = torch.where(track.valid[:, None], track.values, getattr(own, name).values)
        parts[name] = replace(track, values=values)
    return Motion(**parts)
