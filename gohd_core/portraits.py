"""Any picture becomes a portrait: read by its face mesh, or as a drawn head by the built-in readers."""

from __future__ import annotations

from typing import Any

from gohd_core.constants import STYLISED
from gohd_core.errors import BadInput
from gohd_core.face import CoefficientExtractor, GazeEstimator
from gohd_core.face import portrait as crops
from gohd_core.face.crop import Box, is_square
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.picking import FaceChoice
from gohd_core.face.portrait import Detector, Portrait
from gohd_core.images import Image, rgb_images, single_image
from gohd_core.mesh.picture.examine import picture_faults
from gohd_core.mesh.portrait import mesh_portrait

AUTO = "auto"
"""Face networks are used where their files are."""
PHOTOGRAPH = 0.028
"""Reprojection error in half pictures above which a picture is taken for a photograph. See MODEL_CARD.md."""
DRAWN_HEAD = 0.018
"""The same up to which it is a drawn head of the kind that ships: 23 of the 24 shipped ones lie below, and
none of 49 photographs, paintings and cartoons tried (.0183 the least)."""
SENTENCE = (
    "This portrait looks like a photograph, but the networks that read faces are not there, and without them "
    "the built-in weights know drawn heads only: the result will be poor. Run `gohd download faces`."
)


def prepare_portrait(
    image: Any,
    *,
    reader: FaceReader | str | None = AUTO,
    landmarks: Any = None,
    box: Any = None,
    whole: bool = False,
    detector: Detector | None = None,
    face: int | FaceChoice = 0,
    index: int | None = None,
    size: int | None = None,
    extractor: CoefficientExtractor | None = None,
    gaze_estimator: GazeEstimator | None = None,
    release: bool = False,
) -> Portrait:
    """Finds the face of a picture and reads its pose, expression and gaze.

    With a `reader`, any face is read by its mesh, in the stylised space: photographs, paintings, drawings, of
    any size and shape. Heads of the kind that ships are read by `extractor` and `gaze_estimator` all the
    same, which know them exactly; and so is everything without a reader, or with official readers, whose
    landmarks then come from the mesh.

    Args:
        image: [H, W], [H, W, 1 | 3 | 4] or a batch of them, uint8 or floats in 0..1; or a PIL image.
        reader: finds faces and reads their meshes; "auto" loads it where its files lie
            (`FaceReader.find`), None goes without.
        box: (left, top, right, bottom) in pixels: where the face is.
        face: which of several faces: a number, the largest first, or a `FaceChoice`.
        size: side of the crop in pixels; None takes the face's own, or 256 for drawn heads.
        landmarks, whole, detector, index, extractor, gaze_estimator, release: see
            `gohd_core.face.prepare_portrait`.
    Raises: `BadInput` with one sentence.
    """
    given = {"index": index, "extractor": extractor, "gaze_estimator": gaze_estimator, "release": release}
    given |= {"landmarks": landmarks, "box": box, "whole": whole, "face": face}
    given["size"] = crops.SIZE if size is None else size
    official = extractor is not None and extractor.space != STYLISED
    if isinstance(reader, str):
        reader = FaceReader.find()
    if reader is None or official or landmarks is not None:
        return crops.prepare_portrait(image, detector=detector or reader, **given)
    picture = single_image(image, index)
    drawn = _drawn_head(picture, given) if extractor is not None and box is None else None
    if drawn is not None:
        return drawn
    faces = reader.read(rgb_images(picture)[0])
    if not faces:
        raise BadInput(crops.NO_FACE)
    return mesh_portrait(picture, _choose(faces, box, face, picture), reader, size=size)


def portrait_warning(portrait: Portrait, space: str) -> str | None:
    """Warning of a poor result when weights of a coefficient space draw a portrait; else None."""
    return photograph_warning(portrait, space) or picture_faults(portrait)


def photograph_warning(portrait: Portrait, space: str) -> str | None:
    """A sentence where a photograph was read without its face mesh, by the built-in weights; else None."""
    error = portrait.reprojection_error
    by_network = space == STYLISED and portrait.mesh is None
    suspect = by_network and error is not None and error > PHOTOGRAPH
    return SENTENCE if suspect else None


def prepare_portraits(
    image: Any, *, least: int = 2, reader: FaceReader | str | None = AUTO, size: int | None = None
) -> list[Portrait]:
    """All faces of a picture that can be drawn, from left to right, each read by its mesh.

    Args:
        image, reader, size: as of `prepare_portrait`; a reader is needed.
        least: how many are needed.
    Raises: `BadInput` for fewer faces, with the reasons why others can't be drawn.
    """
    if isinstance(reader, str):
        reader = FaceReader.find()
    if reader is None:
        raise BadInput("Several faces of a picture need the networks that read faces: gohd download faces.")
    picture = single_image(image, None)
    found = reader.read(rgb_images(picture)[0])
    faces = sorted(found, key=lambda face: face.points[:, 0].mean())
    portraits, problems = [], []
    for face in faces:
        try:
            portraits.append(mesh_portrait(picture, face, reader, size=size))
        except BadInput as problem:
            problems.append(str(problem))
    if len(portraits) < least:
        said = (
            f"{least} faces are needed and {len(portraits)} of {len(faces)} in the picture can be drawn; "
            "show all of them, with both eyes and the mouth in view, or give fewer voices."
        )
        raise BadInput(" ".join([said, *problems]))
    return portraits


def is_drawn_head(picture: Any, extractor: CoefficientExtractor) -> bool:
    """Whether a picture is a square drawn head of the kind that ships."""
    return (
        _drawn_head(single_image(picture, None), {"extractor": extractor, "gaze_estimator": None}) is not None
    )


def _drawn_head(picture: Image, given: dict[str, Any]) -> Portrait | None:
    """The portrait of a square picture that the stylised face model fits; else None."""
    if not is_square(*picture.shape[:2]):
        return None
    portrait = crops.prepare_portrait(picture, **given | {"index": None})
    error = portrait.reprojection_error
    return portrait if error is not None and error <= DRAWN_HEAD else None


def _choose(faces: list[FaceLandmarks], box: Any, face: int | FaceChoice, picture: Image) -> FaceLandmarks:
    choice = face if isinstance(face, FaceChoice) else FaceChoice(index=face)
    if box is not None:
        choice = FaceChoice(box=Box.of(box))
    return faces[choice.chosen([each.box for each in faces], *picture.shape[:2])]
