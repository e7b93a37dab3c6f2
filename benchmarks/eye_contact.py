"""How well eyes are turned: python benchmarks/eye_contact.py VIDEO [VIDEO ...] [--look=PITCH,YAW]

Gaze errors and jitter in degrees, before and after, by the iris network on the result. Frames with open eyes
count, whose gaze was to change by less than 25 degrees.

The iris network reads a third to a half of vertical movements of drawn irises, so that the picture is
read, too. `edge`: where the irises' edges are (integro-differential operator, Daugman 1993, on a disc
that is seen narrower as it turns away) against where they were told to be; frames count in which enough
of the edge is clear of the lids, `seen` is their share, and `judge` the same reader's difference from
the iris network in the video as it was. Where lids hide both ends of an iris it is blind up and down.
`moved`: how far what is seen of the iris went (normalised correlation) against how far it was told to
go.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gohd_core.driving.eye_contact import ReadEyes, read_eyes, turn_eyes
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.images import Image
from gohd_core.mesh.eye_contact.eye_contact import LIMIT, OPEN, Eye
from gohd_core.mesh.eyes.lid_following import moved_lids
from gohd_core.mesh.reading.gaze import RADIUS
from gohd_core.video.reader import VideoReader

NOTHING = np.zeros((4, 4, 3), np.float32)
SIZES = np.arange(0.88, 1.2, 0.04)
"""Radii that are tried, as shares of the limbus's radius as read."""
ARC, LIDS_AWAY = 64, 0.1
"""Directions in which a limbus is looked at, and its radii from a lid within which it isn't."""


def main() -> None:
    """Prints a row of figures for each video, in degrees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument(
        "--look", default="0,0", help="degrees up and to the image's left of the camera (0,0)"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each (5)")
    arguments = parser.parse_args()
    look = np.radians([float(angle) for angle in arguments.look.split(",")])
    reader = FaceReader.load()
    for video in arguments.videos:
        found = figures(VideoReader.open(video, seconds=arguments.seconds), look, reader)
        print(f"{video.stem[:24]:24s}", " ".join(f"{key} {value:.3g}" for key, value in found.items()))


def figures(film: VideoReader, look: np.ndarray, reader: FaceReader) -> dict[str, float]:
    """Of one film whose eyes look along (pitch, yaw) radians afterwards."""
    read = read_eyes(film, reader)
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
    """`edge`, `moved`, `seen` and `judge` over every fourth frame, see the file's docstring."""
    rows = np.flatnonzero(counted)[::4]
    places = np.flatnonzero(read.found)
    if not len(rows):
        return {}
    result_errors, judge_errors, moved = [], [], []
    commanded = (goal - read.people[0].gaze)[rows]
    for eye, shift in zip(read.people[0].eyes, shifts, strict=True):
        lids = eye.lids.copy()
        for t in rows:
            way = eye.plane.axes[t] @ np.array([0.0, shift[t, 1]])
            lids[t] = moved_lids(NOTHING, eye.lids[t], way, eye.plane.width * eye.plane.scale[t]).lids
        views = [
            [_View.of(images[places[t]], eye, t, edges[t]) for t in rows]
            for images, edges in ((before, eye.lids), (after, lids))
        ]
        own, offset = (eye.offset + eye.limbus)[rows], eye.offset[rows]
        rises = [
            np.mean([view.limbus(eye, near, size)[1] for view, near in zip(views[0], own, strict=True)])
            for size in SIZES
        ]
        size = SIZES[int(np.argmax(rises))]
        start, _, seen = _looked_for(views[0], eye, own, size)
        beside = np.array([np.median(start[seen[:, k], k] - offset[seen[:, k], k]) for k in range(2)])
        # Both eyes go by one angle, so that each keeps its own angle beside their mean.
        aim = goal[rows] + np.median(eye.plane.gaze(eye.offset) - read.people[0].gaze, 0)
        end, _, seen_again = _looked_for(views[1], eye, eye.plane.offset_of(aim) + eye.limbus, size)
        result_errors.append(np.where(seen_again, eye.plane.gaze(end - beside) - aim, np.nan))
        middles = [
            first.iris(second, eye, place, near)
            for first, second, place, near in zip(*views, offset, eye.plane.offset_of(aim), strict=True)
        ]
        moved.append(eye.plane.gaze(np.array(middles)) - eye.plane.gaze(offset))
        judge_errors.append(np.where(seen, eye.plane.gaze(start - beside) - eye.plane.gaze(offset), np.nan))
    result = {}
    for axis, name in enumerate(("yaw", "pitch")):
        wrong, judge = (np.degrees(np.stack(each)[..., axis]) for each in (result_errors, judge_errors))
        result[f"edge_{name}"] = _mean_over_eyes(wrong)
        result[f"moved_{name}"] = float(np.degrees(np.abs(np.mean(moved, 0) - commanded)[:, axis]).mean())
        result[f"seen_{name}"] = float((~np.isnan(wrong)).any(0).mean())
        result[f"judge_{name}"] = _mean_over_eyes(judge)
    return result


