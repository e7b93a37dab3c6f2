"""Eyeballs, read off the portrait once and drawn as balls where the gaze turns them.

A warped portrait can't show what lids hid: an iris that looks up brings its covered part along. What the
eyeballs look like, hidden parts included, is read into charts of a ball (`eye_reader.py`, `eye_charts.py`);
each frame's eyes are drawn from those, where the plane that parts lids from eyeballs shows them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.eye_charts import (
    EXTENTS,
    HEAD,
    IRIS,
    LIGHT,
    charted,
    sampled,
    turned,
    windows,
)

STEEP = 4.0
_APERTURE = (0.72, 0.54)
"""Half width and half height of where lids may open, in radii; glasses may lie before what is beyond."""
_APERTURE_EDGE = 0.1


@dataclass(frozen=True)
class Eyeballs:
    """A portrait's eyeballs.

    Attributes:
        place: [B,3] where they are in the head (`eye_charts.turned`).
        highlights, whites: [B,2,4,n,n] each eye's charts by light and by head.
        iris: [B,4,n,n].
    """

    place: Tensor
    highlights: Tensor
    whites: Tensor
    iris: Tensor

    def part(self, some: slice) -> Eyeballs:
        """Of some of the portraits."""
        return Eyeballs(self.place[some], self.highlights[some], self.whites[some], self.iris[some])

    def laid(self, frame: Tensor, share: Tensor, looks: Tensor) -> Tensor:
        """Frames [B,3,S,S] with the eyeballs drawn where they show.

        Args:
            frame: in -1..1.
            share: [B,1,S,S] how much of each pixel lies behind the lids, 0..1.
            looks: [B,8] pose and gaze (`eye_charts.look`).
        """
        with torch.autocast(frame.device.type, enabled=False):
            return self._laid(frame.float(), share.float(), looks.float())

    def _laid(self, frame: Tensor, share: Tensor, looks: Tensor) -> Tensor:
        size = frame.shape[-1]
        eyes = turned(self.place, look_pose(looks), look_gaze(looks))
        column, row = windows(eyes, size)
        places, met = charted(eyes, column, row, size)
        at = (row * size + column).flatten(2)
        flat, share = frame.flatten(2), share.flatten(2)
        for k in range(2):
            drawn = self._colour(places[:, :, k], k)
            opacity = (met[:, k] * _opening(places[:, HEAD, k])).flatten(1)[:, None]
            where = at[:, k, None]
            there = where.expand(-1, 3, -1)
            opacity = opacity * share.gather(2, where)
            under = flat.gather(2, there)
            flat = flat.scatter(2, there, torch.lerp(under, drawn.flatten(2), opacity))
        return flat.unflatten(2, frame.shape[2:])

    def _colour(self, places: Tensor, k: int) -> Tensor:
        """One eye's colours [B,3,h,w] at places [B,3,h,w,3] in the three charts."""
        count = len(places)
        light, head, iris = (
            sampled(chart.expand(count, -1, -1, -1), places[:, kind], kind)
            for kind, chart in ((LIGHT, self.highlights[:, k]), (HEAD, self.whites[:, k]), (IRIS, self.iris))
        )
        within = (places[:, IRIS, ..., :2].abs().amax(-1) < EXTENTS[IRIS]) & (places[:, IRIS, ..., 2] > 0)
        shaded = (iris[:, :3] + 1) * torch.exp(head[:, 3:]) - 1
        opacity = torch.sigmoid(STEEP * iris[:, 3:]) * within[:, None]
        colour = torch.lerp(head[:, :3], shaded, opacity)
        return torch.lerp(colour, light[:, :3], torch.sigmoid(STEEP * light[:, 3:]))


def look_pose(looks: Tensor) -> Tensor:
    """Pose [B,6] of looks [B,8]."""
    return looks[:, :6]


def look_gaze(looks: Tensor) -> Tensor:
    """Gaze [B,2], horizontal and vertical, of looks [B,8]."""
    return looks[:, 6:]


def _opening(place: Tensor) -> Tensor:
    """How far places [B,h,w,3] in the head's chart can lie between lids, [B,h,w] in 0..1."""
    across = (place[..., :2] / place.new_tensor(_APERTURE)).square().sum(-1)
    return ((1 - across) / _APERTURE_EDGE).clamp(0, 1) * (place[..., 2] > 0)
