"""One espeak-ng utterance in a process of its own: request as JSON on stdin, reply on stdout.

Run as a script by `espeak.py`; needs nothing but the standard library, so that it starts fast.
The reply is one line of JSON (sample rate, phoneme events) and then 16-bit samples. Events are
those of espeak-ng's speak_lib.h.
"""

from __future__ import annotations

import ctypes
import json
import sys

SYNCHRONOUS = 2
PHONEME_EVENTS_AS_IPA = 1 | 2
RATE, PITCH, PITCH_RANGE = 1, 3, 4
UTF8 = 1
EVENT_END, EVENT_PHONEME = 0, 7


class EventId(ctypes.Union):
    """Payload of an event; phoneme events use `string`."""

    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def speak(request: dict) -> tuple[dict, bytes]:
    """Synthesise; returns (header, samples)."""
    library = ctypes.CDLL(request["library"])
    sample_rate = library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS_AS_IPA)
    if sample_rate <= 0:
        return {"problem": "its data files are missing"}, b""
    sound: list[bytes] = []
    phonemes: list[tuple[int, str]] = []

    def receive(samples, count, events) -> int:
        if samples and count:
            sound.append(ctypes.string_at(samples, count * 2))
        k = 0
        while events[k].type != EVENT_END:
            if events[k].type == EVENT_PHONEME:
                raw = ctypes.string_at(ctypes.addressof(events[k].id), 8).split(b"\0")[0]
                phonemes.append((events[k].sample, raw.decode("utf-8", "ignore")))
            k += 1
        return 0

    callback = Callback(receive)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        return {"problem": f"it has no voice '{request['voice']}'"}, b""
    library.espeak_SetParameter(RATE, request["rate"], 0)
    library.espeak_SetParameter(PITCH, request["pitch"], 0)
    library.espeak_SetParameter(PITCH_RANGE, request["pitch_range"], 0)
    text = request["text"].encode()
    library.espeak_Synth(text, len(text) + 1, 0, 1, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return {"sample_rate": sample_rate, "phonemes": phonemes}, b"".join(sound)


if __name__ == "__main__":
    header, samples = speak(json.load(sys.stdin))
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + samples)
