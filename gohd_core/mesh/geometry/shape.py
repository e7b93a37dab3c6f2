"""A portrait's own head: its contours and skull without expression, and what each expression does to them.

A spline from the stylised mean head to the portrait's own points carries over the head and the directions in
which its expressions move it. Lips and lids are then the portrait's own: lids close on its lower lids, and
lips share an opening as those of people who talk do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.contours import (
    HALF,
    LIPS_WITHIN,
    N_FACE,
    angles,
    corner_distance,
    face_contours,
    inner_gap,
    mouth_breadth,
    opposite,
    shut,
)
from gohd_core.mesh.frame import EDGE, LEFT_EYE, LIPS, POINTS, RIGHT_EYE, ROUNDING
from gohd_core.mesh.geometry.brows import BROWS, brow_directions
from gohd_core.mesh.reading.canonical import canonical_face
from gohd_core.mesh.reading.columns import DRAWN, MIRRORED_DRAWN
from gohd_core.mesh.reading.spline import Spline
from gohd_core.stylised.ground_truth.feature_rings import feature_rings
from gohd_core.stylised.head.morphable import stylised_basis

JAW, PRESS, RAISE, DROP, BLINKS = 0, 3, 4, 5, (8, 9)
"""Places in `DRAWN` of what opens the jaw, presses the lips, raises the upper lip, lowers the lower one, and
of both blinks."""
PUFF, WRINKLE, MOUTH_SHIFT, JAW_SHIFT = 15, 16, 17, 18
"""Places of cheek puff, nose wrinkle, and of mouth and jaw that move sideways."""
_SHIFTS = [MOUTH_SHIFT, JAW_SHIFT]
WITH_MOUTH = (*range(DROP + 1), MOUTH_SHIFT, JAW_SHIFT)
"""Places of what moves mouth and jaw alone, and nothing from the eyes upwards."""
_PAIRED = (2, 3, 6, 7)
"""Places in `DRAWN` of expressions that move both lips' edges alike: spread, press, smiles."""
SHUT_BELOW = 0.020
"""Gap of the inner lips that counts as shut, model units."""
_SMOOTHING = 4e-3
_JAW_GAIN, _JAW_GAP = 0.60, 0.825
"""Gain of the skin on the stylised jaw's motion, and of the lips' gap on its gap: the upper lip rises by the
difference."""
_GAINS = (
    *(_JAW_GAIN, 0.95, 0.7, 1.0, 0.8, 0.8, 0.42, 0.42, 1.0, 1.0, 1.2, 1.2, 1.2, 1.0),
    *(0.8, 1.0, 1.3, 1.5, 1.2),
)
"""Gains on the stylised head's expressions, for the columns of `DRAWN`."""
_BESIDE_LIPS = (0.0, 0.0, 0.0, 0.0, 0.1, 0.4, 0.8)
"""Weight of the lips' contours in cheek puff and nose wrinkle: lips stay as they are."""
_FLATTER, _FULLER, _PARTED = 0.35, 0.12, 0.4
"""Rounded lips: how much of the curve of the line between them goes, by how much the red grows, and how much
of the stylised head's opening is left."""
_BREADTH, _BREADTHS = 0.48, (0.9, 1.3)
"""A mouth's breadth without a smile, in distances of the eyes' outer corners; and limits of the portrait's
own breadth over that. Rounding goes as much further in a mouth that smiles."""
_AROUND = (1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25)
"""Weights of the lips' contours in what rounding does to their heights."""
_UPPER_LIP = (1.0, 1.0, 1.0, 0.92, 0.75, 0.42, 0.15)
"""Weights of the upper lip's contours when it rises with the jaw."""
_DRAGGED = 0.5
"""Share of the lower lip's way by which the upper one goes along with a jaw that moves sideways."""
_CORNER = 0.5
"""Distance from a corner within which both lips share their sideways motion, in heights of an ellipse through
both."""
_THINNEST = 0.5
"""Least thickness of pressed lips, as a share of their own."""
_LID_FALL = (1.0, 1.0, 0.86, 0.50, 0.14, 0.0, 0.0)
"""Weights of an eye's contours in a lid's motion: 0 from the fold on, so that brows and glasses stay."""
_LID_LINE = 0.12
"""Line at which shut lids meet, as a share of the opening above the lower lid."""
_LID_OVERLAP = 0.010
"""Overlap of shut lids, model units."""
_LID_FORWARD = 0.15
"""Bulge of a closing lid towards the camera, as a share of its way down."""


