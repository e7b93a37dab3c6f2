"""Eyes: eyeballs that turn behind the lids, in the picture's own colours, light and shade."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.measures.face_points import lid_heights
from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS
from gohd_core.mesh.encoding.cropping import Crop
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.eyes.closed_lid import FOLD
from gohd_core.mesh.eyes.eye_outline import limbus
from gohd_core.mesh.eyes.eye_textures import LIFT, LIMBUS, eye_textures
from gohd_core.mesh.eyes.lids import PAINTED, Lid
from gohd_core.mesh.frame import EDGE, LEFT_EYE, RIGHT_EYE, EyeFrame, Window
from gohd_core.mesh.picture.photometry import LUMA, as_map, fill_polygon, smooth
from gohd_core.mesh.reading.gaze import LEFT_IRIS, RADIUS, RIGHT_IRIS

IRISES = (LEFT_IRIS, RIGHT_IRIS)
LIDS = (LEFT_LIDS, RIGHT_LIDS)
_IRIS = (0.17, 0.45)
"""Least and greatest radius of an iris, in eye widths."""
TURN_GAIN = (1.12, 1.22)
"""Gain on what eyes turn by (yaw, pitch): iris readers see .87 and .9 of what an iris moves by, in drawn eyes
as in real ones, so that a gaze that was read in a video moves irises as far as there."""
_LIMITS = (0.85, 0.60)
"""Greatest yaw and pitch in the head, radians."""
_REST = (0.02, 0.16)
"""Shift of an iris in its radii: the eye is the picture's own up to the first, drawn from the second on."""
_LIDS_REST = (0.008, 0.05)
"""The same of the lids' edge, in eye widths."""
_HIGHLIGHT_SHARE = 0.75
"""A light's reflection goes with the cornea, whose middle lies that far out towards the iris."""
_SHUT = 0.10
"""Height of an eye in its width below which it is shut; shut eyes of people in videos are read as .04 to .13,
narrow ones in photographs as .12 and more."""
_VERGENCE = (0.0, 0.06)
"""Plausible difference between both eyes' yaws, radians, towards the nose; others wane as the gaze moves."""


@dataclass(frozen=True)
class Eyeball:
    """One eye of a portrait.

    Attributes:
        middle: [3] between its corners, at the iris's depth; head space.
        width: from corner to corner, model units.
        iris: [3] the iris's middle in the picture; head space.
        radius: of the iris, model units.
        gaze: [2] own (yaw, pitch) in the head, radians.
        to_texture, start: [1,2,2] and [1,2]: places in the picture, in model units beside `middle`, as places
            -1..1 in the textures.
        fixed: [1,6,h,w] white without iris, and what light and lids multiply the eyeball with.
        iris_colour: [1,3,h,w] iris, completed.
        highlights: [1,3,h,w] what a light's reflection adds to the iris; None if none is seen.
        lid: its lid.
        shut: whether the picture shows it shut: there is no eyeball to be drawn, and it stays so.
    """

    middle: Tensor
    width: float
    iris: Tensor
    radius: float
    gaze: Tensor
    to_texture: Tensor
    start: Tensor
    fixed: Tensor
    iris_colour: Tensor
    highlights: Tensor | None
    lid: Lid
    shut: bool

    @cached_property
    def plane(self) -> Tensor:
        """[3,3] of the iris, see `_plane`."""
        return _plane(self.middle, self.width)

    @cached_property
    def offset(self) -> Tensor:
        """[1,2] of the iris in the picture, see `_iris_offset`."""
        return _iris_offset(self.gaze[None], self.width)

    @cached_property
    def narrowed(self) -> Tensor:
        """[1,2,2] of the iris in the picture, see `_narrowed`."""
        return _narrowed(self.offset, self.width)


