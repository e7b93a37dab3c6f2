"""Config of the expression predictor: one for the release and both full variants."""

from __future__ import annotations

from dataclasses import dataclass

from gohd_core.errors import BadInput

KINDS = ("stage1", "lstm", "transformer")
ATTENTION = ("batch", "causal")


@dataclass(frozen=True)
class ExpressionConfig:
    """Architecture of an expression predictor (§3.2); the defaults are the official sizes.

    Attributes:
        kind: "stage1" (lips alone, as released), "lstm" (the paper's G_lstm) or "transformer" (the
            variant of Table 3).
        eye_motion_input: stage 1 sees f_t (eq. 5); always true but for the released checkpoint.
        eye_ratio_offset: taken off the eye ratio before stage 1 sees it; 1 makes a neutral face's eye
            motion all zeros, which trains faster. The official networks see it as it is.
        audio_widths: channels of the audio encoder's five stages; the last is its embedding's width.
        audio_residuals: residual blocks in each of its first four stages.
        mapping_widths: hidden layers of the frame-wise MLP; none makes it linear, as released.
        embedding_hidden, embedding_width: the eye-motion embedding omega (eq. 6, 7).
        recurrent_layers: LSTM layers; their width is `embedding_width` (omega_0 is added to them).
        noise_width: width of the latent z.
        output_hidden: hidden width between omega_t and f_t (eq. 7).
        decoder_layers, decoder_heads, decoder_feedforward: the transformer variant.
        attention: "batch" reproduces the official transformer, whose attention runs across the clips
            of a batch and never over time; "causal" attends to the past frames of the same clip.
        attention_frames: how many frames, the present one included, causal attention sees.
        negative_slope: slope of all leaky ReLUs.
        blink_score: value of z's first channel from which on eyes blink, where the training taught z so
            (`training/expression/event_noise.py`); blinks then come at human intervals. 0: z is plain noise.
        brow_gain: factor on the difference of generated brows from the source's; a network that can't
            foretell a raise regresses to the mean.
        mouth_coefficients: expression coefficients that a `MouthNetwork` predicts in the mapping's place;
            none in the paper.
        mouth_width, mouth_dilations: its channels, and the dilations of its convolutions over frames.
        mouth_map: whether its input also has the feature map that the embedding is made of.
        mouth_channels: channels of its own convolutions over lip chunks; 0: it has none.
        mouth_opening: aligned pixels by which each of its coefficients parts the lips; 0 where it does not.
        mouth_closing: at local minima over time, an opening of so many pixels is halved, smaller ones close
            and wider ones stay (`MouthNetwork.close_lips`); 0: off.
        mouth_quiet: dB under the speech around it from which on sound behind a speaker is taken for a pause,
            where lips close, too (`pauses`); 0: off.
    """

    kind: str = "stage1"
    eye_motion_input: bool = False
    eye_ratio_offset: float = 0.0
    audio_widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    audio_residuals: int = 2
    mapping_widths: tuple[int, ...] = ()
    embedding_hidden: int = 128
    embedding_width: int = 512
    recurrent_layers: int = 2
    noise_width: int = 512
    output_hidden: int = 128
    decoder_layers: int = 3
    decoder_heads: int = 8
    decoder_feedforward: int = 2048
    attention: str = "batch"
    attention_frames: int = 150
    negative_slope: float = 0.01
    blink_score: float = 0.0
    brow_gain: float = 1.0
    mouth_coefficients: tuple[int, ...] = ()
    mouth_width: int = 192
    mouth_dilations: tuple[int, ...] = (1, 2, 3, 3)
    mouth_map: bool = False
    mouth_channels: int = 0
    mouth_opening: tuple[float, ...] = ()
    mouth_closing: float = 0.0
    mouth_quiet: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"The expression predictor's kind is {self.kind!r}; use one of {KINDS}.")
        if self.attention not in ATTENTION:
            raise BadInput(f"The attention is {self.attention!r}; use one of {ATTENTION}.")
        if len(self.audio_widths) != 5:
            raise BadInput(f"audio_widths needs five widths, not {len(self.audio_widths)}.")
        if self.mouth_closing and len(self.mouth_opening) != len(self.mouth_coefficients):
            raise BadInput("mouth_closing needs a mouth_opening for each of mouth_coefficients.")
        if self.mouth_quiet and not self.mouth_closing:
            raise BadInput("mouth_quiet needs a mouth_closing.")
        if self.kind != "stage1" and not self.eye_motion_input:
            raise BadInput(f"A predictor of kind {self.kind!r} needs eye_motion_input = true.")
        if self.kind == "transformer" and self.audio_widths[-1] != self.embedding_width:
            raise BadInput("The transformer needs embedding_width equal to the last of audio_widths.")
        if self.embedding_width % (2 * self.decoder_heads):
            raise BadInput("embedding_width must be a multiple of twice decoder_heads.")

    @property
    def generates_eye_motion(self) -> bool:
        """Whether there is a second stage."""
        return self.kind != "stage1"
