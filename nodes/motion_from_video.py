"""Motion from video: a driving video, or ComfyUI's own face landmarks."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import MISSING, STEADYING, TRACKS
from gohd_core.components import BUILTIN
from gohd_core.errors import BadInput

from . import faces, family, host, sockets
from .sockets import combo, either, field, number, result, schema
from .values import as_audio, mask_bounds

CATEGORY = "GoHD/motion from video"
SMOOTHED = {"pose and gaze": ("pose", "gaze"), "pose": ("pose",), "everything": TRACKS}


def _steadying_fields() -> list[Any]:
    return [
        combo(
            "missing",
            "Frames without a face: hold the last face, interpolate to the next one, or mark them and leave "
            "them at rest. They are counted in the report and never stop the run.",
            MISSING,
        ),
        combo(
            "smooth",
            "Takes jitter out, without lag: savitzky-golay keeps peaks, one-euro is still at rest and quick "
            "in motion, mean is the official mean over 5 frames, none leaves all as it was read.",
            STEADYING,
        ),
        number(
            "smooth_seconds",
            "Seconds that smoothing spans: longer is calmer but flattens quick movements; mean has its own.",
            0.2,
            (0.02, 2.0, 0.02),
        ),
        combo(
            "smooth_parts",
            "What is smoothed. Expressions are best left alone: lips close and eyes blink in a few frames.",
            SMOOTHED,
            default="pose and gaze",
        ),
    ]


def _follow_field() -> Any:
    return field(
        io.Boolean,
        "follow_head",
        "On: the motion is told in a square that goes with the head, to paste the face into this video with "
        "track. Off: in a square that stays, so that a head that walks about does so in the face crop.",
        default=False,
        optional=True,
    )


def _outputs() -> list[Any]:
    return [
        result(sockets.Motion, "motion", "Head, face and eyes at 25 frames a second, for Mix Motion."),
        result(sockets.Pose, "pose", "Its head movement alone."),
        result(sockets.Expression, "expression", "Its expressions alone."),
        result(sockets.Gaze, "gaze", "Its gaze alone."),
        result(io.Float, "fps", "Its frames a second: 25."),
        result(io.Int, "frames", "Its number of frames."),
        result(io.String, "report", "Frames without a face, and jitter before and after smoothing."),
        result(sockets.HeadTrack, "track", "Where that square lies in each frame, for Paste Back."),
    ]


def _made(driving: Any, follow_head: bool, *more: Any) -> io.NodeOutput:
    from gohd_core.driving import with_head_track

    made = with_head_track(driving, follow=follow_head)
    motion = made.motion
    parts = (motion.pose, motion.expression, motion.gaze)
    return io.NodeOutput(motion, *parts, float(motion.fps), len(motion), str(made.report), made.track, *more)


def _steadying(smooth: str, smooth_seconds: float, smooth_parts: str) -> Any:
    from gohd_core.driving import SmoothingConfig

    return SmoothingConfig(smooth, smooth_seconds, SMOOTHED[smooth_parts])


class ExtractMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDExtractMotion",
            display_name="Extract Motion from Video",
            category=CATEGORY,
            description=(
                "Reads head pose, expression and gaze of a face in a video, at 25 frames a second. Only "
                "numbers are kept, so that long videos need no more memory than short ones."
            ),
            search_aliases=["gohd", "driving video", "face tracking", "motion capture", "retarget"],
            inputs=[
                either(
                    "video",
                    [io.Image, io.Video],
                    "The driving video: a VIDEO, which is read frame by frame, or a batch of images.",
                ),
                field(
                    sockets.Extractor,
                    "extractor",
                    "Reads head pose and expression; use the family, built-in or official, of the animator.",
                ),
                field(sockets.GazeEstimator, "gaze_estimator", "Reads the gaze; of the extractor's family."),
                number(
                    "fps",
                    "Frames a second of a batch of images; a VIDEO knows its own. The motion has 25 always.",
                    25.0,
                    (1.0, 120.0, 0.01),
                ),
                *_steadying_fields(),
                field(
                    io.Boolean,
                    "steady_crop",
                    "Keeps the crop still while the face stays in it (built-in weights), or steadies the "
                    "landmarks that align it (official weights).",
                    default=True,
                    advanced=True,
                ),
                faces.landmarks_field(
                    "Where the face is in each frame, from ComfyUI's Detect Face Landmarks (MediaPipe) on "
                    "the same frames.",
                    optional=True,
                ),
                field(
                    io.Mask,
                    "face_mask",
                    "Where the face is, painted on the first frame. With detector weights in models/gohd it "
                    "picks that face, which is then followed; without, its box is used in every frame.",
                    optional=True,
                ),
                *faces.choice_fields(),
                _follow_field(),
            ],
            outputs=[
                *_outputs(),
                result(io.Audio, "audio", "The sound of a VIDEO from its first frame on, where it has some."),
            ],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        video: Any,
        extractor: host.Managed,
        gaze_estimator: host.Managed,
        fps: float,
        missing: str,
        smooth: str,
        smooth_seconds: float,
        smooth_parts: str,
        steady_crop: bool,
        face_landmarks: Any = None,
        face_mask: Any = None,
        face: str = "largest",
        face_number: int = 0,
        follow_head: bool = False,
    ) -> io.NodeOutput:
        from gohd_core.driving import extract_motion

        reader, gaze_reader = host.ready(extractor, gaze_estimator)
        film = faces.film_of(video, fps)
        found = _where(film, reader, face_landmarks, face_mask, face, face_number)
        bar = host.Progress()
        steadying = _steadying(smooth, smooth_seconds, smooth_parts)
        options = {"missing": missing, "steady_crop": steady_crop, "steadying": steadying, **found}
        driving = extract_motion(
            film, reader, gaze_reader, progress=bar, should_stop=bar.should_stop, **options
        )
        if face_landmarks is not None and len(face_landmarks["frames"]) != driving.report.frames_read:
            raise BadInput(
                f"There are face landmarks of {len(face_landmarks['frames'])} frames and the video has "
                f"{driving.report.frames_read}; detect them on the same frames."
            )
        sound = _sound(video)
        if driving.lips is not None and sound is not None:
            _warn_of_lag(driving, sound)
        return _made(driving, follow_head, as_audio(sound))


def _sound(video: Any) -> tuple[Any, int] | None:
    """A VIDEO's own sound; None without one, and with a warning where it is damaged."""
    try:
        return faces.soundtrack(video)
    except BadInput as damaged:
        return host.warn_user(str(damaged))


