"""Examples for the animator: a source and a target frame of one clip, with flow and layers between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange
from scipy import ndimage

from gohd_core import parsing_labels as labels
from gohd_core.clips import Clip
from gohd_core.constants import WINDOW, WINDOW_RADIUS
from gohd_core.errors import BadInput
from gohd_core.landmarks68 import CHIN, LEFT_BROW, LEFT_EYE, MOUTH, RIGHT_BROW, RIGHT_EYE
from gohd_core.training.animator.flip_augmentation import MirroredClip, maybe_mirrored
from gohd_core.training.framework.sampling import coefficient_windows, random_frames, valid_frames

_INNER = (*labels.EYES, labels.GLASSES, labels.INNER_MOUTH)
"""Eyeballs, glasses and the mouth's inside: the decoder's inner plane."""
_OUTLINE = 2
"""Pixels of the flow to both sides of the head's edge that count as its outline."""
_MISREAD_SHARE = 0.5
"""Share of the examples whose parts are encoded with wrong coefficients."""
_MISREAD = (0.03, *(0.01,) * 3, *(0.004,) * 3, 0.04)
"""Standard deviation of their errors: expression, pose (3 in radians, 3 in model units), gaze (radians)."""
_BLINKS = slice(10, 12)
"""Columns of blink_left and blink_right among the stylised expressions."""


@dataclass(frozen=True)
class PairShares:
    """Shares of the kinds of pairs drawn from stills; the rest are any two frames of a clip.

    Pairs that differ in one thing alone show small movements that free pairs drown.

    Attributes:
        frontal_source: share of the pairs whose source is the one that looks more ahead, as portraits do.
        open_source: share of the pairs with one pair of eyes shut in which that one is the target.
    """

    gaze: float = 0.14
    blink: float = 0.11
    mouth: float = 0.27
    brows: float = 0.05
    pose: float = 0.12
    frontal_source: float = 0.5
    open_source: float = 0.85


@dataclass(frozen=True)
class RegionWeights:
    """Weights of the flow's error by region of the target; `outline`: the head's edge."""

    eyeball: float = 14.0
    mouth: float = 10.0
    eyes: float = 5.0
    brows: float = 4.0
    chin: float = 5.0
    outline: float = 3.0
    face: float = 1.0
    background: float = 0.4
    hidden: float = 0.15


