"""How well people in videos are read: python benchmarks/real_videos.py FOLDER [--seconds 5] [--json]

What the motion says is held against landmarks of the same frames, measured without the fit: angles of the
head from three directions in the mesh, the lips' gap, the lids' opening and the height of one corner of the
mouth over the other (sides) in the picture, and irises between the corners of their eyes, less the parallax
of what lies before them. Needs the face networks
(`gohd download faces`).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from gohd_core.animator.geometry.linear_shape import MOVING
from gohd_core.constants import FPS, STYLISED
from gohd_core.driving.mesh_reading import MeshReadings
from gohd_core.driving.mesh_tracks import follow
from gohd_core.driving.result import assemble_motion
from gohd_core.driving.steadiness import SmoothingConfig
from gohd_core.face.geometry.camera import rotation_angles
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.mesh.clip import IRIS_DEPTH
from gohd_core.mesh.reading.gaze import into_head
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.video.reader import VideoReader

ANGLES = ("pitch", "yaw", "roll")
MOVES, SHUT = 0.03, 0.02
"""Least range of gaps of a moving mouth, and largest gap of shut lips; distances of the eyes' outer corners.
Where a clip has neither, figures are NaN."""
SMILES = INDEX["smile_left"], INDEX["smile_right"]
STILL = 0.4
"""Degrees a frame below which a head counts as still."""


def main() -> None:
    """Prints a row of figures for each video, and their medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="videos of one person each")
    parser.add_argument("--seconds", type=float, default=0.0, help="of each; 0 reads all")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    reader, rows = FaceReader.load(), {}
    for path in sorted(arguments.folder.glob("*.mp4")):
        rows[path.stem] = figures(VideoReader.open(path, seconds=arguments.seconds), reader)
        line = (
            json.dumps({path.stem: rows[path.stem]}) if arguments.json else _line(path.stem, rows[path.stem])
        )
        print(line, flush=True)
    names = next(iter(rows.values()))
    medians = {name: float(np.nanmedian([row[name] for row in rows.values()])) for name in names}
    print(json.dumps({"median": medians}) if arguments.json else _line("median", medians))


def figures(film: VideoReader, reader: FaceReader) -> dict[str, float]:
    """Figures of one video."""
    made, meshes, times, size = MeshReadings(), [], [], (0, 0)
    started, processor = time.perf_counter(), time.process_time()
    for block, faces in follow(film.play(), reader, FaceChoice()):
        size = block[0][1].shape[:2]
        made.add(faces, [image for _, image in block])
        meshes += [face.points for face in faces if face is not None]
        times += [moment for moment, _ in block]
    given = {"source_fps": film.fps, "fps": FPS, "space": STYLISED, "missing": "hold"}
    readings = made.readings(float(film.fps))
    given |= {"steadying": SmoothingConfig(), "square": made.reference, "picture": size}
    driving = assemble_motion(readings, times, **given)
    took = time.perf_counter() - started, time.process_time() - processor
    points, seen = np.stack(meshes).astype(np.float64), [r for r in readings if r is not None]
    pose = np.stack([reading.pose for reading in seen])
    expression = np.stack([reading.expression for reading in seen])
    gaze = np.stack([reading.gaze for reading in seen])
    found = dict(zip(ANGLES, map(_r, np.unwrap(pose[:, :3], axis=0).T, head_angles(points).T), strict=True))
    opening, gap = _opening(made, expression), _gap(points, pose[:, 1])
    moves, shut = np.ptp(gap) > MOVES, gap < SHUT
    found["gap"] = _r(opening, gap) if moves else float("nan")
    open_lips = np.percentile(opening, 99)
    found["shut"] = float(opening[shut].mean() / open_lips) if moves and shut.any() else float("nan")
    found["sides"] = _r(expression[:, SMILES[0]] - expression[:, SMILES[1]], _corners(points))
    found["lids"] = (_r(-expression[:, 10], _lids(points, 1)) + _r(-expression[:, 11], _lids(points, 0))) / 2
    irises = _irises(points) - IRIS_DEPTH * np.tan(head_angles(points)[:, 1])
    inside = into_head(torch.from_numpy(pose), torch.from_numpy(gaze).flip(-1)).numpy()
    open_eyes = expression[:, 10:12].max(1) < 0.5
    found["gaze"] = _r(-inside[open_eyes, 0], irises[open_eyes])
    found["jitter"] = _jitter(driving.motion.pose.values.double().numpy())
    found["missed"] = len(times) - len(seen)
    found["fps"], found["cpu_ms"] = len(times) / took[0], 1000 * took[1] / len(times)
    return found


