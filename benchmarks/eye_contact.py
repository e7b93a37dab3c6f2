"""How well eyes are turned: python benchmarks/eye_contact.py VIDEO [VIDEO ...] [--look=PITCH,YAW ...]

Gaze errors and jitter in degrees, before and after, by the iris network on the result. Frames with open eyes
count, whose gaze was to change by less than 25 degrees.

The iris network reads a third to a half of vertical movements of drawn irises, so that the picture is read,
too. `dark`: where between the lids it is dark (two levels of light, Chan and Vese 2001: within a disc that is
seen narrower as it faces aside, and outside it) against where the irises were told to be; `known`: that
judge's error with flat discs of known places between the same lids. `moved`: how far what is seen of the iris
went (normalised correlation) against how far it was told to go; lights on it, which go less far, are clipped.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from gohd_core.driving.eye_contact import ReadEyes, read_eyes, turn_eyes
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.images import Image
from gohd_core.mesh.eye_contact.eye_contact import LIMIT, OPEN, Eye
from gohd_core.mesh.eye_contact.iris_plane import disc, seen_disc
from gohd_core.mesh.eyes.lid_following import moved_lids
from gohd_core.video.reader import VideoReader

NOTHING = np.zeros((4, 4, 3), np.float32)
SIZES = np.arange(0.88, 1.2, 0.04)
"""Radii that are tried, as shares of the limbus's radius as read."""
LIGHT = 0.4
"""Largest area of a light on an iris, in squares of its radius."""
LIDS_AWAY, LASHES = 0.1, 0.25
"""Radii of a limbus from a lid within which light isn't looked at, and the same below the upper one."""


def main() -> None:
    """Prints a row of figures for each look in each video, in degrees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument(
        "--look", action="append", help="degrees up and to the image's left of the camera (0,0); may repeat"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each (5)")
    arguments = parser.parse_args()
    reader = FaceReader.load()
    for video in arguments.videos:
        film = VideoReader.open(video, seconds=arguments.seconds)
        read = read_eyes(film, reader)
        for look in arguments.look or ["0,0"]:
            angles = np.radians([float(angle) for angle in look.split(",")])
            found = figures(film, read, angles, reader)
            told = " ".join(f"{key} {value:.3g}" for key, value in found.items())
            print(f"{video.stem[:24]:24s} {look:7s} {told}", flush=True)


def figures(film: VideoReader, read: ReadEyes, look: np.ndarray, reader: FaceReader) -> dict[str, float]:
    """Of one film, as read, whose eyes look along (pitch, yaw) radians afterwards."""
    made, _ = turn_eyes(film, read, (float(look[0]), float(look[1])))
    images = [np.array(image) for _, image in film.play()]
    frames = np.stack([image for _, image in made.play()])
    before, again = read.people[0], read_eyes(VideoReader.of_images(frames, film.fps), reader)
    wanted = np.tile(look[::-1], (len(before.gaze), 1))
    goal = before.goal(wanted)
    counted = (before.opening > OPEN[1]) & (np.linalg.norm(goal - before.gaze, axis=1) < LIMIT)
    result = {"frames": float(counted.sum())}
    for name, gaze in (("before", before.gaze), ("after", again.people[0].gaze)):
        yaw, pitch = np.degrees(np.abs(gaze - goal)[counted]).mean(0)
        quick = np.linalg.norm(np.diff(np.degrees(gaze), 2, axis=0), axis=1) / 2
        still = counted[2:] & counted[1:-1] & counted[:-2]
        result |= {f"yaw_{name}": yaw, f"pitch_{name}": pitch, f"jitter_{name}": np.median(quick[still])}
    result |= _seen_in_pictures(read, before.shifts(wanted), images, frames, counted, goal)
    return result


def _seen_in_pictures(
    read: ReadEyes,
    shifts: list[np.ndarray],
    before: list[Image],
    after: np.ndarray,
    counted: np.ndarray,
    goal: np.ndarray,
) -> dict[str, float]:
    """`dark`, `known` and `moved` over every fourth frame, see the file's docstring."""
    rows = np.flatnonzero(counted)[::4]
    places = np.flatnonzero(read.found)
    if not len(rows):
        return {}
    person, rng = read.people[0], np.random.default_rng(0)
    errors, known, moved = [], [], []
    commanded = (goal - person.gaze)[rows]
    for eye, shift in zip(person.eyes, shifts, strict=True):
        plane, lids = eye.plane, eye.lids.copy()
        for t in rows:
            way = plane.axes[t] @ np.array([0.0, shift[t, 1]])
            lids[t] = moved_lids(NOTHING, eye.lids[t], way, plane.width * plane.scale[t]).lids
        views = [
            [_View.of(images[places[t]], eye, t, edges[t]) for t in rows]
            for images, edges in ((before, eye.lids), (after, lids))
        ]
        offset = eye.offset[rows]
        spreads = [
            np.mean([view.dark(eye, near, size)[1] for view, near in zip(views[0], offset, strict=True)])
            for size in SIZES
        ]
        size = SIZES[int(np.argmin(spreads))]
        start = np.array([v.dark(eye, near, size)[0] for v, near in zip(views[0], offset, strict=True)])
        beside = np.median(start - offset, 0)
        # Both eyes go by one angle, so that each keeps its own angle beside their mean.
        aim = goal[rows] + np.median(plane.gaze(eye.offset) - person.gaze, 0)
        told = plane.offset_of(aim)
        end = np.array([v.dark(eye, near, size)[0] for v, near in zip(views[1], told + beside, strict=True)])
        errors.append(plane.gaze(end - beside) - aim)
        true = plane.offset_of(aim + rng.normal(0, np.radians(2), aim.shape))
        found = np.array(
            [
                view.with_disc(eye, place, size).dark(eye, near, size)[0]
                for view, place, near in zip(views[1], true, told, strict=True)
            ]
        )
        known.append(plane.gaze(found) - plane.gaze(true))
        middles = [
            first.iris(second, eye, place, near)
            for first, second, place, near in zip(*views, offset, told, strict=True)
        ]
        moved.append(plane.gaze(np.array(middles)) - plane.gaze(offset) - commanded)
    return {
        f"{name}_{way}": float(np.degrees(np.abs(np.mean(each, 0)[:, axis]).mean()))
        for name, each in (("dark", errors), ("known", known), ("moved", moved))
        for axis, way in enumerate(("yaw", "pitch"))
    }


