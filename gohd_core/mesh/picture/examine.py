"""Examination of a picture as a portrait, in sentences: what was measured, and what will suffer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from gohd_core.face.portrait import Portrait
from gohd_core.measures.face_points import lid_heights, lips_gap
from gohd_core.mesh.contours import N_FACE
from gohd_core.mesh.picture.picture_measures import blur, lip_contrast

SMALL = 100
"""Faces with fewer pixels than this are drawn soft: their eyes are 20 wide."""
TURNED, NODDED = 25.0, 22.0
"""Degrees of yaw, and of pitch, from which on a far side shows too little to turn to."""
PROFILE = 40.0
"""Degrees of yaw from which on nose and lips lie on the outline, and break it where they move."""
BLURRED = 0.87
"""`blur` of 47 of 49 photographs and paintings is below; of those two that look soft, above."""
SHUT_LIDS = 0.15
"""Height of an eye in its width below which it is shut or nearly."""
PARTED, WIDE = 0.05, 0.15
"""Gaps between the lips in distances of the eyes' outer corners: parted, and wide open."""
FAINT_LIPS = 3.5
"""`lip_contrast` of 49 photographs and paintings is above; with a hand over the mouth it is mostly below."""
GLASSES = "Glasses are not looked for: their rims stay, but what they mirror moves with the eyes behind them."


@dataclass(frozen=True)
class Remark:
    """One thing that was looked at.

    Attributes:
        topic: size, turn, blur, eyes, mouth or edges.
        good: whether nothing of it will suffer.
        text: a sentence with what was measured, and what will suffer.
    """

    topic: str
    good: bool
    text: str


def examine(portrait: Portrait) -> list[Remark]:
    """Looks at a portrait that was read by its face mesh; of another it says how it was read."""
    if portrait.mesh is None:
        return [Remark("reading", True, _read_otherwise(portrait))]
    return [*_size(portrait), _turn(portrait), *_picture_remarks(portrait), _edges(portrait)]


def picture_faults(portrait: Portrait) -> str | None:
    """What of the picture will suffer, in sentences; None if nothing will, or if no mesh was read."""
    faults = [] if portrait.mesh is None else [remark.text for remark in examine(portrait) if not remark.good]
    return " ".join(faults) or None


def picture_report(portrait: Portrait) -> str:
    """The same as text: a verdict, then a line for each thing that was looked at."""
    if portrait.mesh is None:
        return _read_otherwise(portrait)
    remarks = examine(portrait)
    faults = [remark.topic for remark in remarks if not remark.good]
    verdict = f"This picture will talk; mind its {_listed(faults)}." if faults else "This is a good picture."
    lines = [f"{'+' if remark.good else '-'} {remark.topic}: {remark.text}" for remark in remarks]
    return "\n".join([verdict, *lines, GLASSES])


def _read_otherwise(portrait: Portrait) -> str:
    height, width = portrait.frame.shape[:2]
    if portrait.reprojection_error is not None:
        return (
            f"A picture of {width} x {height} pixels that was read as a drawn head of the kind that ships, "
            f"and is drawn at {portrait.size}. A photograph needs the networks that read faces: gohd "
            "download faces."
        )
    return f"Read by official weights, which draw it at {portrait.size} pixels."


def _size(portrait: Portrait) -> Iterator[Remark]:
    box = _mesh_box(portrait)
    face = round(float((box[1] - box[0]).max()))
    side = portrait.box[2] - portrait.box[0]
    text = f"The face is {face} pixels, drawn in a square of {side} at {portrait.size}"
    if face < SMALL:  # as short as a node shows it, since the first picture that somebody tries may be small
        soft = "eyes and teeth will be soft. A larger picture helps."
        yield Remark("size", False, f"The face is {face} pixels, drawn at {portrait.size}; {soft}")
    elif portrait.size > 1.3 * side:
        yield Remark("size", True, f"{text}, which adds pixels but no detail.")
    else:
        yield Remark("size", True, f"{text}.")


