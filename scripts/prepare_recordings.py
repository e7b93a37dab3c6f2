"""Makes a data set of recordings of people, which scripts/train_mouth.py learns from beside synthetic voices.

python scripts/prepare_recordings.py SOUNDS --licence "CC BY 4.0" --out data/recordings

SOUNDS: a folder with sound files, searched whole. A recording's speaker is its name up to the first "-" or
"_". Speakers whose name ends in 7 are kept apart (split "validation"). Words are recognised (English) unless
--texts names a file with what is said (NAME|text on each line) or --labels a folder with a Festival label
file for each; recordings that the former lacks are left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from gohd_core.audio import load_audio, to_mono_16k
from gohd_core.clips import Entry, clip_path, save_clip, write_index
from gohd_core.constants import FPS, SAMPLE_RATE, STYLISED
from gohd_core.stylised.speech.engines.base import Speech
from gohd_core.stylised.speech.phones import TABLES
from gohd_core.training.audio.recordings import (
    Recogniser,
    Source,
    clip_of,
    festival_labels,
    pieces,
    read_texts,
    trimmed,
)

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")
LEAST = 2.5
"""Seconds of the shortest clip."""


def main() -> None:
    """Reads every recording, finds its phones and writes its clips and their index."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sounds", type=Path, help="folder of sound files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--licence", required=True, help="of the recordings, kept with every clip")
    parser.add_argument("--speaker", help="whose they all are (the beginning of each file's name)")
    parser.add_argument("--texts", type=Path, help="file of NAME|text lines, in place of recognising words")
    parser.add_argument("--labels", type=Path, help="folder of NAME.lab files, in place of recognising words")
    parser.add_argument("--table", choices=sorted(TABLES), default="russian", help="symbols of the labels")
    given = parser.parse_args()
    paths = sorted(path for path in given.sounds.rglob("*") if path.suffix.lower() in SOUNDS)
    if not paths:
        raise SystemExit(f"'{given.sounds}' holds no sound files.")
    texts = read_texts(given.texts) if given.texts is not None else None
    if texts is not None:
        paths = [path for path in paths if path.stem in texts]
    recogniser = Recogniser() if given.labels is None else None
    entries, failed = [], 0
    for path in paths:
        audio = to_mono_16k(*load_audio(path))
        speaker = given.speaker or re.split("[-_]", path.stem)[0]
        if recogniser is not None:
            phones = recogniser.phones(audio, texts[path.stem] if texts is not None else None)
        else:
            seconds = len(audio) / SAMPLE_RATE
            phones = festival_labels(given.labels / f"{path.stem}.lab", given.table, seconds)
        if phones is None:
            failed += 1
            continue
        split = "validation" if speaker.endswith("7") else "train"
        for number, speech in enumerate(pieces(trimmed(Speech(audio, SAMPLE_RATE, phones)))):
            if speech.duration >= LEAST:
                name = f"{path.stem}-{number:02d}"
                arrays, about = clip_of(speech, Source(name, speaker, given.licence))
                about["split"] = split
                frames = save_clip(clip_path(given.out, split, name), arrays, about)
                entries.append(Entry(name, split, f"recorded-{speaker}", speaker, "", frames))
    header = {"space": STYLISED, "fps": FPS, "size": 0, "seed": 0, "kind": "talk"}
    write_index(given.out, header, entries)
    minutes = sum(entry.frames for entry in entries) / FPS / 60
    sys.stderr.write(
        f"{len(entries)} clips, {minutes:.0f} minutes, {len({e.voice for e in entries})} speakers; "
        f"{failed} recordings could not be aligned.\n"
    )


if __name__ == "__main__":
    main()
