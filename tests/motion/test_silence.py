"""Long silence within a sound: found, and filled with idle life that fades in and out."""

from __future__ import annotations

import pytest
import torch

from gohd_core.motion import Expression, Gaze, Motion, Pose
from gohd_core.motion.idle import idle_motion
from gohd_core.motion.silence import PAUSE, idle_where_silent, silence


def sound(*parts: tuple[float, float]) -> torch.Tensor:
    """A hum of (seconds, loudness) after one another, 16 kHz."""
    pieces = []
    for seconds, loudness in parts:
        time = torch.arange(round(seconds * 16_000)) / 16_000
        pieces.append(loudness * torch.sin(2 * torch.pi * 150 * time))
    return torch.cat(pieces)


def own(space: str = "stylised") -> Motion:
    return Motion(
        Pose(torch.full((1, 6), 0.1), space),
        Expression(torch.zeros(1, 64), space),
        Gaze(torch.full((1, 2), 0.05), space),
    )


def test_only_long_silence_counts_and_its_edges_are_soft() -> None:
    share = silence(sound((2, 0.3), (4, 0.0005), (2, 0.3), (0.8, 0.0), (1, 0.3)), 245)
    assert share[:51].max() == 0 and share[151:].max() == 0, "speech, and a pause of 0.8 s"
    assert share[70:130].min() == 1
    assert share.diff().abs().max() < 0.12
    assert silence(sound((0.4, 0.0), (3, 0.3)), 85).max() == 0


def test_silence_at_either_end_is_whole_to_the_edge() -> None:
    share = silence(sound((2, 0.0), (2, 0.3), (2, 0.0)), 150)
    assert share[0] == share[-1] == 1 and share[60:90].max() == 0


@pytest.mark.parametrize("loudness", [0.0, 0.001])
def test_a_recording_of_nothing_is_silent_throughout(loudness) -> None:
    assert bool((silence(sound((3, loudness)), 75) == 1).all())


def test_steady_sound_is_not_silence() -> None:
    assert silence(sound((3, 0.02)), 75).max() == 0


def test_idle_life_takes_over_and_gives_back() -> None:
    share = silence(sound((2, 0.3), (4, 0.0), (2, 0.3)), 200)
    spoken = Pose(torch.full((200, 6), 0.3), "stylised")
    made = idle_where_silent(spoken, own(), share, seed=3)
    assert torch.equal(made.values[:50], spoken.values[:50])
    assert torch.equal(made.values[151:], spoken.values[151:])
    idle = idle_motion(own(), 8.0, seed=3, loop=False).pose.values
    assert made.values[80:120] == pytest.approx(idle[80:120], abs=1e-6)
    assert made.values.diff(dim=0).abs().max() < 0.025


def test_all_silence_closes_on_itself() -> None:
    share = torch.ones(round(3 * PAUSE * 25))
    for track in (own().pose, own().expression, own().gaze):
        made = idle_where_silent(track.fitted(len(share)), own(), share, seed=1).values
        joint = (made[0] - made[-1]).abs()
        assert bool((joint <= 1.5 * made.diff(dim=0).abs().amax(0) + 1e-3).all())
    assert made.std(0).max() > 0


def test_motion_without_silence_stays_itself() -> None:
    track = own().pose.fitted(50)
    assert idle_where_silent(track, own(), torch.zeros(50)) is track
    official = own("bfm09")
    assert idle_where_silent(official.pose.fitted(50), official, torch.ones(50)).values.std(0).max() == 0
