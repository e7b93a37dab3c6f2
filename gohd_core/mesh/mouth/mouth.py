"""Mouth interior between parted lips: own teeth where the picture has some, else drawn ones, lit alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.mesh.contours import corner_distance, mouth_breadth
from gohd_core.mesh.encoding.cropping import Crop
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.frame import EDGE, LIPS, POINTS, MouthFrame, Opening
from gohd_core.mesh.mouth.colours import mouth_colours
from gohd_core.mesh.mouth.own_inside import OwnInside, own_inside
from gohd_core.mesh.mouth.teeth import LOWER, REACH, UPPER, Arches, draw_rows
from gohd_core.mesh.picture.photometry import as_map, smooth

_REST = (0.002, 0.014)
"""Model units that the lips' edge has moved by, without the head: up to the first the picture's own pixels
are shown, from the second on drawn ones."""
_LEAST_GAP = 0.3
"""Pixels between the lips below which nothing is seen."""
_UPPER_SHADOW, _LOWER_SHADOW, _LIP_SHADOW = (0.008, 0.032), 0.014, 0.035
"""Reach of the upper lip's shadow over teeth (least, most), of the lower lip's, and of the opening's on the
lips; model units."""
_STRIP = (0.075, 0.05)
"""Own gap, model units, from which on the teeth that the picture shows are whole, and up to which a strip."""
_STRIP_GOES = (0.008, 0.045)
"""Further openings of the mouth over which a strip gives way to drawn teeth, model units."""
_DIM = 0.72
"""Light on teeth between slightly parted lips, relative to a wide-open mouth: there teeth have .67 to .75 of
the skin's light in pictures, in smiles 1.1."""
_LIT = (0.0, 0.13)
"""Openings over which it rises to 1, model units."""
_ROUNDED, _NARROW, _SHADED = (0.1, 0.8), (0.54, 0.40), 0.4
"""Rounded lips shade teeth: ramps on the rounding and on the mouth's breadth in distances of the eyes' outer
corners (a smile stays bright), and the light that is lost at most."""
_SEAM, _SEAM_SHARE = 0.006, 0.9
"""Reach, model units, and opacity of the line between lips that the picture has parted, once they meet."""
_MEET = (0.010, 0.030)
"""Openings up to which lips meet, and from which on they are parted, model units."""
_CHARACTER = 150.0
"""Factor from a row's width to its phase, so that people's teeth differ."""


