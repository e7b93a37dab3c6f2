"""Frames of a portrait from descriptors: the picture warped once, then mouth and eyes in their windows."""

from __future__ import annotations

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.face.camera import rotation
from gohd_core.kernels.policy import draws_in_passes
from gohd_core.mesh.contour_warp import ContourFlow, contour_flows
from gohd_core.mesh.contours import opposite
from gohd_core.mesh.frame import EDGE, LEFT_EYE, LIPS, RIGHT_EYE, EyeFrame, MouthFrame, OwnFace, Window
from gohd_core.mesh.gaze import into_head
from gohd_core.mesh.lids import lids_follow_gaze, lower_lids_follow
from gohd_core.mesh.sampling import flow_at, sample
from gohd_core.mesh.source import MeshSource

_PARTED = 0.022
"""Gap, model units, from which on the edges of parted lips are taken from beyond their dark line."""
_SEAM, _RIM = 0.55, 0.85
"""How far beyond it, as a share of the way to the next contour: of lips that are shut in the picture, and of
parted ones."""
_SHUT = 0.008
"""Own gap up to which lips count as shut, model units."""
_STILL = 0.012
"""Shift of a person's outline at which the fringe around it has faded, picture sides."""
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
    base[:, LIPS] = _parted(target[:, LIPS], base[:, LIPS], source.face)
    flows = contour_flows(target, base, size)
    frames = descriptors.new_empty(len(descriptors), 3, size, size) if into is None else into
    # On a CPU one by one: maps of that size leave its caches.
    step = 1 if draws_in_passes(frames.device) else len(frames)
    for start in range(0, len(frames), step):
        some = range(start, min(start + step, len(frames)))
        _warp(source, head.skin, flows, some, frames)
    motion = descriptors, rotation(descriptors[:, 64:67]), gaze
    for part, flow in enumerate(flows):
        _draw_part(source, frames, head.rigid, part, flow, target[:, part], motion)
    return frames.clamp_(-1, 1)


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
            [_cut(frame.permute(1, 2, 0), window, k).permute(2, 0, 1) for k, frame in enumerate(frames)]
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
        _cut(frame, window, k).copy_(finished[k].permute(1, 2, 0))


def _with_lids(descriptors: Tensor, up: Tensor) -> Tensor:
    """Descriptors whose lids follow eyes that look up by so much more than the portrait's own [B]."""
    descriptors, columns = descriptors.clone(), list(_BLINK_COLUMNS.values())
    descriptors[:, columns] = lids_follow_gaze(descriptors[:, columns], up)
    return descriptors


def _parted(target: Tensor, own: Tensor, face: OwnFace) -> Tensor:
    """Own lip contours [B,7,48,2] for frames whose contours are `target`: where the gap is another than in
    the picture, skin is taken from beyond the lips' dark line or the teeth's rim."""
    gaps = [(edge - opposite(edge, 1)).norm(dim=-1) for edge in (target[:, EDGE], own[:, EDGE])]
    share = ((gaps[0] - gaps[1]).abs() / (_PARTED * face.unit)).clamp(0, 1)[..., None, :, None]
    share = share * (_RIM if face.gap > _SHUT else _SEAM)
    edges = own[:, : EDGE + 1]
    return torch.cat([torch.lerp(edges, own[:, EDGE + 1 : EDGE + 2], share), own[:, EDGE + 1 :]], 1)


def _warp(source: MeshSource, skin: Tensor, flows: list[ContourFlow], some: range, frames: Tensor) -> None:
    """Draws some of the frames [B,3,S,S] of heads whose flow is `skin` [B,2,n,n], without what lies between
    lips and lids."""
    here, flow = slice(some.start, some.stop), skin[some.start : some.stop]
    shift = _enlarged(flow, source.size)  # [b,S,S,2]
    for part in flows:
        for each, k in zip(shift, some, strict=True):
            near = _cut(each, part.window, k)
            near.lerp_(part.shift[k].permute(1, 2, 0), part.weight[k, 0, :, :, None])
    at = torch.add(source.texels, shift, alpha=2)
    drawn = sample(source.texture, at, reflected=source.wall is None)
    if source.wall is None:
        frames[here] = drawn[:, :3]
        return
    torch.addcmul(drawn[:, :3], 1 - drawn[:, 3:], source.wall, out=frames[here])
    moved = flow.square().sum(1, keepdim=True).sqrt_() / (_STILL * source.size)
    frames[here].addcmul_(source.fringe, _enlarged((1 - moved).clamp(0, 1), source.size).permute(0, 3, 1, 2))


def _cut(picture: Tensor, window: Window, k: int) -> Tensor:
    """A view of a picture [S,S,...] in frame k's window."""
    x, y = int(window.x[k]), int(window.y[k])
    return picture[y : y + window.height, x : x + window.width]


def _stacked(pictures: list[Tensor]) -> Tensor:
    """`torch.stack`, which of one picture makes a view."""
    return pictures[0][None] if len(pictures) == 1 else torch.stack(pictures)


def _enlarged(flow: Tensor, size: int) -> Tensor:
    """Maps [B,C,n,n] at full size, [B,S,S,C]."""
    if flow.device.type != "cpu":
        flow = F.interpolate(flow, size=(size, size), mode="bilinear", align_corners=False)
        return flow.permute(0, 2, 3, 1).contiguous()
    flow = flow.permute(0, 2, 3, 1).contiguous()
    sized = [torch.from_numpy(cv2.resize(each.numpy(), (size, size))) for each in flow]
    return _stacked(sized).view(len(flow), size, size, -1)
