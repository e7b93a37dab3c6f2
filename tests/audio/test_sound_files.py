"""Sound as programs write it: joined, streamed, with holes, or cut off; heard to its end and in step."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gohd_core.audio import load_audio, load_soundtrack
from gohd_core.errors import BadInput

av = pytest.importorskip("av", reason="PyAV is not installed")

RATE = 48_000
CODECS = {"mp3": "libmp3lame", "ogg": "vorbis", "opus": "libopus", "flac": "flac", "aac": "aac"}


def clicks(seconds: float, every: float = 0.25) -> np.ndarray:
    """A short tone at 0.1 s and every quarter second after, float32 [1, N]."""
    sound = np.zeros((1, round(seconds * RATE)), np.float32)
    tone = 0.8 * np.sin(np.arange(RATE // 100) * 2 * np.pi * 1000 / RATE)
    for start in np.arange(0.1, seconds - 0.02, every):
        sound[0, round(start * RATE) : round(start * RATE) + len(tone)] = tone
    return sound


def onsets(sound: np.ndarray, rate: int) -> np.ndarray:
    """Seconds at which the tones begin."""
    loud = np.flatnonzero(np.abs(sound[0]) > 0.25) / rate
    return loud[np.concatenate([[True], np.diff(loud) > 0.1])]


def write(path: Path, sound: np.ndarray, codec: str, shifts=lambda time: 0.0, **options) -> Path:
    """Encodes a sound; `shifts` moves the time stamp of what begins at a second by so many seconds."""
    if codec == "vorbis":
        soundfile.write(path, sound.T, RATE, format="OGG", subtype="VORBIS")
        return path
    with av.open(str(path), "w", **options) as container:
        layout = "mono" if len(sound) == 1 else "stereo"
        stream = container.add_stream(codec, rate=RATE, layout=layout)
        for start in range(0, sound.shape[1], 960):
            block = np.ascontiguousarray(sound[:, start : start + 960])
            frame = av.AudioFrame.from_ndarray(block, "fltp", layout)
            frame.sample_rate, frame.pts = RATE, start
            for packet in stream.encode(frame):
                move(container, packet, shifts)
        for packet in stream.encode(None):
            move(container, packet, shifts)
    return path


def move(container, packet, shifts) -> None:
    by = round(shifts(float(packet.pts * packet.time_base)) / packet.time_base)
    packet.pts += by
    packet.dts += by
    container.mux(packet)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "opus", "aac"])
def test_joined_files_are_heard_to_the_end(tmp_path, kind) -> None:
    """Two files, one after the other: an MP3's or an Ogg's header counts the first one's samples alone."""
    one = write(tmp_path / f"one.{kind}", clicks(0.8), CODECS[kind]).read_bytes()
    (tmp_path / f"both.{kind}").write_bytes(one + one)
    alone, rate = load_audio(tmp_path / f"one.{kind}")
    both, _ = load_audio(tmp_path / f"both.{kind}")
    assert both.shape[1] == pytest.approx(2 * alone.shape[1], abs=0.07 * rate)
    found, first = onsets(both, rate), onsets(alone, rate)
    assert len(found) == 6 and np.abs(found[:3] - first).max() < 1e-3
    assert np.abs(found[3:] - (first + both.shape[1] / rate - alone.shape[1] / rate)).max() < 0.07


def test_a_file_without_a_length_is_read_to_its_end(tmp_path) -> None:
    """FLAC written to a pipe has a count of 0; a WAV whose recorder was killed has a data size of 0."""
    path = write(tmp_path / "s.flac", clicks(1.2), "flac")
    content = bytearray(path.read_bytes())
    content[8 + 13] &= 0xF0
    content[8 + 14 : 8 + 18] = bytes(4)
    (tmp_path / "pipe.flac").write_bytes(content)
    soundfile.write(tmp_path / "s.wav", clicks(1.2)[0], RATE, subtype="PCM_16")
    content = bytearray((tmp_path / "s.wav").read_bytes())
    content[40:44] = bytes(4)
    (tmp_path / "killed.wav").write_bytes(content)
    content[4:8] = content[40:44] = b"\xff" * 4
    (tmp_path / "streamed.wav").write_bytes(content)
    for name in ("pipe.flac", "killed.wav", "streamed.wav"):
        sound, rate = load_audio(tmp_path / name)
        assert (rate, sound.shape) == (RATE, (1, 57_600)), name
        assert np.abs(sound - clicks(1.2)).max() < 1e-4, name


def test_an_mp3_without_a_count_and_one_with_it_begin_at_the_same_sample(tmp_path) -> None:
    tagged = write(tmp_path / "tagged.mp3", clicks(1.2), "libmp3lame")
    bare = write(tmp_path / "bare.mp3", clicks(1.2), "libmp3lame", options={"write_xing": "0"})
    sound, rate = load_audio(tagged)
    assert sound.shape[1] == 57_600, "the encoder's delay and padding are left out"
    assert np.abs(onsets(sound, rate) - onsets(clicks(1.2), RATE)).max() < 1e-3
    assert load_audio(bare)[0].shape[1] >= 57_600


@pytest.mark.parametrize(("ending", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("mkv", "flac")])
def test_holes_in_the_time_stamps_are_silent(tmp_path, ending, codec) -> None:
    """A recorder that pauses half a second at 0.7 s: what comes after stays half a second later."""
    path = write(tmp_path / f"s.{ending}", clicks(1.2), codec, lambda time: 0.5 if time >= 0.7 else 0.0)
    sound, rate = load_audio(path)
    wanted = np.array([0.1, 0.35, 0.6, 0.85 + 0.5, 1.1 + 0.5])
    assert np.abs(onsets(sound, rate) - wanted).max() < 0.03
    assert sound.shape[1] / rate == pytest.approx(1.7, abs=0.05)
    assert np.abs(sound[0, round(0.75 * rate) : round(1.15 * rate)]).max() < 0.01


