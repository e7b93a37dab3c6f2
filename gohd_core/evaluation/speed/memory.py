"""The largest memory that a part of the work needed: of the GPU, or resident memory of this process."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

import torch

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"
"""Value for Linux's clear_refs that resets the peak of resident memory."""


def reset_peak(device: str) -> None:
    """Resets the peak of `device`, where the system can; else it stays that of the whole run.

    Garbage and the allocator's cache are released first: reused, they would hide what is allocated next.
    """
    gc.collect()
    _give_back()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
    except OSError:
        return


def peak_mib(device: str) -> float | None:
    """The peak since `reset_peak` in MiB; None where the system does not report it.

    "cuda": what tensors took of the GPU. "cpu": resident memory, weights and libraries included.
    """
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        status = (_PROCESS / "status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 2**10
    except (OSError, StopIteration):
        return _peak_of_run()


def _give_back() -> None:
    """Has glibc return free memory to the system; other C libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def _peak_of_run() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
