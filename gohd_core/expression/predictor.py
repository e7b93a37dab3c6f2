"""Expressions from sound at run time: one clip, in blocks, with state that carries across chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.audio import AudioFeatures
from gohd_core.checkpoints.runtime import Runtime
from gohd_core.constants import LIP_CHUNK, N_EXPRESSION, N_EYE_MOTION, N_MELS, STYLISED
from gohd_core.errors import BadInput, raise_if_stopped
from gohd_core.expression.config import ExpressionConfig
from gohd_core.expression.eye_motion import EyeMotionState
from gohd_core.expression.network import ExpressionNetwork
from gohd_core.expression.noise import FIRST, frame_noise, space_blinks
from gohd_core.expression.pauses import loudness, pauses

BLOCK = 250
"""Frames that go through the network at once (10 s)."""


class ExpressionPredictor(Runtime):
    """An expression network with its coefficient space (§3.2, eq. 5-8). Attributes: see `Runtime`."""

    components = ("expression",)
    network: ExpressionNetwork
    config: ExpressionConfig

    @torch.inference_mode()
    def predict(
        self,
        chunks: Any,
        e0: Any,
        eye0: Any = None,
        *,
        eye_motion: Any = None,
        seed: int = 0,
        noise: Any = None,
        state: EyeMotionState | None = None,
        progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Predict the expressions of one clip, or of the next chunk of one.

        Args:
            chunks: the sound's `AudioFeatures`, or lip chunks [T, 80, 16], T at least 1. The former
                are cut into chunks a block at a time, which spares memory.
            e0: the source's expression [64].
            eye0: the source's eye motion f_0 [21] (eye ratio, 20 brow displacements); where it is
                None in the stylised space, it is computed from e0.
            eye_motion: f_t [T, 21] to use in place of generated ones, say edited ones.
            seed: of the noise z; each frame has its own, whatever the chunks.
            noise: z itself [T, noise_width]; the LSTM makes no use of frame 0's, so T - 1 rows (the
                official form) will do for it.
            state: an `EyeMotionState()` that carries from one chunk to the next and is advanced
                here; e0, eye0 and seed must be the same in all of a clip's calls. A network with
                `context` repeats a call's first and last frames beyond its ends, which shows in as many
                frames at each seam, and one with `mouth_quiet` tells pauses by the call's own sound.
        Returns: expressions [T, 64] and eye motion [T, 21], float32 on the CPU; the eye motion is
            None where the network has no such input (the released checkpoint).
        Raises: BadInput for a wrong shape or values that are not finite; Interrupted.
        """
        by_block = isinstance(chunks, AudioFeatures)
        if not by_block:
            chunks = _tensor("chunks", chunks, (None, N_MELS, LIP_CHUNK))
        e0 = _tensor("e0", e0, (N_EXPRESSION,))
        frames = len(chunks)
        if frames == 0:
            raise BadInput("There are no frames to predict; the audio is shorter than 40 ms.")
        state = state if state is not None else EyeMotionState()
        eye_motion = self._given_eye_motion(eye_motion, frames)
        generate = eye_motion is None and self.network.eyes is not None
        if generate:
            eye0 = self._start(eye0, e0)
            noise = self._noise(noise, seed, frames, state)
        rest = self._rest(chunks)
        expressions, eyes = [], []
        for start in range(0, frames, BLOCK):
            raise_if_stopped(should_stop, "Predicting expressions was stopped.")
            part = slice(start, min(start + BLOCK, frames))
            before, after = (min(self.network.context, left) for left in (part.start, frames - part.stop))
            around = slice(part.start - before, part.stop + after)
            heard = chunks.lip_chunks(around.start, around.stop) if by_block else chunks[around]
            expression, eye = self.network(
                self._place(heard),
                self._place(e0),
                self._place(eye0) if generate else None,
                eye_motion=None if eye_motion is None else self._place(eye_motion[part]),
                noise=self._place(noise[part]) if generate else None,
                state=state,
                margin=(before, after),
                rest=None if rest is None else self._place(rest[around]),
            )
            expressions.append(expression[0].float().cpu())
            if eye is not None:
                eyes.append(eye[0].float().cpu())
            if progress is not None:
                progress(min(start + BLOCK, frames), frames)
        return torch.cat(expressions), torch.cat(eyes) if eyes else None

    def _rest(self, chunks: AudioFeatures | Tensor) -> Tensor | None:
        """How far lips are to be at rest in each of a call's frames [T], where the network wants to know."""
        if not self.config.mouth_quiet:
            return None
        blocks = [slice(start, start + BLOCK) for start in range(0, len(chunks), BLOCK)]
        by_block = isinstance(chunks, AudioFeatures)
        heard = (
            chunks.lip_chunks(b.start, min(b.stop, len(chunks))) if by_block else chunks[b] for b in blocks
        )
        return pauses(torch.cat([loudness(one) for one in heard])[None], self.config.mouth_quiet)[0]

    def _place(self, value: Tensor) -> Tensor:
        parameter = next(self.network.parameters())
        return value[None].to(parameter)

    def _given_eye_motion(self, eye_motion: Any, frames: int) -> Tensor | None:
        if eye_motion is None:
            if self.config.eye_motion_input and self.network.eyes is None:
                raise BadInput(
                    "This expression model is stage 1 alone and does not generate eye motion; "
                    "give eye_motion [T, 21]."
                )
            return None
        if not self.config.eye_motion_input:
            raise BadInput(
                "This expression model (the released stage 1) takes no eye motion; leave eye_motion "
                "out or use a two-stage model."
            )
        return _tensor("eye_motion", eye_motion, (frames, N_EYE_MOTION))

    def _start(self, eye0: Any, e0: Tensor) -> Tensor:
        if eye0 is not None:
            return _tensor("eye0", eye0, (N_EYE_MOTION,))
        if self.space != STYLISED:
            raise BadInput(
                f"This expression model needs the source's eye motion eye0 [{N_EYE_MOTION}]; compute "
                "it with MorphableModel.eye_motion_feature from e0."
            )
        from gohd_core.face import MorphableModel

        return MorphableModel.stylised_landmarks().eye_motion_feature(e0[None])[0]

    def _noise(self, noise: Any, seed: int, frames: int, state: EyeMotionState) -> Tensor:
        width, first = self.network.eyes.noise_width, state.frame
        if noise is None:
            noise = frame_noise(seed, first, frames, width)
            if not self.config.blink_score:
                return noise
            if state.since_blink is None:
                state.since_blink = FIRST * float(np.random.default_rng(seed % 2**64).random())
            noise, state.since_blink = space_blinks(noise, self.config.blink_score, state.since_blink)
            return noise
        noise = _tensor("noise", noise, None)
        if noise.ndim > 2 and noise.numel() == len(noise.squeeze()) * width:
            noise = noise.reshape(-1, width)
        if self.config.kind == "lstm" and first == 0 and noise.shape == (frames - 1, width):
            noise = torch.cat([noise.new_zeros(1, width), noise])
        if noise.shape != (frames, width):
            raise BadInput(f"The noise has shape {list(noise.shape)}; [{frames}, {width}] is expected.")
        return noise


def _tensor(name: str, value: Any, shape: tuple[int | None, ...] | None) -> Tensor:
    """A float32 CPU tensor of that shape (None: any length), or `BadInput`."""
    tensor = torch.as_tensor(value, device="cpu").detach()
    if not tensor.is_floating_point():
        raise BadInput(f"{name} is {tensor.dtype}; give floating-point values.")
    if shape is not None:
        fits = tensor.ndim == len(shape) and all(
            want in (None, have) for want, have in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("T" if size is None else str(size) for size in shape)
            raise BadInput(f"{name} has shape {list(tensor.shape)}; [{wanted}] is expected.")
    if not torch.isfinite(tensor).all():
        raise BadInput(f"{name} holds NaN or infinite values; check where it comes from.")
    return tensor.float()
