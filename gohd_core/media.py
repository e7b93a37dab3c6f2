"""Sound and video files: opened, and decoded with times that go on where a file's own time stamps jump."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from gohd_core.errors import BadInput, MissingDependency

logger = logging.getLogger(__name__)

JUMP_SECONDS = 10
"""Largest step of time stamps that is a pause, seconds, in formats whose time stamps may restart (MPEG-TS,
Ogg; ffmpeg's `dts_delta_threshold`)."""
LONGEST_PAUSE = 3600
"""Largest such step in all other formats, where a recorder may have paused."""
BACK_SECONDS = 0.1
"""Seconds behind its due time from which on a packet starts a new part of the file (ffmpeg's rule)."""
CUT_OFF_SECONDS = 0.25
"""Seconds by which a truncated file ends before its declared length."""

_TS_DISCONT = 0x200
_ATTACHED_PIC = 0x400
_DECLARING = frozenset(
    ("mov", "mp4", "matroska", "webm", "wav", "w64", "aiff", "au", "caf", "flac", "avi", "asf", "flv")
)
"""Formats whose length comes from a header; in the others it is an estimate, or read off the file's end."""
_TS_PACKET = 188
_TORN_SECONDS = 0.1
_MISCOUNTED_BYTES = 44
"""Some recorders count a part of a WAV file's header twice; such a file lacks nothing."""


def pyav() -> Any:
    """The library; `MissingDependency` without it."""
    try:
        import av
    except ImportError as error:
        raise MissingDependency("Videos need PyAV; install it with: pip install av") from error
    return av


def open_media(source: str | Path | IO[bytes], name: str, what: str = "video") -> Any:
    """An open PyAV container; `BadInput` where there is no file, or none of a known format."""
    av = pyav()
    if not isinstance(source, str | Path):
        source.seek(0)
    elif not Path(source).is_file():
        raise BadInput(f"There is no {what} at {source}; check the path.")
    try:
        return av.open(str(source) if isinstance(source, Path) else source, **_metadata_options(av))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{name} can't be read as {'a video' if what == 'video' else what} ({reason})."
        ) from error


def _metadata_options(av: Any) -> dict[str, str]:
    """Titles in unknown encodings are no reason not to read a file; from PyAV 19 on they are none."""
    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def usable(streams: Any) -> list[Any]:
    """Streams of one kind that can be decoded, cover pictures excluded."""
    return [stream for stream in streams if stream.codec_context is not None and not _is_cover(stream)]


def _is_cover(stream: Any) -> bool:
    disposition = getattr(stream, "disposition", 0)
    return bool(getattr(disposition, "value", disposition) & _ATTACHED_PIC)


def packets(container: Any, clock: Clock | None = None) -> Iterator[Any]:
    """All packets of sound and pictures, with time stamps on one clock that neither jumps nor restarts."""
    clock = clock or Clock(container)
    for packet in container.demux([*usable(container.streams.video), *usable(container.streams.audio)]):
        clock.put_right(packet)
        if container.format.name == "avi":
            packet.pts = packet.dts  # AVI has no other; a guess is wrong where frames are reordered.
        yield packet


def decode_frames(
    container: Any, stream: Any, name: str, *, tell: Callable[[str], None] = logger.warning
) -> Iterator[Any]:
    """A stream's frames; their `time` counts on the clock of `packets`, from `start_of` on.

    Damaged packets are left out, and a file that was cut off is read as far as it goes; `tell` is given a
    sentence that says so.
    """
    av = pyav()
    clock = Clock(container)
    broken, failure = 0, None
    queued = container.format.name == "avi" and stream.type == "video"
    times: deque[int] = deque()
    try:
        for packet in packets(container, clock):
            if packet.stream.index != stream.index:
                continue
            if queued and packet.pts is not None:
                times.append(packet.pts)
            try:
                for frame in packet.decode():
                    if times:  # Frames come in the order in which they are shown.
                        frame.pts = times.popleft()
                    yield frame
            except av.error.FFmpegError:
                broken += 1
    except av.error.FFmpegError as error:
        failure = error
    if broken:
        tell(f"{name}: {broken} damaged packet{'s' * (broken > 1)} of its {stream.type} left out.")
    declared = _declared_seconds(container)
    short = declared is not None and clock.end < declared - CUT_OFF_SECONDS
    if failure is not None or short or clock.torn or _lacks_bytes(container):
        of = f" of the {declared:.2f} s that it declares" if short else ""
        tell(f"{name} is cut off: it ends at {max(clock.end, 0.0):.2f} s{of}, and is read that far.")


def start_of(container: Any) -> float:
    """Seconds on the file's clock at which its first stream starts."""
    return (container.start_time or 0) / 1_000_000


