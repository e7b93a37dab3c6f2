"""The benchmark's tables on rendered heads: a perfect animator gets full marks, a still one none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.clips import Clip, save_clip
from gohd_core.evaluation.quality import controllability as factors
from gohd_core.evaluation.quality import data as made
from gohd_core.evaluation.quality import frame_tables
from gohd_core.evaluation.quality.drawing import true_flow
from gohd_core.evaluation.quality.factor_grid import FACTORS, FREE, NEAR, Sheet, factor_sheet
from gohd_core.stylised.rendering.gpu import renderer_status

SIZE = 128
KEPT = ("base", "head yaw", "jaw opening", "blink, half and full", NEAR, FREE)

pytestmark = pytest.mark.skipif(
    not all(ok for _, ok, _ in renderer_status()), reason="pictures can't be drawn on this machine"
)


def small_sheet() -> Sheet:
    whole = factor_sheet(1)
    seen: dict[str, int] = {}
    rows = []
    for k, name in enumerate(whole.names):
        seen[name] = seen.get(name, 0) + 1
        if (name in KEPT and seen[name] <= 2) or name == "blink, half and full":
            rows.append(k)
    return Sheet(
        whole.expression[rows],
        whole.pose[rows],
        whole.gaze[rows],
        tuple(whole.names[k] for k in rows),
        tuple(whole.levels[k] for k in rows),
    )


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return small_sheet()


@pytest.fixture(scope="module")
def clips(sheet, tmp_path_factory) -> list[Clip]:
    folder = tmp_path_factory.mktemp("heads")
    plan = made.Plan(seed=1, identities=2)
    for arrays, info in made._factors(plan, sheet, SIZE):
        save_clip(folder / f"{info['name']}.safetensors", arrays, info)
    return [Clip(path) for path in sorted(folder.iterdir())]


def exact_reading(clip: Clip) -> factors.Read:
    landmarks = clip.read("landmarks")
    return factors.FaceCoefficients(
        clip.read("expression"),
        clip.read("pose"),
        clip.read("gaze"),
        np.repeat(clip.read("identity")[None], len(clip), 0),
        landmarks,
    )


def perfect(clip: Clip) -> factors.Head:
    flows = torch.stack([true_flow(clip, 0, k)[0] for k in range(len(clip))])
    return factors.Head(clip, clip.read("frames"), flows, exact_reading(clip), exact_reading(clip))


def still(clip: Clip) -> factors.Head:
    """Repeats the source."""
    head = perfect(clip)
    frames = np.repeat(head.drawn[:1], len(clip), 0)
    rows = (np.repeat(part[:1], len(clip), 0) for part in vars(head.of_drawn).values())
    reading = factors.FaceCoefficients(*rows)
    return replace(head, drawn=frames, flows=torch.zeros_like(head.flows), of_drawn=reading)


def test_a_perfect_animator(clips, sheet):
    heads = [perfect(clip) for clip in clips]
    for name, row in factors.command_table(heads, sheet).rows.items():
        assert row["slope"] == pytest.approx(1, abs=1e-4), name
        assert row["correlation"] == pytest.approx(1, abs=1e-4) and row["error"] < 1e-3
        assert row["flow slope"] == pytest.approx(1, abs=1e-4) and row["flow error px"] == 0
        assert row["still flow px"] > 1 and row["landmarks"] == pytest.approx(1)
    stills = frame_tables.still_table(heads, sheet).rows
    assert stills["near pose"]["PSNR dB"] == pytest.approx(100) and stills["free"]["sharpness"] == 1
    assert stills["near pose: copy source"]["PSNR dB"] > stills["free: copy source"]["PSNR dB"]
    identity = frame_tables.identity_table(heads, sheet).rows["drawn"]
    assert identity["recognised"] == 1 and identity["distance to self"] == 0
    blinks = factors.blink_table(heads, sheet).rows["drawn"]
    assert blinks["full: reading"] == 1 and blinks["half: reading"] == pytest.approx(0.5)
    readers = factors.reader_table(heads, sheet).rows
    assert readers["yaw"]["error"] == 0 and readers["yaw"]["r2"] == 1


def test_an_animator_that_does_nothing(clips, sheet):
    heads = [still(clip) for clip in clips]
    for row in factors.command_table(heads, sheet).rows.values():
        assert row["slope"] == row["correlation"] == row["flow slope"] == row["landmarks"] == 0
        assert row["flow error px"] == pytest.approx(row["still flow px"])
        assert row["slope of truth"] == pytest.approx(1, abs=1e-4)
    stills = frame_tables.still_table(heads, sheet).rows
    assert stills["free"] == stills["free: copy source"]


def test_heads_are_held_out_and_differ():
    seeds = made.test_identities(7, 12)
    assert len(set(seeds)) == 12 and all(seed % 10 == 9 for seed in seeds)
    assert seeds[:5] == made.test_identities(7, 5)


def test_the_sheet_changes_one_thing_at_a_time():
    sheet = factor_sheet(3)
    assert sheet.names[0] == "base" and not sheet.expression[0].any()
    for factor in FACTORS:
        rows = [k for k, name in enumerate(sheet.names) if name == factor.name]
        assert [sheet.levels[k] for k in rows] == list(factor.levels)
        for k in rows:
            moved = [bool(np.any(x[k] != x[0])) for x in (sheet.expression, sheet.pose)]
            assert moved == [factor.group in ("mouth", "lids", "brows"), factor.group == "head"]
