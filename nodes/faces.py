"""Where the face is, for the nodes that read one: landmarks, a detector's weights, a mask, a whole square."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.errors import BadCheckpoint, BadInput

from . import host, sockets
from .sockets import field

ORDERS = ["largest", "smallest", "left", "right", "top", "bottom", "central"]
SQUARE = 1.02


def landmarks_field(tooltip: str, *, optional: bool) -> Any:
    """The input for ComfyUI's own face landmarks."""
    return field(sockets.FaceLandmarks, "face_landmarks", tooltip, optional=optional)


def choice_fields() -> list[Any]:
    """Which of several faces."""
    return [
        field(
            io.Combo,
            "face",
            "How faces are counted where there are several: largest first, leftmost first, and so on.",
            options=ORDERS,
            default=ORDERS[0],
            optional=True,
            advanced=True,
        ),
        field(
            io.Int,
            "face_number",
            "Which face in that order, counted from 0 to 15.",
            default=0,
            min=0,
            max=15,
            optional=True,
            advanced=True,
        ),
    ]


def choice_of(face: str, face_number: int, box: Any = None) -> Any:
    """Both, and a box of the mask, as a `FaceChoice`."""
    from gohd_core.face import FaceChoice

    return FaceChoice(face, face_number, box=box)


def detector_for(extractor: Any, box: Any, size: tuple[int, int], *, follow: bool = False) -> Any:
    """The face detector where its weights lie in models/gohd and it is of use, else None.

    box: bounds of the mask, or None; size: height and width of the picture. follow: in a video, where the
    detector goes on from the box. Raises `BadInput` when nothing says where the face is, `BadCheckpoint` when
    the official extractor would have to go without.
    """
    lost = box is None and not is_square(*size)
    if not (lost or extractor.config.aligned or (follow and box is not None)):
        return None
    from gohd_core.checkpoints.detector_files import missing_files
    from gohd_core.face.detection import FaceDetector

    folders = host.weight_folders()
    problem = missing_files(folders)
    if problem is None:
        return host.loaded(FaceDetector.load(folders))
    if extractor.config.aligned:
        raise BadCheckpoint(f"{problem} Or connect face_landmarks from Detect Face Landmarks (MediaPipe).")
    if lost:
        raise BadInput(
            f"The picture is {size[1]} x {size[0]} and nothing says where the face is; paint a mask over the "
            "face and wire it to face_mask, or give a square picture of the head."
        )
    return None


def is_square(height: int, width: int) -> bool:
    """Whether a picture counts as a square crop of a head."""
    return max(height, width) <= SQUARE * min(height, width)


def portrait_landmarks(face_landmarks: Any, index: int, choice: Any) -> Any:
    """The 68 landmarks of picture `index` of FACE_LANDMARKS; None without them."""
    if face_landmarks is None:
        return None
    from gohd_core.face.mediapipe_points import face_track

    frames = face_landmarks.get("frames", []) if isinstance(face_landmarks, dict) else []
    if index >= len(frames):
        raise BadInput(f"There are face landmarks of {len(frames)} pictures, and number {index} is wanted.")
    found = face_track({**face_landmarks, "frames": [frames[index]]}, choice).landmarks()[0]
    if found is None:
        raise BadInput(
            "ComfyUI's detector found no such face in the picture; choose another, or paint a mask."
        )
    return found


def film_of(video: Any, fps: float) -> Any:
    """An IMAGE batch (at fps) or a core VIDEO (at its own rate, its trimming kept) as a film."""
    from gohd_core.motion.editing import exact_fps
    from gohd_core.video.reader import Film

    if hasattr(video, "shape"):
        return Film.of_images(video, exact_fps(fps))
    trim = getattr(video, "get_active_trim_window", lambda: (0.0, 0.0))()
    return Film.open(video.get_stream_source(), start=trim[0], seconds=trim[1])


def film_size(film: Any) -> tuple[int, int]:
    """Height and width of the first frame."""
    first = next(film.play(), None)
    if first is None:
        raise BadInput("The video has no frames.")
    return first[1].shape[:2]