@dataclass(frozen=True)
class Eyes:
    """A portrait's eyes, ready to be drawn."""

    face: OwnFace
    balls: tuple[Eyeball, Eyeball]

    @classmethod
    def of(cls, face: OwnFace) -> Eyes:
        return cls(face, tuple(_eyeball(face, eye) for eye in (LEFT_EYE, RIGHT_EYE)))

    @cached_property
    def gazes(self) -> Tensor:
        """[1,2,2] own gaze of both in the head."""
        return torch.stack([each.gaze for each in self.balls])[None]

    def draw(self, frame: EyeFrame) -> Tensor:
        """The finished window [B,3,h,w]."""
        ball = self.balls[frame.eye - LEFT_EYE]
        if ball.shut:
            return frame.skin
        gaze = eye_gazes(self.gazes, frame.gaze_in_head - ball.gaze)[:, frame.eye - LEFT_EYE]
        now = _iris_offset(gaze, ball.width)
        moved = (now - ball.offset).norm(dim=-1) / ball.radius
        rest = smooth(_REST[1], _REST[0], moved) * self._lids_rest(frame, ball)
        blinks = bool((frame.blink > PAINTED[0]).any())
        if not blinks and bool((rest == 1).all()):
            return frame.skin
        around = frame.contours[:, EDGE : FOLD + 2 if blinks else EDGE + 1].flatten(1, 2)
        crop = Crop.around(frame, around, 2 + (0.12 if blinks else 0.03) * ball.lid.width)
        if crop is None:
            return frame.skin
        part = crop.frame
        skin = ball.lid.cover(part) if blinks else part.skin
        drawn = skin
        if bool(part.opening.coverage.any()):
            eyeball = self._look(ball, part, now)
            eyeball = ball.lid.shade(eyeball, part) if blinks else eyeball
            drawn = torch.lerp(skin, eyeball, ball.lid.opened(part) * (1 - rest[:, None, None, None]))
        drawn = ball.lid.lashes(drawn, part) if blinks else drawn
        return crop.put_back(drawn, frame.skin)

    def _look(self, ball: Eyeball, frame: EyeFrame, now: Tensor) -> Tensor:
        """The eyeball's colours [B,3,h,w] in [-1, 1], its iris at `now` [B,2]."""
        window, own, to_texture, start = frame.window, ball.offset, ball.to_texture, ball.start
        at, to_pixels = _in_pixels(frame.pixels(ball.plane), ball.width)
        to_plane = torch.linalg.inv(to_pixels)  # pixels to model units beside the middle of the corners
        iris = (ball.iris - ball.middle)[:2]
        # A disc that is turned away is seen narrowed along the way it is turned.
        narrow = ball.narrowed @ torch.linalg.inv(_narrowed(now, ball.width)) @ to_plane
        middle = at + _times(to_pixels, iris + now - own)  # the iris's pixel
        fixed = to_texture @ to_plane
        maps = [
            (fixed, start - _times(fixed, at)),
            (to_texture @ narrow, start + _times(to_texture, iris) - _times(to_texture @ narrow, middle)),
            (narrow / ball.radius, -_times(narrow / ball.radius, middle)),
        ]
        if ball.highlights is not None:
            slide = at + _HIGHLIGHT_SHARE * _times(to_pixels, now - own)
            maps.append((fixed, start - _times(fixed, slide)))
        fixed_at, iris_at, disc, *light_at = _grids(maps, window)
        white, gain = _look_up(ball.fixed, fixed_at).split(3, 1)
        rho = disc.norm(dim=-1)[:, None]
        colour = torch.lerp(white, _look_up(ball.iris_colour, iris_at), smooth(LIMBUS[1], LIMBUS[0], rho))
        colour = (colour + LIFT) * gain - LIFT
        if light_at:
            colour = colour + _look_up(ball.highlights, light_at[0]) * smooth(1.1, 0.8, rho)
        return colour * 2 - 1

    def _lids_rest(self, frame: EyeFrame, ball: Eyeball) -> Tensor:
        """[B]: 1 where the lids' edge lies as in the picture, however the head has turned."""
        own = frame.pixels(self.face.contours[frame.eye, EDGE])
        moved = (frame.contours[:, EDGE] - own).norm(dim=-1).amax(-1) / (self.face.unit * ball.width)
        return smooth(_LIDS_REST[1], _LIDS_REST[0], moved)


def _plane(middle: Tensor, width: float) -> Tensor:
    """An iris's plane [3,3]: its middle, and points half an eye's width across and up from it; head space."""
    steps = torch.zeros(3, 3, device=middle.device, dtype=middle.dtype)
    steps[1, 0] = steps[2, 1] = width / 2
    return middle + steps


def _in_pixels(plane: Tensor, width: float) -> tuple[Tensor, Tensor]:
    """A plane's middle [B,2], and model units to pixels [B,2,2], from the pixels [B,3,2] of `_plane`."""
    return plane[:, 0], ((plane[:, 1:] - plane[:, :1]) / (width / 2)).mT


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrices [B,2,2] times vectors [2] or [B,2]."""
    return (matrix @ vector[..., None])[..., 0]


def _grids(maps: list[tuple[Tensor, Tensor]], window: Window) -> Tensor:
    """A window's pixels under affine maps (matrix [1 or B,2,2], shift [1 or B,2]): [n,B,h,w,2]."""
    half = torch.tensor([window.width, window.height], device=window.x.device, dtype=torch.float32) / 2
    middle = torch.stack([window.x, window.y], -1) + half - 0.5
    rows = []
    for matrix, shift in maps:
        matrix = matrix.expand(len(middle), -1, -1)
        rows.append(torch.cat([matrix * half, (_times(matrix, middle) + shift)[..., None]], -1))
    shape = [len(maps) * len(middle), 1, window.height, window.width]
    return F.affine_grid(torch.cat(rows), shape, align_corners=False).unflatten(0, (len(maps), -1))


def _look_up(texture: Tensor, grid: Tensor) -> Tensor:
    """A texture [1,C,h,w] at places [B,h,w,2]."""
    texture = texture.expand(len(grid), -1, -1, -1)
    return F.grid_sample(texture, grid, "bilinear", "border", align_corners=False)


