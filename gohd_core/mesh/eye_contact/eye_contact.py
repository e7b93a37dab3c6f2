"""Eyes of a real clip turned elsewhere: where their irises are, and where they have to go.

Each eye has a plane through its irises (`iris_plane`). In it an iris lies at some offset; gaze in the head is
read from offsets, and offsets are made from gaze. What is drawn afterwards is the difference, in the frame's
own pixels (`iris_drawing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from gohd_core.mesh.clip import EYES
from gohd_core.mesh.eye_contact.iris_plane import IrisPlane
from gohd_core.mesh.eye_contact.limbus import Limbus
from gohd_core.mesh.eyes.lid_following import LOWER_FOLLOWS, UPPER_FOLLOWS
from gohd_core.mesh.picture.photometry import smoothstep
from gohd_core.mesh.reading.fit import FaceFit
from gohd_core.mesh.reading.gaze import into_head

CONTOURS = (1, 0)
"""Sides of a face's eye contours: left and right eye."""
LOWER, UPPER = [3, 4, 5], [11, 12, 13]
"""Points of a contour in the middle of the lids."""
LIMIT, NONE_LEFT = np.radians(25.0), 1.6
"""Looks so far from where they shall go are turned whole; at `NONE_LEFT` times that they are left alone."""
OPEN = (0.45, 0.75)
"""Of an eye's usual opening: up to the first it is left alone, from the second on turned whole."""
LEAST_OPEN = 0.2
"""Height of an opening over its width below which eyes are not usually open, but shut throughout."""
MODE, NEAR = np.radians(4.0), np.radians(7.0)
"""Mode of a person's gaze: the Gaussian kernel's deviation, and distance up to which looks belong to it."""
LEAST_SHARE, MOST_BIAS = 0.3, np.radians(12.0)
"""Share of looks that must belong to the mode, and its largest distance from the camera."""
UNSTEADY, APART = np.radians(4.0), np.radians(2.0)
"""Median changes of speed (half a second difference) of both irises, and of one against the other, that only
reflections in glasses or too small a picture make: people's eyes go together."""
WHITE, NARROWED = 0.5, 0.4
"""No more white than this shows below an iris that goes up, in iris radii; and the share of an eye's height
that one that goes down may take with its lids."""
SACCADES, KEPT, MOST_KEPT = 0.25, 0.15, np.radians(1.0)
"""Seconds within which a movement is a quick one, the share of such that stays, and at most how much."""
SHOWN = (0.04, 0.06)
"""Step of light (0..1) across a limbus up to which there is no iris, as in statues, and from which on
there is."""
UNSEEN = 1.08
"""Radius of a limbus where none is looked for, over that of the iris as it is read: the mean over people."""
POSE_FRAMES, FADE_SECONDS = 1.5, 0.1


