"""A real clip says something else: each frame is its own source, and only lips, jaw and cheeks are moved.

Lips go from the frame's own contours to those of the new expression; the skin around goes along as far as
the jaw takes it; what parted lips show comes from the clip's own mouths. Pixels that nothing moves stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.face.camera import ALIGNED_SIZE, Camera, transform
from gohd_core.images import Image
from gohd_core.mesh.canonical import canonical_face
from gohd_core.mesh.clip import (
    MOUTH_COLUMNS,
    NOSE_BASE,
    ClipExpression,
    Features,
    fit_clip,
    neutral_points,
    on_head,
)
from gohd_core.mesh.contour_warp import contour_flows
from gohd_core.mesh.contours import LIPS_WITHIN, N_FACE, face_contours, opposite
from gohd_core.mesh.fit import into_box
from gohd_core.mesh.frame import EDGE, LIPS
from gohd_core.mesh.own_mouths import OwnMouths, chosen_frames, lip_colours
from gohd_core.mesh.photometry import smoothstep
from gohd_core.mesh.shape import DROP, JAW, RAISE

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The face's outline in the mesh."""
SMILES, PRESS = (6, 7), 3
STEADY = 0.7
"""Deviation in frames of the Gaussian over meshes."""
_PUSH, _THICKNESS = 0.006, 0.55
"""By how much own lips' edges are taken outwards where the mouth is open, and which share at most."""
_SLOW, _MOOD = 12.0, 15.0
"""Frames over which what directions can't tell of the lips, and a smile, are the speaker's own."""
_CROP = 1 / 0.42
"""Side of the drawn square, model units."""
_GRID = 64
_MASK = (0.12, 0.50)
"""Pixels of flow from and at which a pixel is drawn."""
_CALM_PRESS = 0.6
_COVERED = (30.0, 42.0)
"""Distances in Lab of a frame's lips from the clip's from and at which they are taken to be covered."""


@dataclass(frozen=True, eq=False)
class RevoiceRows:
    """What is kept of n frames: pose [n,6] and own points in head space [n,478,3], float32."""

    pose: Tensor
    points: Tensor

    @classmethod
    def of(cls, meshes: np.ndarray, box: tuple[float, float, float]) -> RevoiceRows:
        """From meshes [n,478,3] in pixels of the film, fitted in its square `box` (left, top, side)."""
        points = gaussian_filter1d(meshes.astype(np.float64), STEADY, axis=0, mode="nearest")
        points = torch.from_numpy(points.astype(np.float32))
        fitted = fit_clip(into_box(points, box, ALIGNED_SIZE), ALIGNED_SIZE)
        return cls(fitted.pose, fitted.points_in_head)


