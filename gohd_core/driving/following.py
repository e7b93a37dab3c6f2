"""A driving video's motion in a square that follows its head, for pasting into that video."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import torch

from gohd_core.driving.crop_readers import pose_in
from gohd_core.driving.result import Driving
from gohd_core.driving.steadiness import jitter
from gohd_core.errors import BadInput
from gohd_core.face.crop import Box, face_crop_box
from gohd_core.face.detection.head_track import HeadTrack, along, fill_gaps, head_places, still_track
from gohd_core.face.mediapipe.reader import FaceReader
from gohd_core.face.portrait import SIZE as SIZE_OF_CROP
from gohd_core.face.portrait import Portrait, prepare_portrait
from gohd_core.face.reading.extractor import CoefficientExtractor
from gohd_core.face.reading.gaze_estimator import GazeEstimator
from gohd_core.motion.editing import smoothed
from gohd_core.portraits import prepare_portrait as read_portrait
from gohd_core.video.reader import VideoReader

CENTRE = ("savitzky-golay", 0.4)
"""Filter over the square's place and its seconds; movement that it removes stays in the pose."""
SIZE = ("gaussian", 0.3)
"""The same for its size: heads come nearer slowly, and landmarks give size less exactly than place."""


def with_head_track(driving: Driving, *, follow: bool = True) -> Driving:
    """The same driving with `track`, the square of each frame that the poses refer to.

    follow: the square goes with the head and poses hold the rest; else it stays where it is in the
        first frame. The official extractor's poses have no place in the film, so its squares always follow.
    """
    motion = driving.motion
    track = _first_square(driving)
    if (not follow and driving.square is not None) or not bool(track.valid.any()):
        return replace(driving, track=replace(track, poses=motion.pose))
    places = fill_gaps(head_places(driving.landmarks, motion.pose.values[:, :3]), track.valid)
    first = int(torch.nonzero(track.valid)[0])
    if places[first, 2] <= 0:
        return replace(driving, track=replace(track, poses=motion.pose))
    moving, cuts = along(places, track), driving.report.cuts
    steady = replace(
        moving,
        values=torch.cat(
            [
                smoothed(moving, CENTRE[1], CENTRE[0], cuts).values[:, :2],
                smoothed(moving, SIZE[1], SIZE[0], cuts).values[:, 2:],
            ],
            1,
        ),
    )
    report = replace(
        driving.report,
        crop_tremble=jitter(moving.values[:, :2], cuts),
        steadied_crop_tremble=jitter(steady.values[:, :2], cuts),
    )
    if driving.square is None:
        return replace(driving, track=replace(steady, poses=motion.pose), report=report)
    poses, reference = motion.pose.values.clone(), Box(*driving.square)
    placed = motion.pose.valid if driving.report.missing == "mark" else torch.ones_like(motion.pose.valid)
    for k in torch.nonzero(placed)[:, 0].tolist():
        poses[k] = pose_in(poses[k], reference, box_of(steady, k))
    pose = replace(motion.pose, values=poses)
    steady = replace(steady, poses=pose)
    return replace(driving, motion=replace(motion, pose=pose), track=steady, report=report)


def own_portrait(
    film: VideoReader,
    driving: Driving,
    *,
    size: int = SIZE_OF_CROP,
    extractor: CoefficientExtractor,
    gaze_estimator: GazeEstimator | None = None,
    reader: FaceReader | None = None,
) -> Portrait:
    """The first face of a driving video as a portrait, cropped by the square of a followed `driving`.

    The film is played to that frame once more. A face that was read by its mesh is read so again by `reader`.
    Raises `BadInput` where no face was seen.
    """
    seen = torch.nonzero(driving.motion.pose.valid)[:, 0]
    if not len(seen):
        raise BadInput("No face was seen in the video, so that none can be taken from it; give a portrait.")
    frame = int(seen[0])
    image = next(islice(film.at(driving.motion.fps, frame + 1), frame, None))
    if reader is not None and driving.lips is not None:
        box = Box.around(driving.landmarks[frame].numpy())
        return read_portrait(image, reader=reader, box=box.as_tuple())
    height, width = image.shape[:2]
    square = box_of(driving.track, frame)
    left, top = max(round(square.left), 0), max(round(square.top), 0)
    side = min(round(square.width), width - left, height - top)
    points = driving.landmarks[frame].numpy() - (left, top) if extractor.config.aligned else None
    crop = prepare_portrait(
        image[top : top + side, left : left + side],
        whole=True,
        landmarks=points,
        size=size,
        extractor=extractor,
        gaze_estimator=gaze_estimator,
    )
    landmarks = (
        None
        if crop.landmarks is None
        else crop.landmarks + torch.tensor([left, top], dtype=torch.long, device="cpu")
    )
    whole = torch.from_numpy(np.array(image)).float() / 255
    return replace(crop, frame=whole, box=(left, top, left + side, top + side), landmarks=landmarks)


def box_of(track: HeadTrack, frame: int) -> Box:
    """The square of a frame as a box."""
    x, y, side = track.values[frame].tolist()
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def _first_square(driving: Driving) -> HeadTrack:
    """Still: where the poses count from, else the first face's own crop, else the middle of the picture."""
    height, width = driving.picture
    seen = torch.nonzero(driving.motion.pose.valid)[:, 0]
    box = Box(0, 0, width, height) if driving.square is None else Box(*driving.square)
    if driving.square is None and len(seen):
        try:
            box = face_crop_box(Box.around(driving.landmarks[seen[0]].numpy()), height, width)
        except BadInput:
            # At the picture's edge there is no room for the square, but a face all the same.
            box = Box.around(driving.landmarks[seen[0]].numpy())
    square = ((box.left + box.right) / 2, (box.top + box.bottom) / 2, min(box.width, box.height))
    return still_track(driving.motion.pose, square, driving.picture)
