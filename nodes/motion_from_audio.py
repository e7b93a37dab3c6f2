"""Motion that is made from sound: head poses, expressions and gaze."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from gohd_core.choices import SAMPLERS

from . import host, sockets
from .sockets import combo, field, number, result, schema
from .values import face_model_for

CATEGORY = "GoHD/motion from audio"
MAX_SEED = 2**64 - 1

_FEATURES = "Speech from Encode Audio; it decides the length."
_SEED = "Random seed: the same one gives the same motion, another one a variation."
_SAMPLER = (
    "How noise becomes motion. dpmpp_2m is fastest (20 steps), ddim takes 50, ddpm is the paper's own and "
    "takes all of the model's steps."
)
_STEPS = "Denoising steps; more is slower and finer. 0 takes the sampler's own number."
_GUIDANCE = (
    "Gamma of the paper's eq. 3, 0 to 1: how strongly the motion keeps to the portrait's own start; 0.4 is "
    "the paper's. Weights with one network alone, as the released ones, have nothing to mix: no effect."
)


def seed_field() -> Any:
    """The seed widget."""
    return number("seed", _SEED, 0, (0, MAX_SEED), control_after_generate=True)


def scale_field(name: str, tooltip: str, **options: Any) -> Any:
    """A factor on movement."""
    return number(name, tooltip, 1.0, (0.0, 3.0, 0.05), **options)


def _inputs(model: Any, portrait: str, scale: str, *more: Any) -> list[Any]:
    """Inputs of all of these nodes, in order."""
    return [
        model,
        field(sockets.Sound, "features", _FEATURES),
        field(sockets.Portrait, "portrait", portrait),
        seed_field(),
        scale_field("scale", scale),
        *more,
    ]


def _sampling_fields() -> list[Any]:
    """Inputs of all diffusion samplers."""
    return [
        combo("sampler", _SAMPLER, SAMPLERS, advanced=True),
        number("steps", _STEPS, 0, (0, 1000), advanced=True),
        number("guidance", _GUIDANCE, 0.4, (0.0, 1.0, 0.05), advanced=True),
    ]


def _sampled(
    step: str, managed: host.Managed, features: Any, portrait: Any, steps: int, **options: Any
) -> io.NodeOutput:
    """Head poses or gaze by that step of the pipeline."""
    from gohd_core import pipeline

    (model,) = host.ready(managed)
    bar = host.Progress()
    options |= {"steps": steps or None, "progress": bar, "should_stop": bar.should_stop}
    return io.NodeOutput(getattr(pipeline, step)(model, features, portrait, **options))


class SampleHeadPoses(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSampleHeadPoses",
            display_name="Sample Head Poses",
            category=CATEGORY,
            description="Draws head movement that suits a speech from the pose diffusion (§3.1).",
            search_aliases=["gohd", "head motion", "nod"],
            inputs=_inputs(
                field(sockets.PoseModel, "pose_model", "The pose diffusion."),
                "Whose head it is; movement starts from its pose.",
                "Factor on the movement around the portrait's own pose: 0 is still, 1 as sampled, 2 twice as "
                "far.",
                *_sampling_fields(),
            ),
            outputs=[result(sockets.Pose, "pose", "Head poses, 25 a second, for Mix Motion.")],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, pose_model: host.Managed, features: Any, portrait: Any, **settings: Any
    ) -> io.NodeOutput:
        return _sampled("head_poses", pose_model, features, portrait, **settings)


class PredictExpressions(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDPredictExpressions",
            display_name="Predict Expressions",
            category=CATEGORY,
            description="Predicts lips, lids and brows from a speech, in two stages (§3.2).",
            search_aliases=["gohd", "lip sync", "blink"],
            inputs=_inputs(
                field(sockets.ExpressionModel, "expression_model", "The expression predictor."),
                "Whose face it is; expressions start from its own.",
                "Factor on the expression: 0 is neutral, 1 as predicted; the authors' own script uses 1.5.",
            ),
            outputs=[result(sockets.Expression, "expression", "Expressions, 25 a second, for Mix Motion.")],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, expression_model: host.Managed, features: Any, portrait: Any, seed: int, scale: float
    ) -> io.NodeOutput:
        from gohd_core.pipeline import expressions

        (model,) = host.ready(expression_model)
        bar = host.Progress()
        options = {"scale": scale, "seed": seed, "progress": bar, "should_stop": bar.should_stop}
        face_model = face_model_for(model, portrait)
        return io.NodeOutput(expressions(model, features, portrait, face_model=face_model, **options))


class SampleGaze(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDSampleGaze",
            display_name="Sample Gaze",
            category=CATEGORY,
            description="Draws eye movement that suits a speech from the gaze diffusion.",
            search_aliases=["gohd", "eyes", "look"],
            inputs=_inputs(
                field(sockets.GazeModel, "gaze_model", "The gaze diffusion."),
                "Whose eyes they are; movement starts from its gaze.",
                "Factor on the movement around the portrait's own gaze: 0 is still, 1 as sampled.",
                *_sampling_fields(),
            ),
            outputs=[result(sockets.Gaze, "gaze", "Gaze, 25 values a second, for Mix Motion.")],
        )

    @classmethod
    @host.translate_errors
    def execute(
        cls, gaze_model: host.Managed, features: Any, portrait: Any, **settings: Any
    ) -> io.NodeOutput:
        return _sampled("sampled_gaze", gaze_model, features, portrait, **settings)


NODES = (SampleHeadPoses, PredictExpressions, SampleGaze)
