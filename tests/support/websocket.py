"""Just enough of a WebSocket client (RFC 6455) to hear ComfyUI's events, on the standard library alone."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
import time
from typing import Any


class Events:
    """Collects ComfyUI's events in the background, each with the time of its arrival."""

    def __init__(self, port: int, client_id: str) -> None:
        self.seen: list[tuple[float, str, dict[str, Any]]] = []
        self.previews: list[tuple[float, bytes]] = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /ws?clientId={client_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        while not (head := self._socket.recv(1)) or not self._head_ended(head):
            pass
        self._socket.settimeout(None)
        threading.Thread(target=self._listen, daemon=True).start()

    def of(self, kind: str, prompt: str) -> list[tuple[float, dict[str, Any]]]:
        """Events of one kind that belong to one prompt."""
        return [
            (at, data) for at, name, data in self.seen if name == kind and data.get("prompt_id") == prompt
        ]

    def close(self) -> None:
        self._socket.close()

    def _head_ended(self, byte: bytes) -> bool:
        self._head = getattr(self, "_head", b"") + byte
        return self._head.endswith(b"\r\n\r\n")

    def _listen(self) -> None:
        message = b""
        try:
            while True:
                first, second = self._exactly(2)
                length = second & 127
                if length > 125:
                    length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
                message += self._exactly(length)
                if first & 128:
                    self._take(first & 15, message)
                    message = b""
        except OSError:
            return

    def _take(self, opcode: int, message: bytes) -> None:
        if opcode == 1:
            event = json.loads(message)
            self.seen.append((time.monotonic(), event["type"], event["data"]))
        elif opcode == 2:
            self.previews.append((time.monotonic(), message))

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            piece = self._socket.recv(count - len(parts))
            if not piece:
                raise OSError("closed")
            parts += piece
        return bytes(parts)
