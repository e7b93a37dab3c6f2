"""Textured eyeballs behind lids, read off the portrait once and drawn where pose and gaze have them.

A warped portrait can't show what lids hid: an iris that looks up brings its covered part along. The eyeballs,
hidden parts included, are read into textures of a ball (`eye_encoder.py`, `eye_textures.py`), from which each
frame's eyes are drawn. Lids (`contour_warp.py`) decide what of an eyeball a frame shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.animator.geometry.eye_textures import (
    HEAD,
    IRIS,
    LIGHT,
    RADIUS,
    place_eyes,
    project_to_texture,
    sample_texture,
)
from gohd_core.animator.geometry.window import Window
from gohd_core.face.geometry.camera import Camera

STEEP = 4.0
"""Factor on the logits of opacities."""
_WINDOW = 1 / 4
"""Side of the redrawn square around an eye, as a share of the picture's."""
_APERTURE = (0.72, 0.54)
"""Half width and half height of where lids may open, in radii; beyond, glasses may occlude the eye."""
_APERTURE_EDGE = 0.1
"""Width of the aperture's soft edge, as a share of its squared radius."""
_IRIS_END = 0.5
"""Radius, in radii of the ball, beyond which an iris's texture is not used."""
_IRIS_FADE = 0.06
"""Width of its soft end."""


@dataclass(frozen=True)
class Eyeballs:
    """A portrait's eyeballs.

    Attributes:
        place: [B,3] where they are in the head (`place_eyes`).
        highlights, whites: [B,2,4,n,n] each eye's textures, fixed to the light and to the head; colour in
            -1..1, then the logit of opacity (highlights) or log shading (whites).
        iris: [B,4,n,n] texture fixed to the iris, colour and logit of opacity.
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
        window: [B,2,w,w] pixels.
        colours: [B,3,2,w,w] of the balls there.
        opacity: [B,2,w,w] of the balls, within the aperture of the lids.
    """

    place: Tensor
    window: Window
    colours: Tensor
    opacity: Tensor

    def composite_over(self, frame: Tensor, mask: Tensor) -> Tensor:
        """Frames [B,3,S,S] with the eyeballs where a mask [B,1,S,S] says that pixels lie behind the lids."""
        frame = frame.float()
        opacity = self.opacity.flatten(1)[:, None] * self.window.read(mask.float())  # [B,1,N]
        # Windows may overlap, eyes do not: changes are added.
        change = opacity * (self.colours.flatten(2) - self.window.read(frame))  # [B,3,N], N = 2*w*w
        return self.window.add(frame, change)


def eyes_in_frame(eyeballs: Eyeballs, descriptor: Tensor, trust: Tensor, size: int) -> EyesInFrame:
    """The eyes of frames of `size` pixels with descriptors [B,72].

    `trust` [1 or B] is 0 where they are not to be drawn after all.
    """
    eyes = place_eyes(eyeballs.place, descriptor)
    front = eyes.centres + RADIUS * eyes.axes[:, HEAD, None, 2]
    window = Window.around(Camera.of_size(size).pixels(front), int(size * _WINDOW), size)
    places, met = project_to_texture(eyes, window.column, window.row, size)
    opacity = met * _aperture(places[:, HEAD]) * trust[:, None, None, None]
    return EyesInFrame(eyeballs.place, window, _colours(eyeballs, places), opacity)


def _colours(eyeballs: Eyeballs, places: Tensor) -> Tensor:
    """Colours of both eyes [B,3,2,w,w] at places [B,3,2,w,w,3] on the ball, in its three textures."""
    highlights, whites, iris = eyeballs.highlights, eyeballs.whites, eyeballs.iris[:, None]
    textures = {LIGHT: highlights, HEAD: whites, IRIS: iris.expand(-1, 2, -1, -1, -1)}
    light, head, iris = (sample_texture(texture, places[:, kind], kind) for kind, texture in textures.items())
    beyond = places[:, IRIS, ..., :2].norm(dim=-1) - _IRIS_END
    within = (1 - beyond / _IRIS_FADE).clamp(0, 1) * (places[:, IRIS, ..., 2] > 0)
    shaded = (iris[:, :, :3] + 1) * torch.exp(head[:, :, 3:]) - 1
    opacity = torch.sigmoid(STEEP * iris[:, :, 3:]) * within[:, :, None]
    colour = torch.lerp(head[:, :, :3], shaded, opacity)
    # [B,2,3,h,w] -> [B,3,2,h,w]
    return torch.lerp(colour, light[:, :, :3], torch.sigmoid(STEEP * light[:, :, 3:])).transpose(1, 2)


def _aperture(place: Tensor) -> Tensor:
    """Soft mask of places [B,2,h,w,3] in the head's texture that can lie between lids, [B,2,h,w]."""
    across = (place[..., :2] / place.new_tensor(_APERTURE)).square().sum(-1)
    return ((1 - across) / _APERTURE_EDGE).clamp(0, 1) * (place[..., 2] > 0)