def _r(first: np.ndarray, second: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.corrcoef(first, second)[0, 1])


def head_angles(points: np.ndarray) -> np.ndarray:
    """Euler angles [T,3] of the axes from cheek to cheek and from below the nose to the forehead."""
    points = points * np.array([1.0, -1.0, -1.0])
    right, up = points[:, 454] - points[:, 234], points[:, 10] - points[:, 2]
    right = right / np.linalg.norm(right, axis=1, keepdims=True)
    front = np.cross(right, up)
    front = front / np.linalg.norm(front, axis=1, keepdims=True)
    axes = np.stack([right, np.cross(front, right), front], 1)
    return np.unwrap(rotation_angles(torch.from_numpy(axes)).numpy(), axis=0)


def _opening(made: MeshReadings, expression: np.ndarray) -> np.ndarray:
    """Gap of the lips' middle that the expression gives the reader's own face."""
    edge = made.expression().shape.directions[: len(MOVING), 0, 1, :, 1].numpy()  # [14,48]
    gain = (edge[:, [9, 12, 15]] - edge[:, [39, 36, 33]]).mean(1)
    return expression[:, list(MOVING)] @ gain


def _gap(points: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    across = np.linalg.norm(points[:, 33, :2] - points[:, 263, :2], axis=1) / np.cos(yaw).clip(0.3)
    return np.linalg.norm(points[:, 13, :2] - points[:, 14, :2], axis=1) / across


def _corners(points: np.ndarray) -> np.ndarray:
    """By how much the mouth's left corner lies above its right one, across the line from cheek to cheek."""
    right, way = points[:, 454, :2] - points[:, 234, :2], points[:, 291, :2] - points[:, 61, :2]
    return (right[:, 1] * way[:, 0] - right[:, 0] * way[:, 1]) / (right**2).sum(1)


def _lids(points: np.ndarray, eye: int) -> np.ndarray:
    upper, lower, first, second = ((159, 145, 33, 133), (386, 374, 362, 263))[eye]
    height = np.linalg.norm(points[:, upper, :2] - points[:, lower, :2], axis=1)
    return height / np.linalg.norm(points[:, first, :2] - points[:, second, :2], axis=1)


def _irises(points: np.ndarray) -> np.ndarray:
    """Position of the irises between the corners of their eyes, 0..1 from the image's left, mean of both."""
    found = []
    for iris, first, second in ((468, 33, 133), (473, 362, 263)):
        way = points[:, second, :2] - points[:, first, :2]
        found.append(((points[:, iris, :2] - points[:, first, :2]) * way).sum(1) / (way**2).sum(1))
    return np.mean(found, 0)


def _jitter(pose: np.ndarray) -> float:
    """Jitter of still heads in degrees: root mean square of half the second differences of their angles."""
    angles = np.degrees(np.unwrap(pose[:, :3], axis=0))
    still = (np.abs(np.diff(angles, axis=0)) < STILL).all(1)
    still = still[1:] & still[:-1]
    if still.sum() < 5:
        return float("nan")
    return float(np.sqrt((np.diff(angles, 2, axis=0)[still] ** 2).mean()) / 6**0.5)


def _line(name: str, row: dict[str, float]) -> str:
    return f"{name[:28]:28s} " + " ".join(f"{key} {value:.3g}" for key, value in row.items())


if __name__ == "__main__":
    main()