def _mean_over_eyes(errors: np.ndarray) -> float:
    """Mean absolute value of the mean of those eyes [2,n] that are no NaN; NaN without any."""
    shown = ~np.isnan(errors)
    both = np.where(shown, errors, 0).sum(0)[shown.any(0)] / shown.sum(0)[shown.any(0)]
    return float(np.abs(both).mean()) if len(both) else float("nan")


def _looked_for(
    views: list[_View], eye: Eye, near: np.ndarray, size: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets [n,2], rises [n] and whether they are shown [n,2] (`_View.limbus`) near offsets [n,2]."""
    found = [view.limbus(eye, place, size) for view, place in zip(views, near, strict=True)]
    return tuple(np.array(each) for each in zip(*found, strict=True))


@dataclass(frozen=True, eq=False)
class _View:
    """An eye in frame t: light [h,w] around it, 255 well between its lids [h,w], and the corner of both."""

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
        return cls(grey, cv2.erode(between, away, iterations=max(1, round(LIDS_AWAY * radius))), corner, t)

    def iris(self, after: _View, eye: Eye, own: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Offset [2] in the view `after` of the iris whose offset here is `own`, by normalised correlation.

        What counts of its disc is between the lids in both; the search starts at `near`.
        """
        line = np.linspace(-0.85, 0.85, 23)
        disc = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        disc = eye.radius * disc[np.linalg.norm(disc, axis=1) < 0.85]

        def sampled(view: _View, middles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            tilt = (middles.mean(0) - eye.plane.rest) / (RADIUS * eye.plane.width)
            turned = disc - (disc @ tilt)[:, None] * tilt * _narrowing(tilt)
            places = (middles[:, None] + eye.limbus + turned) @ eye.plane.axes[view.t].T + eye.plane.origin[
                view.t
            ]
            places = places - view.corner
            return _at(view.grey, places), (_at(view.between, places) > 127).astype(float)

        light, shown = sampled(self, own[None])
        found = near
        for step, count in ((0.012, 13), (0.004, 7), (0.0013, 7)):
            grid = (np.arange(count) - count // 2) * step * eye.plane.width
            middles = found + np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
            there, weight = sampled(after, middles)
            weight = weight * shown
            total = np.maximum(weight.sum(1, keepdims=True), 1e-6)
            first, second = (
                each - (weight * each).sum(1, keepdims=True) / total
                for each in (np.broadcast_to(light, there.shape), there)
            )
            power = (weight * first**2).sum(1) * (weight * second**2).sum(1)
            score = (weight * first * second).sum(1) / np.sqrt(np.maximum(power, 1e-6))
            found = middles[np.where(total[:, 0] > 0.25 * len(disc), score, -1).argmax()]
        return found

    def limbus(self, eye: Eye, near: np.ndarray, size: float) -> tuple[np.ndarray, float, np.ndarray]:
        """Offset [2] of the disc of `size` radii across whose edge light rises most, that rise, and whether
        enough of its edge is between the lids to tell where it is (across, up and down) [2]."""
        angle = np.linspace(0, 2 * np.pi, ARC, endpoint=False)
        ring, found, best = np.stack([np.cos(angle), np.sin(angle)], -1), near, 0.0
        tilt = (near - eye.limbus - eye.plane.rest) / (RADIUS * eye.plane.width)
        ring = ring - (ring @ tilt)[:, None] * tilt * _narrowing(tilt)
        for step, count in ((0.03, 7), (0.01, 5), (0.004, 5)):
            grid = (np.arange(count) - count // 2) * step * eye.plane.width
            middles = found + np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
            inner, edge, outer = (
                (middles[:, None] + share * size * eye.radius * ring) @ eye.plane.axes[self.t].T
                + eye.plane.origin[self.t]
                - self.corner
                for share in (0.9, 1.0, 1.1)
            )
            seen = (_at(self.between, edge) > 127) & (_at(self.between, outer) > 127)
            rise = (_at(self.grey, outer) - _at(self.grey, inner)).clip(-20, 60)
            score = (rise * seen).sum(1) / np.maximum(seen.sum(1), ARC // 4)
            at = int(score.argmax())
            best, found, shown = float(score[at]), middles[at], seen[at]
        across = [(shown & (sign * np.cos(angle) > 0.7)).sum() for sign in (-1, 1)]
        upright = [(shown & (sign * np.sin(angle) > 0.7)).sum() for sign in (-1, 1)]
        return found, best, np.array([min(across) >= ARC // 16, max(upright) >= ARC // 16])


def _narrowing(tilt: np.ndarray) -> float:
    """(1 - cosine) / sine^2 of a disc that is turned away, from its sines [2]."""
    square = min(float(tilt @ tilt), 0.8)
    return (1 - np.sqrt(1 - square)) / max(square, 1e-6)


def _at(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    return cv2.remap(
        picture, places.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


if __name__ == "__main__":
    main()
