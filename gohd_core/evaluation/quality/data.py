"""The benchmark's own small data: test identities, voices and texts of the stylised world, made once.

Four data sets in the clip format (docs/DATA.md) in one folder: `factors-SIZE` (the factor sheet of every
head, with exact correspondences), `speech` (talking clips without pictures; split `train` holds what
the baselines draw from), `shots-SIZE` (some frames of the first talking clips), `labials-SIZE` (their
frames in which lips close, and some in which they are open). Existing data is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from gohd_core.checkpoints.face_files import user_folder
from gohd_core.clips import (
    INDEX_NAME,
    Clip,
    ClipDataset,
    Entry,
    clip_path,
    read_index,
    save_clip,
    write_index,
)
from gohd_core.constants import FPS, STYLISED
from gohd_core.errors import BadInput
from gohd_core.evaluation.progress import Progress
from gohd_core.evaluation.quality.bilabials import moments
from gohd_core.evaluation.quality.factor_grid import Sheet, factor_sheet
from gohd_core.training.framework.sampling import audio_frames

VERSION = 3
"""2: lips that round draw together, and come together and part over 80 ms (`stylised/motion/visemes.py`).
3: lips as far apart as people's by phone, jaws held by consonants, loudness hardly counts."""
PARTS = ("animator", "motion", "talk")
"""Single pictures, motion from sound, both together."""
MESH = "mesh"
"""The part that is only measured when it is asked for: it needs the face networks."""


@dataclass(frozen=True)
class Plan:
    """Size of a quality benchmark.

    Attributes:
        seed: of everything drawn; another than the data sets' that the weights were trained on.
        identities: heads that do the factor sheet.
        speech: talking clips whose motion is measured.
        clips: the first of them, drawn as pictures.
        shots: frames of each of these.
        training: training clips that mean motion and nearest neighbour come from.
    """

    seed: int = 90_009
    identities: int = 8
    speech: int = 16
    clips: int = 6
    shots: int = 11
    training: int = 40

    def __post_init__(self) -> None:
        few = [name for name, value in asdict(self).items() if name != "seed" and value < 2]
        if few:
            raise BadInput(f"The benchmark needs at least 2 {few[0]}.")
        if self.clips > self.speech:
            raise BadInput(f"Only {self.speech} talking clips are planned; {self.clips} can't be drawn.")


@dataclass(frozen=True)
class BenchmarkData:
    """Paths of the benchmark's data, and the factor grid of all heads."""

    plan: Plan
    sheet: Sheet
    factors: ClipDataset | None
    speech: ClipDataset | None
    shots: ClipDataset | None
    labials: ClipDataset | None

    def clips(self, part: str, split: str = "test") -> list[Clip]:
        """The clips of "factors", "speech", "shots" or "labials"."""
        dataset: ClipDataset = getattr(self, part)
        return [dataset.clip(entry) for entry in dataset.select(split)]


def default_folder() -> Path:
    """Default folder of the benchmark's data: in the user's cache."""
    return user_folder() / f"benchmark-{VERSION}"


def benchmark_data(
    folder: Path, plan: Plan, size: int, parts: Sequence[str] = PARTS, *, progress: Progress | None = None
) -> BenchmarkData:
    """Makes what `parts` need and `folder` lacks, and opens it; `size` is the pictures' side.

    Raises: `MissingDependency` where pictures or voices can't be made here (give a folder that was made
    elsewhere), `BadInput`.
    """
    sheet = factor_sheet(plan.seed)
    base = {"space": STYLISED, "fps": FPS, "size": size, "seed": plan.seed, "version": VERSION}
    factors = speech = shots = labials = None
    if "animator" in parts or MESH in parts:
        factors = _dataset(
            folder / f"factors-{size}-{plan.identities}",
            base | {"kind": "stills", "identities": plan.identities},
            lambda: _factors(plan, sheet, size),
            plan.identities,
            _stage_progress(progress, "heads"),
        )
    if "motion" in parts or "talk" in parts:
        speech = speech_data(folder, plan, progress=progress)
    if "talk" in parts:
        chosen = [speech.clip(entry) for entry in speech.select("test")[: plan.clips]]
        shots = _dataset(
            folder / f"shots-{size}-{plan.clips}-{plan.shots}",
            base | {"kind": "stills", "talking": plan.clips, "shots": plan.shots, "of": plan.speech},
            lambda: _shots(plan, chosen, size),
            plan.clips,
            _stage_progress(progress, "talking heads"),
        )
        labials = _dataset(
            folder / f"labials-{size}-{plan.clips}",
            base | {"kind": "stills", "talking": plan.clips, "of": plan.speech},
            lambda: _labials(chosen, size),
            plan.clips,
            _stage_progress(progress, "talking lips"),
        )
    return BenchmarkData(plan, sheet, factors, speech, shots, labials)


