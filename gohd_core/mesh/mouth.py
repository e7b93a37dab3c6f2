"""Mouth interior between parted lips: own teeth where the picture has some, else drawn ones, lit alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.camera import Camera, transform
from gohd_core.mesh.cropping import Crop
from gohd_core.mesh.frame import EDGE, LIPS, POINTS, MouthFrame, Opening, OwnFace
from gohd_core.mesh.photometry import (
    LUMA,
    as_array,
    as_map,
    as_picture,
    blur,
    blur_radius,
    fill_polygon,
    has_colour,
    inpaint,
    lip_colour,
    skin_colour,
    skin_grain,
    smooth,
    smoothstep,
    white_hue,
)
from gohd_core.mesh.teeth import LOWER, REACH, UPPER, Arches, draw_rows

_REST = (0.002, 0.014)
"""Model units that the lips' edge has moved by, without the head: up to the first the picture's own pixels
are shown, from the second on drawn ones."""
_LEAST_GAP = 0.3
"""Pixels between the lips below which nothing is seen."""
_UPPER_SHADOW, _LOWER_SHADOW, _LIP_SHADOW = (0.008, 0.032), 0.014, 0.035
"""Reach of the upper lip's shadow over teeth (least, most), of the lower lip's, and of the opening's on the
lips; model units."""
_STRIP, _STRIP_GOES = (0.075, 0.05), (0.008, 0.045)
"""Own gap, model units, from which on and up to which teeth that the picture shows are whole ones and a
strip, and by how much wider the mouth opens while the latter gives way to drawn ones."""
_TOOTH = 0.035
"""Half a tooth's width, model units."""
_CHARACTER = 150.0
"""Turns the width of a row into a phase by which its teeth are told from others'."""
_TINT = 0.7
"""How much of the tint of the eyes' whites teeth have."""
_RED = (0.85, 1.12, 1.18)
"""Exponents of shadows: flesh around makes them red, grey ones look blue."""


@dataclass(frozen=True)
class MouthColours:
    """Colours [3] in 0..1 under the portrait's light, before any shadow; exponents of shadows; and how many
    times as bright own teeth are once the mouth is wide open."""

    tooth: np.ndarray
    gum: np.ndarray
    tongue: np.ndarray
    cavity: np.ndarray
    exponents: np.ndarray
    lift: np.ndarray


@dataclass(frozen=True)
class OwnInside:
    """The inside of a mouth that is open in the picture, in a window of the crop.

    Attributes:
        picture: [1,5,h,w] colours, grown over the lips; how far they may be shown while the mouth opens wider
            than in the picture, and while it does not.
        corner: [2] (column, row) of the window's first pixel.
        shows_teeth: whether it shows teeth.
    """

    picture: Tensor
    corner: Tensor
    shows_teeth: bool

    def at(self, pixels: Tensor) -> Tensor:
        """The picture [B,5,h,w] at pixels [B,h,w,2] of the crop."""
        size = self.picture.new_tensor(self.picture.shape[:1:-1])
        grid = (2 * (pixels - self.corner) + 1) / size - 1
        picture = self.picture.expand(len(grid), -1, -1, -1)
        return F.grid_sample(picture, grid, "bilinear", "border", align_corners=False)


