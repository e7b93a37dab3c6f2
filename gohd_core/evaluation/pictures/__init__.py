"""Benchmark of pictures as portraits: fidelity of their frames, and which of them talk."""
