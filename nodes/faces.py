"""Face locators of the nodes that read one: landmarks, a detector's weights, a mask, a whole square."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from gohd_core.choices import ORDERS
from gohd_core.errors import BadCheckpoint, BadInput

from . import host, sockets
from .sockets import combo, field, number
from .values import entry


def landmarks_field(tooltip: str, *, optional: bool) -> Any:
    """The input for ComfyUI's own face landmarks."""
    return field(sockets.FaceLandmarks, "face_landmarks", tooltip, optional=optional)


def choice_fields() -> list[Any]:
    """Inputs that choose one of several faces."""
    return [
        combo(
            "face",
            "How faces are counted where there are several: largest first, leftmost first, and so on.",
            ORDERS,
            optional=True,
            advanced=True,
        ),
        number(
            "face_number",
            "Which face in that order, counted from 0 to 15.",
            0,
            (0, 15),
            optional=True,
            advanced=True,
        ),
    ]


def choice_of(face: str, face_number: int, box: Any = None) -> Any:
    """Both, and a box of the mask, as a `FaceChoice`."""
    from gohd_core.face import FaceChoice

    return FaceChoice(face, face_number, box=box)


def size_field() -> Any:
    """The side of the face crop."""
    return number(
        "size",
        "Side of the face crop in pixels, 256 to 1024 in steps of 64; 0 takes the face's own. More is "
        "sharper where the picture has it, and slower. Drawn heads and official weights have their own.",
        0,
        (0, 1024, 64),
        optional=True,
        advanced=True,
    )


def portrait_of(image: Any, extractor: Any, gaze_estimator: Any, **where: Any) -> Any:
    """A picture's portrait, read by the face networks or else by the family's own; where: its face."""
    from gohd_core.portraits import prepare_portrait

    reader = face_reader() if where.get("landmarks") is None else None
    if where.get("landmarks") is None and reader is None:
        where["detector"] = detector_for(extractor, where["box"], image.shape[1:3])
    return prepare_portrait(image, reader=reader, extractor=extractor, gaze_estimator=gaze_estimator, **where)


def face_reader() -> Any:
    """The networks that read any face, on the device; fetched on first use. None where they can't be had."""
    from gohd_core.checkpoints.face_files import missing_face_files
    from gohd_core.face import FaceReader

    folders = host.weight_folders()
    if missing_face_files(folders) is not None:
        host.warn_user(_fetched(folders[0]))
    if missing_face_files(folders) is not None:
        return None
    return host.loaded(FaceReader.load(folders))


def needed_reader() -> Any:
    """As `face_reader`; `BadInput` where the networks can't be had."""
    reader = face_reader()
    if reader is None:
        raise BadInput(f"The networks that read faces are not there. {_how_to_get_them()}")
    return reader


def _how_to_get_them() -> str:
    """Remedies for users of ComfyUI, also without a command line."""
    from gohd_core.checkpoints.sources import FACES

    names = ", ".join(item.name for item in FACES)
    return (
        "Connect this computer to the internet and start ComfyUI again, which fetches them; or put them into "
        f"{host.weight_folders()[0] / FACES[0].folder}: {names}."
    )


@lru_cache(maxsize=1)
def _fetched(folder: Path) -> str | None:
    """Fetches the face networks, once a run of ComfyUI; a sentence where that failed."""
    from gohd_core.checkpoints import download, sources

    bar = host.Progress()
    try:
        for item in sources.FACES:
            download.download(item, folder / item.folder, progress=bar, should_stop=bar.should_stop)
    except BadInput as error:
        return (
            f"The networks that read faces could not be fetched ({error}) Until they are there, only drawn "
            f"portraits of the kind that ships will talk. {_how_to_get_them()}"
        )
    return None


def detector_for(extractor: Any, box: Any, size: tuple[int, int], *, follow: bool = False) -> Any:
    """The face detector where its weights lie in models/gohd and it is of use, else None.

    box: bounds of the mask, or None; size: height and width of the picture. follow: in a video, where the
    detector goes on from the box. Raises `BadInput` when nothing says where the face is, `BadCheckpoint` when
    the official extractor would have to go without.
    """
    from gohd_core.face.crop import is_square

    lost = box is None and not is_square(*size)
    if not (lost or extractor.config.aligned or (follow and box is not None)):
        return None
    from gohd_core.checkpoints.detector_files import missing_files
    from gohd_core.face.detection.detector import FaceDetector

    folders = host.weight_folders()
    problem = missing_files(folders)
    if problem is None:
        return host.loaded(FaceDetector.load(folders))
    if extractor.config.aligned:
        raise BadCheckpoint(f"{problem} Or connect face_landmarks from Detect Face Landmarks (MediaPipe).")
    if lost:
        raise BadInput(
            f"The picture is {size[1]} x {size[0]} and nothing says where the face is: the networks that "
            f"read faces are not there. {_how_to_get_them()} Or give a square picture of the head."
        )
    return None


def portrait_landmarks(face_landmarks: Any, index: int, choice: Any) -> Any:
    """The 68 landmarks of picture `index` of FACE_LANDMARKS; None without them."""
    if face_landmarks is None:
        return None
    from gohd_core.face.mediapipe.points import face_track

    frames = entry(face_landmarks, "frames") or []
    if index >= len(frames):
        raise BadInput(f"There are face landmarks of {len(frames)} pictures, and number {index} is wanted.")
    size = entry(face_landmarks, "image_size")
    found = face_track({"frames": [frames[index]], "image_size": size}, choice).landmarks()[0]
    if found is None:
        raise BadInput(
            "ComfyUI's detector found no such face in the picture; choose another, or paint a mask."
        )
    return found


def film_of(video: Any, fps: float) -> Any:
    """An IMAGE batch (at fps) or a core VIDEO (at its own rate, trimmed and cropped as it is) as a film."""
    from gohd_core.motion.editing import exact_fps
    from gohd_core.video.reader import VideoReader

    if hasattr(video, "shape"):
        return VideoReader.of_images(video, exact_fps(fps))
    return VideoReader.open(video.get_stream_source(), **host.video_part(video))


def soundtrack(video: Any) -> tuple[Any, int] | None:
    """A VIDEO's own sound (waveform [C,N], samples a second) from its first frame on; None without one, and
    for a batch of images."""
    if hasattr(video, "shape"):
        return None
    from gohd_core.audio import load_soundtrack

    part = host.video_part(video)
    return load_soundtrack(video.get_stream_source(), part["start"], part["seconds"])


def frame_of(video: Any, index: int) -> Any:
    """Frame `index` of a core VIDEO as an IMAGE [1,H,W,3]."""
    import torch

    for k, (_, image) in enumerate(film_of(video, 25.0).play()):
        if k == index:
            return torch.from_numpy(image.astype("float32") / 255)[None]
    raise BadInput(f"The video ends before its frame {index}; give a smaller index, counted from 0.")


def film_size(film: Any) -> tuple[int, int]:
    """Height and width of the first frame."""
    first = next(film.play(), None)
    if first is None:
        raise BadInput("The video has no frames.")
    return first[1].shape[:2]
