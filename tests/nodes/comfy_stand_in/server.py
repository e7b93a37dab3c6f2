"""ComfyUI's server, as far as nodes speak to it: it keeps what it was told."""

from __future__ import annotations

from aiohttp import web


class PromptServer:
    """Keeps the texts that nodes show."""

    instance: PromptServer

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.routes = web.RouteTableDef()
        self.prompt_queue = PromptQueue()

    def send_progress_text(self, text: str, node_id: str) -> None:
        """Shows a text on a node."""
        self.texts.append((text, node_id))


class PromptQueue:
    """Keeps what runs."""

    def __init__(self) -> None:
        self.currently_running: dict[int, object] = {}


PromptServer.instance = PromptServer()
