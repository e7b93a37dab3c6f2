"""A real clip says something else: each frame is its own source, and only lips, jaw and cheeks are moved.

Lips go from the frame's own contours to those of the new expression; the skin around goes along as far as
the jaw takes it; what parted lips show comes from the clip's own mouths. Pixels that nothing moves stay, and
so does what lies in front of the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.face.geometry.camera import ALIGNED_SIZE, Camera, transform
from gohd_core.images import Image
from gohd_core.kernels.tree import tree_map
from gohd_core.mesh.clip import LIP_COLUMNS, ClipExpression, Features, on_head
from gohd_core.mesh.contours import HALF, N_FACE, edge_gap, opposite
from gohd_core.mesh.dubbing.closed_lips import ClosedLips, mouth_line
from gohd_core.mesh.dubbing.covering import POINTS, spread
from gohd_core.mesh.dubbing.drawn_mouth import DrawnMouth
from gohd_core.mesh.dubbing.fitted_meshes import FittedMeshes
from gohd_core.mesh.dubbing.own_lips import TOUCHING, OwnLips
from gohd_core.mesh.dubbing.own_mouths import OwnMouths, chosen_frames, lip_colours
from gohd_core.mesh.dubbing.skin_flow import fade, skin_flow
from gohd_core.mesh.dubbing.speaking_style import LastingLips, lasting_smile, styled
from gohd_core.mesh.dubbing.squares import around, edge_fade, grid, put_back, taken
from gohd_core.mesh.face_at_rest import neutral_points
from gohd_core.mesh.frame import EDGE, LIPS
from gohd_core.mesh.geometry.contour_warp import ContourFlow, contour_flows
from gohd_core.mesh.geometry.shape import JAW
from gohd_core.mesh.picture.photometry import smoothstep

_BLOCK = 256
"""Frames whose expressions are told together."""
_HIDDEN = 0.2
"""Cover of any point from which on a frame tells nothing of the mouth."""
_SAMPLE = 4096
"""Frames that the face at rest is made of at most; of longer clips every second, third ... one is taken."""
GAINS = (1.2, 1.04)
"""Gains on the width's changes and the opening of drawn mouths, of which face readers see less, or more."""
_STEADY_INSIDE = 0.08
"""Deviation in seconds of the Gaussian over gaps by which mouths' insides are chosen."""
_TRIALS, _AROUND = 8, 1.0
"""Frames that mouths are drawn into on trial, and half the side of their squares, model units."""
_MOVED = 0.1
"""Way of a head within a frame that makes a picture of shut lips as bad as a turn by one radian does."""
_PARTED = (0.006, 0.02)
"""Gap from and at which lips are those of a frame in which they are shut, model units."""
_CROP = 1 / 0.42
"""Side of the drawn square, model units."""
_FADED = 2.0
"""By how much more mouths of a faded clip must show than those that are found as in others."""
_MASK = (0.12, 0.50)
"""Pixels of flow from and at which a pixel is drawn."""


@dataclass(frozen=True, eq=False)
class Said:
    """Motion of a speaker over T frames.

    Attributes:
        target: [T,14] expressions. gap: [T] between the lips. inside: [T] the gap whose mouth is shown.
    """

    target: Tensor
    gap: Tensor
    inside: np.ndarray

    def always(self, t: int) -> Said:
        """What is said in frame t, in all of them."""
        count = len(self.gap)
        return Said(
            self.target[t].expand(count, -1), self.gap[t].expand(count), np.full(count, self.inside[t])
        )


