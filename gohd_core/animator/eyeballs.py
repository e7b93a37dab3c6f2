"""Eyes as balls behind lids, read off the portrait once and drawn where pose, gaze and blink have them.

A warped portrait can't show what lids hid: an iris that looks up brings its covered part along. What the
eyeballs look like, hidden parts included, is read into charts of a ball (`eye_reader.py`, `eye_charts.py`);
each frame's eyes are drawn from those. Lids are curves over the ball (`eye_lids.py`), sharp at any size, and
decide what of an eyeball a frame shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.eye_charts import HEAD, IRIS, LIGHT, charted, sampled, turned, windows
from gohd_core.animator.eye_lids import EDGE, LOWER, UPPER, lids_at, opening, smoothed
from gohd_core.animator.planes import FACE, INNER

STEEP = 4.0
_APERTURE = (0.72, 0.54)
"""Half width and half height of where lids may open, in radii; glasses may lie before what is beyond."""
_APERTURE_EDGE = 0.1
_IRIS_END, _IRIS_FADE = 0.5, 0.06
"""Radius, in radii of the ball, beyond which an iris's chart shows none, and how softly it ends."""
_CLOSING, _SHUT, _LASH = 0.5, 0.15, 0.04
"""Openings in radii below which skin is laid over what a closing lid leaves, and lashes lie on the lower lid;
half the lashes' width."""
_LASH_REACH = 0.62
"""How far lashes reach to both sides, in radii."""
_LASHES = (-0.82, -0.87, -0.88)
"""Their colour in the stylised world."""
_BEHIND_FROM, _BEHIND_STEP = 0.1, 0.3
"""Share of the inner plane from which a pixel may show an eyeball, and the further share at which it does:
hair and noses hide eyes, which lids know nothing of."""


@dataclass(frozen=True)
class Eyeballs:
    """A portrait's eyeballs.

    Attributes:
        place: [B,3] where they are in the head (`eye_charts.turned`).
        highlights, whites: [B,2,4,n,n] each eye's charts by light and by head.
        iris: [B,4,n,n].
        skin: [B,4,S,S] the portrait with skin grown over what is not skin, and how far that is so.
        lids: [B,C] what the lids look like.
        descriptor: [B,72] the portrait's own.
        trust: [B] 1 where they are what the portrait shows, 0 where they are not and must not be drawn.
    """

    place: Tensor
    highlights: Tensor
    whites: Tensor
    iris: Tensor
    skin: Tensor
    lids: Tensor
    descriptor: Tensor
    trust: Tensor

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Eyeballs:
        """With every part changed alike."""
        return Eyeballs(*(change(getattr(self, field.name)) for field in fields(self)))

    def part(self, some: slice) -> Eyeballs:
        """Of some of the portraits."""
        return self.mapped(lambda part: part[some])


