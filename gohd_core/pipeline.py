"""The way of a portrait and a sound to a talking clip (§3), step by step; the steps composed come last.

    sound -> features -> head_poses, expressions, gaze -> motion
    picture -> portrait -> encode -> draw(motion) -> finish -> render_video

Nodes and commands call these steps and nothing else, so that all of them make the same frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gohd_core.animator import Animator, Source
from gohd_core.audio import AudioFeatures
from gohd_core.choices import MOODS
from gohd_core.constants import FPS
from gohd_core.errors import BadInput
from gohd_core.expression import ExpressionPredictor
from gohd_core.face import MorphableModel, Portrait
from gohd_core.mesh.builtin import BuiltinAnimator
from gohd_core.models import Models
from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.motion.editing import exact_fps, offset, scaled
from gohd_core.motion.mixing import scaled_parts
from gohd_core.motion.mood import with_mood
from gohd_core.motion.silence import idle_where_silent, silence
from gohd_core.pose import GazeDiffusion, PoseDiffusion
from gohd_core.render import Mark, marked, paste_back
from gohd_core.talk_options import TalkOptions

if TYPE_CHECKING:
    from gohd_core.mesh.source import MeshSource

AnyAnimator = Animator | BuiltinAnimator
"""Animators: official or own weights, or the built-in ones with the mesh animator beside them."""

Progress = Callable[[str, int, int], None]
"""Called as progress(stage, done, total)."""


def frame_count(features: AudioFeatures) -> int:
    """Frames of motion for a sound, round(25 * seconds), one at least."""
    return max(round(features.duration * FPS), 1)


def head_poses(
    model: PoseDiffusion, features: AudioFeatures, portrait: Portrait, *, scale: float = 1.0, **sampling: Any
) -> Pose:
    """Head poses for a sound (eq. 1-4), from the portrait's own pose p0 on; in long silence it idles.

    scale: factor on the movement around p0. sampling: of `PoseDiffusion.sample_pose`.
    """
    first, place = _pose_and_place(portrait)
    made = model.sample_pose(features.condition(model.alignment), first, **sampling)
    made = scaled(made, scale, first.values[0]).fitted(frame_count(features))
    made = made if place is None else offset(made, place)
    share = _silence(features)
    return idle_where_silent(made, portrait.motion, share, seed=sampling.get("seed", 0), amount=scale)


def sampled_gaze(
    model: GazeDiffusion, features: AudioFeatures, portrait: Portrait, *, scale: float = 1.0, **sampling: Any
) -> Gaze:
    """Gaze for a sound from the gaze diffusion, from the portrait's own gaze g0 on; otherwise as above."""
    made = model.sample_gaze(features.condition(model.alignment), portrait.motion.gaze, **sampling)
    made = scaled(made, scale, portrait.g0).fitted(frame_count(features))
    share = _silence(features)
    return idle_where_silent(made, portrait.motion, share, seed=sampling.get("seed", 0), amount=scale)


