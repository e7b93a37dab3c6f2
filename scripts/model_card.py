"""Writes assets/MODEL_CARD.md from the headers of the built-in weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[1] / "assets"
ORDER = ("animator", "pose_diffusion", "gaze_diffusion", "expression", "extractor", "gaze_estimator")
FIGURES = ("figures_test_identities", "held_out", "figures")
"""Keys of a header's figures; the first that it has is shown."""

HEAD = """# The built-in weights

Small networks for **stylised faces**, trained with this repository's own code on procedurally drawn heads
and synthesised speech (`gohd stylised make`). They make the pack work offline at once.
Photographs, paintings and drawings move by their head pose, lips, eyes and gaze too, but are drawn by the
mesh animator, which has no weights (README). Licence: MIT, like the code.

No picture or video of a real person was trained on. Lips learnt to hear from synthetic voices and from free
recordings of people who read aloud: LibriSpeech (V. Panayotov et al. 2015, CC BY 4.0; 351 utterances of 261
readers) and the voice of festvox-ru (copyright 2005 Nickolay V. Shmyrev, BSD-like); everything else from
synthetic voices alone. No recording is in this folder. The photographs `portraits/astronaut.jpg` and
`portraits/grace_hopper.jpg` (public domain, `WEIGHTS.md`) are samples to try and were in no training.
`python scripts/model_card.py` writes this file from the headers of
the weights, where each has its config, training command, seed and figures. "Held out" means identities,
voices and texts that were never trained on.
"""

SHORTCOMINGS = """## What falls short

Trained for some hours on two shared CPU cores, and not converged. Every figure of `gohd benchmark quality`,
with exact truth and baselines, is in [RESULTS.md](../docs/RESULTS.md); all of its 24 targets are met.
In short:

- **Animator**: heads turn, jaws open, eyes look, lips move and blinks close as told, by the reader and by
  landmarks, and stay crisp. Brows go nine tenths as far as in truth, frowns eight tenths. All of that rests
  on a morphable face whose shape is fitted to the portrait: lips and lids are its contours, skin moves with
  its mesh, eyeballs and teeth lie where it has them. Hair, ears and neck keep the flow that a network
  predicts, less exactly, and disocclusions by a large turn are soft: free poses come to 20.5 dB. An iris
  has the learnt pattern of fibres, not the portrait's own; the tongue is blurred; a beard moves with the
  skin under it. Where the eyes are shut in the portrait, or are not such eyes, as in photographs, the
  network's flow warps everything. The background behind the head is inpainted smoothly, without its
  pattern.
- **Expression**: coefficients close the lips on 95 of 100 p, b, m and follow the true openings with a
  correlation of .69 and a slope of .98 (held against today's mouths, which open by phone as people's do).
  On six clips of real people the jaw goes with the lips' gap with a correlation of .57, and lips close
  1.8 times as often as people's (docs/RESULTS.md). Brows move as far as the truth's, frowns two fifths as
  far. Eyes blink 28 times a minute where the data has 25, and some blinks stay partly open. Its mouth's
  training can't be repeated exactly: it goes on from checkpoints that are not in the pack. Gain (1.25),
  closing (10 pixels), the 4 dB of pauses in noise, and how much further lips round and spread (1.5 and
  1.2 times) were chosen afterwards, by mouths of people in videos and by p, b and m in drawn frames; the
  brows' gain (1.7) by the truth's amplitude. The commands of today's script that come nearest are in
  docs/TRAINING.md.
- **Pose**: moves 1.2 times as far and as fast as the truth, with a correlation of .41.
- **Gaze diffusion**: jitters between its saccades; a held or set gaze looks calmer.
- **Extractor**: identity and depth are not learnt, pucker, spread and the inner brow in part. Amplitudes and
  blinks above are as this reader sees them; it was trained anew, and sees more than the one before it.
- Remarks and tables of each network below are of its own training run; the benchmark measures them all anew.
"""


def main() -> None:
    """Writes the card."""
    from safetensors import safe_open

    parts = [HEAD, SHORTCOMINGS]
    for name in ORDER:
        path = ASSETS / f"{name}.safetensors"
        with safe_open(path, framework="np") as file:
            about = json.loads(file.metadata()["gohd"])
            count = sum(int_product(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118
        parts.append(section(name, path.stat().st_size, count, about))
    (ASSETS / "MODEL_CARD.md").write_text("\n".join(parts), encoding="utf-8")


def section(name: str, size: int, parameters: int, about: Mapping[str, Any]) -> str:
    """One network's part of the card."""
    info = about["info"]
    lines = [f"## {name}", "", f"{parameters:,} numbers, {size / 2**20:.1f} MiB."]
    for note in notes(info):
        lines += ["", note]
    shown = next(filter(None, (find(info, key) for key in FIGURES)), {})
    rows = list(figures(shown))
    if rows:
        lines += ["", "| figure | value |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)]
    return "\n".join([*lines, ""])


def notes(info: Mapping[str, Any]) -> Iterator[str]:
    """Data, remarks and commands in the header."""
    for key in ("note", "notes"):
        if info.get(key):
            yield str(info[key])
    data = info.get("data")
    if data:
        text = "; ".join(f"{k}: {v}" for k, v in data.items()) if isinstance(data, Mapping) else data
        yield f"Data: {text}."
    for command in commands(info):
        yield f"`{command}`"


def commands(value: Any) -> Iterator[str]:
    """Every training command in a header."""
    if isinstance(value, Mapping):
        if isinstance(value.get("command"), str):
            details = [f"{value[key]:.6g} {key}" for key in ("steps", "minutes", "seed") if key in value]
            yield value["command"] + (f"  ({', '.join(details)})" if details else "")
        for item in value.values():
            yield from commands(item)


def find(value: Any, wanted: str) -> Mapping[str, Any]:
    """The first mapping called `wanted`, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get(wanted), Mapping):
            return value[wanted]
        for item in value.values():
            if found := find(item, wanted):
                return found
    return {}


def figures(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A nested mapping of figures as rows."""
    for key, item in value.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(item, Mapping):
            yield from figures(item, f"{prefix}{key}: ")
        elif isinstance(item, list):
            yield name, ", ".join(short(part) for part in item)
        else:
            yield name, short(item)


def short(value: Any) -> str:
    """A number in three digits; other values unchanged."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def int_product(shape: list[int]) -> int:
    """Number of elements."""
    product = 1
    for side in shape:
        product *= side
    return product


if __name__ == "__main__":
    main()
