"""Loaders: each gives ComfyUI one network to manage; one node loads a whole family."""

from __future__ import annotations

from typing import Any, ClassVar

from comfy_api.latest import io

from gohd_core.choices import PRECISIONS

from . import host, sockets, weight_files
from .family import family_field, family_fingerprint, family_problem, load, load_family
from .sockets import combo, result, schema

CATEGORY = "GoHD/load"

_WEIGHTS = (
    "Which weights. `builtin` ships with the pack; the others are files found in "
    "models/gohd (and in the gohd folders of extra_model_paths). Weights of one workflow must share a "
    "coefficient space: all built-in, or all official."
)
_PRECISION = (
    "Number format that pictures are drawn in. float32 is exact; bfloat16 and float16 halve memory and are "
    "faster on most GPUs, at differences that are hardly visible. Positions are always float32."
)
_GIVEN = {
    "animator": (sockets.Animator, "animator", "The face animator, for all nodes that draw."),
    "pose_diffusion": (sockets.PoseModel, "pose_model", "The pose diffusion, for Sample Head Poses."),
    "expression": (
        sockets.ExpressionModel,
        "expression_model",
        "The expression predictor, for Predict Expressions.",
    ),
    "gaze_diffusion": (sockets.GazeModel, "gaze_model", "The gaze diffusion, for Sample Gaze."),
    "extractor": (sockets.Extractor, "extractor", "The extractor, for Prepare Portrait."),
    "gaze_estimator": (sockets.GazeEstimator, "gaze_estimator", "The gaze estimator, for Prepare Portrait."),
}
"""Output of each component, in the order of Load GoHD Models' outputs."""


def _precision() -> Any:
    """The widget for an animator's number format."""
    return combo("precision", _PRECISION, PRECISIONS, advanced=True)


class _Loader(io.ComfyNode):
    """Base of the loaders of single networks: a dropdown of the files that fit, and the network."""

    component: str
    about: ClassVar[dict[str, Any]]
    """Arguments of the schema."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        options = weight_files.names(cls.component)
        inputs = [combo("weights", _WEIGHTS, options, default=weight_files.BUILTIN)]
        if cls.component == "animator":
            inputs.append(_precision())
        return schema(category=CATEGORY, inputs=inputs, outputs=[result(*_GIVEN[cls.component])], **cls.about)

    @classmethod
    def validate_inputs(cls, weights: str) -> bool | str:
        return weight_files.problem(weights, cls.component) or True

    @classmethod
    def fingerprint_inputs(cls, weights: str) -> str:
        return weight_files.fingerprint(weights, cls.component)

    @classmethod
    @host.translate_errors
    def execute(cls, weights: str, precision: str = PRECISIONS[0]) -> io.NodeOutput:
        return io.NodeOutput(load(cls.component, weight_files.path(weights, cls.component), precision))


class LoadAnimator(_Loader):
    component = "animator"
    about: ClassVar = dict(
        node_id="GoHDLoadAnimator",
        display_name="Load Face Animator",
        description="Loads the network that draws a portrait in motion (§3.3 of the paper).",
        search_aliases=["gohd", "face animator", "talking head"],
    )

    @classmethod
    def fingerprint_inputs(cls, weights: str, precision: str = PRECISIONS[0]) -> str:
        return weight_files.fingerprint(weights, cls.component)


class LoadPoseModel(_Loader):
    component = "pose_diffusion"
    about: ClassVar = dict(
        node_id="GoHDLoadPoseModel",
        display_name="Load Pose Diffusion",
        description="Loads the diffusion model that makes head movement for a speech (§3.1).",
        search_aliases=["gohd", "head pose", "audio2pose"],
    )


class LoadGazeModel(_Loader):
    component = "gaze_diffusion"
    about: ClassVar = dict(
        node_id="GoHDLoadGazeModel",
        display_name="Load Gaze Diffusion",
        description="Loads the diffusion model that makes eye movement for a speech.",
        search_aliases=["gohd", "eyes", "audio2gaze"],
    )


class LoadExpressionModel(_Loader):
    component = "expression"
    about: ClassVar = dict(
        node_id="GoHDLoadExpressionModel",
        display_name="Load Expression Predictor",
        description="Loads the network that predicts lips, lids and brows from a speech (§3.2).",
        search_aliases=["gohd", "lip sync", "audio2exp"],
    )


class LoadExtractor(_Loader):
    component = "extractor"
    about: ClassVar = dict(
        node_id="GoHDLoadExtractor",
        display_name="Load 3DMM Extractor",
        description="Loads the network that reads head pose and expression off a picture.",
        search_aliases=["gohd", "3dmm", "deep3dfacerecon"],
    )


class LoadGazeEstimator(_Loader):
    component = "gaze_estimator"
    about: ClassVar = dict(
        node_id="GoHDLoadGazeEstimator",
        display_name="Load Gaze Estimator",
        description="Loads the network that reads off a picture where the eyes look.",
        search_aliases=["gohd", "l2cs", "eyes"],
    )


class LoadModels(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDLoadModels",
            display_name="Load GoHD Models",
            category=CATEGORY,
            description="Loads all networks of one family at once.",
            search_aliases=["gohd", "talking head", "lip sync"],
            inputs=[family_field(), _precision()],
            outputs=[result(*given) for given in _GIVEN.values()],
        )

    @classmethod
    def validate_inputs(cls, weights: str) -> bool | str:
        return family_problem(weights) or True

    @classmethod
    def fingerprint_inputs(cls, weights: str, precision: str) -> str:
        return family_fingerprint(weights)

    @classmethod
    @host.translate_errors
    def execute(cls, weights: str, precision: str) -> io.NodeOutput:
        family = load_family(weights, precision)
        return io.NodeOutput(*(family[component] for component in _GIVEN))


NODES = (
    LoadModels,
    LoadAnimator,
    LoadPoseModel,
    LoadExpressionModel,
    LoadGazeModel,
    LoadExtractor,
    LoadGazeEstimator,
)