@dataclass(frozen=True)
class Mouth:
    """A portrait's mouth, ready to be drawn.

    Attributes:
        face: the portrait.
        arches: where its rows of teeth lie.
        teeth: [2,3,h,w] textures of the lower and the upper row.
        colours: [7,3] as in `MouthColours`.
        grain: [1,1,n,n] relative changes of light.
        own: what the picture shows itself, if it is open.
        softness: pixels that edges of the opening are blurred over.
    """

    face: OwnFace
    arches: Arches
    teeth: Tensor
    colours: Tensor
    grain: Tensor
    own: OwnInside | None
    softness: float

    @classmethod
    def of(cls, face: OwnFace) -> Mouth:
        picture, points, sigma = face.picture, face.mesh, face.sigma
        arches = Arches.of(face.closed[LIPS])
        width = int(np.clip(2 * REACH * float(arches.half[UPPER]) * face.unit * 1.5, 48, 640))
        texels = width / (2 * REACH * float(arches.half[UPPER]) * face.unit)
        own, pixels = own_inside(face)
        look = mouth_colours(picture, points, pixels)
        if own is not None and own.tips is not None:
            arches = arches.lowered(own.tips)
        colours = np.stack(
            (look.tooth, look.gum, look.tongue, look.cavity, look.exponents, look.lift, look.seam)
        )
        # The picture's own teeth are dim at the sides already.
        dimmed = 0.2 if own is not None and own.shows_teeth else 0.45
        rows = draw_rows(width, sigma * texels, dimmed, _CHARACTER * float(arches.half[UPPER]))
        return cls(
            face,
            arches,
            torch.as_tensor(rows, dtype=face.image.dtype, device=face.image.device),
            torch.as_tensor(colours, dtype=face.image.dtype, device=face.image.device),
            as_map(face.grain, face.image),
            own,
            max(1.0, 1.6 * sigma),
        )

    def draw(self, frame: MouthFrame) -> Tensor:
        """The finished window [B,3,h,w]."""
        edge = frame.contours[:, EDGE]
        gaps = edge[:, POINTS // 2 + 1 :].flip(1) - edge[:, 1 : POINTS // 2]
        rest = _rest(frame, self.face)
        opened = (gaps.norm(dim=-1).amax(1) > _LEAST_GAP) | (self.own is not None)
        if not bool((opened & (rest < 1)).any()):
            return frame.skin
        crop = Crop.around(frame, edge, _LIP_SHADOW * self.face.unit + self.softness + 1)
        if crop is None:
            return frame.skin
        opening = crop.frame.opening
        # Lips darken softly towards an opening that is wider than the picture's.
        depth = torch.maximum(-opening.above, -opening.below).clamp_min(0)
        more = smooth(0.0, 0.05, opening.height / self.face.unit - self.face.gap)
        within = smooth(1.15, 0.85, opening.along.abs()) * smooth(0.0, 1.0, opening.height)
        shade = 0.20 * more * smooth(_LIP_SHADOW * self.face.unit, 0.0, depth) * within
        drawn = (crop.frame.skin + 1) * (1 - shade) - 1
        inner = Crop.around(crop.frame, edge, self.softness + 1)
        if inner is not None:
            skin, share = drawn[..., inner.rows, inner.columns], self._cover(inner.frame.opening)
            drawn = inner.put_back(torch.lerp(skin, self._inside(inner.frame), share), drawn)
        if self.own is not None:
            drawn = self._with_seam(drawn, opening)
        drawn = torch.lerp(drawn, crop.frame.skin, rest[:, None, None, None])
        return crop.put_back(drawn, frame.skin)

    def _with_seam(self, skin: Tensor, opening: Opening) -> Tensor:
        """Lips [B,3,h,w] with a dark line where they meet, which a picture of parted lips has not."""
        unit, height = self.face.unit, opening.height
        away = torch.maximum(-opening.above, opening.above - height).clamp_min(0)
        near = torch.exp(-((away / max(_SEAM * unit, 1.0)) ** 2))
        near = near * smooth(_MEET[1] * unit, _MEET[0] * unit, height) * smooth(1.0, 0.7, opening.along.abs())
        return torch.lerp(skin, 2 * self.colours[6, :, None, None] - 1, _SEAM_SHARE * near)

    def _cover(self, opening: Opening) -> Tensor:
        """Share [B,1,h,w] of a pixel between the lips, with edges as soft as the picture's; slits narrower
        than an edge fade."""
        half = self.softness / 2
        soft = smooth(-half, half, opening.above) * smooth(-half, half, opening.below)
        return soft * (opening.height / self.softness).clamp(0, 1) * smooth(1.0, 0.90, opening.along.abs())

    def _inside(self, frame: MouthFrame) -> Tensor:
        """Colours behind the lips [B,3,h,w] in [-1, 1]."""
        part, unit = frame.opening, self.face.unit
        tooth, gum, tongue, cavity, exponents, lift, _ = self.colours[..., None, None]
        height = part.height / unit
        shaded = self._shade_of_lips(frame)
        ramp = (0.24 * part.height).clamp(_UPPER_SHADOW[0] * unit, _UPPER_SHADOW[1] * unit)
        below_lip = part.above / ramp
        under_lip = smooth(0, 1, below_lip)
        places, rows = self._rows(frame)
        colour = cavity.expand(len(places), 3, *part.above.shape[2:])
        wider = height.amax((2, 3), keepdim=True) - self.face.gap
        # Drawn teeth continue the picture's own in their colours.
        goes_on = self.own is not None and self.own.shows_teeth
        upper_tooth = tooth
        if self.own is not None:
            own, kept = self.own.at(frame.rigid_at, wider), self._kept(wider)
            # The wider it opens, the more light falls on them.
            bright = smooth(0.0, 0.12, wider)
            own_colour = (own[:, :3] / 2 + 0.5) * torch.lerp(torch.ones_like(lift), lift, bright)
            own_colour = own_colour * shaded**exponents
            if goes_on:
                upper_tooth = torch.lerp(tooth, own_colour, kept * (1 - 0.6 * bright))
        lit, body = _tongue(places[:, LOWER, None], height)
        colour = torch.lerp(colour, tongue * lit, body)
        bright, opacity, flesh = rows[:, LOWER].split(1, dim=1)
        light = 0.78 * (0.85 + 0.15 * smooth(0, 0.02, part.below / unit))
        light = light * (0.55 + 0.45 * smooth(0, 0.05, part.above / unit)) * shaded
        row = torch.lerp(tooth * bright, gum * bright / 0.55, flesh) * light**exponents
        colour = torch.lerp(colour, torch.maximum(row, cavity), opacity)
        corners = smooth(0.0, 0.32, 1 - part.along.abs())
        above_lip = smooth(0, _LOWER_SHADOW * unit, part.below)
        shadow = (0.52 + 0.48 * smooth(-0.15, 1, below_lip)) * (0.5 + 0.5 * corners)
        shadow = shadow * (0.82 + 0.18 * above_lip)
        bright, opacity, flesh = rows[:, UPPER].split(1, dim=1)
        row = torch.lerp(upper_tooth * bright, gum * bright / 0.55, flesh)
        # The picture's own colours have their shadows already.
        light = 0.62 + 0.38 * smooth(-0.2, 0.8, below_lip)
        light = light * (0.72 + 0.28 * corners) * (0.88 + 0.12 * above_lip)
        light = light * (_DIM + (1 - _DIM) * smooth(*_LIT, height.amax((2, 3), keepdim=True)))
        light = light * shaded
        if goes_on:
            light = torch.lerp(light, 0.86 + 0.20 * under_lip, kept * (1 - flesh))
        row = torch.maximum(row * light.clamp_min(1e-3) ** exponents, 0.5 * cavity)
        colour = torch.lerp(colour * shadow.clamp_min(1e-3) ** exponents, row, opacity)
        colour = colour * (1 + self._grain(frame))
        if self.own is not None:  # goes with the head, under what is drawn
            shadow = 1 - 0.20 * (1 - under_lip**exponents) * smooth(0.0, 0.03, wider)
            colour = torch.lerp(colour, own_colour * shadow, own[:, 3:] * kept)
        return colour * 2 - 1

    def _rows(self, frame: MouthFrame) -> tuple[Tensor, Tensor]:
        """Places of pixels on both rows of teeth [B,2,h,w,2], and the rows' textures there [B,2,3,h,w]."""
        places = self.arches.places(
            frame.pose, frame.jaw, frame.window.pixels(), frame.window.size, frame.jaw_shift
        )
        # The upper gum extends to the lip.
        places[:, UPPER, ..., 1].clamp_(min=0.02 - REACH)
        grid = (places / REACH).flatten(0, 1)
        textures = self.teeth.repeat(len(places), 1, 1, 1)
        rows = F.grid_sample(textures, grid, "bilinear", "zeros", align_corners=False)
        return places, rows.unflatten(0, (-1, 2))

    def _shade_of_lips(self, frame: MouthFrame) -> Tensor:
        """Light [B,1,1,1] that reaches teeth, less the rounder and narrower the lips are."""
        foreshortening = frame.rotation[:, 0, :2].norm(dim=-1)  # of the head's x axis in the picture
        eye_corners = foreshortening * corner_distance(self.face.closed) * self.face.unit
        breadth = mouth_breadth(frame.contours) / eye_corners
        share = smooth(*_ROUNDED, frame.rounding) * smooth(*_NARROW, breadth)
        return (1 - _SHADED * share)[:, None, None, None]

    def _grain(self, frame: MouthFrame) -> Tensor:
        """Relative change of light by grain that is fixed to the head, [B,1,h,w]."""
        middle = self.face.points[[61, 291]].mean(0)
        grid = (frame.rigid_at - middle) * (2 / self.grain.shape[-1])
        grain = self.grain.expand(len(grid), -1, -1, -1)
        return F.grid_sample(grain, grid, "bilinear", "reflection", align_corners=False)

    def _kept(self, wider: Tensor) -> Tensor:
        """Opacity [B,1,1,1] of the picture's own interior in mouths that are open `wider` than there, model
        units."""
        if not self.own.shows_teeth:  # a dark cavity is no surface that would keep its place
            return smooth(0.06, 0.01, wider)
        # A strip shows the teeth's tips alone, so that whole drawn teeth replace it.
        return 1 - smooth(*_STRIP_GOES, wider) * smooth(*_STRIP, wider.new_tensor(self.face.gap))


def _rest(frame: MouthFrame, face: OwnFace) -> Tensor:
    """[B]: 1 where the lips' edge lies as in the picture, however the head has turned."""
    own = frame.pixels(face.contours[LIPS, EDGE])
    moved = (frame.contours[:, EDGE] - own).norm(dim=-1).amax(-1) / face.unit
    return smooth(_REST[1], _REST[0], moved)


def _tongue(places: Tensor, height: Tensor) -> tuple[Tensor, Tensor]:
    """Light and opacity [B,1,h,w] of a tongue: a hill behind the lower teeth that moves with them.

    Args:
        places: [B,1,h,w,2] of pixels on the lower row.
        height: [B,1,h,w] of the opening, model units; it shows in mouths that are open far enough.
    """
    across, down = places.unbind(-1)
    hill = -2.1 + 1.9 * across.square() - 1.1 * smooth(0.08, 0.24, height.amax((2, 3), keepdim=True))
    body = smooth(-0.35, 0.35, down - hill) * smooth(0.03, 0.09, height) * smooth(1.0, 0.6, across.abs())
    light = 0.40 + 0.48 * smooth(0.0, 1.8, down - hill) * (1 - 0.16 * torch.exp(-((across / 0.07) ** 2)))
    return light, 0.9 * body
