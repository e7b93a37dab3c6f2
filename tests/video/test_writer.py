"""Videos: sound in step, colours kept, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.errors import BadInput, Interrupted
from gohd_core.face import Portrait
from gohd_core.render import frames_to_bytes, marked, paste_back, render_video

av = pytest.importorskip("av", reason="PyAV is not installed")

RATES = [Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 50, 60]


def flashes(count: int, every: int, size: tuple[int, int] = (64, 48)):
    """Grey frames; every n-th is white."""
    for start in range(0, count, 7):
        stop = min(start + 7, count)
        levels = torch.tensor([1.0 if k % every == 0 else -0.5 for k in range(start, stop)])
        yield levels[:, None, None, None].expand(-1, 3, *size)


def clicks(seconds: float, every: float, rate: int) -> np.ndarray:
    sound = np.zeros((1, int(seconds * rate)), np.float32)
    for k in range(int(seconds / every)):
        start = int(k * every * rate)
        sound[0, start : start + rate // 200] = 0.8 * np.sin(np.arange(rate // 200) * 0.4)
    return sound


def read(path) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    with av.open(str(path)) as container:
        pictures = [
            (float(f.pts * f.time_base), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)
        ]
    with av.open(str(path)) as container:
        blocks = [(float(f.pts * f.time_base), f.to_ndarray()[0]) for f in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    sound = np.zeros(int(blocks[-1][0] * rate) + len(blocks[-1][1]) + 1, np.float32)
    for time, block in blocks:
        start = round(time * rate)
        block = block[max(-start, 0) :]
        sound[max(start, 0) : max(start, 0) + len(block)] = block
    return np.array([t for t, _ in pictures]), np.stack([p for _, p in pictures]), sound, rate


@pytest.mark.parametrize("fps", RATES)
def test_flash_and_click_stay_in_step(tmp_path, fps) -> None:
    """A white frame and a click every second: less than a frame apart at any rate."""
    per_second = round(float(fps))
    period = float(per_second / Fraction(fps))
    count, rate = per_second * 4, 44_100
    path = render_video(
        tmp_path / "a.mp4",
        flashes(count, per_second),
        fps=fps,
        audio=(clicks(4 * period, period, rate), rate),
    )
    times, pictures, sound, rate = read(path)
    assert len(pictures) == count
    white = times[pictures.mean((1, 2, 3)) > 200]
    loud = np.flatnonzero(np.abs(sound) > 0.3) / rate
    onsets = loud[np.concatenate([[True], np.diff(loud) > 0.3])]
    assert len(white) == len(onsets) == 4
    assert np.abs(white - onsets).max() < 1 / float(fps)
    assert np.abs(white - np.arange(4) * period).max() < 1e-3


def test_sound_as_long_as_it_was(tmp_path) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 48_000 * 3 + 123)).astype(np.float32)
    path = render_video(tmp_path / "a.mp4", flashes(75, 25), audio=(sound, 48_000))
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.channels == 2
        assert float(stream.duration * stream.time_base) == pytest.approx(sound.shape[1] / 48_000, abs=0.03)


def test_colours_do_not_depend_on_the_clip(tmp_path) -> None:
    """The official script stretches each clip by its own extremes."""
    frames = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 2.0])[:, None, None, None].expand(-1, 3, 8, 8)
    assert frames_to_bytes(frames)[:, 0, 0, 0].tolist() == [0, 64, 128, 191, 255, 255]
    assert frames_to_bytes(frames[1:3])[:, 0, 0, 0].tolist() == [64, 128]


@pytest.mark.parametrize("size", [(1, 5), (32, 7), (70, 33)])
def test_bytes_by_rows_are_those_of_whole_frames(size):
    frames = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(5))
    whole = ((frames + 1) * 127.5).clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    assert np.array_equal(frames_to_bytes(frames), whole.numpy())


def test_odd_sizes_are_padded_by_one(tmp_path) -> None:
    path = render_video(tmp_path / "a.mp4", flashes(3, 2, (33, 47)), audio=(np.zeros(16_000), 16_000))
    assert read(path)[1].shape[1:3] == (34, 48)


def test_an_interrupted_or_failed_run_leaves_nothing(tmp_path) -> None:
    asked = iter([False] * 10 + [True] * 100)
    with pytest.raises(Interrupted):
        render_video(tmp_path / "a.mp4", flashes(50, 5), should_stop=lambda: next(asked))

    def broken():
        yield torch.zeros(2, 3, 16, 16)
        raise RuntimeError("decoder failed")

    with pytest.raises(RuntimeError, match="decoder failed"):
        render_video(tmp_path / "b.mp4", broken())
    with pytest.raises(BadInput, match="change size"):
        render_video(tmp_path / "c.mp4", [torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 18, 16)])
    with pytest.raises(BadInput, match="no frames"):
        render_video(tmp_path / "d.mp4", [])
    with pytest.raises(BadInput, match=r"written as \.mp4"):
        render_video(tmp_path / "e.avi", flashes(2, 2))
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_frame(tmp_path) -> None:
    seen: list[tuple[int, int]] = []
    render_video(tmp_path / "a.mp4", flashes(9, 3), progress=lambda *step: seen.append(step), total=9)
    assert seen == [(k, 9) for k in range(1, 10)]


def test_frames_are_let_go_as_they_are_written(tmp_path) -> None:
    """However long the clip, no more than one batch of frames is alive: memory does not grow."""
    alive: list[weakref.ref] = []
    most = 0

    def batches():
        nonlocal most
        for k in range(60):
            batch = torch.full((2, 3, 72, 128), (k % 20) / 20 - 0.5)
            alive.append(weakref.ref(batch))
            yield batch
            del batch
            most = max(most, sum(reference() is not None for reference in alive))

    frame = torch.rand(144, 256, 3, generator=torch.Generator().manual_seed(0))
    who = Portrait(frame, (60, 20, 160, 120), torch.zeros(64, 64, 3))
    tracemalloc.start()
    try:
        stream = marked(paste_back(batches(), who))
        peaks = []
        render_video(
            tmp_path / "a.mp4",
            stream,
            progress=lambda *step: peaks.append(tracemalloc.get_traced_memory()[0]),
        )
    finally:
        tracemalloc.stop()
    assert len(peaks) == 120 and most <= 2
    assert max(peaks[60:]) < 1.1 * max(peaks[:60]) + 100_000


KILLED = """
import sys, time, torch
from gohd_core.render import render_video
def frames():
    for k in range(100_000):
        yield torch.rand(1, 3, 64, 64) * 2 - 1
        if k == 150:
            print("writing", flush=True)
        time.sleep(0.01 if k > 150 else 0)
