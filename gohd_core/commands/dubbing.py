"""Dubbing, `gohd drive --into-video --audio FILE`: the video's own face says another sound."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gohd_core.commands.output_options import marked_frames, sign_result
from gohd_core.commands.video_options import sound_of
from gohd_core.constants import MAX_FPS
from gohd_core.errors import BadInput


def dubbed_film(models: Any, video: Path, portrait: Path | None, arguments: argparse.Namespace) -> Any:
    """The film if the options ask for dubbing and its faces are read by meshes; else None."""
    from gohd_core.constants import STYLISED
    from gohd_core.driving.extraction import shows_people
    from gohd_core.face import FaceChoice
    from gohd_core.video.reader import VideoReader

    others = {arguments.pose, arguments.eyes, arguments.gaze}
    asked = arguments.into_video and portrait is None and arguments.mouth == "audio" and others == {"video"}
    if not asked or models.reader is None or models.extractor.space != STYLISED:
        return None
    film = VideoReader.open(video, start=arguments.start, seconds=arguments.seconds)
    film, real = shows_people(film, models.extractor, FaceChoice(arguments.face, box=arguments.video_box))
    return film if real else None


def make_dubbed(
    models: Any,
    video: Path,
    target: Path,
    film: Any,
    arguments: argparse.Namespace,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Lips, jaw and cheeks from sound, drawn from the video's own frames."""
    from gohd_core.audio import load_audio
    from gohd_core.driving.dubbing import dub, read_speaker, voice_of
    from gohd_core.face import FaceChoice
    from gohd_core.render import render_video

    started = time.perf_counter()
    sound = sound_of(video, arguments) if arguments.audio is None else load_audio(arguments.audio)
    if sound is None:
        raise BadInput("The mouth is to come from sound, but the video has none; give --audio.")
    choice = FaceChoice(arguments.face, box=arguments.video_box)
    speaker = read_speaker(film, models.reader, choice, progress=progress)
    voice = voice_of(sound, models.expression, seed=arguments.seed).scaled(arguments.strength)
    rate = min(film.fps, MAX_FPS)
    frames = marked_frames(dub(film, speaker, voice).batches(rate), arguments)
    length = speaker.times[-1] + 1 / float(film.fps)
    heard = (sound[0][..., : round(length * sound[1])], sound[1])
    sign_result(render_video(target, frames, fps=rate, audio=heard), arguments)
    return {
        "driver": str(video),
        "video": str(target),
        "frames": len(speaker.found),
        "report": {"frames_read": len(speaker.found), "without_face": int((~speaker.found).sum())},
        "computing": time.perf_counter() - started,
    }
