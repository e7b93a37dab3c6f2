"""Exact supervision that the stylised world allows: true flow, visibility and planes of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.layered import motion_layers as planes
from gohd_core.animator.layered.motion_layers import Planes
from gohd_core.animator.pyramid import Decoded
from gohd_core.kernels.resize import sized
from gohd_core.training.framework.config import is_on
from gohd_core.training.framework.task import Batch, Terms
from gohd_core.training.losses import animator as loss

if TYPE_CHECKING:
    from gohd_core.training.animator.config import AnimatorLosses


def is_exact(weights: AnimatorLosses) -> bool:
    """Whether any term needs exact correspondences."""
    names = ("flow", "visibility", "planes", "warp", "hidden")
    return any(is_on(getattr(weights, name)) for name in names)


def add_exact_terms(
    terms: Terms, weights: AnimatorLosses, batch: Batch, target: Tensor, decoded: Decoded
) -> None:
    """Adds what flows, masks and syntheses owe to the truth; `batch` as `AnimatorDraw` makes it."""
    visible = batch["visible"]
    terms.add("flow", weights.flow, lambda: _flow(decoded, batch))
    if decoded.planes is not None:
        terms.add("planes", weights.planes, lambda: _planes(decoded.planes, batch))
    # Hidden or not: an opening mouth is hidden, and must be known to be.
    even = batch["region"]
    terms.add(
        "visibility",
        weights.visibility,
        lambda: (
            sum(loss.visibility_error(mask, visible, even) for mask in decoded.masks) / len(decoded.masks)
        ),
    )
    terms.watch("flow_error_pixels", _mean_error(decoded.flows[-1], batch["flow"], visible))
    if decoded.coarse is not None:
        terms.add("coarse", weights.coarse, lambda: _coarse(decoded.coarse, target, even))
    if decoded.warped is None:
        return
    shown, hidden = _enlarged(visible, target), _enlarged(1 - visible, target)
    large = _enlarged(batch["flow_weight"], target)
    terms.add("warp", weights.warp, lambda: loss.visible_difference(target, decoded.warped, shown, large))
    if decoded.rows is not None and "teeth_seen" in batch:
        terms.add("teeth", weights.teeth, lambda: _teeth(decoded, batch))
    # Near what is hidden the mask is soft, so the synthesis is taught a little beyond.
    spread = F.max_pool2d(hidden, 9, 1, 4)
    area = _enlarged(even, target)
    terms.add(
        "hidden", weights.hidden, lambda: loss.visible_difference(target, decoded.synthesis, spread, area)
    )


def own_planes(shown: Tensor) -> Tensor:
    """What the decoder gets at run time as the source's own planes, from the true ones [B,3,S,S].

    Averaged over 3x3 pixels first: the parsing has hard edges, the decoder's shares and pictures soft ones.
    """
    return planes.owned(F.avg_pool2d(shown, 3, 1, 1, count_include_pad=False))


def _flow(decoded: Decoded, batch: Batch) -> Tensor:
    """Mean error of every size's flow; where planes are told apart, of each plane's where it is seen."""
    truth, weight = batch["flow"], batch["flow_weight"]
    if decoded.planes is None:
        return sum(loss.flow_error(flow, truth, weight) for flow in decoded.flows) / len(decoded.flows)
    shown = F.avg_pool2d(batch["planes"], batch["planes"].shape[-1] // truth.shape[-1])
    face, inner = (weight * shown[:, k, None] for k in (planes.FACE, planes.INNER))
    single = decoded.flows[: len(decoded.flows) - len(decoded.planes)]
    errors = [loss.flow_error(flow, truth, face) for flow in single]
    for found in decoded.planes:
        errors.append(loss.flow_error(found.face, truth, face) + loss.flow_error(found.inner, truth, inner))
    return sum(errors) / len(errors)


def _planes(found: Sequence[Planes], batch: Batch) -> Tensor:
    """Mean error of the planes' shares over the sizes, what is small and matters counting more."""
    weight = _enlarged(batch["region"], batch["planes"])
    errors = [loss.planes_error(each.logits, batch["planes"], weight) for each in found]
    return sum(errors) / len(errors)


def _coarse(coarse: Tensor, target: Tensor, region: Tensor) -> Tensor:
    """The synthesis at the flow's size against the target, over all pixels."""
    small = F.avg_pool2d(target, target.shape[-1] // coarse.shape[-1])
    pooled = F.avg_pool2d(region, region.shape[-1] // small.shape[-1])
    return loss.visible_difference(small, coarse, pooled.new_ones(pooled.shape), pooled)


def _teeth(decoded: Decoded, batch: Batch) -> Tensor:
    """Error of where the rows lie, over what is seen of them, and of what they cover inside the mouth."""
    places, seen = batch["teeth_places"], batch["teeth_seen"]
    found = sized(decoded.rows.places.flatten(1, 2), places.shape[-1]).unflatten(1, (-1, 2))
    misplaced = ((found - places).abs() * seen[:, :, None]).sum() / seen.sum().clamp_min(1)
    # The upper row hides the lower one.
    lower, upper = sized(decoded.teeth, seen.shape[-1]).split(1, dim=1)
    shown = torch.cat([lower * (1 - upper), upper], dim=1)
    inside = sized(batch["planes"], seen.shape[-1])[:, planes.INNER, None]
    return misplaced + ((shown - seen).abs() * inside).sum() / inside.sum().clamp_min(1)


def _enlarged(mask: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(mask, size=like.shape[-2:], mode="nearest")


def _mean_error(flow: Tensor, truth: Tensor, visible: Tensor) -> Tensor:
    """End-point error over visible pixels, in 128ths of the width."""
    truth, visible, flow = loss.matched(truth, visible, flow)
    gap = ((flow - truth) * 64).norm(dim=1, keepdim=True)
    return (gap * visible).sum() / visible.sum().clamp_min(1)
