"""The machine in words, for reports."""

from __future__ import annotations

import platform

import torch


def machine() -> str:
    """The machine in words: processor or GPU, threads, libraries."""
    processor = platform.machine()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{processor} {capability}, {torch.get_num_threads()} threads, {device}, torch {torch.__version__}"
