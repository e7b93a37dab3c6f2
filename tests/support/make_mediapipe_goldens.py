"""Writes tests/golden/mediapipe_mesh.npz: readings of MediaPipe's own FaceMesh.

It needs an environment of its own: pip install mediapipe==0.10.21 scikit-image, then
python -m tests.support.make_mediapipe_goldens
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("astronaut", "01", "05", "09", "14", "20")
"""scikit-image's astronaut (public domain) and our own portraits."""


def load_picture(name: str) -> np.ndarray:
    """uint8 [H, W, 3]; JPEG decoders differ a little, which the tests' tolerance covers."""
    if name == "astronaut":
        from skimage.data import astronaut

        return np.ascontiguousarray(astronaut())
    from PIL import Image

    with Image.open(ROOT / "assets" / "portraits" / f"{name}.jpg") as picture:
        return np.asarray(picture.convert("RGB"))


def read(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points [478, 3] and region [4] (middle, side, angle) in pixels; y, z in the same scale as x.

    MediaPipe's pixels begin at their corners, so that pixel centres lie at halves.
    """
    from mediapipe.python.solution_base import SolutionBase

    graph = SolutionBase(
        binary_graph_path="mediapipe/modules/face_landmark/face_landmark_front_cpu.binarypb",
        side_inputs={"num_faces": 1, "with_attention": True, "use_prev_landmarks": False},
        outputs=["multi_face_landmarks", "face_rects_from_detections"],
    )
    with graph:
        found = graph.process({"image": picture})
    height, width = picture.shape[:2]
    points = [(p.x * width, p.y * height, p.z * width) for p in found.multi_face_landmarks[0].landmark]
    rect = found.face_rects_from_detections[0]
    region = (rect.x_center * width, rect.y_center * height, rect.width * width, rect.rotation)
    return np.array(points, np.float32), np.array(region, np.float64)


def main() -> None:
    stored = {}
    for name in PICTURES:
        picture = load_picture(name)
        points, region = read(picture)
        stored |= {f"{name}_points": points, f"{name}_region": region}
    np.savez_compressed(ROOT / "tests" / "golden" / "mediapipe_mesh.npz", **stored)


if __name__ == "__main__":
    main()