class Clock:
    """Shifts packets' time stamps where they jump, those of all streams by the same, as ffmpeg does."""

    def __init__(self, container: Any) -> None:
        self.restarts = bool(int(container.format.flags) & _TS_DISCONT)
        self._limit = JUMP_SECONDS if self.restarts else LONGEST_PAUSE
        self._tells_torn = container.format.name == "mpegts"
        self._start = Fraction(container.start_time or 0, 1_000_000)
        self._latest_shift = Fraction(0)
        self._shifts: dict[int, Fraction] = {}
        self._due: dict[int, Fraction] = {}
        self._end = self._start
        self._torn: Fraction | None = None

    @property
    def torn(self) -> bool:
        """Whether packets lack a part at the end (only MPEG-TS says so)."""
        return self._torn is not None and self.end - float(self._torn - self._start) < _TORN_SECONDS

    @property
    def end(self) -> float:
        """Seconds from the file's start to the end of what was read."""
        return float(self._end - self._start)

    def put_right(self, packet: Any) -> None:
        """Moves a packet to where it belongs on the one clock."""
        if not packet.time_base:
            return
        base, index = Fraction(packet.time_base), packet.stream.index
        if packet.dts is None:
            if packet.pts is not None and getattr(packet.stream, "average_rate", None):
                self._end = max(self._end, packet.pts * base + 1 / packet.stream.average_rate)
            return
        stamp = packet.dts * base
        shift = self._shift(index, stamp, packet.is_keyframe)
        if shift:
            ticks = round(shift / base)
            packet.dts += ticks
            packet.pts = None if packet.pts is None else packet.pts + ticks
        lasts = max(packet.duration or 0, 0) * base
        due = stamp + shift + lasts
        # Not every format has durations of pictures: as long as the one before.
        step = stamp + shift - self._due.get(index, stamp + shift)
        shown = packet.dts if packet.pts is None else packet.pts
        self._end = max(self._end, due, shown * base + max(lasts, step))
        self._shifts[index] = shift
        self._due[index] = max(due, self._due.get(index, due))
        if self._tells_torn and packet.is_corrupt:
            self._torn = stamp + shift

    def _shift(self, index: int, stamp: Fraction, key: bool) -> Fraction:
        """Shift of a packet's time: as the stream's last, where that fits, or the latest."""
        if index not in self._due:
            due = max(self._due.values(), default=stamp)
            far = self.restarts and abs(stamp + self._latest_shift - due) > JUMP_SECONDS
            return due - stamp if far else self._latest_shift
        due = self._due[index]
        # Of other packets some formats have no decoding times, so that they seem to come too early or late.
        if not key or self._fits(stamp + self._shifts[index] - due):
            return self._shifts[index]
        if not self._fits(stamp + self._latest_shift - due):
            self._latest_shift = due - stamp
        return self._latest_shift

    def _fits(self, step: Fraction) -> bool:
        return -BACK_SECONDS <= step <= self._limit


def _declared_seconds(container: Any) -> float | None:
    """Duration that the file states, from its first stream's start; None where it does not."""
    names = set(container.format.name.split(","))
    if container.duration is None or not names & _DECLARING:
        return None
    # Matroska counts from 0 on, whenever its streams start.
    counted = max(container.start_time or 0, 0) if "matroska" in names else 0
    return (container.duration - counted) / 1_000_000


def _lacks_bytes(container: Any) -> bool:
    """Whether the file itself is shorter than it says, or ends within a transport packet."""
    name = container.format.name
    if name == "mpegts":
        return container.size > 0 and container.size % _TS_PACKET > 0
    if name not in ("wav", "avi", "mp3"):
        return False
    try:
        with open(container.name, "rb") as file:
            return _stated_bytes(file, name) - _MISCOUNTED_BYTES > container.size > 0
    except (OSError, ValueError, TypeError):
        return False


def _stated_bytes(file: IO[bytes], name: str) -> int:
    """Size in bytes that a file states; 0 where it states none."""
    head = file.read(10)
    if name != "mp3":
        size = int.from_bytes(head[4:8], "little")
        return size + 8 if head[:4] == b"RIFF" and size != 0xFFFFFFFF else 0
    tag = 0
    if head[:3] == b"ID3":  # Seven bits a byte (ID3v2, section 3.1).
        tag = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    file.seek(tag)
    first = file.read(512)
    place = max(first.find(b"Xing"), first.find(b"Info"))
    counts = first[place + 4 : place + 16]
    # Flags, then the number of frames (flag 1), then that of bytes (flag 2).
    if place < 0 or len(counts) < 12 or not counts[3] & 2:
        return 0
    return tag + int.from_bytes(counts[8:12] if counts[3] & 1 else counts[4:8], "big")