@dataclass(frozen=True)
class Mouth:
    """A portrait's mouth, ready to be drawn.

    Attributes:
        face: the portrait.
        arches: where its rows of teeth lie.
        teeth: [2,3,h,w] textures of the lower and the upper row.
        colours: [6,3] as in `MouthColours`.
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
        picture, points = as_array(face), face.points.cpu().numpy()
        arches = Arches.of(face.closed[LIPS])
        sigma = blur_radius(picture, points, face.unit)
        width = int(np.clip(2 * REACH * float(arches.half[UPPER]) * face.unit * 1.5, 48, 640))
        texels = width / (2 * REACH * float(arches.half[UPPER]) * face.unit)
        own_inside, pixels = _own_inside(face, picture, sigma)
        look = _colours(picture, points, pixels)
        rows = (look.tooth, look.gum, look.tongue, look.cavity, look.exponents, look.lift)
        # The picture's own teeth are dim at the sides already.
        teeth_seen = own_inside is not None and own_inside.shows_teeth
        return cls(
            face,
            arches,
            as_map(
                draw_rows(
                    width, sigma * texels, 0.2 if teeth_seen else 0.45, _CHARACTER * float(arches.half[UPPER])
                )
                .transpose(2, 3, 0, 1)
                .reshape(-1, width, 6),
                face.image,
            )
            .unflatten(1, (2, 3))
            .squeeze(0),
            torch.as_tensor(np.stack(rows), dtype=face.image.dtype, device=face.image.device),
            as_map(skin_grain(picture, points, face.unit), face.image),
            own_inside,
            max(1.0, 1.6 * sigma),
        )

    def draw(self, frame: MouthFrame) -> Tensor:
        """The finished window [B,3,h,w]."""
        edge = frame.contours[:, EDGE]
        gaps = edge[:, POINTS // 2 + 1 :].flip(1) - edge[:, 1 : POINTS // 2]
        rest = _rest(frame, self.face)
        if not bool(((gaps.norm(dim=-1).amax(1) > _LEAST_GAP) & (rest < 1)).any()):
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
        drawn = torch.lerp(drawn, crop.frame.skin, rest[:, None, None, None])
        return crop.put_back(drawn, frame.skin)

    def _cover(self, opening: Opening) -> Tensor:
        """Share [B,1,h,w] of a pixel between the lips, its edges as soft as the picture; less of slits that
        are narrower than these."""
        half = self.softness / 2
        soft = smooth(-half, half, opening.above) * smooth(-half, half, opening.below)
        return soft * (opening.height / self.softness).clamp(0, 1) * smooth(1.0, 0.90, opening.along.abs())

    def _inside(self, frame: MouthFrame) -> Tensor:
        """Colours behind the lips [B,3,h,w] in [-1, 1]."""
        part, unit = frame.opening, self.face.unit
        tooth, gum, tongue, cavity, exponents, lift = self.colours[..., None, None]
        height = part.height / unit
        ramp = (0.24 * part.height).clamp(_UPPER_SHADOW[0] * unit, _UPPER_SHADOW[1] * unit)
        below_lip = part.above / ramp
        under_lip = smooth(0, 1, below_lip)
        places = self.arches.places(frame.pose, frame.jaw, frame.window.pixels(), frame.window.size)
        grid = (places / REACH).flatten(0, 1)
        textures = self.teeth.repeat(len(places), 1, 1, 1)
        rows = F.grid_sample(textures, grid, "bilinear", "zeros", align_corners=False).unflatten(0, (-1, 2))
        colour = cavity.expand(len(places), 3, *part.above.shape[2:])
        own = None if self.own is None else self.own.at(frame.rigid_at)
        # Above teeth that the picture shows drawn ones go on in their colours.
        goes_on = own is not None and self.own.shows_teeth
        wider = smooth(0.0, 0.12, height.amax((2, 3), keepdim=True) - self.face.gap)
        # The wider it opens, the more light falls on them.
        if own is not None:
            own = torch.cat(
                [(own[:, :3] / 2 + 0.5) * torch.lerp(torch.ones_like(lift), lift, wider), own[:, 3:]], 1
            )
        kept = 1 - self._gone(height) if goes_on else 0.0
        upper_tooth = torch.lerp(tooth, own[:, :3], kept * (1 - 0.6 * wider)) if goes_on else tooth
        # A tongue's hill behind the lower teeth, moving with them, of mouths that are open far enough.
        across, down = places[:, LOWER, None, ..., 0], places[:, LOWER, None, ..., 1]
        hill = -2.1 + 1.9 * across.square() - 1.1 * smooth(0.08, 0.24, height.amax((2, 3), keepdim=True))
        body = smooth(-0.35, 0.35, down - hill) * smooth(0.03, 0.09, height) * smooth(1.0, 0.6, across.abs())
        lit = 0.40 + 0.48 * smooth(0.0, 1.8, down - hill) * (1 - 0.16 * torch.exp(-((across / 0.07) ** 2)))
        colour = torch.lerp(colour, tongue * lit, 0.9 * body)
        bright, opacity, flesh = rows[:, LOWER].split(1, dim=1)
        light = 0.78 * (0.7 + 0.3 * smooth(0, 0.02, part.below / unit))
        light = light * (0.55 + 0.45 * smooth(0, 0.05, part.above / unit))
        row = torch.lerp(tooth * bright, gum * bright / 0.55, flesh) * light**exponents
        colour = torch.lerp(colour, torch.maximum(row, cavity), opacity)
        corners = smooth(0.0, 0.32, 1 - part.along.abs())
        above_lip = smooth(0, _LOWER_SHADOW * unit, part.below)
        shadow = (0.52 + 0.48 * smooth(-0.15, 1, below_lip)) * (0.5 + 0.5 * corners)
        shadow = shadow * (0.68 + 0.32 * above_lip)
        bright, opacity, flesh = rows[:, UPPER].split(1, dim=1)
        row = torch.lerp(upper_tooth * bright, gum * bright / 0.55, flesh)
        # The picture's own colours have their shadows already.
        light = 0.62 + 0.38 * smooth(-0.2, 0.8, below_lip)
        light = light * (0.72 + 0.28 * corners) * (0.88 + 0.12 * above_lip)
        light = torch.lerp(light, 0.86 + 0.20 * under_lip, kept) if goes_on else light
        row = torch.maximum(row * light.clamp_min(1e-3) ** exponents, 0.5 * cavity)
        colour = torch.lerp(colour * shadow.clamp_min(1e-3) ** exponents, row, opacity)
        colour = colour * (1 + self._grain(frame))
        return (colour if own is None else self._with_own(height, own, colour, under_lip**exponents)) * 2 - 1

    def _grain(self, frame: MouthFrame) -> Tensor:
        """Relative change of light by grain that is fixed to the head, [B,1,h,w]."""
        middle = self.face.points[[61, 291]].mean(0)
        grid = (frame.rigid_at - middle) * (2 / self.grain.shape[-1])
        grain = self.grain.expand(len(grid), -1, -1, -1)
        return F.grid_sample(grain, grid, "bilinear", "reflection", align_corners=False)

    def _gone(self, height: Tensor) -> Tensor:
        """How far whole drawn teeth have taken the place of the strip of own ones that the picture shows
        [B,1,1,1], in mouths that are open wider by so much: of most teeth such a strip is but the tips."""
        wider = height.amax((2, 3), keepdim=True) - self.face.gap
        return smooth(*_STRIP_GOES, wider) * smooth(*_STRIP, torch.as_tensor(self.face.gap).to(height))

    def _with_own(self, height: Tensor, own: Tensor, drawn: Tensor, under_lip: Tensor) -> Tensor:
        """Drawn colours under what the picture shows itself [B,5,h,w], which goes with the head; height
        [B,1,h,w] of the opening in model units."""
        wider = height.amax((2, 3), keepdim=True) - self.face.gap
        share = torch.lerp(own[:, 4:], own[:, 3:4], smooth(0.0, 0.022, wider))
        if self.own.shows_teeth:
            share = share * (1 - self._gone(height))
        else:  # darkness alone is no thing that would stay in its place
            share = share * smooth(0.06, 0.01, wider)
        shadow = 1 - (0.20 - 0.20 * under_lip) * smooth(0.0, 0.03, wider)
        return torch.lerp(drawn, own[:, :3] * shadow, share)


def _rest(frame: MouthFrame, face: OwnFace) -> Tensor:
    """[B]: 1 where the lips' edge lies as in the picture, however the head has turned."""
    own = frame.pixels(face.contours[LIPS, EDGE])
    moved = (frame.contours[:, EDGE] - own).norm(dim=-1).amax(-1) / face.unit
    return smooth(_REST[1], _REST[0], moved)