@dataclass(frozen=True)
class EyesInFrame:
    """Both eyes of frames, in a window around each.

    Attributes:
        eyeballs: whose they are; of one portrait, or of as many as there are frames.
        pixels: [B,2,w,w] the windows' pixels, counted row by row.
        places: [B,3,2,w,w,3] where they lie on the ball, in its three charts.
        met: [B,2,w,w] how surely the ball is there.
        within: [B,2,w,w] how surely the ball is there, where lids may open.
        curves: [B,2,2,knots] the lids.
    """

    eyeballs: Eyeballs
    pixels: Tensor
    places: Tensor
    met: Tensor
    within: Tensor
    curves: Tensor

    def opening(self, edge: float = EDGE) -> Tensor:
        """How far they lie between the lids, [B,2,w,w], with an edge of that width in radii."""
        return opening(self.curves, self.places[:, HEAD], edge)

    def agreement(self, inner: Tensor) -> Tensor:
        """How far the eyes lie where a picture shows what is behind lids [B,S,S]: both over either, [B].

        Nothing where a picture shows no eyes, or eyes that are no such balls, as a photograph's.
        """
        drawn = (self.opening() * self.within).flatten(1)
        shown = inner.float().flatten(1).gather(1, self.pixels.flatten(1))
        both, either = torch.minimum(drawn, shown), torch.maximum(drawn, shown)
        return both.sum(1) / either.sum(1).clamp_min(1)

    def parted(self, shares: Tensor) -> Tensor:
        """Shares of the planes [B,3,S,S] with lids where their curves are."""
        flat = shares.float().flatten(2)
        inner, face, opened = flat[:, INNER], flat[:, FACE], self.opening()
        for k in range(2):
            at, within = self.pixels[:, k].flatten(1), self.within[:, k].flatten(1)
            was, skin = inner.gather(1, at), face.gather(1, at)
            behind = ((was - _BEHIND_FROM) / _BEHIND_STEP).clamp(0, 1)
            now = torch.lerp(was, opened[:, k].flatten(1) * behind, within).minimum(was + skin)
            inner = inner.scatter(1, at, now)
            face = face.scatter(1, at, skin + was - now)
        parts = list(flat.unbind(1))
        parts[INNER], parts[FACE] = inner, face
        return torch.stack(parts, 1).unflatten(2, shares.shape[2:])

    def closed(self, frame: Tensor, face: Tensor, flow: Tensor) -> Tensor:
        """Frames [B,3,S,S] with lids of skin and lashes where a closing eye has nothing to show.

        There the face's flow [B,2,S,S] leaps over the portrait's eyeball; `face` [B,1,S,S] is the share of
        each pixel that shows the face.
        """
        size, flat = frame.shape[-1], frame.float().flatten(2)
        face, flow = face.float().flatten(2), flow.float().flatten(2)
        closing, lash = self._lashes()
        for k in range(2):
            at = self.pixels[:, k].flatten(1)[:, None]
            there = at.expand(-1, 3, -1)
            here = (torch.stack([at % size, at // size], -1) * 2 + 1) / size - 1
            came = here + flow.gather(2, at.expand(-1, 2, -1)).mT[:, None]
            skin = self.eyeballs.skin.expand(len(at), -1, -1, -1)
            skin = F.grid_sample(skin, came, "bilinear", "border", align_corners=False)[:, :, 0]
            within = self.met[:, k].flatten(1)[:, None] * face.gather(2, at)
            bare = skin[:, 3:] * closing[:, k].flatten(1)[:, None] * within
            drawn = torch.lerp(flat.gather(2, there), skin[:, :3], bare)
            dark = drawn.new_tensor(_LASHES)[:, None]
            drawn = torch.lerp(drawn, dark, lash[:, k].flatten(1)[:, None] * within)
            flat = flat.scatter(2, there, drawn)
        return flat.unflatten(2, frame.shape[2:])

    def _lashes(self) -> tuple[Tensor, Tensor]:
        """How far eyes are closing, and where lashes lie on closed ones, both [B,2,w,w] in 0..1."""
        # Of the whole eye: at its corners lids always meet.
        widest = (self.curves[:, :, UPPER] - self.curves[:, :, LOWER]).amax(-1)[..., None, None]
        closing, shut = ((2 - 2 * widest / wide).clamp(0, 1) for wide in (_CLOSING, _SHUT))
        along, up, _ = self.places[:, HEAD].unbind(-1)
        across = (up - lids_at(smoothed(self.curves), self.places[:, HEAD]).mean(2)) / _LASH
        ends = ((_LASH_REACH - along.abs()) / _LASH).clamp(0, 1)
        return closing.expand_as(up), shut * ends * torch.exp(-across.square())

    def laid(self, frame: Tensor, share: Tensor) -> Tensor:
        """Frames [B,3,S,S] with the eyeballs where a share [B,1,S,S] of a pixel lies behind the lids."""
        flat, share = frame.float().flatten(2), share.float().flatten(2)
        for k in range(2):
            at = self.pixels[:, k].flatten(1)[:, None]
            opacity = self.within[:, k].flatten(1)[:, None] * share.gather(2, at)
            there = at.expand(-1, 3, -1)
            drawn = torch.lerp(flat.gather(2, there), self._colour(k).flatten(2), opacity)
            flat = flat.scatter(2, there, drawn)
        return flat.unflatten(2, frame.shape[2:])

    def _colour(self, k: int) -> Tensor:
        """One eye's colours [B,3,w,w]."""
        places, eyes = self.places[:, :, k], self.eyeballs
        charts = {LIGHT: eyes.highlights[:, k], HEAD: eyes.whites[:, k], IRIS: eyes.iris}
        light, head, iris = (
            sampled(chart.expand(len(places), -1, -1, -1), places[:, kind], kind)
            for kind, chart in charts.items()
        )
        beyond = places[:, IRIS, ..., :2].norm(dim=-1) - _IRIS_END
        within = (1 - beyond / _IRIS_FADE).clamp(0, 1) * (places[:, IRIS, ..., 2] > 0)
        shaded = (iris[:, :3] + 1) * torch.exp(head[:, 3:]) - 1
        opacity = torch.sigmoid(STEEP * iris[:, 3:]) * within[:, None]
        colour = torch.lerp(head[:, :3], shaded, opacity)
        return torch.lerp(colour, light[:, :3], torch.sigmoid(STEEP * light[:, 3:]))


def eyes_in_frame(eyeballs: Eyeballs, descriptor: Tensor, curves: Tensor, size: int) -> EyesInFrame:
    """The eyes of frames of `size` pixels with descriptors [B,72] and lids [B,2,2,knots] (`eye_lids.py`)."""
    eyes = turned(eyeballs.place, descriptor)
    column, row = windows(eyes, size)
    places, met = charted(eyes, column, row, size)
    met = met * eyeballs.trust[:, None, None, None]
    return EyesInFrame(eyeballs, row * size + column, places, met, met * _aperture(places[:, HEAD]), curves)


def _aperture(place: Tensor) -> Tensor:
    """How far places [B,2,h,w,3] in the head's chart can lie between lids, [B,2,h,w] in 0..1."""
    across = (place[..., :2] / place.new_tensor(_APERTURE)).square().sum(-1)
    return ((1 - across) / _APERTURE_EDGE).clamp(0, 1) * (place[..., 2] > 0)