@dataclass(frozen=True, eq=False)
class EyeRows:
    """Per-frame records, n each, float32; left eye before the right one, pixels of the film.

    Attributes:
        pose: [n,6]. corners: [n,2,2,3] of the eyes in head space. irises: [n,2,5,2] middle and edge.
        lids: [n,2,16,2] their edges.
    """

    pose: np.ndarray
    corners: np.ndarray
    irises: np.ndarray
    lids: np.ndarray

    @classmethod
    def of(cls, fitted: FaceFit, meshes: np.ndarray, contours: np.ndarray) -> EyeRows:
        """From meshes [n,478,3] and eye contours [n,2,71,2] (`FaceLandmarks`), and the fit of the meshes."""
        head = fitted.points_in_head.numpy()
        return cls(
            fitted.pose.numpy(),
            np.stack([head[:, [lids.right, lids.left]] for lids, _, _ in EYES], 1),
            np.stack([meshes[:, iris, :2] for _, iris, _ in EYES], 1).astype(np.float32),
            contours[:, list(CONTOURS), :16].astype(np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence[EyeRows]) -> EyeRows:
        """Frames one after another."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Eye:
    """One eye in a clip of T frames; pixels are the film's, lengths model units.

    Attributes:
        plane: through its irises.
        radius: of its limbus.
        iris: [T,2] pixel of its middle. lids: [T,16,2] pixels: lower edge 0..8, upper 9..15.
        offset: [T,2] of the iris in the plane.
        limbus: [2] its middle in the plane, relative to the iris as the network reads it.
        shown: how surely an iris is seen, 0..1; statues have none.
        bridge: darkness of glasses whose frames stay, 0 without; see `glasses.bridge_darkness`.
    """

    plane: IrisPlane
    radius: float
    iris: np.ndarray
    lids: np.ndarray
    offset: np.ndarray
    limbus: np.ndarray
    shown: float
    bridge: float


@dataclass(frozen=True, eq=False)
class ClipEyes:
    """Both eyes of a person in T frames.

    Attributes:
        eyes: the left and the right one.
        pose: [T,6], steadied. opening: [T] of the lids, over its usual value.
        gaze: [T,2] of both eyes' mean in the head.
        shots: [T] the number of the shot each frame is of; nothing goes on over a cut.
        fps: frames a second.
    """

    eyes: tuple[Eye, Eye]
    pose: np.ndarray
    opening: np.ndarray
    gaze: np.ndarray
    shots: np.ndarray
    fps: float

    @classmethod
    def of(
        cls,
        rows: EyeRows,
        box: tuple[float, float, float],
        fps: float,
        limbus: Sequence[Limbus | None] = (None, None),
        shots: np.ndarray | None = None,
        bridge: float = 0.0,
    ) -> ClipEyes:
        """From what was gathered in the square `box` (left, top, side) of the film.

        Args:
            limbus: that of each eye; None where none was looked for.
            shots: [T] as in the class; None is one.
            bridge: darkness of glasses, as of an eye.
        """
        shots = np.zeros(len(rows.pose), int) if shots is None else shots
        steady = _steadied_pose(rows.pose, shots)
        steps = [seen.step for seen in limbus if seen is not None]
        shown = float(smoothstep(*SHOWN, max(steps))) if steps else 1.0
        eyes, openings = [], []
        for k, (_, _, outward) in enumerate(EYES):
            plane = IrisPlane.of(rows.corners[:, k], rows.pose, box, outward)
            iris, lids = rows.irises[:, k].astype(np.float64), rows.lids[:, k].astype(np.float64)
            scale = plane.scale[:, None]
            middles, seen = iris[:, 0], limbus[k]
            if seen is None:
                edge = np.linalg.norm(iris[:, 1:] - iris[:, :1], axis=-1).mean(1, keepdims=True)
                radius, beside = UNSEEN * float(np.median(edge / scale)), np.zeros(2)
            else:
                radius, middles = seen.radius, middles + seen.away * scale
                beside = np.linalg.solve(np.median(plane.axes / scale[..., None], axis=0), seen.middle)
            eyes.append(Eye(plane, radius, middles, lids, plane.offset(middles), beside, shown, bridge))
            way = lids[:, UPPER].mean(1) - lids[:, LOWER].mean(1)
            openings.append(np.linalg.norm(way, axis=1) / scale[:, 0] / plane.width)
        opening = np.mean(openings, 0)
        gaze = np.mean([eye.plane.gaze(eye.offset) for eye in eyes], 0)
        usual = max(float(np.percentile(opening, 75)), LEAST_OPEN)
        return cls((eyes[0], eyes[1]), steady, opening / usual, gaze, shots, fps)

    def unsteady(self) -> bool:
        """Whether the irises jump about as no eyes do: reflections, say, were read for them."""
        if len(self.gaze) < 10:
            return False
        left, right = (eye.plane.gaze(eye.offset) for eye in self.eyes)
        jumps, apart = (
            np.linalg.norm(np.diff(each, 2, axis=0), axis=1) / 2 for each in (self.gaze, left - right)
        )
        seen = self.opening > OPEN[1]
        seen = seen[2:] & seen[1:-1] & seen[:-2] & (self.shots[2:] == self.shots[:-2])
        return bool(seen.sum() >= 8 and (np.median(jumps[seen]) > UNSTEADY or np.median(apart[seen]) > APART))

    def towards(self, gaze: np.ndarray) -> np.ndarray:
        """Gaze in the head [T,2] of eyes that look along (horizontal, vertical) [T,2] of the camera."""
        return into_head(torch.from_numpy(self.pose), torch.from_numpy(np.asarray(gaze, np.float64))).numpy()

    def gaze_bias(self) -> np.ndarray:
        """Bias of this person's gaze readings when they look at the camera, [2] radians.

        The mode of their gaze, where it is near the camera and frequent enough; else zero.
        """
        away = (self.gaze - self.towards(np.zeros_like(self.gaze)))[self.opening > 0.7]
        if len(away) < 25:
            return np.zeros(2)
        sample = away[:: max(1, len(away) // 1000)]
        near = np.exp(-((sample[:, None] - sample) ** 2).sum(-1) / (2 * MODE**2)).sum(1)
        mode = sample[near.argmax()]
        for _ in range(20):
            weight = np.exp(-((sample - mode) ** 2).sum(1) / (2 * MODE**2))[:, None]
            mode = (weight * sample).sum(0) / weight.sum()
        share = (np.linalg.norm(away - mode, axis=1) < NEAR).mean()
        return mode if share > LEAST_SHARE and np.linalg.norm(mode) < MOST_BIAS else np.zeros(2)

    def goal(self, gaze: np.ndarray) -> np.ndarray:
        """Gaze in the head [T,2], as this person's is read, of eyes that look along `gaze` [T,2]."""
        return self.towards(gaze) + self.gaze_bias()

    def shifts(self, gaze: np.ndarray, strength: float = 1.0) -> list[np.ndarray]:
        """Shift of each eye's iris [T,2], in its plane, so that they look along `gaze` [T,2].

        gaze: (horizontal, vertical) relative to the camera, radians; (0, 0) looks at it.
        """
        goal = self.goal(gaze)
        change = goal - self.gaze
        size = np.linalg.norm(change, axis=1)
        share = 1 - smoothstep(LIMIT, NONE_LEFT * LIMIT, size)
        faded = _smoothed(share, max(FADE_SECONDS * self.fps, 1e-3), self.shots)
        share = np.maximum(share, faded)  # no jump where a look leaves the limit
        over = np.minimum(1, LIMIT / np.maximum(size, 1e-9))
        change = change * (over * share)[:, None] + self._quick(self.gaze - goal)
        change = change * (strength * smoothstep(*OPEN, self.opening))[:, None]
        return [self._within_lids(eye, change) for eye in self.eyes]

    def _quick(self, beside: np.ndarray) -> np.ndarray:
        """Fast component of gaze [T,2] that is kept beside its goal: eyes that hold still look dead."""
        slow = _smoothed(beside, max(SACCADES * self.fps, 1e-3), self.shots)
        return (KEPT * (beside - slow)).clip(-MOST_KEPT, MOST_KEPT)

    def _within_lids(self, eye: Eye, change: np.ndarray) -> np.ndarray:
        """Shifts [T,2] for a change of gaze that leave the iris between its lids as irises lie."""
        plane = eye.plane
        own = plane.gaze(eye.offset)
        shift = plane.offset_of(own + change) - plane.offset_of(own)
        upper, lower = (
            _smoothed(plane.offset(eye.lids[:, part].mean(1))[:, 1], 1.0, self.shots)
            for part in (UPPER, LOWER)
        )
        closes = UPPER_FOLLOWS[1] - LOWER_FOLLOWS[1]
        least = -NARROWED * (upper - lower).clip(0) / closes
        white = eye.offset[:, 1] - eye.radius - lower
        most = (WHITE * eye.radius - white).clip(0) / (1 - LOWER_FOLLOWS[0])
        shift[:, 1] = shift[:, 1].clip(least, most)
        return shift


def _steadied_pose(pose: np.ndarray, shots: np.ndarray) -> np.ndarray:
    values = pose.astype(np.float64)
    values[:, :3] = np.unwrap(values[:, :3], axis=0)
    return _smoothed(values, POSE_FRAMES, shots)


def _smoothed(values: np.ndarray, deviation: float, shots: np.ndarray) -> np.ndarray:
    """Values [T,...] under a Gaussian over time, each of the shots [T] by itself."""
    made = np.empty_like(values)
    for shot in np.unique(shots):
        own = shots == shot
        made[own] = gaussian_filter1d(values[own], deviation, axis=0, mode="nearest")
    return made
