"""Stands in for aiohttp, which comes with ComfyUI."""
