"""Text-to-speech engines with the time of each phone.

They serve training and benchmarks alone; no ComfyUI node imports this package. The same words, voice and
manner give the same sound: programs that keep state between utterances run in a fresh process for each.
"""

from __future__ import annotations

from gohd_core.choices import ENGINES as USUAL
from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines.base import Engine, Speech
from gohd_core.stylised.speech.engines.espeak import Espeak
from gohd_core.stylised.speech.engines.festival import Festival
from gohd_core.stylised.speech.engines.flite import Flite
from gohd_core.stylised.speech.engines.kokoro import Kokoro
from gohd_core.stylised.speech.engines.piper import Piper

ENGINES: dict[str, type[Engine]] = {
    "espeak": Espeak,
    "flite": Flite,
    "festival": Festival,
    "piper": Piper,
    "kokoro": Kokoro,
}


def load_engine(name: str) -> Engine:
    """The engine called `name`; MissingDependency names the package when it is not installed."""
    if name not in ENGINES:
        raise BadInput(f"Unknown speech engine '{name}'; use one of {', '.join(ENGINES)}.")
    engine = ENGINES[name]()
    engine.require()
    return engine


def engine_status() -> list[tuple[str, bool, str]]:
    """(name, installed, description or package to install) of every engine, for `doctor`."""
    return [(name, *engine().status()) for name, engine in ENGINES.items()]


__all__ = ["ENGINES", "USUAL", "Engine", "Speech", "engine_status", "load_engine"]