class Revoicing:
    """One speaker's clip, ready to say something else.

    Attributes:
        expression: tells the speaker's own expressions. own: [T,14] those of the frames.
        wanted_frames: frames whose pictures `learn` wants to see, before anything is drawn.
    """

    def __init__(self, rows: RevoiceRows, box: tuple[float, float, float]) -> None:
        self.rows, self.box = rows, box
        features = Features.of(rows.points)
        neutral = neutral_points(rows.points)
        self.expression = ClipExpression(neutral, features)
        shape = self.expression.shape
        self.own = self.expression(features)[:, list(MOVING)]
        self.gap = self.expression.own_gap(features).numpy()
        self._neutral, self._directions = shape.contours[LIPS], shape.directions[: len(MOVING), LIPS]
        self._skin = on_head(shape, neutral[:N_FACE])[: len(MOVING)]  # [14,468,3]
        self._skin[8:] = 0
        self._fade = _fade()
        contours = face_contours(rows.points)[:, LIPS]
        self._own_lips = self._without_bias(contours, features.gap)
        self._rest, self._mood = self._speakers_own()
        self.scale = self._pixels_a_unit()
        self.side = round(self.scale * _CROP / 2) * 2
        yaw, place = rows.pose[:, 1].numpy(), rows.pose[:, 3:].numpy()
        self.mouth_frames = chosen_frames(self.gap, yaw, place)
        self.shut_frames = np.argsort(self.gap, kind="stable")[:12].tolist()
        self.wanted_frames = sorted({*self.mouth_frames, *self.shut_frames})
        self.mouths: OwnMouths | None = None

    def learn(self, frames: dict[int, Image]) -> None:
        """Takes lips' colours and mouths' insides from the pictures of `wanted_frames`."""
        lips = [lip_colours(frames[k], self._pixels(self._own_lips[k : k + 1], k)) for k in self.shut_frames]
        self.mouths = OwnMouths(np.median(np.concatenate(lips, 1), axis=1))
        for k in self.mouth_frames:
            self.mouths.add(frames[k], self._pixels(self._own_lips[k : k + 1], k), self.gap[k], self.scale)

    def styled(self, voice: Tensor) -> Tensor:
        """Expressions [T,64] of a voice as this speaker's [T,14]: openings as wide as the speaker's go."""
        target = voice[:, list(MOVING)].clone()
        target[:, PRESS] *= _CALM_PRESS
        target[:, 8:] = 0
        opening = _gap(torch.einsum("tm,mkc->tkc", target, self._directions[:, EDGE])).clamp_min(0)
        wide = float(np.percentile(self.gap, 98))
        ratio = wide / max(float(opening.quantile(0.98)), 1e-3)
        target[:, [JAW, RAISE, DROP]] *= min(np.clip(ratio, 0.4, 1.6) ** 0.6, 1.25)
        return target

    def target_lips(self, target: Tensor) -> Tensor:
        """Contours [T,7,48,3] of lips in head space for `styled` expressions."""
        moving = target + self._mood[: len(target)]
        made = torch.einsum("tm,mrkc->trkc", moving, self._directions)
        return self._neutral + made + self._rest[: len(target)]

    def frame(self, image: Image, t: int, target: Tensor, lips: Tensor) -> Image:
        """Frame t as it says `target` [14], its lips at `lips` [7,48,3]; the picture given is not changed."""
        side = self.side
        own, wanted = self._pixels(self._pushed(t)[None], t), self._pixels(lips[None], t)
        middle = own[4].mean(0)
        corner = np.round(middle).astype(int) - side // 2
        source = _taken(image, corner, side)
        flow = self._skin_flow(t, target + self._mood[t], corner)
        # The flows are made for mouth and eyes together; here the mouth stands for all three.
        contours = [
            torch.from_numpy(each - corner).float().expand(1, 3, -1, -1, -1) for each in (wanted, own)
        ]
        lips_flow = contour_flows(*contours, side)[LIPS]
        window = lips_flow.window
        x, y = int(window.x[0]), int(window.y[0])
        part = np.s_[y : y + window.height, x : x + window.width]
        share = lips_flow.weight[0, 0].numpy()[..., None]
        flow[part] += share * (lips_flow.shift[0].permute(1, 2, 0).numpy() - flow[part])
        row, column = np.mgrid[0:side, 0:side].astype(np.float32)
        at = (column + flow[..., 0], row + flow[..., 1])
        drawn = cv2.remap(source, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        opening = np.zeros((side, side), np.float32)
        height = (lips_flow.opening.above + lips_flow.opening.below)[0, 0].numpy()
        cover = lips_flow.opening.coverage[0, 0].numpy() * (np.abs(lips_flow.opening.along[0, 0].numpy()) < 1)
        opening[part] = cover * smoothstep(0.1, 0.9, height)
        if opening.max() > 0.02:
            pixels = np.stack([column[part], row[part]], -1).astype(np.float64) + corner
            gap = float(_gap(lips[EDGE]))
            inside = self._inside(wanted[EDGE], gap, pixels)
            alpha = opening[part][..., None]
            drawn[part] = drawn[part] * (1 - alpha) + inside * alpha
        moved = np.hypot(flow[..., 0], flow[..., 1])
        mask = np.maximum(smoothstep(*_MASK, moved), opening).astype(np.float32)
        mask = cv2.GaussianBlur(cv2.dilate(mask, np.ones((3, 3))), (0, 0), 1.0) * _edge(side)
        mask = mask * (1 - self.covered(image, t))
        mask[mask < 1 / 255] = 0
        mixed = source + mask[..., None] * (drawn - source)
        result = np.where(mask[..., None] > 0, mixed.clip(0, 255).round(), source).astype(np.uint8)
        return _put_back(image, result, corner)

    def covered(self, image: Image, t: int) -> float:
        """How far frame t shows something else where its lips are, a hand or a microphone: 0..1."""
        if self.mouths is None:
            return 0.0
        seen = lip_colours(image, self._pixels(self._own_lips[t : t + 1], t))
        away = np.linalg.norm(np.median(seen, axis=1) - self.mouths.lips, axis=-1)
        return float(smoothstep(*_COVERED, away.max()))

    def _inside(self, edge: np.ndarray, gap: float, pixels: np.ndarray) -> np.ndarray:
        if self.mouths is None or not self.mouths.textures:
            return np.full((*pixels.shape[:2], 3), 22.0, np.float32)
        return self.mouths.inside(edge, gap, pixels, self.scale)

    def _without_bias(self, contours: Tensor, gap: Tensor) -> Tensor:
        """Own lips [T,7,48,3] whose edges lie together where they are shut."""
        found = contours.clone()
        share = (torch.from_numpy(self.gap) / gap.clamp_min(1e-4)).clamp(0, 1)[:, None, None, None]
        edges = contours[:, : EDGE + 1]
        middle = (edges + opposite(edges, 2)) / 2
        found[:, : EDGE + 1] = middle + share * (edges - middle)
        return found

    def _pushed(self, t: int) -> Tensor:
        """Own lips of frame t [7,48,3], an open mouth's edges outwards: no teeth are carried along."""
        found = self._own_lips[t].clone()
        index = torch.arange(found.shape[1], dtype=torch.float32, device="cpu")
        sign = torch.where(index < 24, 1.0, -1.0).to(torch.float32)
        sine = (index * (2 * torch.pi / len(index))).sin().abs() ** 0.7
        cuts = (
            torch.zeros(2, dtype=torch.float32, device="cpu")
            if self.mouths is None
            else torch.from_numpy(self.mouths.cuts).float()
        )
        out = _PUSH - torch.where(index < 24, cuts[0], cuts[1])
        push = float(smoothstep(0.008, 0.035, float(self.gap[t]))) * sine * out
        thickness = ((found[4, :, 1] - found[EDGE, :, 1]) * sign).clamp_min(1e-4)
        push = torch.minimum(push, _THICKNESS * thickness)
        for contour in (2, 3):
            way = found[4, :, 1] - found[contour, :, 1]
            found[contour, :, 1] = found[4, :, 1] - way * (1 - push / thickness)
        found[: EDGE + 1, :, 1] += push * sign
        return found

    def _speakers_own(self) -> tuple[Tensor, Tensor]:
        """What the speaker's lips are beside what directions tell [T,7,48,3], and a lasting smile [T,14]."""
        told = torch.einsum("tm,mrkc->trkc", self.own[:, : len(MOUTH_COLUMNS)], self._directions[:8])
        rest = (self._own_lips - self._neutral - told).flatten(1).double().numpy()
        turn = self.rows.pose[:, :2].double().numpy()
        base = np.column_stack([np.ones(len(turn)), turn - turn.mean(0)])
        by_pose = base @ np.linalg.solve(base.T @ base + np.diag([0, 0.3, 0.3]), base.T @ rest)
        slow = by_pose + gaussian_filter1d(rest - by_pose, _SLOW, axis=0, mode="nearest")
        kept = torch.from_numpy(slow).float().view_as(self._own_lips)
        edges = kept[:, : EDGE + 1]
        kept[:, : EDGE + 1] = (edges + opposite(edges, 2)) / 2
        mood = torch.zeros_like(self.own)
        smiles = gaussian_filter1d(self.own[:, list(SMILES)].numpy(), _MOOD, axis=0, mode="nearest")
        mood[:, list(SMILES)] = torch.from_numpy(0.8 * smiles).clamp(-0.2, 0.8)
        return kept, mood

    def _skin_flow(self, t: int, target: Tensor, corner: np.ndarray) -> np.ndarray:
        """Backward flow [S,S,2] of the skin in pixels: where jaw and cheeks take it."""
        change = target - self.own[t]
        points = self.rows.points[t, :N_FACE]
        moved = points + torch.einsum("m,mnc->nc", change, self._skin)
        places = self._pixels(torch.stack([points, moved])[:, None], t, flat=True)
        start = places[0] - corner
        shift = (places[1] - places[0]) * self._fade[:, None]
        oval = list(OVAL)
        centre = start[oval].mean(0)
        rings = [centre + grown * (start[oval] - centre) for grown in (1.22, 1.6, 2.4)]
        side = self.side
        far = np.array([[-side, -side], [2 * side, -side], [-side, 2 * side], [2 * side, 2 * side]], float)
        keep = [k for k in range(N_FACE) if k not in _WITHIN]
        at = np.concatenate([start[keep], *rings, far])
        still = np.zeros((2 * len(oval) + len(far), 2))
        shifts = np.concatenate([shift[keep], 0.35 * shift[oval], still])
        row, column = np.mgrid[0:_GRID, 0:_GRID]
        grid = (np.stack([column, row], -1) + 0.5) * side / _GRID - 0.5
        flow = np.nan_to_num(LinearNDInterpolator(at + shifts, -shifts)(grid)).astype(np.float32)
        flow = cv2.GaussianBlur(flow, (0, 0), 1.2)
        return cv2.resize(flow, (side, side), interpolation=cv2.INTER_CUBIC)

    def _pixels(self, points: Tensor, t: int, flat: bool = False) -> np.ndarray:
        """Points in head space [1,...,3] of frame t as pixels of the film [...,2] (flat: [n,...] each)."""
        pose = self.rows.pose[t]
        seen = Camera.of_size(ALIGNED_SIZE).pixels(transform(points.reshape(1, -1, 3), pose[None]))
        left, top, side = self.box
        seen = (seen[0].double().numpy() + 0.5) * (side / ALIGNED_SIZE) - 0.5 + np.array([left, top])
        shape = (len(points), -1, 2) if flat else (*points.shape[1:-1], 2)
        return seen.reshape(shape)

    def _pixels_a_unit(self) -> float:
        depth = Camera().distance - self.rows.pose[:, 5].median().item()
        return Camera.of_size(ALIGNED_SIZE).focal / depth * self.box[2] / ALIGNED_SIZE


_WITHIN = frozenset(LIPS_WITHIN)


def _gap(edge: Tensor) -> Tensor:
    """Gap [...] of inner contours [...,48,3] in their middle."""
    return (edge[..., [9, 12, 15], 1] - edge[..., [39, 36, 33], 1]).mean(-1)


def _fade() -> np.ndarray:
    """How far mesh points [468] go along: whole up to the nose, not at all from near the eyes on."""
    height = canonical_face().points[:, 1].numpy()
    nose, eyes = height[NOSE_BASE], height[[33, 263, 133, 362]].mean()
    return 1 - smoothstep(nose, nose + 0.75 * (eyes - nose), height)


def _edge(side: int) -> np.ndarray:
    """0 at a square's edge, 1 well inside."""
    line = np.minimum(np.arange(side), side - 1 - np.arange(side))
    return smoothstep(0, 0.06 * side, np.minimum(line[:, None], line))


def _taken(image: Image, corner: np.ndarray, side: int) -> np.ndarray:
    """The square of a picture, its edge repeated beyond it."""
    x, y = (np.arange(side) + k for k in corner)
    return image[y.clip(0, image.shape[0] - 1)[:, None], x.clip(0, image.shape[1] - 1)]


def _put_back(image: Image, square: np.ndarray, corner: np.ndarray) -> Image:
    """A copy of the picture with the square in it, as far as it reaches."""
    result = np.array(image)
    (x, y), (height, width) = corner, image.shape[:2]
    left, top = max(-x, 0), max(-y, 0)
    right, bottom = min(len(square), width - x), min(len(square), height - y)
    if right > left and bottom > top:
        result[y + top : y + bottom, x + left : x + right] = square[top:bottom, left:right]
    return result
