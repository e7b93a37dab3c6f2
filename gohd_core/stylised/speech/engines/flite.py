"""flite: statistical and diphone voices recorded from people, with segment end times."""

from __future__ import annotations

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines.base import Engine, Speech, run, tile
from gohd_core.stylised.speech.phones import from_table

PITCHES = {"slt": 170.0, "rms": 100.0, "awb": 120.0, "kal": 95.0, "kal16": 95.0}
"""Mean pitch of the voices we use, Hz; `awb_time` speaks the time only and is left out."""


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    program = shutil.which("flite")
    if program is None:
        return ()
    listed = run([program, "-lv"], "flite").decode("utf-8", "replace").partition(":")[2].split()
    return tuple(name for name in PITCHES if name in listed)


class Flite(Engine):
    """Voices slt (female), rms, awb (Scottish), kal and kal16 (diphone), all English."""

    name: ClassVar[str] = "flite"
    package: ClassVar[str] = "flite"
    delay: ClassVar[float] = 0.0

    def problem(self) -> str | None:
        return None if shutil.which("flite") else self.missing()

    def voices(self) -> tuple[str, ...]:
        return _installed()

    def speak(self, text: str, voice: str, *, rate: float = 1.0, pitch: float = 1.0) -> Speech:
        self.check(voice, rate, pitch)
        with tempfile.TemporaryDirectory(prefix="gohd-") as folder:
            sound = Path(folder, "sound.wav")
            options = {"duration_stretch": 1 / rate, "int_f0_target_mean": PITCHES[voice] * pitch}
            command = [shutil.which("flite"), "-voice", voice, "-psdur"]
            for key, value in options.items():
                command += ["--setf", f"{key}={value:.4f}"]
            # from a file each sentence would be an utterance whose times start at zero again
            printed = run([*command, "-o", str(sound), "-t", text], self.name).decode()
            audio, sample_rate = read_wav(sound)
        segments = [part.rpartition(":") for part in printed.split()]
        if not segments or not len(audio):
            raise BadInput(f"The voice '{voice}' gave no sound for the text '{text[:60]}'.")
        spans = [(from_table(name, "arpabet"), float(end)) for name, _, end in segments]
        return Speech(audio, sample_rate, tile(spans, len(audio) / sample_rate, self.delay))


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """Samples [N] in [-1, 1] and rate of a 16-bit mono WAV file."""
    import wave

    with wave.open(str(path), "rb") as file:
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, "<i2").astype(np.float32) / 32768, file.getframerate()
