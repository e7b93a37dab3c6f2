"""Devices by name, checked: one that this machine or this PyTorch lacks gets a sentence."""

from __future__ import annotations

import torch

from gohd_core.errors import BadInput


def checked_device(device: str | torch.device) -> torch.device:
    """The device; `BadInput` for an unknown or unavailable one."""
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise BadInput(f"There is no device {device!r}; use cpu, cuda, cuda:1 or mps.") from error
    if found.type == "cpu":
        return found
    try:
        torch.empty(1, device=found, dtype=torch.float32).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = next(iter(str(error).strip().split(". ")[0].splitlines()), "it is not there").rstrip(".")
        raise BadInput(
            f"The device {found} can't be used ({reason}); use cpu, or install a PyTorch that has it."
        ) from error
    return found