def test_lost_packets_do_not_add_up(tmp_path) -> None:
    """Ten single packets of 20 ms are missing: the sound is never more than a frame of motion early."""
    lost = {round(0.1 + k * 0.17, 2) for k in range(10)}
    path = tmp_path / "s.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono")
        sound = clicks(2.4)
        for start in range(0, sound.shape[1], 960):
            frame = av.AudioFrame.from_ndarray(sound[:, start : start + 960], "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            for packet in stream.encode(frame):
                time = float(packet.pts * packet.time_base)
                if not any(0 <= time - each < 0.02 for each in lost):
                    container.mux(packet)
        container.mux(stream.encode(None))
    heard, rate = load_audio(path)
    assert heard.shape[1] / rate == pytest.approx(2.4, abs=0.04)


def test_jitter_of_time_stamps_leaves_sound_as_it_is(tmp_path) -> None:
    random = np.random.default_rng(0)
    path = write(tmp_path / "s.mkv", clicks(1.2), "flac", lambda time: random.uniform(-0.004, 0.004))
    sound, _ = load_audio(path)
    assert np.abs(sound - clicks(1.2)).max() < 1e-4


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "mkv", "ts"])
def test_a_cut_off_file_is_read_as_far_as_it_goes_with_a_warning(tmp_path, kind, caplog) -> None:
    path = tmp_path / f"s.{kind}"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 2 * RATE)).astype(np.float32)
    if kind == "wav":
        soundfile.write(path, noise[0], RATE)
    else:
        write(path, noise, {"mkv": "libopus", "ts": "aac"}.get(kind) or CODECS[kind])
    with caplog.at_level(logging.WARNING):
        whole, _ = load_audio(path)
    assert not caplog.records and whole.shape[1] / RATE == pytest.approx(2, abs=0.06)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with caplog.at_level(logging.WARNING):
        part, rate = load_audio(path)
    assert part.shape[1] / rate == pytest.approx(1.2, abs=0.2)
    assert any("is cut off: it ends at" in record.message for record in caplog.records)


def test_a_sound_that_starts_late_and_one_that_was_joined_are_not_called_cut_off(tmp_path, caplog) -> None:
    """Matroska's length counts from 0 on; a joined MP3's header knows of its first part alone."""
    late = write(tmp_path / "late.mkv", clicks(1.2), "flac", lambda time: 5.0)
    write(tmp_path / "one.mp3", clicks(1.2), "libmp3lame", options={"write_xing": "1"})
    joined = tmp_path / "joined.mp3"
    joined.write_bytes((tmp_path / "one.mp3").read_bytes() * 2)
    assert load_audio(late)[0].shape[1] == 57_600
    assert load_audio(joined)[0].shape[1] == pytest.approx(115_200, abs=4000)
    assert not any("cut off" in record.message for record in caplog.records)


def test_a_wav_file_whose_header_is_counted_twice_is_whole(tmp_path, caplog) -> None:
    path = tmp_path / "s.wav"
    soundfile.write(path, clicks(1.2)[0], RATE)
    content = bytearray(path.read_bytes())
    content[4:8] = (len(content) - 4).to_bytes(4, "little")
    path.write_bytes(content)
    assert load_audio(path)[0].shape[1] == 57_600
    assert not caplog.records


def test_a_time_stamp_that_no_pause_explains_is_not_believed(tmp_path) -> None:
    """One packet claims to be shown five hours after it is decoded: there are no five hours of silence."""
    path = tmp_path / "s.ts"
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        packets = []
        for start in range(0, RATE, 1024):
            frame = av.AudioFrame.from_ndarray(clicks(1.2)[:, start : start + 1024].copy(), "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            packets += stream.encode(frame)
        for k, packet in enumerate([*packets, *stream.encode(None)]):
            packet.pts += round(18_000 / packet.time_base) if k == 20 else 0
            container.mux(packet)
    sound, rate = load_audio(path)
    assert sound.shape[1] / rate == pytest.approx(1.0, abs=0.1)
    assert np.abs(np.diff(onsets(sound, rate)) - 0.25).max() < 0.03


def test_an_unknown_channel_layout_is_an_error(tmp_path) -> None:
    path = tmp_path / "s.aiff"
    soundfile.write(path, clicks(0.4)[0], RATE, subtype="FLOAT")
    content = bytearray(path.read_bytes())
    place = content.index(b"COMM") + 8
    content[place : place + 2] = (194).to_bytes(2, "big")
    path.write_bytes(content)
    with pytest.raises(BadInput) as error:
        load_audio(path)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_the_sound_of_a_part_of_a_video_is_that_part_of_a_file_or_a_stream(tmp_path) -> None:
    import torch

    from gohd_core.render import render_video

    frames = [torch.zeros(50, 3, 32, 32, dtype=torch.float32, device="cpu")]
    path = render_video(tmp_path / "a.mp4", frames, audio=(clicks(2.0), RATE))
    mute = render_video(tmp_path / "mute.mp4", frames)
    whole, rate = load_audio(path)
    for video in (path, io.BytesIO(path.read_bytes())):
        part, same = load_soundtrack(video, 0.5, 1.0)
        assert same == rate
        np.testing.assert_array_equal(part, whole[:, rate // 2 : rate * 3 // 2])
        np.testing.assert_array_equal(load_soundtrack(video)[0], whole)
    assert load_soundtrack(mute) is None and load_soundtrack(path, 9.0) is None
