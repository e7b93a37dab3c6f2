"""Shipped assets stay small enough to clone."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"


def test_assets_are_under_20_megabytes_in_all():
    sizes = {path.name: path.stat().st_size for path in ASSETS.rglob("*") if path.is_file()}
    assert len(sizes) > 30 and sum(sizes.values()) < 20_000_000, sorted(sizes.items(), key=lambda x: -x[1])[
        :3
    ]
