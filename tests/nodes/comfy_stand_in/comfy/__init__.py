"""Stands in for ComfyUI's `comfy` package."""