class DubbedFace:
    """One speaker's clip, ready to say something else.

    Attributes:
        expression: tells the speaker's own expressions. own: [T,14] those of the frames. gap: [T] between the
            speaker's own lips.
        own_lips: where the frames have the speaker's lips.
        scale: pixels a model unit.
        opening, widening: [14] by how much each column of an expression opens and widens lips.
        gains: on the width's changes and the opening as they are drawn.
        wanted_frames: frames to be looked at before `learn`, and that before anything is drawn.
        trials: of some frames where the face's square begins, and that square.
        covered: [T,P] how far points of `covering.POINTS` are covered in each frame (`Covering.found`); None
            where nothing is.
    """

    def __init__(
        self,
        rows: FittedMeshes,
        box: tuple[float, float, float],
        fps: float = 25.0,
        covered: np.ndarray | None = None,
    ) -> None:
        self.rows, self.box, self.fps, self.covered = rows, box, fps, covered
        sample = rows.points(slice(None, None, -(-len(rows) // _SAMPLE)))
        neutral = neutral_points(sample)
        self.expression = ClipExpression(neutral, Features.of(sample))
        shape = self.expression.shape
        told = [self._told(slice(k, k + _BLOCK)) for k in range(0, len(rows), _BLOCK)]
        self.own, gap, share = (torch.cat(each) for each in zip(*told, strict=True))
        self.gap = gap.numpy()
        self._neutral, self._directions = shape.contours[LIPS], shape.directions[: len(MOVING), LIPS]
        edge = self._directions[:, EDGE]
        self.opening, self.widening = edge_gap(edge), edge[:, 0, 0] - edge[:, HALF, 0]
        self._skin = on_head(shape, neutral[:N_FACE])[: len(MOVING)]  # [14,468,3]
        self._skin[len(LIP_COLUMNS) :] = 0
        self.own_lips = OwnLips(rows, self.gap, share, self._neutral)
        self._fade = fade()
        self._rest = LastingLips(rows.pose[:, :2], self._beside)
        self._mood = lasting_smile(self.own)
        self.scale = self._pixels_a_unit()
        self.side = round(self.scale * _CROP / 2) * 2
        yaw, place = rows.pose[:, 1].numpy(), rows.pose[:, 3:].numpy()
        width = torch.cat([self._widths(slice(k, k + _BLOCK)) for k in range(0, len(rows), _BLOCK)]).numpy()
        hidden = np.zeros(len(rows), bool) if covered is None else covered.max(1) > _HIDDEN
        self.mouth_frames = chosen_frames(self.gap, width, yaw, place, ~hidden)
        self.shut_frames = np.argsort(self.gap + 1e3 * hidden, kind="stable")[:12].tolist()
        self.gains = GAINS
        self.trials: dict[int, tuple[np.ndarray, Image]] = {}
        clear = np.flatnonzero(~hidden)
        self._trial_frames = clear[
            np.linspace(0, len(clear) - 1, min(_TRIALS, len(clear))).astype(int)
        ].tolist()
        self.wanted_frames = sorted({*self.mouth_frames, *self.shut_frames, *self._trial_frames})
        speed = np.linalg.norm(np.gradient(place, axis=0), axis=1)
        self._calm = min(self.shut_frames, key=lambda k: speed[k] / _MOVED + abs(yaw[k]))
        self._lips: list[np.ndarray] = []
        self._lines: list[np.ndarray] = []
        self._shown: dict[int, tuple[np.ndarray, Image]] = {}

    def _told(self, rows: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Own expressions [n,14] and gaps [n] of frames, and the share of the gap that is read [n]."""
        features = Features.of(self.rows.points(rows))
        gap = self.expression.own_gap(features)
        share = (gap / features.gap.clamp_min(1e-4)).clamp(0, 1)
        return self.expression(features)[:, list(MOVING)], gap, share

    def look(self, t: int, image: Image) -> None:
        """Takes from the picture of frame t, one of `wanted_frames`, what `learn` needs of it."""
        if t in self.shut_frames:
            lips = self.pixels(self.own_lips.at(t), t)
            self._lips.append(lip_colours(image, lips))
            if self.gap[t] < TOUCHING[1]:
                self._lines.append(mouth_line(image, lips[EDGE], self._unit(t)))
        if t in self.mouth_frames:
            corner = self.mouth_at(t).round().astype(int) - self.side // 2
            self._shown[t] = corner, taken(image, corner, self.side)
        if t in self._trial_frames:
            half = round(_AROUND * self.scale)
            corner = self.pixels(self.rows.points(t), t).mean(0).round().astype(int) - half
            self.trials[t] = corner, taken(image, corner, 2 * half)
        if t == self._calm:
            left, top, side = (round(each) for each in self.box)
            self._calm_picture = taken(image, np.array([left, top]), side)
            corner = self.mouth_at(t).round().astype(int) - self.side // 2
            self._shut = corner, taken(image, corner, self.side)

    def learn(self) -> None:
        """Makes lips' colours and mouths' insides of the frames that were looked at, all `wanted_frames`."""
        colours = np.median(np.concatenate(self._lips, 1), axis=1)
        self.mouths, faded = (self._own_mouths(OwnMouths(colours, faded=each)) for each in (False, True))
        if faded.shows > _FADED * self.mouths.shows:
            self.mouths = faded
        if self._lines:
            self.own_lips.meet(np.median(self._lines, axis=0))
        corner, picture = self._shut
        self._closed_at = self.pixels(self.own_lips.at(self._calm), self._calm) - corner
        self._closed = ClosedLips(picture, self._closed_at, self.scale)
        points, closed = self.rows.points(self._calm), self.expression.shape.contours
        flat = self.pixels(points, self._calm) - np.round(self.box[:2])
        self._drawn = DrawnMouth(self._calm_picture, self.rows.pose[self._calm], points, flat, closed)
        self._lips, self._lines, self._shown, self._calm_picture, self._shut = [], [], {}, None, None

    def _own_mouths(self, mouths: OwnMouths) -> OwnMouths:
        """With the insides of the mouths that were looked at."""
        for k in self.mouth_frames:
            corner, picture = self._shown[k]
            lips = self.pixels(self.own_lips.at(k), k) - corner
            mouths.add(picture, lips, self.gap[k], self._unit(k))
        mouths.settle()
        return mouths

    def says(self, voice: Tensor) -> Said:
        """Retargets expressions [T,64] of a voice to this speaker's own range and style."""
        target = styled(voice, self.own, self.gap, self.opening, self.fps)
        gap = target @ self.opening
        inside = gaussian_filter1d(gap.numpy(), _STEADY_INSIDE * self.fps, axis=0, mode="nearest")
        return Said(target, gap, np.maximum(inside, 0))

    def lips(self, t: int, said: Said) -> Tensor:
        """Contours [7,48,3] in head space of frame t's lips as they say that."""
        moving = said.target[t] + self._mood[t]
        lips = self._neutral + torch.einsum("m,mrkc->rkc", moving, self._directions) + self._rest.at(t)
        return self.own_lips.on_line(lips[None], said.gap[t, None])[0]

    def frame(self, image: Image, t: int, said: Said, origin: np.ndarray | tuple[int, int] = (0, 0)) -> Image:
        """Frame t, or the part of it that begins at `origin`, as it says that; the picture given is not
        changed."""
        side, target = self.side, said.target[t]
        own = self.pixels(self.own_lips.pushed(t, self.mouths.cuts), t)
        wanted = self.pixels(self._enlarged(self.lips(t, said)), t)
        corner = np.round(own[4].mean(0)).astype(int) - side // 2
        source = taken(image, corner - origin, side)
        flow = self._skin_flow(t, target + self._mood[t], corner)
        wanted = torch.from_numpy(wanted - corner).float()[None]
        sources = torch.from_numpy(np.stack([own - corner, self._closed_at])).float()
        both = contour_flows(wanted[:, None].expand(2, -1, -1, -1, -1), sources[:, None], side)[LIPS]
        lips = tree_map(both, lambda each: each[:1])
        x, y = int(lips.window.x[0]), int(lips.window.y[0])
        part = np.s_[y : y + lips.window.height, x : x + lips.window.width]
        share = lips.weight[0, 0].numpy()[..., None]
        flow[part] += share * (lips.shift[0].permute(1, 2, 0).numpy() - flow[part])
        moved = cv2.magnitude(*cv2.split(flow))
        here, (top, left) = around(moved > _MASK[0], part)
        part = np.s_[y - top : y - top + lips.window.height, x - left : x - left + lips.window.width]
        at = tuple(each[here] + flow[here][..., k] for k, each in enumerate(grid(side)))
        drawn = cv2.remap(source, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        parted = float(smoothstep(*_PARTED, float(self.gap[t])))
        if parted > 0:
            there = [
                each[here][part] + shift
                for each, shift in zip(grid(side), both.shift[1].numpy(), strict=True)
            ]
            drawn[part] = self._closed.over(drawn[part], there, parted)
        opening = np.zeros(drawn.shape[:2], np.float32)
        height = (lips.opening.above + lips.opening.below)[0, 0].numpy()
        cover = lips.opening.coverage[0, 0].numpy() * (np.abs(lips.opening.along[0, 0].numpy()) < 1)
        opening[part] = cover * smoothstep(0.1, 0.9, height)
        if opening.max() > 0.02:
            drawn[part] = self._inside(drawn[part], opening[part], lips, wanted, corner, t, said)
        mask = np.maximum(smoothstep(*_MASK, moved[here]), opening)
        mask = cv2.GaussianBlur(cv2.dilate(mask, np.ones((3, 3))), (0, 0), 1.0) * edge_fade(side)[here]
        mask = mask * self._free(t, corner, here, at)
        mask[mask < 1 / 255] = 0
        mixed = source[here] + mask[..., None] * (drawn - source[here])
        mixed = cv2.convertScaleAbs(mixed.clip(0, 255))
        source[here] = np.where(mask[..., None] > 0, mixed, source[here])
        return put_back(image, source, corner - origin)

    def mouth_at(self, t: int) -> np.ndarray:
        """The middle of frame t's mouth in pixels of the film, [2]."""
        return self.pixels(self.own_lips.at(t)[4], t).mean(0)

    def _free(
        self, t: int, corner: np.ndarray, here: tuple[slice, slice], at: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray | float:
        """Visibility mask [h,w] of a part of frame t's square: 0 where a pixel, or its source, is covered."""
        if self.covered is None or not self.covered[t].any():
            return 1.0
        places = self.pixels(self.rows.points(t)[POINTS], t) - corner
        cover = spread(self.covered[t], places, self.side, self.scale)
        there = cv2.remap(cover, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return 1 - smoothstep(0.15, 0.5, np.maximum(cover[here], there))

    def _inside(
        self,
        skin: np.ndarray,
        opening: np.ndarray,
        flow: ContourFlow,
        lips: Tensor,
        corner: np.ndarray,
        t: int,
        said: Said,
    ) -> np.ndarray:
        """Colours [h,w,3] of the lips' window with what is between them: the clip's own mouths, or drawn."""
        gap = float(said.inside[t])
        if self.mouths.gaps:
            pixels = flow.window.pixels()[0].double().numpy()
            own = self.mouths.inside(lips[0, EDGE].double().numpy(), gap, pixels, self._unit(t))
            return skin + opening[..., None] * (own - skin)
        place = corner - np.round(self.box[:2])
        return self._drawn.over(skin, flow, lips, place, self.rows.pose[t], float(said.target[t, JAW]))

    def _widths(self, rows: slice) -> Tensor:
        """Widths of the frames' own mouths [n], model units."""
        edge = self.own_lips.of(rows)[:, EDGE]
        return (edge[:, 0] - edge[:, HALF]).norm(dim=-1)

    def _beside(self, rows: slice) -> Tensor:
        """Residual of the frames' own lip contours over the expression directions, [n,7,48,3]."""
        lips = list(LIP_COLUMNS)
        told = torch.einsum("tm,mrkc->trkc", self.own[rows][:, lips], self._directions[lips])
        return self.own_lips.of(rows) - self._neutral - told

    def _enlarged(self, lips: Tensor) -> Tensor:
        """Lips [7,48,3] whose opening, and whose width's change over the speaker's at rest, are enlarged."""
        width = float(lips[EDGE, 0, 0] - lips[EDGE, HALF, 0])
        rest = float(self._neutral[EDGE, 0, 0] - self._neutral[EDGE, HALF, 0])
        found, middle = lips.clone(), lips[EDGE, :, 0].mean()
        found[..., 0] = middle + (lips[..., 0] - middle) * (1 + (self.gains[0] - 1) * (1 - rest / width))
        found[:4, :, 1] += (self.gains[1] - 1) * (lips[EDGE] - opposite(lips[EDGE], 0))[:, 1] / 2
        return found

    def _skin_flow(self, t: int, target: Tensor, corner: np.ndarray) -> np.ndarray:
        """Backward flow [S,S,2] of the skin in pixels: where jaw and cheeks take it."""
        points = self.rows.points(t)[:N_FACE]
        moved = points + torch.einsum("m,mnc->nc", target - self.own[t], self._skin)
        start, end = self.pixels(torch.stack([points, moved]), t)
        return skin_flow(start - corner, (end - start) * self._fade[:, None], self.side)

    def pixels(self, points: Tensor, t: int) -> np.ndarray:
        """Points in head space [...,3] of frame t as pixels of the film [...,2]."""
        seen = Camera.of_size(ALIGNED_SIZE).pixels(
            transform(points.reshape(1, -1, 3), self.rows.pose[t, None])
        )
        left, top, side = self.box
        seen = (seen[0].double().numpy() + 0.5) * (side / ALIGNED_SIZE) - 0.5 + np.array([left, top])
        return seen.reshape(*points.shape[:-1], 2)

    def _unit(self, t: int) -> np.ndarray:
        """Pixels of a model unit at frame t's mouth, across the face and up it, [2]."""
        middle = self._neutral[EDGE].mean(0)
        ends = self.pixels(
            torch.stack(
                [middle, middle + middle.new_tensor([0.1, 0, 0]), middle + middle.new_tensor([0, 0.1, 0])]
            ),
            t,
        )
        return np.linalg.norm(ends[1:] - ends[0], axis=1) / 0.1

    def _pixels_a_unit(self) -> float:
        depth = Camera().distance - self.rows.pose[:, 5].median().item()
        return Camera.of_size(ALIGNED_SIZE).focal / depth * self.box[2] / ALIGNED_SIZE
