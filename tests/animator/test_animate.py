"""The runtime: streaming, batches, strength, interruption, windows from motion, bad input."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from gohd_core.animator.windows import network_descriptors, to_network_order, windows_at
from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput, Interrupted
from tests.support.small_animators import BUILTIN, SMALL, animator, image, motion, windows


@pytest.fixture(scope="module")
def ours():
    return animator(SMALL)


@pytest.fixture(scope="module")
def source(ours):
    return ours.encode_source(image(64))


def test_batch_size_does_not_matter(ours, source):
    clip = motion(11)
    one = torch.cat(list(ours.animate(source, clip, batch_size=1)))
    eight = torch.cat(list(ours.animate(source, clip, batch_size=8)))
    assert one.shape == (11, 3, 64, 64)
    assert torch.allclose(one, eight, atol=1e-5)
    assert (one[0] - one[5]).abs().max() > 1e-2


def test_the_built_in_form_draws_several_frames_at_once_as_one_by_one():
    ours = animator(BUILTIN)
    source, clip = ours.encode_source(image(64)), motion(11, STYLISED)
    one = torch.cat(list(ours.animate(source, clip, batch_size=1)))
    for size in (4, 8, 11):
        assert torch.allclose(torch.cat(list(ours.animate(source, clip, batch_size=size))), one, atol=1e-5)
    assert (one[0] - one[5]).abs().max() > 1e-3


def test_streams_with_progress(ours, source):
    seen = []
    batches = ours.animate(source, motion(7), batch_size=3, progress=lambda *a: seen.append(a))
    assert len(next(batches)) == 3 and seen == []  # drawn as asked for, not ahead
    assert [len(b) for b in batches] == [3, 1]
    assert seen == [(3, 7), (6, 7), (7, 7)]


def test_stops_when_asked(ours, source):
    calls = iter([False, True])
    batches = ours.animate(source, motion(9), batch_size=4, should_stop=lambda: next(calls))
    next(batches)
    with pytest.raises(Interrupted, match="4 of 9"):
        next(batches)


def test_strength_scales_the_navigation(ours, source):
    magnitudes = ours.magnitudes(source, windows(2))
    still = ours.decode(source, magnitudes, 0.0)
    assert torch.allclose(still[0], still[1], atol=1e-6)
    assert torch.allclose(
        ours.decode(source, magnitudes * 0.5), ours.decode(source, magnitudes, 0.5), atol=1e-5
    )
    each = ours.decode(source, magnitudes, torch.tensor([0.0, 0.5]))
    assert torch.allclose(each[0], still[0], atol=1e-6)
    assert torch.allclose(each[1], ours.decode(source, magnitudes, 0.5)[1], atol=1e-5)


def test_gaze_is_reordered_at_the_boundary_and_ends_repeat(ours, source):
    clip = motion(4)
    descriptors = network_descriptors(clip)
    assert torch.equal(descriptors[:, 70], clip.gaze.values[:, 1])  # horizontal is yaw
    assert torch.equal(descriptors[:, 71], clip.gaze.values[:, 0])  # vertical is pitch
    assert torch.equal(to_network_order(to_network_order(descriptors)), descriptors)
    steps = windows_at(descriptors, range(4), 27)
    for frame in range(4):
        for step in range(27):
            expected = descriptors[min(max(frame + step - 13, 0), 3)]
            assert torch.equal(steps[frame, :, step], expected)
    frames = torch.cat(list(ours.animate(source, clip)))
    expected = ours.decode(source, ours.magnitudes(source, steps))
    assert torch.allclose(frames, expected, atol=1e-6)


def test_windows_span_the_same_time_at_any_rate():
    ramp = torch.arange(200.0)[:, None]  # one unit a frame at 50 fps: a window of 27/25 s spans 52
    steps = windows_at(ramp, range(100, 101), 27, 50)
    assert torch.allclose(steps[0, 0], torch.arange(74.0, 127.0, 2.0))
    between = windows_at(ramp, range(100, 101), 27, 30)
    assert torch.allclose(between[0, 0], 100 + 1.2 * torch.arange(-13.0, 14.0), atol=1e-4)


def test_pairs_of_sources_and_frames(ours):
    pictures = image(64, 2)
    both = ours.encode_source(pictures)
    magnitudes = ours.magnitudes(both, windows(2))
    together = ours.decode(both, magnitudes)
    alone = ours.encode_source(pictures[1:])
    assert torch.allclose(together[1:], ours.decode(alone, magnitudes[1:]), atol=1e-5)
    with pytest.raises(BadInput, match="paired"):
        ours.decode(both, torch.zeros(3, 6))


def test_builtin_form_takes_or_reads_the_reference():
    ours = animator(BUILTIN)
    picture = image(64)
    own = motion(1, STYLISED)
    read, given = ours.encode_source(picture), ours.encode_source(picture, own)
    assert read.descriptor.shape == given.descriptor.shape == (1, 72)
    assert torch.equal(given.descriptor, network_descriptors(own))
    frames = torch.cat(list(ours.animate(given, motion(3, STYLISED), batch_size=2)))
    assert frames.shape == (3, 3, 64, 64) and torch.isfinite(frames).all()


def test_compiled_form_pads_the_last_batch():
    clip = motion(5)
    plain, compiled = animator(SMALL), animator(SMALL).compile(4, backend="eager")
    source = plain.encode_source(image(64))
    expected = torch.cat(list(plain.animate(source, clip, batch_size=4)))
    frames = torch.cat(list(compiled.animate(source, clip, batch_size=4)))
    assert torch.allclose(frames, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (torch.zeros(1, 1, 64, 64), "RGB"),
        (torch.zeros(1, 4, 64, 64), "RGB"),
        (torch.zeros(1, 3, 1, 1), "prepare_portrait"),
        (torch.zeros(3, 64, 64), "got"),
        (torch.zeros(0, 3, 64, 64), "got"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "floating-point"),
        (torch.full((1, 3, 64, 64), float("nan")), "finite"),
        (torch.full((1, 3, 64, 64), 255.0), "run from 255"),
    ],
)
def test_bad_pictures(ours, picture, message):
    with pytest.raises(BadInput, match=message):
        ours.encode_source(picture)


def test_bad_motion(ours, source):
    with pytest.raises(BadInput, match=r"stylised.*bfm09"):
        ours.animate(source, motion(3, STYLISED))
    with pytest.raises(BadInput, match="batch size"):
        ours.animate(source, motion(3), batch_size=0)
    with pytest.raises(BadInput, match="72, 27"):
        ours.magnitudes(source, torch.zeros(2, 70, 27))
    with pytest.raises(BadInput, match="finite"):
        ours.magnitudes(source, torch.full((1, 72, 27), float("inf")))
    with pytest.raises(BadInput, match="floating-point"):
        ours.magnitudes(source, torch.zeros(1, 72, 27, dtype=torch.int64))
    with pytest.raises(BadInput, match="Magnitudes"):
        ours.decode(source, torch.zeros(2, 5))
    with pytest.raises(BadInput, match="Strength"):
        ours.decode(source, torch.zeros(2, 6), float("nan"))
    with pytest.raises(BadInput, match="exactly one"):
        ours.encode_source(image(64), motion(2))
    with pytest.raises(BadInput, match="float32"):
        animator(SMALL, dtype=torch.float64)


_MEMORY = """
import resource, sys
from tests.support.small_animators import SMALL, animator, image, motion
frames = int(sys.argv[1])
ours = animator(SMALL)
source = ours.encode_source(image(64))
total = sum(len(b) for b in ours.animate(source, motion(frames), batch_size=8))
assert total == frames
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read with the resource module")
def test_memory_does_not_grow_with_length():
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    peaks = []
    for frames in (16, 600):
        command = [sys.executable, "-c", _MEMORY, str(frames)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    # 584 more frames of 64 x 64 would take 28,000 KiB if they were kept.
    assert peaks[1] - peaks[0] < 12_000, peaks
