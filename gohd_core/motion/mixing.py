"""One motion from several: head, face, eyes and gaze, each from its own source, weighted over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from torch import Tensor

from gohd_core.choices import FILLS, LENGTHS, MIXED_PARTS
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.motion import Expression, Gaze, Motion, Pose, Sequence
from gohd_core.motion.editing import blended, relative
from gohd_core.motion.keyframes import Keyframes, parse_schedule
from gohd_core.motion.movements import BROWS, LIDS

if TYPE_CHECKING:
    from gohd_core.face.geometry.morphable import MorphableModel


@dataclass(frozen=True)
class MixSettings:
    """Options of mixing sources into one motion.

    Attributes:
        weights: per part a number or a curve: 0 keeps the portrait's own, 1 takes the source.
        relative: parts of which only the change over their first frame is taken.
        length: "longest", "shortest", or the part whose length counts.
        fill: for sources of another length: "hold", "loop" or "ping-pong" extend short ones and cut long
            ones; "retime" plays them faster or slower.
        fps: frame rate of the result; None takes the first source's.
    """

    weights: Mapping[str, float | Keyframes] = field(default_factory=dict)
    relative: frozenset[str] = frozenset()
    length: str = "longest"
    fill: str = "hold"
    fps: Fraction | int | float | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in (*self.weights, *self.relative) if name not in MIXED_PARTS]
        if unknown:
            raise BadInput(f"There is no part {unknown[0]!r} to mix; use some of {', '.join(MIXED_PARTS)}.")
        if self.length not in (*LENGTHS, *MIXED_PARTS):
            raise BadInput(f"{self.length!r} is no length; use one of {', '.join((*LENGTHS, *MIXED_PARTS))}.")
        if self.fill not in FILLS:
            raise BadInput(f"{self.fill!r} is no way to fill; use one of {', '.join(FILLS)}.")


def mix_motion(
    own: Motion,
    *,
    pose: Pose | None = None,
    expression: Expression | None = None,
    eyes: Expression | None = None,
    gaze: Gaze | None = None,
    settings: MixSettings | None = None,
    model: MorphableModel | None = None,
) -> Motion:
    """Puts sources together on top of a portrait's own coefficients.

    Args:
        own: p0, e0 and g0 of the portrait, one frame; parts without a source keep it.
        expression: drives the whole face.
        eyes: drives the lids and brows instead, where it is given; see `face.eye_projection`.
        model: the space's morphable model; only `eyes` needs it.
    Raises: `BadInput` for spaces that differ, for no source at all, for `eyes` without a model.
    """
    settings = settings or MixSettings()
    if len(own) != 1:
        raise BadInput(f"A portrait's own motion is one frame; {len(own)} were given.")
    sources = {"pose": pose, "expression": expression, "eyes": eyes, "gaze": gaze}
    given = {name: source for name, source in sources.items() if source is not None}
    _check_spaces(own, given)
    fps = settings.fps or next(iter(given.values())).fps
    given = {name: source.resampled(fps) for name, source in given.items()}
    frames = _frames(given, settings.length)
    rest = Motion(*(replace(p, fps=fps) for p in (own.pose, own.expression, own.gaze))).fitted(frames)
    tracks: dict[str, Sequence] = {"pose": rest.pose, "expression": rest.expression, "gaze": rest.gaze}
    for name, source in given.items():
        part = "expression" if name == "eyes" else name
        start = getattr(own, part).values[0]
        source = relative(source, start) if name in settings.relative else source
        source = source.fitted(frames, settings.fill)
        weight = _weight(settings.weights.get(name, 1.0), frames, fps)
        if name == "eyes":
            source = with_eyes_of(tracks[part], source, _model_for(own.space, model))
        tracks[part] = blended(tracks[part], source, weight)
    return Motion(tracks["pose"], tracks["expression"], tracks["gaze"])


def weighted_schedule(weights: Mapping[str, float], schedule: str) -> dict[str, float | Keyframes]:
    """Constant weights, times the curves of a written schedule (`keyframes.parse_schedule`)."""
    curves = parse_schedule(schedule, MIXED_PARTS)
    return {
        name: replace(curves[name], values=curves[name].values * weight) if name in curves else weight
        for name, weight in weights.items()
    }


def with_eyes_of(mouth: Expression, eyes: Expression, model: MorphableModel) -> Expression:
    """Lids and brows of one expression on the mouth of another, of equal length."""
    moved = mouth.values + (eyes.values - mouth.values) @ model.eye_projection().T
    return replace(mouth, values=moved, valid=mouth.valid & eyes.valid)


def scaled_parts(
    expression: Expression, *, mouth: float = 1.0, eyes: float = 1.0, model: MorphableModel | None = None
) -> Expression:
    """The mouth scaled by one factor, brows and lids by another; from a fourth on, blinks stay whole.

    model: of an official space, where only its directions separate mouth and eyes.
    """
    if mouth == eyes == 1:
        return expression
    if expression.space != STYLISED:
        return with_eyes_of(
            expression.scaled(mouth), expression.scaled(eyes), _model_for(expression.space, model)
        )
    from gohd_core.stylised.head.expressions import INDEX

    factors = expression.values.new_full((expression.width,), mouth)
    factors[[INDEX[name] for name in BROWS]] = eyes
    factors[[INDEX[name] for name in LIDS]] = min(4 * eyes, 1.0)
    return replace(expression, values=expression.values * factors)


def _model_for(space: str, model: MorphableModel | None) -> MorphableModel:
    if model is None:
        raise BadInput(
            f"Eyes and mouth from different sources need the morphable model of the {space!r} space to be "
            "told apart; give it, or leave the eyes to the expression."
        )
    if model.space != space:
        raise BadInput(f"The morphable model is of the space {model.space!r}, the motion of {space!r}.")
    return model


def _check_spaces(own: Motion, given: Mapping[str, Sequence]) -> None:
    if not given:
        raise BadInput("There is nothing to mix; connect at least one source of motion.")
    kinds = {"pose": Pose, "expression": Expression, "eyes": Expression, "gaze": Gaze}
    for name, source in given.items():
        if not isinstance(source, kinds[name]):
            raise BadInput(f"The source of {name} is a {type(source).__name__}; a {kinds[name].__name__} is.")
        if source.space != own.space:
            raise BadInput(
                f"The source of {name} is in the {source.space!r} coefficient space and the portrait in "
                f"{own.space!r}; use one family of weights for both."
            )


def _frames(given: Mapping[str, Sequence], length: str) -> int:
    counts = {name: len(source) for name, source in given.items()}
    if length in MIXED_PARTS:
        if length not in counts:
            raise BadInput(f"The length is to be that of the {length}, but nothing drives it.")
        return counts[length]
    return max(counts.values()) if length == "longest" else min(counts.values())


def _weight(weight: float | Keyframes, frames: int, fps: Fraction | int | float) -> float | Tensor:
    return weight.frames(frames, fps)[:, 0] if isinstance(weight, Keyframes) else weight
