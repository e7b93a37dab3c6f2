"""Noise prediction during one sampling run: classifier-free guidance (eq. 3) over windows, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gohd_core.kernels.winograd import stamp_of
from gohd_core.pose.denoiser import Denoiser, DenoisingNetwork, Scores, noise_of_sample
from gohd_core.pose.windows import Windows

_WINDOWS_AT_ONCE = 8
"""Windows in one batch; bounds the memory of long audio."""

_FRAMES_KEPT = 6000
"""Up to this many frames the projected conditions are kept from step to step (20 kB a frame)."""

_SCORES_KEPT = 4
"""Two lengths of two networks."""


@dataclass(frozen=True)
class Branch:
    """One term of eq. 3: a network, whether it is conditioned on p0, and its weight."""

    denoiser: Denoiser
    informed: bool
    weight: float


def branches(network: DenoisingNetwork, p0_known: bool, gamma: float) -> list[Branch]:
    """The terms of eq. 3 that a network has and that weigh anything.

    A file with one network has one term, whatever gamma. Without a p0 there is nothing to mix: the
    unconditional prediction is taken where the file has one, else p0 counts as zero.
    """
    conditional, unconditional = network.conditional, network.unconditional
    if conditional is None:
        return [Branch(unconditional, False, 1.0)]
    if unconditional is None and conditional.flagged:
        unconditional = conditional
    if not p0_known:
        return [Branch(unconditional or conditional, False, 1.0)]
    if unconditional is None:
        return [Branch(conditional, True, 1.0)]
    terms = [Branch(conditional, True, gamma), Branch(unconditional, False, 1.0 - gamma)]
    return [term for term in terms if term.weight]


class ScoreCache:
    """Positional scores of the lengths asked for last; they are recomputed when the weights change."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[tuple, Scores]] = {}

    def get(self, denoiser: Denoiser, length: int) -> Scores:
        key = (id(denoiser), length)
        stamp = tuple(
            (*stamp_of(value), value.dtype)
            for name, value in denoiser.named_parameters()
            if ".positional." in name
        )
        found = self._kept.pop(key, None)
        if found is None or found[0] != stamp:
            with torch.no_grad():
                found = (stamp, denoiser.positional_bands(length))
        self._kept[key] = found
        while len(self._kept) > _SCORES_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return found[1]


class GuidedPrediction:
    """(x, k) -> guided noise in x `[T, C]` at the k-th step of a run.

    What doesn't change from step to step is computed here once: positional scores, step embeddings,
    projected conditions. Branches of one network run as one batch. The windows' predictions are
    blended at every step, so that all windows follow one common sequence and no seam can arise.
    """

    def __init__(
        self,
        terms: list[Branch],
        mel: Tensor,
        initial: Tensor | None,
        steps: list[int],
        windows: Windows,
        cache: ScoreCache,
    ) -> None:
        self._mel, self._initial, self._windows, self._visited = mel, initial, windows, steps
        grouped: dict[int, list[Branch]] = {}
        for term in terms:
            grouped.setdefault(id(term.denoiser), []).append(term)
        self._groups = list(grouped.values())
        when = torch.tensor(steps, dtype=torch.float32, device=mel.device)
        self._step_terms = [group[0].denoiser.step_terms(when) for group in self._groups]
        self._scores = [cache.get(group[0].denoiser, windows.length) for group in self._groups]
        starts = windows.starts
        self._batches = [
            starts[first : first + _WINDOWS_AT_ONCE] for first in range(0, len(starts), _WINDOWS_AT_ONCE)
        ]
        self._kept: list[list[Tensor]] | None = None
        if len(starts) * windows.length <= _FRAMES_KEPT:
            self._kept = [
                [self._condition_terms(group, batch) for batch in self._batches] for group in self._groups
            ]

    def __call__(self, x: Tensor, k: int) -> Tensor:
        parts = self._windows.split(x).to(self._mel.dtype)
        predicted = torch.zeros(parts.shape, dtype=x.dtype, device=x.device)
        for index, group in enumerate(self._groups):
            done = 0
            for number, batch in enumerate(self._batches):
                here = slice(done, done + len(batch))
                done += len(batch)
                terms = (
                    self._condition_terms(group, batch) if self._kept is None else self._kept[index][number]
                )
                repeated = parts[here].repeat(len(group), 1, 1)
                step_terms = self._step_terms[index][:, k : k + 1]
                eps = group[0].denoiser.run(repeated, terms, step_terms, self._scores[index])
                for branch, share in zip(group, eps.chunk(len(group)), strict=True):
                    predicted[here] += branch.weight * share.to(x.dtype)
        predicted = self._windows.blend(predicted)
        denoiser = self._groups[0][0].denoiser
        if denoiser.prediction == "noise":
            return predicted
        # The branches' weights, and the windows' shares, sum to 1: turning x_0 into eps can wait until here.
        return noise_of_sample(predicted, x, denoiser.alpha_bar[self._visited[k]].to(x.device))

    def _condition_terms(self, group: list[Branch], starts: tuple[int, ...]) -> Tensor:
        """Projected conditions `[blocks, branches * windows, length, W]`."""
        length = self._windows.length
        mel = torch.stack([self._mel[start : start + length] for start in starts])
        initial = None if self._initial is None else self._initial.expand(len(starts), -1)
        denoiser = group[0].denoiser
        conditions = [denoiser.condition(mel, initial if branch.informed else None) for branch in group]
        return denoiser.condition_terms(torch.cat(conditions))
