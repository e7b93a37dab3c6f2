"""ComfyUI's server, as far as nodes speak to it: it keeps what it was told."""

from __future__ import annotations


class PromptServer:
    """Keeps the texts that nodes show."""

    instance: PromptServer

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def send_progress_text(self, text: str, node_id: str) -> None:
        """Shows a text on a node."""
        self.texts.append((text, node_id))


PromptServer.instance = PromptServer()
