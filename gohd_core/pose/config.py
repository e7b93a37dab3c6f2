"""Everything that determines a pose or gaze diffusion model: sizes, schedule, conditioning, units."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.choices import ALIGNMENTS
from gohd_core.constants import MEL_CONDITION, N_POSE
from gohd_core.errors import BadInput

PREDICTIONS = ("noise", "sample")
FORMS = ("conditional", "unconditional", "pair", "dropout")

DEFAULT_GUIDANCE = 0.4
"""Gamma of eq. 3 (supplement C)."""


@dataclass(frozen=True)
class DiffusionConfig:
    """The architecture and the numbers around it; the defaults are the released pose model's.

    Attributes:
        channels: C, 6 for head poses and 2 for gaze.
        condition: width of the audio condition a_t.
        width, blocks, conformers, heads: size of the denoiser (Fig. 3); `conformers` per residual block.
        kernels: kernels of the translation-invariant positional scores (TISA), per head.
        feedforward: hidden width of a conformer's feed-forward, as a multiple of `width`.
        dilations: feed-forward of residual block i is `dilations[i % len]`: 0 a plain two-layer
            perceptron, d > 0 two convolutions over three frames d apart.
        attention: False leaves the attention out (Table 7's ablation).
        dropout: after the attention and after each layer of the feed-forward, in training alone.
        nearest_view, farthest_view: over how many frames the steepest and the flattest head's
            positional decay falls to 1e-8; geometric in between.
        step_code, step_width: width of the step table and of its embedding.
        step_scale, step_decades: step n enters the table as sin and cos of n * scale * 10**(0 .. decades).
        training_steps, beta_start, beta_end: the linear noise schedule (eq. 1).
        prediction: output of the last layer. "noise" is eps itself (eq. 2, the released weights);
            "sample" is x_0, from which eps follows: small networks learn it far sooner, and what
            they don't know is smooth rather than noise. What callers see is eps in either case.
        form: which networks the file holds. "conditional" takes p0 (the released weights);
            "unconditional" does not; "pair" is the paper's two networks (eq. 3); "dropout" is one
            network that was trained with and without p0, by a flag.
        guidance: gamma of eq. 3 when the caller names none; of use with "pair" and "dropout" alone.
        residual_scale: [C] units of the residual that one unit of the diffused variable stands for;
            empty means one (the released weights diffuse radians and translations as they are).
        clamp: the diffused variable is clamped to +-clamp once, at the very end (the release: 1).
        slow_noise: deviation of the low-frequency noise that is added to the white noise that sampling
            starts from; ours, see `pose/variety.py`. 0: none, as in the paper.
        smoothing, fast_gain: deviation in frames of the Gaussian that sampled motion is smoothed by, and
            factor on its fast movements; ours, see `pose/smoothing.py`. 0: none, as in the paper.
        mirrors: odd seeds sample the mirror image; for networks that were trained on mirror images, too.
        alignment: how the audio condition is laid out, see `gohd_core.audio`. "release" is the
            official script's (25 % fast, wraps at 80 %), "aligned" the same mel at the right
            time (the default), "mel100" the 100 rows/s spectrogram that its parameters hint at. The
            alignment of the released weights' training is not known.
        window, overlap: frames of a sampling window and of its overlap with the next; longer audio
            is sampled in overlapping windows.
    """

    channels: int = N_POSE
    condition: int = MEL_CONDITION
    width: int = 256
    blocks: int = 20
    conformers: int = 2
    heads: int = 8
    kernels: int = 21
    feedforward: int = 4
    dilations: tuple[int, ...] = (0, 1, 2)
    attention: bool = True
    dropout: float = 0.0
    nearest_view: float = 5.0
    farthest_view: float = 75.0
    step_code: int = 128
    step_width: int = 512
    step_scale: float = 1.0
    step_decades: float = 4.0
    training_steps: int = 150
    beta_start: float = 1e-4
    beta_end: float = 0.05
    prediction: str = "noise"
    form: str = "conditional"
    guidance: float = DEFAULT_GUIDANCE
    residual_scale: tuple[float, ...] = ()
    clamp: float = 1.0
    slow_noise: float = 0.0
    smoothing: float = 0.0
    fast_gain: float = 1.0
    mirrors: bool = False
    alignment: str = "aligned"
    window: int = 250
    overlap: int = 50

    @property
    def units(self) -> Tensor:
        """Units of the residual [C] that one unit of the diffused variable stands for, float32."""
        return torch.tensor(self.residual_scale or [1.0] * self.channels, dtype=torch.float32, device="cpu")

    def __post_init__(self) -> None:
        if self.prediction not in PREDICTIONS:
            raise BadInput(
                f"A network can't predict {self.prediction!r}; use one of {', '.join(PREDICTIONS)}."
            )
        if self.form not in FORMS:
            raise BadInput(f"There is no diffusion form {self.form!r}; use one of {', '.join(FORMS)}.")
        if self.alignment not in ALIGNMENTS:
            raise BadInput(f"There is no alignment {self.alignment!r}; use one of {', '.join(ALIGNMENTS)}.")
        if self.width % self.heads:
            raise BadInput(
                f"The width {self.width} can't be split over {self.heads} heads; change one of them."
            )
        if self.step_code % 2:
            raise BadInput(f"step_code is {self.step_code} but has to be even: half sines, half cosines.")
        if not self.dilations or min(self.dilations) < 0:
            raise BadInput(f"dilations are {self.dilations}; give at least one, none below 0.")
        if self.residual_scale and len(self.residual_scale) != self.channels:
            raise BadInput(
                f"residual_scale has {len(self.residual_scale)} numbers for {self.channels} channels; "
                "give one a channel, or none."
            )
        if not 0 < self.beta_start <= self.beta_end < 1 or self.training_steps < 1:
            raise BadInput(
                f"A noise schedule of {self.training_steps} steps from {self.beta_start} to {self.beta_end} "
                "makes no sense; use at least one step and 0 < beta_start <= beta_end < 1."
            )
        if not 0 <= self.overlap < self.window:
            raise BadInput(
                f"Windows of {self.window} frames can't overlap by {self.overlap}; use 0 <= overlap < window."
            )
        check_guidance(self.guidance)


def check_guidance(gamma: float) -> float:
    """Returns gamma of eq. 3 when it lies in [0, 1], where the equation mixes; else `BadInput`."""
    if not 0.0 <= gamma <= 1.0:
        raise BadInput(
            f"The guidance is {gamma} but gamma of eq. 3 lies between 0 (p0 ignored) and 1 (p0 alone); "
            "choose a value in there, 0.4 is the paper's."
        )
    return float(gamma)