@dataclass(frozen=True)
class AnimatorDraw:
    """One pair of a clip.

    Attributes:
        size: side of the pictures.
        flow_size: side of the true flow; 0 for none.
        still: repeat the target's descriptor over its window (stills are no sequence).
        told_share: share of the examples in which the source's own descriptor is given.
        planes_share: share of the examples in which the source's own planes are given; elsewhere all may be
            taken from anywhere, as when a portrait is drawn to find its planes.
        gain: colours of both pictures are multiplied by 1 within this.
        mirror_share: share of the pairs that are seen in a mirror.
        teeth: find the target's rows of teeth.
        parts: find where eyes, lips and lids are in the head, and which pixels of the target show eyeballs.
    """

    size: int
    flow_size: int
    still: bool
    told_share: float
    planes_share: float
    gain: float
    pairs: PairShares
    regions: RegionWeights
    mirror_share: float = 0.0
    teeth: bool = False
    parts: bool = False

    def __call__(self, clip: Clip, rng: np.random.Generator) -> dict[str, Any]:
        for name in ("frames", "landmarks"):
            if name not in clip:
                raise BadInput(f"it holds no {name!r}, which the animator's training needs.")
        if clip.shapes["frames"][1:3] != (self.size, self.size):
            raise BadInput(f"its frames are not {self.size} x {self.size} pixels.")
        clip = maybe_mirrored(clip, self.mirror_share, rng)
        source, target = self._pair(clip, rng)
        rows = descriptors(clip)
        if self.still:
            window = np.repeat(rows[target, :, None], WINDOW, 1)
        else:
            window = coefficient_windows(rows, [target], WINDOW_RADIUS)[0].T
        pictures = clip.read_at("frames", [source, target])
        example = {
            "path": str(clip.path),
            "source": rearrange(pictures[0], "h w c -> c h w").copy(),
            "target": rearrange(pictures[1], "h w c -> c h w").copy(),
            "gain": 1 + rng.uniform(-self.gain, self.gain, 3).astype(np.float32),
            "own": rows[source],
            "descriptor_given": np.float32(rng.random() < self.told_share),
            "window": window.copy(),
            "boxes": boxes(clip.read("landmarks", target, target + 1)[0], self.size),
        }
        if self.flow_size:
            example |= self._flow(clip, source, target)
            if self.teeth:
                example |= _teeth(clip, target, self.flow_size)
        if self.parts:
            example |= _parts(clip, rng, source, target)
        if self.flow_size or self.parts:
            shown = visible_layers(clip.read("parsing", source, source + 1)[0])
            given = rng.random() < self.planes_share
            example["source_planes"] = shown if given else np.ones_like(shown)
        return example

    def _pair(self, clip: Clip, rng: np.random.Generator) -> tuple[int, int]:
        pair = self._single_factor(clip, rng)
        if pair is None:
            pair = random_frames(clip, 2, rng)
        source, target = (int(frame) for frame in pair)
        rotations = clip.read("pose")[:, :3]
        if rng.random() < self.pairs.frontal_source:
            ahead = np.abs(rotations[[source, target]]).sum(1)
            source, target = (source, target) if ahead[0] <= ahead[1] else (target, source)
        if rng.random() < self.pairs.open_source and "changes" in clip.info:
            shut = clip.read("expression")[[source, target], _BLINKS].max(1) > 0.5
            if shut[0] and not shut[1]:
                source, target = target, source
        return source, target

    def _single_factor(self, clip: Clip, rng: np.random.Generator) -> np.ndarray | None:
        """Two frames of one cluster that differ in one thing; None for a free pair."""
        changes = clip.info.get("changes")
        if changes is None:
            return None
        names = ("gaze", "blink", "mouth", "brows", "pose")
        chosen = int(np.searchsorted(np.cumsum([getattr(self.pairs, name) for name in names]), rng.random()))
        if chosen == len(names):
            return None
        kind = names[chosen]
        bases = [k for k, change in enumerate(changes) if change == "base"]
        start = int(rng.choice(bases))
        stop = next((k for k in range(start + 1, len(changes)) if changes[k] in ("base", "free")), None)
        group = [k for k in range(start, len(changes) if stop is None else stop)]
        group = [k for k in group if changes[k] in ("base", kind) and valid_frames(clip)[k]]
        return rng.choice(group, 2, replace=False) if len(group) > 1 else None

    def _flow(self, clip: Clip, source: int, target: int) -> dict[str, Any]:
        if "triangle" not in clip:
            raise BadInput(
                "it holds no exact correspondences; make stills with them, or switch off the losses flow, "
                "visibility, planes, warp and hidden (losses.flow=off ...)."
            )
        flow, visible, parsing = stored_flow(clip, source, target, self.flow_size)
        regions = self.regions
        background = parsing == labels.BACKGROUND
        weight = np.where(background, regions.background, regions.face).astype(np.float32)
        near = [ndimage.binary_dilation(side, iterations=_OUTLINE) for side in (background, ~background)]
        weight[near[0] & near[1]] = regions.outline
        landmarks = clip.read("landmarks", target, target + 1)[0] * (self.flow_size / self.size)
        margin = 0.022 * self.flow_size
        chin = np.concatenate([landmarks[MOUTH], landmarks[CHIN]])
        for points, value in (
            (chin, regions.chin),
            (landmarks[MOUTH], regions.mouth),
            (landmarks[RIGHT_BROW], regions.brows),
            (landmarks[LEFT_BROW], regions.brows),
            (landmarks[RIGHT_EYE], regions.eyes),
            (landmarks[LEFT_EYE], regions.eyes),
        ):
            left, top = np.maximum(points.min(0) - margin, 0).astype(int)
            right, bottom = np.maximum(np.ceil(points.max(0) + margin), 0).astype(int)
            part = weight[top : bottom + 1, left : right + 1]
            np.maximum(part, value, out=part)
        weight[np.isin(parsing, labels.MOUTH)] = regions.mouth
        weight[np.isin(parsing, labels.EYES)] = regions.eyeball
        return {
            "flow": (rearrange(flow, "h w xy -> xy h w") * (2 / self.flow_size)).astype(np.float32),
            "visible": visible[None].astype(np.float32),
            "planes": visible_layers(clip.read("parsing", target, target + 1)[0]),
            "region": weight[None],
            "flow_weight": np.where(visible, weight, regions.hidden).astype(np.float32)[None],
        }


