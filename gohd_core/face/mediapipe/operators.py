"""The operators of MediaPipe's graphs in torch, one function each, for batches.

Pictures are [B, C, H, W] here, where the files say [B, H, W, C]; other tensors keep the file's order.
Source: TensorFlow Lite's reference kernels, and mediapipe/util/tflite/operations for the custom ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Sides = tuple[int, int, int, int]
"""Padding at the left, right, top and bottom."""


def activate(x: Tensor, activation: str | None) -> Tensor:
    """A fused activation, in place, on a fresh tensor."""
    if activation == "relu":
        return F.relu_(x)
    return F.relu6(x, inplace=True) if activation == "relu6" else x


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    sides: Sides,
    groups: int,
    activation: str | None,
) -> Tensor:
    """CONV_2D and DEPTHWISE_CONV_2D; weight [O, I / groups, H, W]."""
    left, right, top, bottom = sides
    if left != right or top != bottom:
        x, left, top = F.pad(x, sides), 0, 0
    return activate(F.conv2d(x, weight, bias, stride, (top, left), dilation, groups), activation)


def convolve_transposed(x: Tensor, weight: Tensor, bias: Tensor, *, stride: tuple[int, int]) -> Tensor:
    """Convolution2DTransposeBias without padding; weight [I, O, H, W]."""
    return F.conv_transpose2d(x, weight, bias, stride)


def add(x: Tensor, y: Tensor, *, activation: str | None) -> Tensor:
    """ADD."""
    return activate(x + y, activation)


def multiply(x: Tensor, y: Tensor, *, activation: str | None) -> Tensor:
    """MUL."""
    return activate(x * y, activation)


def max_pool(
    x: Tensor, *, size: tuple[int, int], stride: tuple[int, int], sides: Sides, activation: str | None
) -> Tensor:
    """MAX_POOL_2D."""
    if any(sides):
        x = F.pad(x, sides, value=float("-inf"))
    return activate(F.max_pool2d(x, size, stride), activation)


def average_pool(
    x: Tensor, *, size: tuple[int, int], stride: tuple[int, int], activation: str | None
) -> Tensor:
    """AVERAGE_POOL_2D without padding."""
    if size == tuple(x.shape[-2:]):
        return activate(x.mean((2, 3), keepdim=True), activation)
    return activate(F.avg_pool2d(x, size, stride), activation)


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """PRELU with one slope a channel, [C]."""
    return F.prelu(x, slope)


def pad(x: Tensor, *, sides: tuple[int, ...]) -> Tensor:
    """PAD with zeros; sides as `F.pad` takes them."""
    return F.pad(x, sides)


def reshape(x: Tensor, *, shape: tuple[int, ...]) -> Tensor:
    """RESHAPE of each picture of the batch; `shape` is the file's, its first dimension the batch."""
    if x.ndim == 4:
        x = x.permute(0, 2, 3, 1)  # TFLite keeps channels last: [B,H,W,C]
    x = x.reshape(x.shape[0], *shape[1:])
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def concatenate(*parts: Tensor, axis: int, activation: str | None) -> Tensor:
    """CONCATENATION along a torch axis."""
    return activate(torch.cat(parts, axis), activation)


def resize(x: Tensor, *, size: tuple[int, int], align_corners: bool) -> Tensor:
    """RESIZE_BILINEAR with half-pixel centres, or corners aligned."""
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def depth_to_space(x: Tensor, *, block: int) -> Tensor:
    """DEPTH_TO_SPACE: channels come as (row in the block, column in the block, channel)."""
    batch, channels, height, width = x.shape
    inner = channels // block**2
    x = x.view(batch, block, block, inner, height, width).permute(0, 3, 4, 1, 5, 2)  # [B,C,h,block,w,block]
    return x.reshape(batch, inner, height * block, width * block)


def strided_slice(x: Tensor, *, slices: tuple[slice, ...]) -> Tensor:
    """STRIDED_SLICE with positive steps; slices in torch's order of dimensions."""
    return x[slices]


def landmarks_to_matrix(
    points: Tensor,
    *,
    subset: Sequence[int],
    left: int,
    right: int,
    angle: float,
    scale: tuple[float, float],
    size: tuple[int, int],
) -> Tensor:
    """Landmarks2TransformMatrix: the map from a window to the region around some landmarks.

    Args:
        points: [B, N, 3].
        subset: the landmarks that lie in the region.
        left, right: those that are to lie level in the window.
        angle: of the line between them there, radians.
        scale: region's (width, height) to that of the landmarks' box.
        size: (width, height) of the window.
    Returns: [B, 4, 4].
    """
    across = points[:, right, :2] - points[:, left, :2]
    turn = torch.atan2(across[:, 1], across[:, 0]) - angle
    cos, sin = turn.cos(), turn.sin()
    rotation = torch.stack([cos, -sin, sin, cos], -1).view(-1, 2, 2)  # [N,4] -> [N,2,2]
    level = points[:, subset, :2] @ rotation  # rows times R are R^T times columns: turned back
    low, high = level.amin(1), level.amax(1)
    centre = (rotation @ ((low + high) / 2)[..., None])[..., 0]
    window = points.new_tensor(size)
    linear = rotation * (points.new_tensor(scale) * (high - low) / window)[:, None]
    matrix = torch.eye(4, device=points.device, dtype=points.dtype).repeat(len(points), 1, 1)
    matrix[:, :2, :2] = linear
    matrix[:, :2, 3] = centre - (linear @ (window / 2)[:, None])[..., 0]
    return matrix


def sample_window(x: Tensor, matrix: Tensor, *, size: tuple[int, int]) -> Tensor:
    """TransformTensorBilinear, version 2: a window of feature maps, zero where it leaves them.

    Pixel centres of the window (halves) are mapped by the matrix [B, 4, 4]; size is (width, height).
    """
    width, height = size
    rows = torch.arange(height, device=x.device, dtype=x.dtype) + 0.5
    columns = torch.arange(width, device=x.device, dtype=x.dtype) + 0.5
    y, x_ = torch.meshgrid(rows, columns, indexing="ij")
    grid = torch.stack([x_, y], -1).view(1, -1, 2) @ matrix[:, :2, :2].transpose(1, 2)  # [N,h w,2]
    grid = (grid + matrix[:, None, :2, 3] - 0.5).view(-1, height, width, 2)  # [N,h,w,2]
    last = x.new_tensor([x.shape[-1] - 1, x.shape[-2] - 1])
    sampled = F.grid_sample(x, grid / last * 2 - 1, "bilinear", "zeros", align_corners=True)
    # Unlike torch, which fades out over the last pixel, the kernel gives zero just outside.
    return sampled * ((grid >= 0) & (grid <= last)).all(-1)[:, None]


def transform_landmarks(points: Tensor, matrix: Tensor) -> Tensor:
    """TransformLandmarks, version 2: x and y of [B, N, 2 or 3] by [B, 4, 4]; z stays."""
    moved = points[..., :2] @ matrix[:, :2, :2].transpose(1, 2) + matrix[:, None, :2, 3]
    return torch.cat([moved, points[..., 2:]], -1)