render_video(sys.argv[1], frames())
"""


def test_a_killed_run_leaves_no_broken_video(tmp_path) -> None:
    """Killed without warning: what was under the name before is still there, whole; never half a file."""
    target = tmp_path / "a.mp4"
    render_video(target, flashes(5, 2))
    before = target.read_bytes()
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], stdout=subprocess.PIPE, cwd=root, text=True
    )
    try:
        assert process.stdout.readline().strip() == "writing"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert target.read_bytes() == before
    rest = [path for path in tmp_path.iterdir() if path != target]
    assert [path.suffix for path in rest] == [".part"]
    running = tmp_path / f"{target.name}.{os.getppid()}.part"
    running.write_bytes(b"of a process that goes on")
    render_video(target, flashes(5, 2))
    assert len(read_pictures(target)) == 5
    assert sorted(tmp_path.iterdir()) == sorted([target, running]), "what was left is taken away"


def read_pictures(path) -> list:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_sound_is_left_as_it_was(tmp_path, rate) -> None:
    """No gain, no shift, no other rate: what is heard differs by what AAC costs alone."""
    time = np.arange(3 * rate) / rate
    sound = (0.3 * np.sin(2 * np.pi * (200 + 150 * time) * time) * (1 + np.sin(9 * time)) / 2)[None]
    path = render_video(tmp_path / "a.mp4", flashes(75, 25), audio=(sound.astype(np.float32), rate))
    _, _, heard, found = read(path)
    assert found == rate
    length = min(len(heard), sound.shape[1])
    difference = heard[:length] - sound[0, :length]
    assert np.square(difference).mean() < 0.01 * np.square(sound).mean()


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), 60])
def test_ten_minutes_stay_in_step(tmp_path, fps) -> None:
    """Every time stamp of the pictures, and the length of the sound."""
    count = round(600 * Fraction(fps))
    dark = torch.full((500, 3, 16, 16), -0.5)
    batches = (dark[: min(500, count - start)] for start in range(0, count, 500))
    path = render_video(tmp_path / "a.mp4", batches, fps=fps, audio=(np.zeros((1, 600 * 8000)), 8000))
    with av.open(str(path)) as container:
        times = sorted(
            float(packet.pts * packet.time_base)
            for packet in container.demux(video=0)
            if packet.pts is not None
        )
    assert len(times) == count
    wanted = np.arange(count) / float(fps)
    assert np.abs(np.array(times) - wanted).max() < 1e-4
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert abs(float(stream.duration * stream.time_base) - 600) < 1 / float(fps) + 1024 / 8000
