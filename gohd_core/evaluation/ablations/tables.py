"""The paper's ablations, Tables 3 to 7: variants, published figures, and how each is trained small here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Attributes:
        name: as the paper's.
        config: which shipped config of the module says what it leaves out; None for the full strategy.
        paper: the published figures by the paper's measure.
        left_out: why it can't be trained here, if so.
    """

    name: str
    config: str | None
    paper: Mapping[str, float]
    left_out: str = ""


@dataclass(frozen=True)
class Ablation:
    """One table.

    Attributes:
        table: its number.
        module: the trainer (`gohd train MODULE`).
        measures: ours -> (the paper's, whether more is better); the same name where it is the same measure.
        variants: the full strategy is the last.
        note: what differs from the paper.
    """

    table: int
    title: str
    module: str
    measures: Mapping[str, tuple[str, bool]]
    variants: tuple[Variant, ...]
    note: str = ""

    @property
    def full(self) -> Variant:
        """The row that the others are held against."""
        return self.variants[-1]


_MLD = {"MLD px": ("MLD", False)}
_EYES = {"SSIM_e": ("SSIM_e", True)}
_NETWORK = {
    "eye_motion_input": True,
    "eye_ratio_offset": 1.0,
    "audio_widths": [8, 16, 40, 80, 128],
    "audio_residuals": 1,
    "mapping_widths": [192],
}
_QUICK = {"learning_rate": 2.0e-3, "warmup_steps": 25, "schedule": "cosine", "final_scale": 0.01}
_CPU = {"device": "cpu", "ema": 0.98}


@dataclass(frozen=True)
class Small:
    """A module's small training: a shipped config, and overrides that all variants share."""

    config: str
    settings: Mapping[str, Any] = field(default_factory=dict)


SMALL = {
    "expression-stage1": Small(
        "paper",
        {
            "data": {"space": "stylised", "batch": 8},
            "loop": _CPU,
            "optimiser": _QUICK | {"clip_norm": 20.0},
            "network": _NETWORK,
            "losses": {"lip_reading": "off"},
        },
    ),
    # the embedding is as wide as the audio features, which the transformer needs; the discriminators
    # learn a hundred times slower than the generator, as in the paper
    "expression-stage2": Small(
        "paper",
        {
            "data": {"space": "stylised", "bad_clips": "skip", "batch": 4},
            "loop": _CPU,
            "optimiser": _QUICK | {"warmup_steps": 10, "clip_norm": 5.0},
            "discriminator_optimiser": {"learning_rate": 2.0e-5},
            "frames": 60,
            "generator": {
                "embedding_hidden": 32,
                "embedding_width": 128,
                "noise_width": 16,
                "output_hidden": 32,
                "decoder_layers": 2,
                "decoder_feedforward": 256,
            },
            "discriminators": {"width": 64, "layers": 2, "patch_widths": [32, 64, 128]},
        },
    ),
    "pose": Small("stylised", {"loop": _CPU}),
    # pictures of 128 pixels, and few at once: the built-in animator's steps would take hours
    "animator": Small(
        "stylised",
        {
            "data": {"batch": 4},
            "whole_from": 0.0,
            "flow_size": 64,
            "loop": _CPU | {"precision": "fp32"},
            "optimiser": {"warmup_steps": 10},
            "network": {
                "size": 128,
                "encoder_size": 64,
                "flow_size": 32,
                "channels": [64, 64, 48, 32, 16],
                "identity_dim": 64,
                "descriptor_dim": 64,
                "n_directions": 16,
                "head_channels": 12,
                "face_parts": False,
            },
        },
    ),
}
"""Module -> its small training; the expression's are the paper's own losses on small networks."""


def _both(mld: float, ssim: float) -> dict[str, float]:
    return {"MLD": mld, "SSIM_e": ssim}


ABLATIONS = (
    Ablation(
        3,
        "Two-stage strategy",
        "expression-stage2",
        _MLD | _EYES,
        (
            Variant("w/o Stage 2 & f", "expression-stage1/without_eye_motion", _both(1.785, 0.813)),
            Variant("w/o Stage 1", "without_stage1", _both(1.931, 0.836)),
            Variant(
                "w/o Distillation",
                None,
                _both(2.012, 0.852),
                "the stylised world's lips are exact: nothing to re-synchronise",
            ),
            Variant("Full-transformer", "transformer", _both(1.806, 0.894)),
            Variant("Full-LSTM", None, _both(1.792, 0.915)),
        ),
        "Each seed's stage 1 is trained first; 'w/o Stage 1' has none, 'w/o Stage 2 & f' is a stage 1.",
    ),
    Ablation(
        4,
        "Losses of the animator",
        "animator",
        {"mouth PSNR dB": ("LSE-C", True), "perc.": ("FID", False)},
        (
            Variant(
                "w/o L_pars",
                "without_parsing",
                {"LSE-C": 7.96, "LSE-D": 8.10, "FID": 27.32},
                "it needs a face parser's weights (--parsing)",
            ),
            Variant("w/o M_lip&eye", "without_mask", {"LSE-C": 7.90, "LSE-D": 7.77, "FID": 28.56}),
            Variant("Full", None, {"LSE-C": 8.13, "LSE-D": 7.78, "FID": 30.40}),
        ),
        "LSE-C and FID need networks of real faces: PSNR of the mouth and the perceptual distance of the "
        "picture stand in their place, so that only directions can agree (HDTF figures).",
    ),
    Ablation(
        5,
        "Losses of stage 1",
        "expression-stage1",
        _MLD,
        (
            Variant("w/o L_read", "without_lip_reading", {"MLD": 1.76}, "it needs a lip reader's weights"),
            Variant("w/o L_lms", "without_landmarks", {"MLD": 1.79}),
            Variant("w/o L_shut", "without_mouth_closing", {"MLD": 1.72}),
            Variant("Full", None, {"MLD": 1.65}),
        ),
        "The lip reader's loss is off in all rows. True eye motion is given.",
    ),
    Ablation(
        6,
        "Losses of stage 2",
        "expression-stage2",
        _MLD | _EYES,
        (
            Variant("w/o L_ssim", "without_similarity", _both(1.870, 0.845)),
            Variant("w/o D_eye", "without_eye_discriminator", _both(1.785, 0.840)),
            Variant("w/o D_tf", "without_coefficient_discriminator", _both(1.832, 0.844)),
            Variant("w/o D_te", "without_eye_motion_discriminator", _both(1.846, 0.842)),
            Variant("Full", None, _both(1.792, 0.915)),
        ),
        "Each seed's stage 1 is trained first and shared by all rows.",
    ),
    Ablation(
        7,
        "Attention in the denoiser",
        "pose",
        {"SSIM_p": ("SSIM_p", True), "denoised": ("SSIM_p", True)},
        (
            Variant("w/o Attention", "without_attention", {"SSIM_p": 0.983}),
            Variant("Full", None, {"SSIM_p": 0.996}),
        ),
        "SSIM_p of sampled head poses of held-out clips (HDTF figures), which a head at rest has too; "
        "denoised: share of the true movement that is found under the noise of the middle step.",
    ),
)