@dataclass(frozen=True, eq=False)
class _View:
    """An eye in frame t: light [h,w] around it, 255 well between its lids without lights on its iris [h,w],
    and the corner of both."""

    grey: np.ndarray
    between: np.ndarray
    corner: np.ndarray
    t: int

    @classmethod
    def of(cls, image: Image, eye: Eye, t: int, lids: np.ndarray) -> _View:
        reach = 0.9 * eye.plane.width * eye.plane.scale[t]
        radius = eye.radius * eye.plane.scale[t]
        corner = np.maximum((lids.mean(0) - reach).astype(int), 0)
        end = (corner + 2 * reach).astype(int) + 1
        part = np.ascontiguousarray(image[corner[1] : end[1], corner[0] : end[0]])
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
        grey = cv2.GaussianBlur(grey, (0, 0), max(0.6, 0.06 * radius))
        between = np.zeros(grey.shape, np.uint8)
        outline = np.concatenate([lids[:9], lids[:8:-1]]) - corner
        cv2.fillPoly(between, [np.round(outline).astype(np.int32)], 255)
        away = np.ones((3, 3), np.uint8)
        between = cv2.erode(between, away, iterations=max(1, round(LIDS_AWAY * radius)))
        down = np.float32([[1, 0, 0], [0, 1, LASHES * radius]])
        between = np.minimum(between, cv2.warpAffine(between, down, between.shape[::-1]))
        lights = _lights(grey, between, LIGHT * radius**2)
        return cls(grey, between * (1 - cv2.dilate(lights, away)), corner, t)

    def iris(self, after: _View, eye: Eye, own: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Offset [2] in the view `after` of the iris whose offset here is `own`, by normalised correlation.

        What counts of its disc is between the lids in both; the search starts at `near`.
        """
        line = np.linspace(-0.85, 0.85, 23)
        spots = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        spots = eye.radius * spots[np.linalg.norm(spots, axis=1) < 0.85]

        def sampled(view: _View, middles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            facing = eye.plane.facing(view.t, middles.mean(0))
            turned = seen_disc(eye.plane.scale[view.t] * spots, facing)
            places = (middles[:, None] + eye.limbus) @ eye.plane.axes[view.t].T + eye.plane.origin[view.t]
            places = places + turned
            places = places - view.corner
            return _at(view.grey, places), (_at(view.between, places) > 127).astype(float)

        light, shown = sampled(self, own[None])
        # Lights lag behind the iris, as corneas make them.
        dark, usual = np.percentile(light[shown > 0], (10, 50)) if shown.any() else (0.0, 255.0)
        most = 2 * usual - dark
        light = light.clip(None, most)
        found = near
        for step, count in ((0.012, 13), (0.004, 7), (0.0013, 7)):
            grid = (np.arange(count) - count // 2) * step * eye.plane.width
            middles = found + np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
            there, weight = sampled(after, middles)
            there, weight = there.clip(None, most), weight * shown
            total = np.maximum(weight.sum(1, keepdims=True), 1e-6)
            first, second = (
                each - (weight * each).sum(1, keepdims=True) / total
                for each in (np.broadcast_to(light, there.shape), there)
            )
            power = (weight * first**2).sum(1) * (weight * second**2).sum(1)
            score = (weight * first * second).sum(1) / np.sqrt(np.maximum(power, 1e-6))
            found = middles[np.where(total[:, 0] > 0.25 * len(spots), score, -1).argmax()]
        return found

    def dark(self, eye: Eye, near: np.ndarray, size: float) -> tuple[np.ndarray, float]:
        """Offset [2] of the disc of `size` radii that parts the light between the lids best, near an offset
        [2], and the share of the light's variance that is left within both parts."""
        row, column = np.nonzero(self.between > 127)
        light = self.grey[row, column]
        if len(light) < 8:
            return near, 1.0
        # Neither lights on the iris nor the brightest white count.
        light = light.clip(*np.percentile(light, (5, 80)))
        pixels, found, best = np.stack([column, row], -1) + self.corner, near, 1.0
        for step, count in ((0.03, 11), (0.01, 7), (0.004, 5)):
            grid = (np.arange(count) - count // 2) * step * eye.plane.width
            middles = found + np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
            inside = self._inside(eye, middles, size, pixels)
            weight = np.stack([inside, 1 - inside])  # [2,n,pixels]
            total = weight.sum(-1).clip(1e-6)
            mean = (weight @ light) / total
            left = (weight * (light - mean[..., None]) ** 2).sum((0, 2)) / max(len(light) * light.var(), 1e-6)
            left = np.where(mean[0] < mean[1], left, 1.0)
            best, found = float(left.min()), middles[left.argmin()]
        return found, best

    def with_disc(self, eye: Eye, offset: np.ndarray, size: float) -> _View:
        """The eye with a flat dark disc at an offset [2] on white between its lids."""
        row, column = np.mgrid[0 : self.grey.shape[0], 0 : self.grey.shape[1]]
        pixels = np.stack([column, row], -1).reshape(-1, 2) + self.corner
        inside = self._inside(eye, offset[None], size, pixels).reshape(self.grey.shape)
        dark, white = np.percentile(self.grey[self.between > 127], (10, 80))
        drawn = np.where(
            cv2.dilate(self.between, np.ones((5, 5))) > 0, white + (dark - white) * inside, self.grey
        ).astype(np.float32)
        return replace(self, grey=drawn)

    def _inside(self, eye: Eye, offsets: np.ndarray, size: float, pixels: np.ndarray) -> np.ndarray:
        """Coverage [n,m] of pixels [m,2] by discs of `size` radii at offsets [n,2], edges a pixel wide."""
        plane = eye.plane
        middles = (offsets + eye.limbus) @ plane.axes[self.t].T + plane.origin[self.t]
        on_disc = disc(pixels - middles[:, None], plane.facing(self.t, offsets)[:, None])
        away = np.sqrt((on_disc**2).sum(-1))
        return (size * eye.radius * plane.scale[self.t] - away + 0.5).clip(0, 1)


def _lights(grey: np.ndarray, between: np.ndarray, most: float) -> np.ndarray:
    """1 where small bright spots lie within an iris [h,w], and don't go along with it."""
    seen = grey[between > 0]
    if not len(seen):
        return np.zeros_like(between)
    bright = (grey > np.percentile(seen, (10, 80)).mean()).astype(np.uint8)
    count, label = cv2.connectedComponents(bright, connectivity=4)
    sizes = np.bincount(label.ravel(), minlength=count)
    inside = sizes < most
    inside[np.unique(label[between == 0])] = False
    return inside[label].astype(np.uint8)


def _at(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    return cv2.remap(
        picture, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


if __name__ == "__main__":
    main()
