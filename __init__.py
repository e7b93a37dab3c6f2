"""ComfyUI loads the pack from here; the method itself is in gohd_core, the nodes in nodes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """What ComfyUI asks for: an extension that lists our nodes."""
    if "gohd_core" not in sys.modules:
        # Under its own name, and without the pack's folder on sys.path: its `nodes` is not ComfyUI's.
        file = Path(__file__).parent / "gohd_core" / "__init__.py"
        spec = importlib.util.spec_from_file_location("gohd_core", file)
        core = importlib.util.module_from_spec(spec)
        sys.modules["gohd_core"] = core
        spec.loader.exec_module(core)
    from .nodes import GohdExtension

    return GohdExtension()