def eye_gazes(own: Tensor, turned: Tensor) -> Tensor:
    """Gaze of each eye after a turn: both converge on one point, the more the farther the gaze has turned.

    A portrait's own difference between its eyes stays as it is at rest. As far as it is no plausible one
    (eyes that look a little towards the nose do), it wanes as the gaze leaves the portrait's.

    Args:
        own: [B,2,2] or [1,2,2] (yaw, pitch) of the left and the right eye in the picture, radians.
        turned: [B,2] what the gaze has turned by.

    Returns:
        [B,2,2].
    """
    apart = own[:, 0] - own[:, 1]  # the left eye, at the image's right, looks towards the nose with yaw > 0
    plausible = torch.stack([apart[:, 0].clamp(*_VERGENCE), torch.zeros_like(apart[:, 1])], -1)
    squint = (apart - plausible) / 2 * smooth(0.0, 0.3, turned.norm(dim=-1, keepdim=True))
    limits = own.new_tensor(_LIMITS)
    gaze = own + (turned * turned.new_tensor(TURN_GAIN))[:, None] - torch.stack([squint, -squint], 1)
    return torch.maximum(torch.minimum(gaze, limits), -limits)


def _iris_offset(gaze: Tensor, width: float) -> Tensor:
    """Shift of the iris at a gaze (yaw, pitch) [B,2] from its place at gaze 0; model units [B,2]."""
    yaw, pitch = gaze.unbind(-1)
    return RADIUS * width * torch.stack([-yaw.sin() * pitch.cos(), pitch.sin()], -1)


def _narrowed(offset: Tensor, width: float) -> Tensor:
    """Foreshortening of a disc at `offset` [B,2] on the eyeball, seen from the front: [B,2,2]."""
    share = offset / (RADIUS * width)
    square = share.square().sum(-1).clamp(max=0.9)[:, None, None]
    outer = share[:, :, None] * share[:, None]  # [B,2,2]
    return torch.eye(2, device=offset.device, dtype=offset.dtype) - outer * (
        (1 - (1 - square).sqrt()) / square.clamp_min(1e-6)
    )


def _eyeball(face: OwnFace, eye: int) -> Eyeball:
    picture = face.picture
    k, size = eye - LEFT_EYE, len(picture)
    one, other = (face.points_in_head[i] for i in (LIDS[k][0].right, LIDS[k][0].left))
    marks = face.points_in_head[IRISES[k]]
    iris, width = marks.mean(0), float((one - other).norm())
    middle = torch.cat([((one + other) / 2)[:2], iris[2:]])
    rim = marks[1:, :2] - marks[0, :2]
    radius = float(
        np.clip(rim.norm(dim=-1).sort().values[1:3].mean().item(), _IRIS[0] * width, _IRIS[1] * width)
    )
    edge = Camera.of_size(size).pixels(transform(face.contours[eye, EDGE], face.pose[0])).cpu().numpy()
    room = size // 20
    x0, y0 = np.clip(edge.min(0).astype(int) - room, 0, size - 8)
    x1, y1 = np.clip(edge.max(0).astype(int) + room, 8, size)
    plane = _plane(middle, width)
    middle_at, to_pixels = _in_pixels(Camera.of_size(size).pixels(transform(plane, face.pose)), width)
    at, axes = middle_at[0].cpu().numpy(), to_pixels[0].cpu().numpy()
    marked = at + axes @ (iris - middle)[:2].cpu().numpy()
    between = fill_polygon(edge - (x0, y0), (y1 - y0, x1 - x0))
    luma = np.ascontiguousarray(picture[y0:y1, x0:x1] @ LUMA)
    corner = np.array([x0, y0])
    found, pixels = limbus(luma, between, marked - corner, radius * face.unit)
    shift = np.linalg.inv(axes) @ (found + corner - marked)
    iris = iris + torch.cat([torch.from_numpy(shift).to(iris), iris.new_zeros(1)])
    radius = float(np.clip(pixels / face.unit, _IRIS[0] * width, _IRIS[1] * width))
    yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    place = (np.stack([xx, yy], -1) - at) @ np.linalg.inv(axes).T - (iris - middle)[:2].cpu().numpy()
    rho = np.hypot(place[..., 0], place[..., 1]) / radius
    textures, shine = eye_textures(picture[y0:y1, x0:x1], edge - (x0, y0), rho, radius * face.unit)
    fixed, iris_colour = as_map(textures, face.image).split((6, 3), 1)
    highlights = as_map(shine, face.image) if shine.any() else None
    sides = fixed.new_tensor(fixed.shape[:1:-1])
    return Eyeball(
        middle,
        width,
        iris,
        radius,
        face.gaze_in_head[k],
        torch.diag(2 / sides) @ to_pixels,
        (2 * (middle_at - torch.from_numpy(corner).to(sides)) + 1) / sides - 1,
        fixed,
        iris_colour,
        highlights,
        Lid.of(face, eye),
        bool(lid_heights(face.points_in_head[None].cpu().numpy())[0, k] < _SHUT),
    )