@dataclass(frozen=True)
class FaceShape:
    """Own geometry in head space, model units, float32.

    Attributes:
        contours: [3,7,48,3] of lips, left and right eye without expression.
        directions: [19,3,7,48,3] what each drawn column of the expression adds.
        head: [V,3] the stylised head's vertices on the portrait's skull, without expression.
        head_directions: [19,V,3] likewise; without lids.
        own: [19] the portrait's own expression.
        gap: own gap between the inner lips.
    """

    contours: Tensor
    directions: Tensor
    head: Tensor
    head_directions: Tensor
    own: Tensor
    gap: float

    @property
    def jaw(self) -> float:
        """The portrait's own opening of the jaw."""
        return self.own[JAW].item()

    def contours_in(self, descriptor: Tensor, size: int) -> Tensor:
        """Contours [B,3,7,48,2] in pixels of frames of `size` with descriptors [B,72] in the network's
        order."""
        moving = descriptor[:, list(DRAWN)]
        points = self.contours + torch.einsum("bm,mprkc->bprkc", moving, self.directions)
        placed = transform(points.flatten(1, 3), descriptor[:, 64:70])  # [B,3 * 7 * 48,3]
        return Camera.of_size(size).pixels(placed).unflatten(1, self.contours.shape[:3])  # [B,3,7,48,2]

    def to(self, device: torch.device | str) -> FaceShape:
        return replace(
            self, **{name: value.to(device) for name, value in vars(self).items() if torch.is_tensor(value)}
        )


def face_shape(points_in_head: Tensor) -> FaceShape:
    """The shape of one portrait from its own points in head space [478,3] (`fit.fit_face`)."""
    own, spline, expression, gap = _fitted(points_in_head)
    points = points_in_head.detach().cpu().double()
    gains = own.new_tensor(_GAINS)
    directions = _contour_directions(spline, own)
    directions[BROWS, LEFT_EYE:] = brow_directions(points, own[LEFT_EYE:])
    directions = directions * gains[:, None, None, None, None]
    basis = stylised_basis()
    head = torch.tensor(basis.mean_shape, dtype=torch.float64, device="cpu")
    head_directions = _directions(basis.expression_basis)
    head_directions[list(BLINKS)] = 0
    moved = spline.moved(head, head_directions)
    moved[BROWS] = brow_directions(points, spline(head))
    moved[_SHIFTS] = head_directions[_SHIFTS]  # a plain shift, which a spline would bend up and down
    moved = moved * gains[:, None, None]
    neutral = own - torch.einsum("m,mprkc->prkc", expression, directions)
    tensors = (neutral, directions, spline(head), moved, expression)
    return FaceShape(*(each.float() for each in tensors), gap)


def own_expression(points_in_head: Tensor) -> Tensor:
    """[19] the portrait's own expression: `face_shape(points_in_head).own`, without the rest."""
    return _fitted(points_in_head)[2].float()


def _fitted(points_in_head: Tensor) -> tuple[Tensor, Spline, Tensor, float]:
    """Own contours [3,7,48,3], the spline from the mean head to the portrait's, its own expression [19] and
    the gap between its lips; float64."""
    points = points_in_head.detach().cpu().double()
    own = face_contours(points[None])
    gap = inner_gap(points[None]).item()
    open_mouth = gap >= SHUT_BELOW
    if not open_mouth:
        own = shut(own)
    own = own[0]
    controls, targets, expression = _controls(points, own)
    lips = torch.tensor(feature_rings().mean[0], dtype=torch.float64, device="cpu")
    lip_expression = _directions(feature_rings().expression[0])
    middles = lips[EDGE, [12, 36]]
    jaw = max(gap - 0.008, 0.0) / 0.27 if open_mouth else 0.0
    for _ in range(2):
        # The portrait's points are where an open jaw has put them.
        spline = Spline(controls + jaw * expression[JAW], targets, _SMOOTHING)
        ends = spline.moved(middles, lip_expression[JAW : JAW + 1, EDGE, [12, 36]])[0]
        opening = (ends[0, 1] - ends[1, 1]).item()
        if open_mouth:
            jaw = min(max((gap - 0.004) / (opening * _JAW_GAP), 0.0), 1.0)
    found = points.new_zeros(len(DRAWN))
    found[JAW] = jaw
    return own, spline, found, gap