def _turn(portrait: Portrait) -> Remark:
    pitch, yaw, roll = (math.degrees(angle) for angle in portrait.p0[:3].tolist())
    where = [
        f"{abs(yaw):.0f} degrees to the picture's {'right' if yaw > 0 else 'left'}",
        f"{abs(pitch):.0f} {'down' if pitch > 0 else 'up'}",
        f"tilted by {abs(roll):.0f}",
    ]
    text = f"The head is turned {', '.join(where)}"
    if abs(yaw) > PROFILE:
        profile = "nearly a profile, whose outline breaks where nose and lips move. Show more of the face."
        return Remark("turn", False, f"{text}: {profile}")
    if abs(yaw) > TURNED:
        return Remark("turn", False, f"{text}; its far side will be stretched where it turns to the viewer.")
    if abs(pitch) > NODDED:
        return Remark("turn", False, f"{text}; what it hides will be stretched where it nods the other way.")
    return Remark("turn", True, f"{text}.")


def _picture_remarks(portrait: Portrait) -> Iterator[Remark]:
    picture, points = _at_drawn_size(portrait)
    soft = blur(picture, points)
    text = f"Blurred by a pixel the face keeps {soft:.2f} of its edges"
    good = soft <= BLURRED
    yield Remark("blur", good, f"{text}." if good else f"{text}: it is blurred, and will stay so.")
    lids = lid_heights(points[None])[0]
    open_by = f"Left and right eye are open by {lids[0]:.2f} and {lids[1]:.2f} of their width"
    if lids.max() < SHUT_LIDS:
        yield Remark("eyes", False, f"{open_by}: shut. They stay shut, and neither look nor blink.")
    elif lids.min() < SHUT_LIDS:
        yield Remark("eyes", False, f"{open_by}: one is shut or nearly, and will hardly move.")
    else:
        yield Remark("eyes", True, f"{open_by}.")
    yield _mouth(picture, points)


def _mouth(picture: np.ndarray, points: np.ndarray) -> Remark:
    gap, contrast = lips_gap(points[None])[0], lip_contrast(picture, points)
    text = f"The lips are {gap:.2f} of the eyes' distance apart and differ by {contrast:.0f} from the skin"
    if contrast < FAINT_LIPS:
        return Remark(
            "mouth",
            False,
            f"{text}: a hand, a scarf or a beard may lie over them, and would be torn open where they part.",
        )
    if gap > WIDE:
        return Remark("mouth", False, f"{text}: wide open, and will look pressed where it shuts.")
    parted = " Its own teeth are kept." if gap > PARTED else ""
    return Remark("mouth", True, f"{text}.{parted}")


def _edges(portrait: Portrait) -> Remark:
    height, width = portrait.frame.shape[:2]
    (left, top), (right, bottom) = _mesh_box(portrait).tolist()
    room = {"left": left, "top": top, "right": width - 1 - right, "bottom": height - 1 - bottom}
    beyond = [side for side, pixels in room.items() if pixels < 0]
    if beyond:
        text = (
            f"The face is cut at the {_listed(beyond)}; the cut will be seen where the head moves from there."
        )
        return Remark("edges", False, text)
    unit = max(right - left, bottom - top)
    close = [side for side, share in (("top", 0.15), ("bottom", 0.05)) if room[side] < share * unit]
    if close:
        cut = {"top": "hair", "bottom": "the neck"}
        text = f"The picture ends close to the face at the {_listed(close)}, so that"
        return Remark(
            "edges", False, f"{text} {_listed([cut[side] for side in close])} will be stretched there."
        )
    return Remark("edges", True, "The whole face lies within the picture.")


def _mesh_box(portrait: Portrait) -> torch.Tensor:
    """[2,2] first and last corner of the mesh in pixels of the frame."""
    points = portrait.mesh[:N_FACE, :2]
    return torch.stack([points.amin(0), points.amax(0)])


def _at_drawn_size(portrait: Portrait) -> tuple[np.ndarray, np.ndarray]:
    """The crop as it is drawn, or the picture's own pixels where those are fewer, with the mesh in its "
    "pixels."""
    left, top, right, bottom = portrait.box
    if portrait.size < right - left:
        return _bytes(portrait.crop), portrait.mesh_in_crop.numpy()
    own = portrait.mesh.numpy() - np.array([left, top, 0], np.float32)
    return _bytes(portrait.frame[top:bottom, left:right]), own


def _bytes(picture: torch.Tensor) -> np.ndarray:
    return (picture.numpy() * 255).round().clip(0, 255).astype(np.uint8)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
