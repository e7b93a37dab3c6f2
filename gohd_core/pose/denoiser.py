"""The denoising network eps_theta of §3.1 (Fig. 3): residual blocks of conformers, and pairs of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gohd_core.kernels.banded_attention import Band
from gohd_core.pose.config import DiffusionConfig
from gohd_core.pose.conformer import ConformerStack, gated
from gohd_core.pose.schedule import NoiseSchedule

Scores = list[list[Tensor | Band] | None]
"""Positional scores of every conformer of every residual block."""


def step_table(steps: int, code: int = 128, scale: float = 1.0, decades: float = 4.0) -> Tensor:
    """Sines and cosines `[steps, code]` of n * scale * 10**(0 .. decades), by float32 arithmetic on the CPU.

    The arguments reach 1.5e6, where another rounding gives other numbers, and the released weights
    were trained with this one: don't compute it in another precision, library or device.
    """
    half = code // 2
    n = torch.arange(steps, device="cpu", dtype=torch.long).unsqueeze(1)
    exponents = (
        torch.arange(half, device="cpu", dtype=torch.float32).unsqueeze(0) * decades / max(half - 1, 1)
    )
    angle = n * 10.0**exponents
    if scale != 1.0:
        angle = angle * scale
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def between(table: Tensor, step: Tensor) -> Tensor:
    """Rows of a table `[N, ...]` at steps `[B]`; between two rows, the line from one to the other."""
    low = step.floor().long()
    high = (low + 1).clamp(max=len(table) - 1)
    part = (step - low).to(table.dtype).view(-1, *[1] * (table.ndim - 1))
    return table[low] + part * (table[high] - table[low])


def noise_of_sample(sample: Tensor, x: Tensor, alpha_bar: Tensor) -> Tensor:
    """The eps that leads from x_0 to x_n: (x_n - sqrt(abar) x_0) / sqrt(1 - abar)."""
    return (x - alpha_bar.sqrt() * sample) / (1 - alpha_bar).sqrt()


class ResidualBlock(nn.Module):
    """One conditional residual block: step and condition are added, the conformers run, a gate follows."""

    def __init__(self, config: DiffusionConfig, condition: int, dilation: int) -> None:
        super().__init__()
        self.step_projection = nn.Linear(config.step_width, config.width)
        self.condition_projection = nn.Linear(condition, config.width)
        self.stack = ConformerStack(config, dilation)
        self.output_projection = nn.Linear(config.width, 2 * config.width)

    def forward(
        self, x: Tensor, condition_term: Tensor, step_term: Tensor, scores: list[Tensor | Band] | None
    ) -> tuple[Tensor, Tensor]:
        """x and the projected condition `[B, T, W]`, the projected step `[B, 1, W]` -> next x, skip."""
        out = self.output_projection(gated(self.stack((x + step_term).add_(condition_term), scores)))
        residual, skip = out.chunk(2, dim=-1)
        return (x + residual).div_(math.sqrt(2.0)), skip


class Denoiser(nn.Module):
    """eps_theta(x_n, c, n): the noise in x_n `[B, T, C]`, with c the audio and, where `informed`, p0.

    `flagged` networks take p0 or nothing: one further condition channel says which.
    """

    def __init__(self, config: DiffusionConfig, *, informed: bool = True, flagged: bool = False) -> None:
        super().__init__()
        self.informed, self.flagged = informed, flagged
        self.prediction = config.prediction
        condition = config.condition + config.channels * informed + flagged
        self.input_projection = nn.Linear(config.channels, config.width)
        self.step_embedding = nn.Sequential(
            nn.Linear(config.step_code, config.step_width),
            nn.SiLU(),
            nn.Linear(config.step_width, config.step_width),
            nn.SiLU(),
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(config, condition, config.dilations[index % len(config.dilations)])
            for index in range(config.blocks)
        )
        self.skip_projection = nn.Linear(config.width, config.width)
        self.output_projection = nn.Linear(config.width, config.channels)
        self._initialise()
        # Plain attributes: .to(bfloat16) must not round the tables.
        self.alpha_bar = NoiseSchedule.of(config).alpha_bar
        self.table = step_table(
            config.training_steps, config.step_code, config.step_scale, config.step_decades
        )

    def _initialise(self) -> None:
        """Weights as large as the released ones were at the start, the output layer zero.

        torch's own start is smaller by the root of three per layer, which makes small networks slow.
        """
        for block in self.blocks:
            for layer in block.stack.modules():
                if isinstance(layer, (nn.Linear, nn.Conv1d)):
                    nn.init.normal_(layer.weight, std=layer.weight[0].numel() ** -0.5)
            nn.init.xavier_normal_(block.condition_projection.weight)
            nn.init.kaiming_normal_(block.output_projection.weight)
        nn.init.kaiming_normal_(self.input_projection.weight)
        nn.init.kaiming_normal_(self.skip_projection.weight)
        nn.init.zeros_(self.output_projection.weight)
        nn.init.zeros_(self.output_projection.bias)

    def forward(self, x: Tensor, condition: Tensor, step: Tensor, scores: Scores | None = None) -> Tensor:
        """Predicted noise `[B, T, C]` for x `[B, T, C]`, condition `[B, T, K]`, step `[B]`."""
        output = self.run(x, self.condition_terms(condition), self.step_terms(step), scores)
        if self.prediction == "noise":
            return output
        signal = between(self.alpha_bar.to(x.device), step).to(x.dtype).view(-1, 1, 1)  # [B] -> [B,1,1]
        return noise_of_sample(output, x, signal)

    def run(
        self, x: Tensor, condition_terms: Tensor, step_terms: Tensor, scores: Scores | None = None
    ) -> Tensor:
        """The last layer's output (see `DiffusionConfig.prediction`) from a condition that is computed once.

        `condition_terms` `[blocks, B, T, W]`, `step_terms` `[blocks, B or 1, W]`.
        """
        x = self.input_projection(x).relu_()
        total = torch.zeros_like(x)
        for index, block in enumerate(self.blocks):
            scored = None if scores is None else scores[index]
            x, skip = block(x, condition_terms[index], step_terms[index].unsqueeze(1), scored)
            total.add_(skip)
        total = total / math.sqrt(len(self.blocks))
        return self.output_projection(self.skip_projection(total).relu_())

    def condition(self, mel: Tensor, initial: Tensor | None, known: Tensor | None = None) -> Tensor:
        """c = a ⊕ p0 (§3.1), `[B, T, K]`, of mel `[B, T, M]` and p0 `[B, C]`.

        A network that wants p0 gets zeros for None; a flagged one also learns where p0 is known
        (`known` `[B]` of bool; None: everywhere, or nowhere when `initial` is None).
        """
        if not self.informed:
            return mel
        batch, length = mel.shape[:2]
        if initial is None:
            initial = mel.new_zeros(batch, self.input_projection.in_features)
            known = torch.zeros(batch, dtype=torch.bool, device=mel.device)
        elif known is None:
            known = torch.ones(batch, dtype=torch.bool, device=mel.device)
        parts = [mel]
        if self.flagged:
            flag = known.to(mel.dtype).unsqueeze(-1)
            parts += [_per_frame(initial * flag, length), _per_frame(flag, length)]
        else:
            parts.append(_per_frame(initial, length))
        return torch.cat(parts, dim=-1)

    def step_terms(self, step: Tensor) -> Tensor:
        """Each block's share of the steps `[B]`, projected: `[blocks, B, W]`.

        A fractional step takes the line between its two neighbours in the table.
        """
        weight = self.step_embedding[0].weight
        rows = between(self.table.to(step.device), step)
        embedded = self.step_embedding(rows.to(device=weight.device, dtype=weight.dtype))
        return torch.stack([block.step_projection(embedded) for block in self.blocks])

    def condition_terms(self, condition: Tensor) -> Tensor:
        """Each block's share of the condition, projected: `[blocks, B, T, W]`."""
        return torch.stack([block.condition_projection(condition) for block in self.blocks])

    def positional_scores(self, length: int) -> Scores:
        """The positional scores of all conformers for sequences of `length` frames."""
        return [block.stack.positional_scores(length) for block in self.blocks]

    def positional_bands(self, length: int) -> Scores:
        """Positional scores as bands, without pairs of frames too far apart to count."""
        scores = self.positional_scores(length)
        return [None if block is None else [Band.of(each) for each in block] for block in scores]


class DenoisingNetwork(nn.Module):
    """The one or two denoisers that a file holds, by `config.form`.

    `conditional` and `unconditional` are None where the form has no such network; in the form
    "dropout" they are one and the same, held as `conditional`.
    """

    def __init__(self, config: DiffusionConfig) -> None:
        super().__init__()
        form = config.form
        self.conditional = None if form == "unconditional" else Denoiser(config, flagged=form == "dropout")
        self.unconditional = Denoiser(config, informed=False) if form in ("unconditional", "pair") else None

    @property
    def main(self) -> Denoiser:
        """The network conditioned on p0 where there is one, else the other."""
        return self.conditional if self.conditional is not None else self.unconditional


def _per_frame(values: Tensor, length: int) -> Tensor:
    return values.unsqueeze(1).expand(-1, length, -1)
