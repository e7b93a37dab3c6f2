"""Stands in for ComfyUI's comfy_api."""
