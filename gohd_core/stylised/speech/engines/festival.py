"""festival: diphone and HTS voices recorded from people of several languages."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from gohd_core.errors import BadInput
from gohd_core.stylised.speech.engines.base import Engine, Speech, run, tile
from gohd_core.stylised.speech.engines.flite import read_wav
from gohd_core.stylised.speech.phones import from_table


@dataclass(frozen=True)
class FestivalVoice:
    """A voice of festival: its name there, the table of its phones, and its text's encoding."""

    command: str
    phones: str
    encoding: str
    package: str


VOICES = {
    "kal": FestivalVoice("kal_diphone", "arpabet", "ascii", "festvox-kallpc16k"),
    "ked": FestivalVoice("ked_diphone", "arpabet", "ascii", "festvox-kdlpc16k"),
    "slt": FestivalVoice("cmu_us_slt_arctic_hts", "arpabet", "ascii", "festvox-us-slt-hts"),
    "lp": FestivalVoice("lp_diphone", "romance", "latin-1", "festvox-italp16k"),
    "pc": FestivalVoice("pc_diphone", "romance", "latin-1", "festvox-itapc16k"),
    "lj": FestivalVoice("suo_fi_lj_diphone", "finnish", "latin-1", "festvox-suopuhe-lj"),
    "mv": FestivalVoice("hy_fi_mv_diphone", "finnish", "latin-1", "festvox-suopuhe-mv"),
    "dita": FestivalVoice("czech_dita", "czech", "iso-8859-2", "festvox-czech-dita"),
    "machac": FestivalVoice("czech_machac", "czech", "iso-8859-2", "festvox-czech-machac"),
}

_SCRIPT = """
(voice_{command})
{settings}
(set! spoken (utt.synth (Utterance Text "{text}")))
(utt.save.segs spoken "{folder}/segments")
(utt.save.wave spoken "{folder}/sound.wav" 'riff)
"""


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    program = shutil.which("festival")
    if program is None:
        return ()
    listed = run([program, "--batch", "(print (voice.list))"], "festival").decode().strip("() \n")
    return tuple(name for name, voice in VOICES.items() if voice.command in listed.split())


class Festival(Engine):
    """Voices kal, ked, slt (English), lp, pc (Italian), lj, mv (Finnish), dita, machac (Czech)."""

    name: ClassVar[str] = "festival"
    package: ClassVar[str] = "festival"
    delay: ClassVar[float] = 0.0

    def problem(self) -> str | None:
        return None if shutil.which("festival") else self.missing()

    def voices(self) -> tuple[str, ...]:
        return _installed()

    def check(self, voice: str, rate: float, pitch: float) -> None:
        if voice in VOICES and self.problem() is None and voice not in self.voices():
            package = VOICES[voice].package
            raise BadInput(f"The festival voice '{voice}' is not installed: install {package}.")
        super().check(voice, rate, pitch)

    def speak(self, text: str, voice: str, *, rate: float = 1.0, pitch: float = 1.0) -> Speech:
        """As `Engine.speak`; the pitch factor is left to resampling, since HTS voices ignore it."""
        self.check(voice, rate, pitch)
        chosen = VOICES[voice]
        plain = text.replace("\\", " ").replace('"', " ")
        with tempfile.TemporaryDirectory(prefix="gohd-") as folder:
            script = Path(folder, "script.scm")
            settings = f"(Parameter.set 'Duration_Stretch {1 / rate:.4f})"
            content = _SCRIPT.format(command=chosen.command, settings=settings, text=plain, folder=folder)
            try:
                script.write_text(content, encoding=chosen.encoding)
            except UnicodeEncodeError as error:
                raise BadInput(
                    f"The festival voice '{voice}' can't read the text '{text[:60]}'; it takes "
                    f"{chosen.encoding} only."
                ) from error
            run([shutil.which("festival"), "--batch", str(script)], self.name)
            segments, sound = Path(folder, "segments"), Path(folder, "sound.wav")
            if not sound.is_file() or not segments.is_file():
                raise BadInput(f"The voice '{voice}' gave no sound for the text '{text[:60]}'.")
            audio, sample_rate = read_wav(sound)
            listed = segments.read_text(encoding=chosen.encoding).partition("#\n")[2].splitlines()
        spans = []
        for line in listed:
            end, _, name = line.split(maxsplit=2)
            spans.append((from_table(name.strip(), chosen.phones), float(end)))
        return Speech(audio, sample_rate, tile(spans, len(audio) / sample_rate, self.delay))
