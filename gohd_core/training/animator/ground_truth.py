"""Exact supervision that the stylised world allows: true flow, visibility and layers of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gohd_core.animator.config import FACE, INNER
from gohd_core.animator.layered.motion_layers import MotionLayers, layer_confidence
from gohd_core.animator.pyramid_decoder import Decoded
from gohd_core.kernels.resize import resize
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
    """Adds losses of flows, masks and syntheses against the truth; `batch` as `AnimatorDraw` makes it."""
    visible = batch["visible"]
    terms.add("flow", weights.flow, lambda: _flow(decoded, batch))
    if decoded.layers is not None:
        terms.add("planes", weights.planes, lambda: _layers(decoded.layers, batch))
    # Hidden or not: an opening mouth is hidden, and must be known to be.
    even = batch["region"]
    terms.add(
        "visibility",
        weights.visibility,
        lambda: (
            sum(loss.visibility_error(mask, visible, even) for mask in decoded.occlusion_logits)
            / len(decoded.occlusion_logits)
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
    if decoded.tooth_rows is not None and "teeth_seen" in batch:
        terms.add("teeth", weights.teeth, lambda: _teeth(decoded, batch))
    # Near occlusions the mask is soft, so that the synthesis is trained a little beyond.
    spread = F.max_pool2d(hidden, 9, 1, 4)
    area = _enlarged(even, target)
    terms.add(
        "hidden", weights.hidden, lambda: loss.visible_difference(target, decoded.synthesis, spread, area)
    )


def true_confidence(shown: Tensor) -> Tensor:
    """The source's layer confidence from its true layers [B,3,S,S], in place of the decoder's own estimate.

    Averaged over 3x3 pixels first: the parsing has hard edges, the decoder's masks and pictures soft ones.
    """
    return layer_confidence(F.avg_pool2d(shown, 3, 1, 1, count_include_pad=False))


def _flow(decoded: Decoded, batch: Batch) -> Tensor:
    """Mean error of every size's flow; where there are layers, of each layer's where it is seen."""
    truth, weight = batch["flow"], batch["flow_weight"]
    if decoded.layers is None:
        return sum(loss.flow_error(flow, truth, weight) for flow in decoded.flows) / len(decoded.flows)
    shown = F.avg_pool2d(batch["planes"], batch["planes"].shape[-1] // truth.shape[-1])
    face, inner = (weight * shown[:, k, None] for k in (FACE, INNER))
    single = decoded.flows[: len(decoded.flows) - len(decoded.layers)]
    errors = [loss.flow_error(flow, truth, face) for flow in single]
    for found in decoded.layers:
        errors.append(loss.flow_error(found.face, truth, face) + loss.flow_error(found.inner, truth, inner))
    return sum(errors) / len(errors)


def _layers(found: Sequence[MotionLayers], batch: Batch) -> Tensor:
    """Mean cross entropy of the layer masks over the sizes, weighted by region."""
    weight = _enlarged(batch["region"], batch["planes"])
    errors = [loss.layer_error(each.logits, batch["planes"], weight) for each in found]
    return sum(errors) / len(errors)


def _coarse(coarse: Tensor, target: Tensor, region: Tensor) -> Tensor:
    """The synthesis at the flow's size against the target, over all pixels."""
    small = F.avg_pool2d(target, target.shape[-1] // coarse.shape[-1])
    pooled = F.avg_pool2d(region, region.shape[-1] // small.shape[-1])
    return loss.visible_difference(small, coarse, pooled.new_ones(pooled.shape), pooled)


def _teeth(decoded: Decoded, batch: Batch) -> Tensor:
    """Error of the rows' places where they are seen, and of their opacity inside the mouth."""
    places, seen = batch["teeth_places"], batch["teeth_seen"]
    # [B,rows,2,h,w] through [B,2 rows,h,w]
    found = resize(decoded.tooth_rows.places.flatten(1, 2), places.shape[-1]).unflatten(1, (-1, 2))
    misplaced = ((found - places).abs() * seen[:, :, None]).sum() / seen.sum().clamp_min(1)
    # The upper row hides the lower one.
    lower, upper = resize(decoded.teeth, seen.shape[-1]).split(1, dim=1)
    shown = torch.cat([lower * (1 - upper), upper], dim=1)
    inside = resize(batch["planes"], seen.shape[-1])[:, INNER, None]
    return misplaced + ((shown - seen).abs() * inside).sum() / inside.sum().clamp_min(1)


def _enlarged(mask: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(mask, size=like.shape[-2:], mode="nearest")


def _mean_error(flow: Tensor, truth: Tensor, visible: Tensor) -> Tensor:
    """End-point error over visible pixels, in 128ths of the width."""
    truth, visible, flow = loss.matched(truth, visible, flow)
    gap = ((flow - truth) * 64).norm(dim=1, keepdim=True)
    return (gap * visible).sum() / visible.sum().clamp_min(1)