def _own_inside(
    face: OwnFace, picture: np.ndarray, sigma: float
) -> tuple[OwnInside | None, np.ndarray | None]:
    """Interior of a mouth that is open in the picture, and its pixels' colours [N,3]; None of a shut one."""
    if face.jaw <= 0:
        return None, None
    unit, size = face.unit, len(picture)
    edge = transform(face.contours[LIPS, EDGE], face.pose[0])
    edge = Camera.of_size(size).pixels(edge).cpu().numpy()
    room = size // 12
    x0, y0 = np.maximum(edge.min(0).astype(int) - room, 0)
    x1, y1 = np.minimum(edge.max(0).astype(int) + room, size)
    part = picture[y0:y1, x0:x1]
    mask = fill_polygon(edge - (x0, y0), part.shape[:2])
    colours = part[cv2.erode(mask, np.ones((3, 3))) > 0.9]
    # Lips are not believed: landmarks lie beside their edge by a little.
    rim = 2 * max(1, round(min(0.006 * unit + 0.7 * sigma, 0.14 * face.gap * unit))) + 1
    known = cv2.erode(mask, np.ones((rim, 3)))
    known = known * _unlike_lips(part, colours, lip_colour(picture, face.points.cpu().numpy()))
    grown = inpaint(part, known)
    # Gaps between teeth are as red as lips: what lies between two teeth is no lip.
    between = np.ones((1, 2 * max(1, int(_TOOTH * unit)) + 1), np.uint8)
    known = np.minimum(cv2.morphologyEx(known, cv2.MORPH_CLOSE, between), cv2.erode(mask, np.ones((3, 3))))

    def stretched(rows: int, above: bool) -> np.ndarray:
        anchor = (0, 0 if above else rows - 1)
        return cv2.dilate(known, np.ones((rows, 1), np.uint8), anchor=anchor)

    # Upwards drawn teeth go on; downwards a little is grown, as long as the mouth opens no wider.
    wider = stretched(max(2, int(0.012 * unit)), True)
    closer = np.maximum(wider, stretched(max(2, int(0.022 * unit)), False))
    sideways = np.ones((1, 2 * int(0.03 * unit) + 1), np.uint8)
    soft = max(size / 300, 1.2 * sigma)
    shares = [blur(wider, soft)[..., None], blur(cv2.dilate(closer, sideways), soft)[..., None]]
    texture = torch.cat(
        [as_picture(grown, face.image), as_map(np.concatenate(shares, -1), face.image)], dim=1
    )
    corner = torch.tensor([x0, y0], dtype=torch.float32, device=face.image.device)
    colours = colours if len(colours) > 20 else None
    teeth = (
        colours is not None
        and _own_tooth(colours, skin_colour(picture, face.points.cpu().numpy())) is not None
    )
    return OwnInside(texture, corner, teeth), colours