def speech_data(folder: Path, plan: Plan, *, progress: Progress | None = None) -> ClipDataset:
    """The talking clips without pictures alone: splits `test` and `train`."""
    header = {"space": STYLISED, "fps": FPS, "size": 256, "seed": plan.seed, "version": VERSION}
    return _dataset(
        folder / f"speech-{plan.speech}-{plan.training}",
        header | {"kind": "talk", "speech": plan.speech, "training": plan.training},
        lambda: _speech(plan),
        plan.speech + plan.training,
        _stage_progress(progress, "speech"),
    )


Made = Iterator[tuple[dict[str, np.ndarray], dict[str, Any]]]


def _dataset(
    folder: Path, header: dict[str, Any], make: Callable[[], Made], wanted: int, progress: Any
) -> ClipDataset:
    """The data set in a folder; made when it is not whole, refused when it is another."""
    if (folder / INDEX_NAME).is_file():
        found = read_index(folder)
        differing = [key for key, value in header.items() if found.get(key) != value]
        if differing:
            raise BadInput(
                f"{folder} holds other data (its {differing[0]} differs); delete it or choose another."
            )
        if len(found["clips"]) == wanted:
            return ClipDataset(folder)
    entries = []
    for done, (arrays, info) in enumerate(make()):
        frames = save_clip(clip_path(folder, info["split"], info["name"]), arrays, info)
        identity = f"stylised-{info['identity_seed']}"
        about = info.get("speaker", ""), info.get("text", "")
        entries.append(Entry(info["name"], info["split"], identity, *about, frames))
        if progress is not None:
            progress(done + 1, wanted)
    write_index(folder, header, entries)
    return ClipDataset(folder)


def _speech(plan: Plan) -> Made:
    from gohd_core.stylised.making import Recipe, clip_place, make_clip

    recipe = Recipe(plan.seed, "talk", pictures=False)
    for split, wanted in (("test", plan.speech), ("train", plan.training)):
        numbers: Iterable[int] = (k for k in count() if clip_place(recipe, k)[0] == split)
        for number in islice(numbers, wanted):
            yield make_clip(recipe, number)


def test_identities(seed: int, wanted: int) -> list[int]:
    """Seeds of different held-out heads (their last digit is 9)."""
    from gohd_core.stylised.making import draw_identity

    rng, found = np.random.default_rng([seed, 6]), []
    while len(found) < wanted:
        drawn = draw_identity(rng, "test")
        found += [drawn] if drawn not in found else []
    return found


def _factors(plan: Plan, sheet: Sheet, size: int) -> Made:
    for seed in test_identities(plan.seed, plan.identities):
        yield _render_stills(seed, sheet.expression, sheet.pose, sheet.gaze, size, f"head-{seed}", exact=True)


def _shots(plan: Plan, clips: list[Clip], size: int) -> Made:
    for clip in clips:
        at = np.linspace(0, len(clip) - 1, plan.shots).round().astype(int).tolist()
        yield _frames_of(clip, at, size, "shots")


def _labials(clips: list[Clip], size: int) -> Made:
    for clip in clips:
        found = moments(clip, audio_frames(clip))
        arrays, info = _frames_of(clip, [0, *found.frames], size, "labials")
        yield arrays, info | {"phones": [list(phone) for phone in found.phones], "open": list(found.open)}


def _frames_of(
    clip: Clip, at: list[int], size: int, kind: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    rows = (clip.read_at(name, at) for name in ("expression", "pose", "gaze"))
    arrays, info = _render_stills(clip.info["identity_seed"], *rows, size, f"{kind}-{clip.info['name']}")
    return arrays, info | {"of": clip.info["name"], "at": at}


def _render_stills(
    seed: int,
    expression: np.ndarray,
    pose: np.ndarray,
    gaze: np.ndarray,
    size: int,
    name: str,
    *,
    exact: bool = False,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from gohd_core.stylised.making import (
        DEPTH_SCALE,
        PIXEL_SCALE,
        correspondence_arrays,
        picture_arrays,
        render_sequence,
    )
    from gohd_core.stylised.motion.performance import Performance
    from gohd_core.stylised.person.identity import Identity

    identity = Identity.random(seed)
    frames = render_sequence(identity, Performance(expression, pose, gaze), size, correspondence=exact)
    arrays = {
        "expression": expression.astype(np.float32),
        "pose": pose.astype(np.float32),
        "gaze": gaze.astype(np.float32),
        "identity": np.asarray(identity.coefficients, np.float32),
        "valid": np.ones(len(pose), bool),
        **picture_arrays(frames),
    }
    info = {"name": name, "split": "test", "kind": "stills", "identity_seed": seed, "space": STYLISED}
    info |= {"fps": FPS, "size": size}
    if exact:
        arrays |= correspondence_arrays(frames, size)
        info["vertex_scale"] = {"xy": PIXEL_SCALE / size, "depth": DEPTH_SCALE}
    return arrays, info


def _stage_progress(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(stage, done, total)