def _directions(columns: object) -> Tensor:
    """A basis [...,3,64] as the directions of its drawn columns [19,...,3]."""
    return torch.tensor(columns[..., list(DRAWN)], dtype=torch.float64, device="cpu").movedim(-1, 0)


def _controls(points: Tensor, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of points, on the stylised mean head [N,3] and on the portrait's own [N,3], and what expressions
    do to the former [19,N,3]."""
    face, rings = canonical_face(), feature_rings()
    keep = [k for k in range(N_FACE) if k not in LIPS_WITHIN]
    mean = torch.tensor(rings.mean, dtype=torch.float64, device="cpu")  # [2,7,48,3]
    moving = _directions(rings.expression)
    every = torch.arange(0, POINTS, 3, device="cpu", dtype=torch.long)
    corners, upper, lower = [0, HALF], [6, 12, 18], [42, 36, 30]

    def between(values: Tensor) -> Tensor:
        return (values[..., upper, :] + values[..., lower, :]) / 2

    controls = [face.on_head[keep], mean[0, 4, every], mean[0, EDGE, corners], between(mean[0, EDGE])]
    targets = [points[keep], own[LIPS, 4, every], own[LIPS, EDGE, corners], between(own[LIPS, EDGE])]
    directions = [
        face.expression[keep].movedim(1, 0),
        moving[:, 0, 4, every],
        moving[:, 0, EDGE, corners],
        between(moving[:, 0, EDGE]),
    ]
    for eye, sign in ((LEFT_EYE, 1.0), (RIGHT_EYE, -1.0)):
        at = every if sign > 0 else (HALF - every) % POINTS
        for contour in (EDGE, 4):
            controls.append(mean[1, contour, every] * mean.new_tensor([sign, 1.0, 1.0]))
            targets.append(own[eye, contour, at])
            directions.append(mean.new_zeros(len(DRAWN), len(every), 3))  # lids are made on the own ones
    return torch.cat(controls), torch.cat(targets), torch.cat(directions, 1)


def _contour_directions(spline: Spline, own: Tensor) -> Tensor:
    """Expression basis of the portrait's own contours [3,7,48,3], before gains: [19,3,7,48,3]."""
    rings = feature_rings()
    mean, moving = torch.tensor(rings.mean, dtype=torch.float64, device="cpu"), _directions(rings.expression)
    mirrored = (HALF - torch.arange(POINTS, device="cpu", dtype=torch.long)) % POINTS
    flip = mean.new_tensor([-1.0, 1.0, 1.0])
    right = moving[list(MIRRORED_DRAWN), 1][:, :, mirrored] * flip
    places = torch.stack([mean[0], mean[1], mean[1][:, mirrored] * flip])
    stylised = torch.stack([moving[:, 0], moving[:, 1], right], 1)
    found = spline.moved(places, stylised)
    found[_SHIFTS] = stylised[_SHIFTS]
    found[list(WITH_MOUTH), LEFT_EYE:] = 0  # eyes stay, whatever the mouth does
    for eye, column in zip((LEFT_EYE, RIGHT_EYE), BLINKS, strict=True):
        found[list(BLINKS), eye] = 0
        found[column, eye] = _blink(own[eye])
    _shape_lips(found[:, LIPS])
    _round_lips(found[ROUNDING, LIPS], own[LIPS])
    found[ROUNDING, LIPS, :, :, 0] *= _breadth(own)
    found[[PUFF, WRINKLE], LIPS] *= own.new_tensor(_BESIDE_LIPS)[:, None, None]
    found[PRESS, LIPS] = _uncrossed(found[PRESS, LIPS], own[LIPS])
    found[:, :, 0] = found[:, :, EDGE]
    return found


def _blink(eye: Tensor) -> Tensor:
    """Displacement that shuts an eye with contours [7,48,3]: [7,48,3]."""
    edge = eye[EDGE]
    sine = angles(eye.device, eye.dtype).sin()
    facing = opposite(edge[:, 1], 0)
    top, bottom = torch.where(sine >= 0, edge[:, 1], facing), torch.where(sine >= 0, facing, edge[:, 1])
    upper = sine > 1e-9
    overlap = _LID_OVERLAP * torch.where(upper, sine.clamp_min(0).sqrt(), torch.zeros_like(sine))
    way = bottom + _LID_LINE * (top - bottom) - overlap - edge[:, 1]  # [48]
    fall = eye.new_tensor(_LID_FALL)[:, None]
    moved = torch.zeros_like(eye)
    moved[..., 1] = way * fall
    moved[..., 2] = way.abs() * fall * _LID_FORWARD * upper
    return moved


def _uncrossed(moved: Tensor, lips: Tensor) -> Tensor:
    """Displacement [7,48,3] by which lips with contours [7,48,3] grow thinner, held back where it would take
    more of their thickness than `_THINNEST` leaves: at the corners contours would cross."""
    thickness = (lips - lips[EDGE])[..., 1].abs()  # [7,48]
    relative = moved - moved[EDGE]
    share = (1 - _THINNEST) * thickness / relative[..., 1].abs().clamp_min(1e-9)
    return moved[EDGE] + relative * share.clamp(max=1.0)[..., None]


def _shape_lips(directions: Tensor) -> None:
    """Gives what moves the lips [19,7,48,3] the shape that an opening has in people who talk, in place."""
    along = angles(directions.device, directions.dtype).sin().abs()
    inner = ((along - 0.28) / 0.72).clamp(0, 1)
    profiles = torch.stack([inner, inner, inner, (inner + along) / 2, along, along, along])  # [7,48]
    # Towards the corners both lips go sideways alike, or one's end would stick out beyond the other's.
    columns = [*range(BLINKS[0]), JAW_SHIFT]
    across = directions[columns, : EDGE + 4, :, 0]
    shared = (1 - along / _CORNER).clamp_min(0) / 2
    directions[columns, : EDGE + 4, :, 0] = across.lerp(opposite(across, 2), shared)
    points = torch.arange(POINTS, device="cpu", dtype=torch.long)
    upper, lower = (points > 0) & (points < HALF), points > HALF
    across = directions[JAW_SHIFT, :, :, 0]
    share = _DRAGGED * directions.new_tensor(_UPPER_LIP)[:, None]
    across[:, upper] = torch.lerp(across, opposite(across, 1), share)[:, upper]
    for column, halves in ((JAW, (upper, lower)), (RAISE, (upper,)), (DROP, (lower,))):
        moved = directions[column, :5, :, 1:]  # up and forward
        corner = (moved[:, [0]] + moved[:, [HALF]]) / 2
        for half in halves:
            middle = moved[:, [12]] if half is upper else moved[:, [36]]
            power = 0.8 if half is upper and column == JAW else 1.0
            moved[:, half] = (corner + (middle - corner) * profiles[:5, :, None] ** power)[:, half]
        moved[:, [0, HALF]] = corner
    for column in _PAIRED:
        edges = directions[column, : EDGE + 1]
        directions[column, : EDGE + 1] = (edges + opposite(edges, 1)) / 2
    jaw = directions[JAW, :, :, 1]
    opening = (jaw[EDGE, 12] - jaw[EDGE, 36]).clone()
    wanted = (_JAW_GAP / _JAW_GAIN - 1) * opening  # what the upper lip has to add
    jaw[:, upper] += (wanted * directions.new_tensor(_UPPER_LIP)[:, None] * profiles)[:, upper]


def _breadth(own: Tensor) -> float:
    """Breadth of the mouth of contours [3,7,48,3] over that of a face at rest."""
    breadth = (mouth_breadth(own[LIPS]) / corner_distance(own)).item()
    return min(max(breadth / _BREADTH, _BREADTHS[0]), _BREADTHS[1])


def _round_lips(pucker: Tensor, lips: Tensor) -> None:
    """Gives rounding [7,48,3] the heights that it has in people, in place: the line between the lips [7,48,3]
    gets flatter as it gets shorter, the opening is an ellipse, and the red of the lips is fuller."""
    line = (lips[EDGE, :, 1] + opposite(lips[EDGE, :, 1], 0)) / 2
    opening = _PARTED * (pucker[EDGE, 12, 1] - pucker[EDGE, 36, 1])
    edge = _FLATTER * (line.mean() - line) + opening / 2 * angles(lips.device, lips.dtype).sin()
    red = lips[:5, :, 1] - lips[EDGE, :, 1]  # [5,48] above the edge, or below it
    heights = edge + _FULLER * torch.cat([red, red[[-1, -1]]])
    pucker[..., 1] = heights * pucker.new_tensor(_AROUND)[:, None]
