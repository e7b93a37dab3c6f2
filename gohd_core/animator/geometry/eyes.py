"""Eyes as balls behind lids, read off the portrait once and drawn where pose and gaze have them.

A warped portrait can't show what lids hid: an iris that looks up brings its covered part along. What the
eyeballs look like, hidden parts included, is read into charts of a ball (`eye_reader.py`, `eye_charts.py`);
each frame's eyes are drawn from those. Lids (`ring_profiles.py`) decide what of an eyeball a frame shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.geometry.eye_textures import HEAD, IRIS, LIGHT, RADIUS, charted, sampled, turned
from gohd_core.animator.geometry.linear_shape import squares
from gohd_core.face.camera import Camera

STEEP = 4.0
_WINDOW = 1 / 4
"""Side of the square around an eye that is drawn anew, as a share of the picture's."""
_APERTURE = (0.72, 0.54)
"""Half width and half height of where lids may open, in radii; glasses may lie before what is beyond."""
_APERTURE_EDGE = 0.1
_IRIS_END, _IRIS_FADE = 0.5, 0.06
"""Radius, in radii of the ball, beyond which an iris's chart shows none, and how softly it ends."""


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


@dataclass(frozen=True)
class EyesInFrame:
    """Both eyes of frames, in a window around each.

    Attributes:
        place: [1 or B,3] where they are in the head.
        pixels: [B,2,w,w] the windows' pixels, counted row by row.
        colours: [B,3,2,w,w] of the balls there.
        within: [B,2,w,w] how surely the ball is there, where lids may open.
    """

    place: Tensor
    pixels: Tensor
    colours: Tensor
    within: Tensor

    def laid(self, frame: Tensor, share: Tensor) -> Tensor:
        """Frames [B,3,S,S] with the eyeballs where a share [B,1,S,S] of a pixel lies behind the lids."""
        flat, at = frame.float().flatten(2), self.pixels.flatten(1)[:, None]
        opacity = self.within.flatten(1)[:, None] * share.float().flatten(2).gather(2, at)
        there = at.expand(-1, 3, -1)
        # Windows may overlap, what is within one eye is not within the other: changes are added.
        change = opacity * (self.colours.flatten(2) - flat.gather(2, there))
        return flat.scatter_add(2, there, change).unflatten(2, frame.shape[2:])


def eyes_in_frame(eyeballs: Eyeballs, descriptor: Tensor, trust: Tensor, size: int) -> EyesInFrame:
    """The eyes of frames of `size` pixels with descriptors [B,72].

    `trust` [1 or B] is 0 where they are not to be drawn after all.
    """
    eyes = turned(eyeballs.place, descriptor)
    front = eyes.centres + RADIUS * eyes.axes[:, HEAD, None, 2]
    column, row = squares(Camera.of_size(size).pixels(front), int(size * _WINDOW), size)
    places, met = charted(eyes, column, row, size)
    within = met * _aperture(places[:, HEAD]) * trust[:, None, None, None]
    return EyesInFrame(eyeballs.place, row * size + column, _colours(eyeballs, places), within)


def _colours(eyeballs: Eyeballs, places: Tensor) -> Tensor:
    """Colours of both eyes [B,3,2,w,w] at places [B,3,2,w,w,3] on the ball, in its three charts."""
    highlights, whites, iris = eyeballs.highlights, eyeballs.whites, eyeballs.iris[:, None]
    charts = {LIGHT: highlights, HEAD: whites, IRIS: iris.expand(-1, 2, -1, -1, -1)}
    light, head, iris = (sampled(chart, places[:, kind], kind) for kind, chart in charts.items())
    beyond = places[:, IRIS, ..., :2].norm(dim=-1) - _IRIS_END
    within = (1 - beyond / _IRIS_FADE).clamp(0, 1) * (places[:, IRIS, ..., 2] > 0)
    shaded = (iris[:, :, :3] + 1) * torch.exp(head[:, :, 3:]) - 1
    opacity = torch.sigmoid(STEEP * iris[:, :, 3:]) * within[:, :, None]
    colour = torch.lerp(head[:, :, :3], shaded, opacity)
    return torch.lerp(colour, light[:, :, :3], torch.sigmoid(STEEP * light[:, :, 3:])).transpose(1, 2)


def _aperture(place: Tensor) -> Tensor:
    """How far places [B,2,h,w,3] in the head's chart can lie between lids, [B,2,h,w] in 0..1."""
    across = (place[..., :2] / place.new_tensor(_APERTURE)).square().sum(-1)
    return ((1 - across) / _APERTURE_EDGE).clamp(0, 1) * (place[..., 2] > 0)
