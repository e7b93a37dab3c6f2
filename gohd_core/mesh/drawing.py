"""Frames of a portrait from descriptors: the picture warped once, then mouth and eyes in their windows."""

from __future__ import annotations

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.mesh.contour_warp import ContourFlow, contour_flows
from gohd_core.mesh.contours import opposite
from gohd_core.mesh.frame import EDGE, LEFT_EYE, LIPS, RIGHT_EYE, EyeFrame, MouthFrame, Window
from gohd_core.mesh.gaze import into_head
from gohd_core.mesh.sampling import sample
from gohd_core.mesh.source import MeshSource

_LID_FOLLOWS, _LID_RANGE = 0.9, (-0.14, 0.5)
"""How far a lid goes with an eye that looks down, blinks a radian, and its limits."""
_PARTED, _SEAM = 0.022, 0.55
"""Gap by which lips must have parted, model units, before their skin is taken from beyond their dark line,
and how far beyond: a share of the way to the next contour."""
_JAW_COLUMN, _BLINK_COLUMNS = 0, {LEFT_EYE: 10, RIGHT_EYE: 11}


def draw(source: MeshSource, descriptors: Tensor) -> Tensor:
    """Frames [B,3,S,S] in [-1, 1] from descriptors [B,72] in the network's order."""
    size, own = source.size, source.own
    gaze = into_head(descriptors[:, 64:70], descriptors[:, 70:])
    gaze = gaze - into_head(own[:, 64:70], own[:, 70:])  # what the eyes turn by in the head
    descriptors = _with_lids(descriptors, gaze[:, 1])
    head = source.warp.flow(descriptors)
    at = _enlarged(head.skin, size)  # [B,S,S,2]
    at += _pixels(size, at.device)
    base = source.shape.contours_in(own, size).expand(len(at), -1, -1, -1, -1).clone()
    target = source.shape.contours_in(descriptors, size) + _sampled(
        head.held_back, base.flatten(1, 3), size
    ).view_as(base)
    base[:, LIPS] = _parted(target[:, LIPS], base[:, LIPS], source.face.unit)
    flows = contour_flows(target, base, size)
    for flow in flows:
        _lay(at, flow)
    drawn = sample(source.texture, at)
    if source.wall is None:
        frames = drawn[:, :3].contiguous()
    else:
        frames = torch.empty_like(drawn[:, :3], memory_format=torch.contiguous_format)
        torch.addcmul(drawn[:, :3], 1 - drawn[:, 3:], source.wall, out=frames)
    for part, flow in enumerate(flows):
        _draw_part(source, frames, at, head.rigid, part, flow, target[:, part], descriptors, gaze)
    return frames.clamp_(-1, 1)


def _draw_part(
    source: MeshSource,
    frames: Tensor,
    at: Tensor,
    rigid: Tensor,
    part: int,
    flow: ContourFlow,
    contours: Tensor,
    descriptors: Tensor,
    gaze: Tensor,
) -> None:
    """Draws what lies between lips or lids into the frames, in place."""
    window = flow.window
    common = (
        window,
        _cut_all(frames.permute(0, 2, 3, 1), window).permute(0, 3, 1, 2),
        flow.opening,
        _cut_all(at, window),
        window.pixels() + _sampled(rigid, window.pixels(), window.size),
        contours,
        descriptors,
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
    follow = (-_LID_FOLLOWS * up).clamp(*_LID_RANGE)
    descriptors = descriptors.clone()
    for column in _BLINK_COLUMNS.values():
        descriptors[:, column] += follow * (1 - descriptors[:, column].clamp(0, 1))
    return descriptors


def _parted(target: Tensor, own: Tensor, unit: float) -> Tensor:
    """Own lip contours [B,7,48,2] for frames whose contours are `target`: where the gap is another than in
    the picture, skin is taken from beyond the lips' dark line or the teeth's rim."""
    gaps = [(edge - opposite(edge, 1)).norm(dim=-1) for edge in (target[:, EDGE], own[:, EDGE])]
    share = ((gaps[0] - gaps[1]).abs() / (_PARTED * unit)).clamp(0, 1)[..., None, :, None] * _SEAM
    edges = own[:, : EDGE + 1]
    return torch.cat([torch.lerp(edges, own[:, EDGE + 1 : EDGE + 2], share), own[:, EDGE + 1 :]], 1)


def _lay(at: Tensor, flow: ContourFlow) -> None:
    """Puts a part's flow into the frames' sampling places [B,S,S,2], in place."""
    there = flow.window.pixels() + flow.shift.permute(0, 2, 3, 1)
    for k, each in enumerate(at):
        part = _cut(each, flow.window, k)
        part.copy_(torch.lerp(part, there[k], flow.weight[k, 0, :, :, None]))


def _cut(picture: Tensor, window: Window, k: int) -> Tensor:
    """A view of a picture [S,S,...] in frame k's window."""
    x, y = int(window.x[k]), int(window.y[k])
    return picture[y : y + window.height, x : x + window.width]


def _cut_all(pictures: Tensor, window: Window) -> Tensor:
    """Pictures [B,S,S,C] in their windows, [B,h,w,C]."""
    return torch.stack([_cut(picture, window, k) for k, picture in enumerate(pictures)])


def _sampled(flow: Tensor, at: Tensor, size: int) -> Tensor:
    """A flow [B,2,n,n] at pixels [B,...,2] of frames of `size`, [B,...,2]."""
    grid = (2 * at.flatten(1, -2)[:, None] + 1) / size - 1
    found = F.grid_sample(flow, grid, "bilinear", "border", align_corners=False)
    return found[:, :, 0].mT.view_as(at)


def _enlarged(flow: Tensor, size: int) -> Tensor:
    """A flow [B,2,n,n] at full size, [B,S,S,2]."""
    if flow.device.type != "cpu":
        flow = F.interpolate(flow, size=(size, size), mode="bilinear", align_corners=False)
        return flow.permute(0, 2, 3, 1).contiguous()
    flow = flow.permute(0, 2, 3, 1).contiguous()
    return torch.stack([torch.from_numpy(cv2.resize(each.numpy(), (size, size))) for each in flow])


def _pixels(size: int, device: torch.device) -> Tensor:
    """[S,S,2] column and row of each pixel."""
    line = torch.arange(size, device=device, dtype=torch.float32)
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