def _own_tooth(inside: np.ndarray, skin: np.ndarray) -> np.ndarray | None:
    """Colour of the teeth among an open mouth's pixels [N,3]; None if it shows none."""
    luma = inside @ LUMA
    bright = inside[luma >= np.percentile(luma, 88)].mean(0)
    return bright if bright @ LUMA > 0.55 * (skin @ LUMA) and np.ptp(bright) / bright.max() < 0.40 else None


def _unlike_lips(part: np.ndarray, inside: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """0 where pixels [h,w,3] are rather as red as lips than as an open mouth's brighter pixels [N,3], else 1.

    1 in pictures without colour.
    """

    def redness(colour: np.ndarray) -> np.ndarray:
        return (colour[..., 0] - colour[..., 1:].mean(-1)) / np.maximum(colour @ LUMA, 0.1)

    if len(inside) < 20:
        return np.ones(part.shape[:2], np.float32)
    luma = inside @ LUMA
    white, red = float(np.median(redness(inside[luma >= np.percentile(luma, 70)]))), float(redness(lips))
    if red - white < 0.15:
        return np.ones(part.shape[:2], np.float32)
    bright = smoothstep(0.25, 0.45, (part @ LUMA) / max(float(lips @ LUMA), 1e-3))
    return 1 - bright * smoothstep(white + 0.4 * (red - white), white + 0.7 * (red - white), redness(part))


def _colours(picture: np.ndarray, points: np.ndarray, own: np.ndarray | None) -> MouthColours:
    """Colours under the portrait's light; `own` [N,3] is what an open mouth shows."""
    skin, lips = skin_colour(picture, points), lip_colour(picture, points)
    light = float(skin @ LUMA)
    coloured = has_colour(skin)
    tooth = min(1.04 * light, 0.86) * (1 + _TINT * (white_hue(picture, points) - 1))
    lip_light = float(lips @ LUMA)
    flesh = lips - lip_light
    tongue = np.clip(0.86 * lip_light + 1.15 * flesh, 0.02, 1)
    gum = np.clip(0.95 * lip_light + 0.9 * flesh, 0.02, 1)
    black = min(float(np.percentile(picture @ LUMA, 1.5)), 0.12)
    tongue_light = max(float(tongue @ LUMA), 1e-3)
    tint = (tongue / tongue_light) ** 1.4 if coloured else np.ones(3)
    cavity = max(0.22 * tongue_light, 0.75 * black) * tint
    lift = np.ones(3)
    if own is not None:
        luma, own_tooth = own @ LUMA, _own_tooth(own, skin)
        if own_tooth is not None:
            # Lips shade what they part over a little: wide open, teeth are as bright as others' nearly.
            tooth = np.maximum(own_tooth, (own_tooth + tooth) / 2)
            lift = np.clip(tooth / np.maximum(own_tooth, 0.05), 1, 1.4)
        dark = own[luma <= np.percentile(luma, 5)].mean(0)
        if dark @ LUMA < 0.35 * light:
            cavity = (cavity + dark) / 2
    if not coloured:
        grey = skin / max(light, 1e-3)  # as little tint as the skin has
        tooth, gum, tongue, cavity = (grey * float(c @ LUMA) for c in (tooth, gum, tongue, cavity))
    exponents = np.array(_RED if coloured else (1.0, 1.0, 1.0))
    return MouthColours(*(np.clip(c, 0, 1) for c in (tooth, gum, tongue, cavity)), exponents, lift)
