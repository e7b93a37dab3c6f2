"""Text-to-speech engines that also tell when each phone is spoken.

They serve training and benchmarks alone; no ComfyUI node imports this package. Each runs in a fresh
process per utterance, since engines keep state between utterances and the same seed must give the
same sound.
"""

from __future__ import annotations

from gohd_core.errors import BadInput
from gohd_core.stylised.engines.base import Engine, Speech
from gohd_core.stylised.engines.espeak import Espeak
from gohd_core.stylised.engines.festival import Festival
from gohd_core.stylised.engines.flite import Flite

ENGINES: dict[str, type[Engine]] = {"espeak": Espeak, "flite": Flite, "festival": Festival}


def load_engine(name: str) -> Engine:
    """The engine called `name`; MissingDependency names the package when it is not installed."""
    if name not in ENGINES:
        raise BadInput(f"Unknown speech engine '{name}'; use one of {', '.join(ENGINES)}.")
    engine = ENGINES[name]()
    engine.require()
    return engine


def engine_status() -> list[tuple[str, bool, str]]:
    """(name, installed, what it is or which package brings it) of every engine, for `doctor`."""
    return [(name, *engine().status()) for name, engine in ENGINES.items()]


__all__ = ["ENGINES", "Engine", "Speech", "engine_status", "load_engine"]
