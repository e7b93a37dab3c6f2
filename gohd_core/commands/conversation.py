"""`gohd talk` with several voices: the faces of one picture speak to one another."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from gohd_core.commands.inputs import PICTURES, SOUNDS, files, show
from gohd_core.commands.output_options import check_finishing, check_results, marked_frames, write_talk
from gohd_core.errors import BadInput


def add_conversation_options(parser: argparse.ArgumentParser) -> None:
    """Options of several speakers in one picture."""
    group = parser.add_argument_group("several speakers, instead of one --audio")
    group.add_argument(
        "--voices", type=Path, nargs="+", help="a sound for each face, from the left; they begin together"
    )
    group.add_argument(
        "--speakers",
        type=Path,
        help="who speaks when in --audio: lines of FROM-TO SPEAKER in seconds (0.0-2.3 1), JSON, or RTTM",
    )


def check_conversation(arguments: argparse.Namespace) -> None:
    """Says before anything is read what does not go together."""
    if arguments.voices and (arguments.audio or arguments.speakers):
        raise BadInput("Give --voices, or one --audio with --speakers; they can't be mixed.")
    if arguments.speakers and not arguments.audio:
        raise BadInput("--speakers says who speaks when in a sound; give that as --audio.")
    if arguments.list or arguments.portrait is None:
        raise BadInput("Several speakers are in one picture; give that as --portrait, and no --list.")
    if arguments.motion:
        raise BadInput("--motion keeps the motion of one face; leave it out where several speak.")
    sounds = arguments.voices or [arguments.audio]
    for sound in sounds:
        files(sound, SOUNDS, "sound")
    if len(files(arguments.portrait, PICTURES, "picture")) > 1:
        raise BadInput("Several speakers are in one picture; give a file, not a folder.")
    inputs = [arguments.portrait, *sounds, arguments.speakers]
    check_results([arguments.output], inputs, ".mp4", arguments)
    check_finishing(arguments)


def make_conversation(models: Any, arguments: argparse.Namespace, options: Any) -> dict[str, Any]:
    """Makes the video of a checked conversation."""
    from gohd_core.conversation import converse, speakers_among
    from gohd_core.images import read_picture
    from gohd_core.portraits import prepare_portraits

    started = time.perf_counter()
    voices, sound = _voices(arguments)
    picture = read_picture(arguments.portrait)
    portraits = prepare_portraits(
        picture, least=len(voices), reader=models.reader, size=arguments.size or None
    )
    spoken = speakers_among(portraits, voices)
    progress = None if arguments.json else show
    motions, frames = converse(portraits, spoken, models, options, progress=progress)
    write_talk(arguments.output, marked_frames(frames, arguments), motions[0], sound, arguments)
    return {
        "video": str(arguments.output),
        "frames": len(motions[0]),
        "faces": len(portraits),
        "seconds": sound[0].shape[1] / sound[1],
        "computing": time.perf_counter() - started,
    }


def _voices(arguments: argparse.Namespace) -> tuple[list[Any], tuple[Any, int]]:
    """A voice for each speaker, and all of them as one sound."""
    from gohd_core.audio import load_audio
    from gohd_core.audio.turns import count_speakers, mix_voices, parse_turns, split_by_speaker

    if arguments.voices:
        voices = [load_audio(path) for path in arguments.voices]
        return voices, mix_voices(voices)
    sound = load_audio(arguments.audio)
    try:
        turns = parse_turns(arguments.speakers.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{arguments.speakers} can't be read as text; check the path.") from error
    return split_by_speaker(sound, turns, count_speakers(turns)), sound