def expressions(
    model: ExpressionPredictor,
    features: AudioFeatures,
    portrait: Portrait,
    *,
    face_model: MorphableModel | None = None,
    scale: float = 1.0,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Expression:
    """Lips, lids and brows for a sound (eq. 5-8), from the portrait's own expression e0 on.

    face_model: where the eye motion of e0 is read off, for two-stage weights in the bfm09 space.
    """
    _check_space(model.space, portrait)
    eye0 = None if face_model is None else face_model.eye_motion_feature(portrait.e0[None])[0]
    values, _ = model.predict(
        features, portrait.e0, eye0, seed=seed, progress=progress, should_stop=should_stop
    )
    made = Expression(values, model.space).scaled(scale).fitted(frame_count(features))
    share = _silence(features)
    # Predicted lips shut and lids blink in silence; only a clip that is silent throughout is to loop.
    return idle_where_silent(made, portrait.motion, share, seed=seed) if bool((share == 1).all()) else made


def motion_from_audio(
    features: AudioFeatures,
    portrait: Portrait,
    models: Models,
    options: TalkOptions = TalkOptions(),
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Motion:
    """Head poses, expressions and gaze for a sound, `frame_count` frames at 25 a second.

    The portrait must carry its own coefficients p0, e0 and g0.
    """
    pose = head_poses(
        models.pose,
        features,
        portrait,
        scale=options.pose_scale,
        progress=_stage(progress, "pose"),
        should_stop=should_stop,
        **options.sampling,
    )
    expression = expressions(
        models.expression,
        features,
        portrait,
        face_model=models.face_model,
        scale=options.expression_scale,
        seed=options.seed,
        progress=_stage(progress, "expression"),
        should_stop=should_stop,
    )
    parts = {"mouth": options.mouth_scale, "eyes": options.eyes_scale}
    expression = scaled_parts(expression, **parts, model=models.face_model)
    return Motion(pose, expression, _gaze(features, portrait, models, options, progress, should_stop))


def encode(animator: AnyAnimator, portrait: Portrait) -> Source | MeshSource:
    """The portrait as the animator keeps it for a clip: by its face mesh at its own size, where both know it,
    else its crop at the animator's size."""
    if portrait.mesh is None or not isinstance(animator, BuiltinAnimator):
        return animator.encode_source(portrait.resized(animator.config.size).source, portrait.motion)
    left, top, right, bottom = portrait.box
    height, width = portrait.frame.shape[:2]
    return animator.encode_source(
        portrait.source,
        portrait.motion,
        mesh=portrait.mesh_in_crop,
        person_mask=portrait.person_mask,
        held=(left > 0, top > 0, right < width, bottom < height),
    )


def draw(
    animator: AnyAnimator,
    portrait: Portrait,
    motion: Motion,
    *,
    fps: Fraction | int | float | None = None,
    strength: float = 1.0,
    batch_size: int = 8,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[Tensor]:
    """Frames of the portrait's crop as they are drawn, [b, 3, S, S] in [-1, 1].

    fps: frames a second; None keeps the motion's own rate.
    """
    return animator.animate(
        encode(animator, portrait),
        motion if fps is None else motion.resampled(fps),
        batch_size=batch_size,
        strength=strength,
        progress=progress,
        should_stop=should_stop,
    )


def finish(
    frames: Iterable[Tensor],
    portrait: Portrait,
    *,
    full_frame: bool = False,
    invisible_mark: bool = True,
    visible_mark: str = "",
    **into: Any,
) -> Iterator[Tensor]:
    """Frames pasted back into the whole picture, where that is wanted, and marked; as a stream.

    A portrait whose crop is its whole picture is whole as it is drawn.

    into: the `background` and `track` of `paste_back`.
    """
    if into or (full_frame and portrait.is_part):
        # A face that is drawn from the picture's own pixels has its colours, but not another picture's.
        own = portrait.mesh is not None and into.get("background") is None
        colour = "none" if own else "constant"
        frames = paste_back(frames, portrait, colour=colour, **into)
    return marked(frames, Mark(invisible_mark, visible_mark))


def talk(
    portrait: Portrait,
    features: AudioFeatures,
    models: Models,
    options: TalkOptions = TalkOptions(),
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Motion, Iterator[Tensor]]:
    """Makes a portrait say a sound.

    Returns: the motion, and the frames as they are drawn, `[b, 3, S, S]` in [-1, 1], both at the options'
        rate.
    """
    motion = motion_from_audio(
        features, portrait, models, options, progress=progress, should_stop=should_stop
    ).resampled(exact_fps(options.fps))
    if options.mood != MOODS[0]:
        motion = with_mood(motion, {options.mood: options.mood_amount})
    frames = draw(
        models.animator,
        portrait,
        motion,
        strength=options.strength,
        batch_size=options.batch_size,
        progress=_stage(progress, "frames"),
        should_stop=should_stop,
    )
    return motion, frames


def _pose_and_place(portrait: Portrait) -> tuple[Pose, Tensor | None]:
    """Start of sampled poses, and the offset that is added to them afterwards.

    Crops of real pictures are framed otherwise than the diffusion's training data: a face that was read
    by its mesh starts in the middle, and is put back to its own place.
    """
    pose = portrait.motion.pose
    if portrait.mesh is None:
        return pose, None
    place = pose.values[0].clone()
    place[:3] = 0
    return offset(pose, -place), place


def _check_space(space: str, portrait: Portrait) -> None:
    if portrait.motion.space != space:
        raise BadInput(
            f"These weights are in the {space!r} coefficient space and the portrait in "
            f"{portrait.motion.space!r}; load all models from one family, built-in or official."
        )


def _gaze(
    features: AudioFeatures,
    portrait: Portrait,
    models: Models,
    options: TalkOptions,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> Gaze:
    if options.gaze == "sample":
        if models.gaze is None:
            raise BadInput(
                "Gaze can't be sampled without a gaze diffusion model; load one, or hold the gaze."
            )
        watching = {"progress": _stage(progress, "gaze"), "should_stop": should_stop}
        return sampled_gaze(models.gaze, features, portrait, **watching, **options.sampling)
    pitch, yaw = portrait.g0.tolist() if options.gaze == "hold" else options.gaze
    ahead = Gaze.constant(pitch, yaw, frame_count(features), space=models.animator.space)
    own = replace(portrait.motion, gaze=ahead.fitted(1))
    return idle_where_silent(ahead, own, _silence(features), seed=options.seed, amount=options.pose_scale)


def _silence(features: AudioFeatures) -> Tensor:
    return silence(features.waveform, frame_count(features))


def _stage(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)
