"""API-format workflows for the tests, built from a few pieces."""

from __future__ import annotations

from typing import Any

Prompt = dict[str, Any]

PORTRAIT, SPEECH = "portrait.png", "speech.wav"
SECONDS = 2.0
"""Length of the speech."""


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def full_graph(**animate: Any) -> Prompt:
    """Every model loaded by its own node, every source separate, frames and sound into Create Video."""
    return {
        "image": node("LoadImage", image=PORTRAIT),
        "sound": node("LoadAudio", audio=SPEECH),
        "animator": node("GoHDLoadAnimator", weights="FaceAnimator_GoHD.safetensors", precision="float32"),
        "pose_model": node("GoHDLoadPoseModel", weights="audio2pose.safetensors"),
        "gaze_model": node("GoHDLoadGazeModel", weights="audio2gaze.safetensors"),
        "expression_model": node("GoHDLoadExpressionModel", weights="audio2exp.safetensors"),
        "extractor": node("GoHDLoadExtractor", weights="epoch_20.safetensors"),
        "estimator": node("GoHDLoadGazeEstimator", weights="L2CSNet_gaze360.safetensors"),
        "portrait": node(
            "GoHDPreparePortrait",
            image=["image", 0],
            extractor=["extractor", 0],
            gaze_estimator=["estimator", 0],
            index=0,
        ),
        "features": node(
            "GoHDEncodeAudio",
            audio=["sound", 0],
            start=0.0,
            duration=0.0,
            match_loudness=False,
            loudness=-23.0,
        ),
        "pose": node(
            "GoHDSampleHeadPoses",
            pose_model=["pose_model", 0],
            features=["features", 0],
            portrait=["portrait", 0],
            **sampling(),
        ),
        "expression": node(
            "GoHDPredictExpressions",
            expression_model=["expression_model", 0],
            features=["features", 0],
            portrait=["portrait", 0],
            seed=1,
            scale=1.0,
        ),
        "gaze": node(
            "GoHDSampleGaze",
            gaze_model=["gaze_model", 0],
            features=["features", 0],
            portrait=["portrait", 0],
            **sampling(),
        ),
        "mix": mix(pose=["pose", 0], expression=["expression", 0], gaze=["gaze", 0]),
        "frames": node(
            "GoHDAnimatePortrait",
            animator=["animator", 0],
            portrait=["portrait", 0],
            motion=["mix", 0],
            audio=["features", 1],
            **{"fps": 25.0, "strength": 1.0, "batch_size": 4, **animate},
        ),
        "video": node("CreateVideo", images=["frames", 0], audio=["frames", 1], fps=["frames", 2]),
        "save": save(["video", 0]),
    }


def sampling(seed: int = 1) -> dict[str, Any]:
    return {"seed": seed, "scale": 1.0, "sampler": "dpmpp_2m", "steps": 4, "guidance": 0.4}


def mix(**sources: Any) -> dict[str, Any]:
    parts = ("pose", "expression", "eyes", "gaze")
    return node(
        "GoHDMixMotion",
        portrait=["portrait", 0],
        **sources,
        **{f"{part}_weight": 1.0 for part in parts},
        **{f"{part}_mode": "absolute" for part in parts},
        length="longest",
        fill="hold",
        schedule="",
    )


def save(video: list[Any], prefix: str = "gohd/test") -> dict[str, Any]:
    return node("SaveVideo", video=video, filename_prefix=prefix, format="auto", codec="auto")


def talking(**options: Any) -> Prompt:
    """The one-node workflow."""
    inputs = {
        "weights": "official",
        "seed": 1,
        "gaze": "hold",
        "pitch": 0.0,
        "yaw": 0.0,
        "head_scale": 1.0,
        "expression_scale": 1.0,
        "fps": 25.0,
        **options,
    }
    return {
        "image": node("LoadImage", image=PORTRAIT),
        "sound": node("LoadAudio", audio=SPEECH),
        "talk": node("GoHDTalkingPortrait", image=["image", 0], audio=["sound", 0], **inputs),
        "save": save(["talk", 0]),
    }


def streamed(**options: Any) -> Prompt:
    """The full graph with Render Video in the place of Animate Portrait."""
    graph = full_graph()
    for name in ("frames", "video"):
        del graph[name]
    graph["render"] = node(
        "GoHDRenderVideo",
        animator=["animator", 0],
        portrait=["portrait", 0],
        motion=["mix", 0],
        audio=["features", 1],
        **{"fps": 25.0, "crf": 18, "strength": 1.0, "batch_size": 4, **options},
    )
    graph["save"] = save(["render", 0])
    return graph
