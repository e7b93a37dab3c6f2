"""Frames of a portrait from descriptors: the picture warped once, then mouth and eyes in their windows."""

from __future__ import annotations

import torch
from torch import Tensor

from gohd_core.face.geometry.camera import rotation
from gohd_core.mesh.contours import opposite
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.eyes.lids import lids_follow_gaze, lower_lids_follow
from gohd_core.mesh.frame import EDGE, LEFT_EYE, LIPS, RIGHT_EYE, EyeFrame, MouthFrame
from gohd_core.mesh.geometry.contour_warp import ContourFlow, contour_flows
from gohd_core.mesh.geometry.warping import cut, warp
from gohd_core.mesh.reading.gaze import into_head
from gohd_core.mesh.sampling import flow_at
from gohd_core.mesh.source import MeshSource

_PARTED = 0.022
"""Gap, model units, from which on the edges of parted lips are taken from beyond their dark line."""
_SEAM, _RIM = 0.55, 0.85
"""How far beyond it, as a share of the way to the next contour: of lips that are shut in the picture, and of
parted ones."""
_SHUT = 0.008
"""Own gap up to which lips count as shut, model units."""
_JAW_COLUMN, _BLINK_COLUMNS = 0, {LEFT_EYE: 10, RIGHT_EYE: 11}


def draw(source: MeshSource, descriptors: Tensor, into: Tensor | None = None) -> Tensor:
    """Frames [B,3,S,S] in [-1, 1] from descriptors [B,72] in the network's order.

    into: [B,3,S,S] that they are written into; new memory if None.
    """
    size = source.size
    gaze = into_head(descriptors[:, 64:70], descriptors[:, 70:])
    gaze = gaze - source.gaze_in_head  # what the eyes turn by in the head
    blink = descriptors[:, list(_BLINK_COLUMNS.values())]
    descriptors = _with_lids(descriptors, gaze[:, 1])
    head = source.warp.flow(descriptors)
    base = source.contours.expand(len(descriptors), -1, -1, -1, -1).clone()
    target = source.shape.contours_in(descriptors, size) + flow_at(
        head.held_back, base.flatten(1, 3), size
    ).view_as(base)
    target[:, LEFT_EYE:] = lower_lids_follow(target[:, LEFT_EYE:], gaze[:, 1], blink)
    base[:, LIPS] = _seam_contours(target[:, LIPS], base[:, LIPS], source.face)
    flows = contour_flows(target, base, size)
    frames = descriptors.new_empty(len(descriptors), 3, size, size) if into is None else into
    warp(source, head.skin, flows, frames)
    if source.far_side is not None:
        source.far_side.draw(frames, head.skin, flows[LIPS], descriptors)
    motion = descriptors, rotation(descriptors[:, 64:67]), gaze
    for part, flow in enumerate(flows):
        _draw_part(source, frames, head.rigid, part, flow, target[:, part], motion)
    return frames


def _draw_part(
    source: MeshSource,
    frames: Tensor,
    rigid: Tensor,
    part: int,
    flow: ContourFlow,
    contours: Tensor,
    motion: tuple[Tensor, Tensor, Tensor],
) -> None:
    """Draws what lies between lips or lids into the frames, in place.

    motion: descriptors [B,72], head rotations [B,3,3], and the change of gaze (yaw, pitch) in the head [B,2].
    """
    window, (descriptors, turn, gaze) = flow.window, motion
    common = (
        window,
        torch.stack(
            [cut(frame.permute(1, 2, 0), window, k).permute(2, 0, 1) for k, frame in enumerate(frames)]
        ),
        flow.opening,
        rigid,
        contours,
        descriptors,
        turn,
    )
    if part == LIPS:
        finished = source.mouth.draw(MouthFrame(*common, descriptors[:, _JAW_COLUMN]))
    else:
        eye = source.face.gaze_in_head[part - LEFT_EYE] + gaze
        blink = descriptors[:, _BLINK_COLUMNS[part]].clamp(0, 1)
        finished = source.eyes.draw(EyeFrame(*common, part, eye, blink))
    for k, frame in enumerate(frames.permute(0, 2, 3, 1)):
        torch.clamp(finished[k].permute(1, 2, 0), -1, 1, out=cut(frame, window, k))


def _with_lids(descriptors: Tensor, up: Tensor) -> Tensor:
    """Descriptors whose lids follow eyes that look up by so much more than the portrait's own [B]."""
    descriptors, columns = descriptors.clone(), list(_BLINK_COLUMNS.values())
    descriptors[:, columns] = lids_follow_gaze(descriptors[:, columns], up)
    return descriptors


def _seam_contours(target: Tensor, own: Tensor, face: OwnFace) -> Tensor:
    """Own lip contours [B,7,48,2] for frames whose contours are `target`: where the gap is another than in
    the picture, skin is taken from beyond the lips' dark line or the teeth's rim."""
    gaps = [(edge - opposite(edge, 1)).norm(dim=-1) for edge in (target[:, EDGE], own[:, EDGE])]
    share = ((gaps[0] - gaps[1]).abs() / (_PARTED * face.unit)).clamp(0, 1)[..., None, :, None]
    share = share * (_RIM if face.gap > _SHUT else _SEAM)
    edges = own[:, : EDGE + 1]
    return torch.cat([torch.lerp(edges, own[:, EDGE + 1 : EDGE + 2], share), own[:, EDGE + 1 :]], 1)