def _teeth(clip: Clip, target: int, size: int) -> dict[str, Any]:
    from gohd_core.stylised.ground_truth.stored_heads import teeth_places

    places, seen = teeth_places(clip, target, size)
    if isinstance(clip, MirroredClip):
        places[:, 0] *= -1
    return {"teeth_places": places, "teeth_seen": seen}


def _parts(clip: Clip, rng: np.random.Generator, source: int, target: int) -> dict[str, Any]:
    from gohd_core.stylised.ground_truth.stored_heads import eye_place, head_shape

    if "vertices" not in clip:
        raise BadInput(
            "it holds no exact correspondences, which eyes, lips and lids are taught from; make stills with "
            "them, or set losses.eyeballs=off and losses.shape=off."
        )
    true = descriptors(clip)[source]
    gaze, guess = true.copy(), true.copy()
    if rng.random() < _MISREAD_SHARE:
        expression, *rest = _MISREAD
        off = rng.normal(0, 1, 72) * np.array([expression] * 64 + [*rest, rest[-1]])
        gaze[-2:] += off[-2:]
        guess += off.astype(np.float32)
    shape = head_shape(clip)
    own, shown = clip.read_at("parsing", [source, target])
    return {
        "eye_place": eye_place(clip, source),
        "eyeballs": _mask(shown, labels.EYES),
        "mouth": _mask(shown, [labels.INNER_MOUTH]),
        "own_read": gaze,
        "own_guess": guess,
        "contours": shape.rings,
        "lashes": np.array([shape.lashes], np.float32),
        "mesh": shape.sheet,
        "skin": _mask(own, labels.FACE),
    }


def _mask(parsing: np.ndarray, classes: tuple[int, ...]) -> np.ndarray:
    """Mask of some classes in a parsing [H, W], [1, H, W] float32."""
    return np.isin(parsing, classes).astype(np.float32)[None]


def descriptors(clip: Clip) -> np.ndarray:
    """A clip's motion in the animator's order, [T, 72]: expression, pose, gaze (horizontal, vertical)."""
    return np.concatenate([clip.read("expression"), clip.read("pose"), clip.read("gaze")[:, ::-1]], 1)


def visible_layers(parsing: np.ndarray) -> np.ndarray:
    """Layer masks of a parsing [H, W]: [3, H, W], face, inner and background."""
    inner, background = np.isin(parsing, _INNER), parsing == labels.BACKGROUND
    return np.stack([~(inner | background), inner, background]).astype(np.float32)


def boxes(landmarks: np.ndarray, size: int) -> np.ndarray:
    """M_lip&eye's boxes [3, 4] (left, top, right, bottom) of eyes and mouth, in shares of the side."""
    found = []
    for part, margin in ((RIGHT_EYE, 0.022), (LEFT_EYE, 0.022), (MOUTH, 0.028)):
        points = (landmarks[part] + 0.5) / size
        found.append(np.concatenate([points.min(0) - margin, points.max(0) + margin]))
    return np.stack(found).astype(np.float32)


def stored_flow(clip: Clip, source: int, target: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`stylised.correspondence.dense_flow` of two stored frames at every n-th pixel.

    Returns flow [size, size, 2] in pixels of that size, visible and parsing [size, size].
    """
    from gohd_core.stylised.rendering.correspondence import dense_flow
    from gohd_core.stylised.rendering.renderer import Correspondence, RenderedFrame

    step = clip.shapes["triangle"][1] // size
    scale = clip.info["vertex_scale"]
    units = np.array([scale["xy"] * step, scale["xy"] * step, scale["depth"]], np.float32)
    faces = clip.read("faces").astype(np.int32)
    nothing = np.zeros(0, np.float32)

    def frame(at: int) -> RenderedFrame:
        rows = {
            name: clip.read(name, at, at + 1)[0] for name in ("triangle", "barycentric", "depth", "vertices")
        }
        match = Correspondence(
            rows["triangle"][::step, ::step].astype(np.int32),
            rows["barycentric"][::step, ::step].astype(np.float32) / 255,
            rows["depth"][::step, ::step].astype(np.float32),
            rows["vertices"].astype(np.float32) / units,
            faces,
            clip.read("material"),
        )
        parsing = clip.read("parsing", at, at + 1)[0, ::step, ::step]
        return RenderedFrame(nothing, nothing, nothing, nothing, nothing, parsing, match)

    return dense_flow(frame(source), frame(target))
