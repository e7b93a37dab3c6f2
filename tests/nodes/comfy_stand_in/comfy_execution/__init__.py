"""Stands for ComfyUI's package of that name."""