def _warn_of_lag(driving: Any, sound: tuple[Any, int]) -> None:
    """Says where a video's own lips and sound are apart."""
    from gohd_core.driving.sync import lag_warning

    managed = family.load("expression", BUILTIN)
    said = lag_warning(driving, sound, *host.ready(managed), "The driving video")
    host.warn_user(said and f"{said} Check Lip Sync puts its sound right.")


def _where(film: Any, reader: Any, face_landmarks: Any, mask: Any, face: str, number: int) -> dict[str, Any]:
    """Face locator, or face reader with its choice of a face."""
    from gohd_core.driving import face_locator

    height, width = faces.film_size(film)
    box = mask_bounds(mask, height, width)
    choice = faces.choice_of(face, number, box)
    if face_landmarks is not None:
        from gohd_core.face.mediapipe.points import face_track

        return {"where": face_locator(landmarks=face_track(face_landmarks, choice).landmarks())}
    people = faces.face_reader()
    if people is not None:
        return {"reader": people, "choice": choice}
    detector = faces.detector_for(reader, box, (height, width), follow=True)
    return {"where": face_locator(box=box, detector=detector, choice=choice)}


class MotionFromFaceLandmarks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDMotionFromFaceLandmarks",
            display_name="Motion from Face Landmarks",
            category=CATEGORY,
            description=(
                "Turns ComfyUI's face landmarks, with their blendshapes and head matrix, into motion for the "
                "built-in weights, without looking at the pictures again."
            ),
            search_aliases=["gohd", "mediapipe", "blendshapes", "ARKit", "face mesh"],
            inputs=[
                faces.landmarks_field(
                    "From Detect Face Landmarks (MediaPipe), which ComfyUI 0.23 and newer has. For official "
                    "weights connect it to Extract Motion from Video instead.",
                    optional=False,
                ),
                number(
                    "fps",
                    "Frames a second of the pictures that they are from; the motion has 25.",
                    25.0,
                    (1.0, 120.0, 0.01),
                ),
                *_steadying_fields(),
                *faces.choice_fields(),
                _follow_field(),
            ],
            outputs=_outputs(),
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        face_landmarks: Any,
        fps: float,
        missing: str,
        smooth: str,
        smooth_seconds: float,
        smooth_parts: str,
        face: str = "largest",
        face_number: int = 0,
        follow_head: bool = False,
    ) -> io.NodeOutput:
        from gohd_core.driving import motion_from_blendshapes
        from gohd_core.face.mediapipe.points import face_track
        from gohd_core.motion.editing import exact_fps

        track = face_track(face_landmarks, faces.choice_of(face, face_number))
        steadying = _steadying(smooth, smooth_seconds, smooth_parts)
        rate = exact_fps(fps)
        driving = motion_from_blendshapes(track, source_fps=rate, missing=missing, steadying=steadying)
        return _made(driving, follow_head)


NODES = (ExtractMotion, MotionFromFaceLandmarks)
