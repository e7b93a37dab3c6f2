"""As much of aiohttp.web as a route of GoHD uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """A request that has arrived whole."""

    body: bytes
    content_type: str = "application/json"

    @property
    def content_length(self) -> int:
        return len(self.body)

    async def read(self) -> bytes:
        return self.body


@dataclass
class Response:
    """An answer."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)


def json_response(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content).encode(), status, "application/json")


@dataclass
class RouteDef:
    path: str
    handler: Callable[..., Any]


class RouteTableDef:
    """Routes, as they are opened."""

    def __init__(self) -> None:
        self.items: list[RouteDef] = []

    def __iter__(self) -> Iterator[RouteDef]:
        return iter(self.items)

    def post(self, path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def opened(handler: Callable[..., Any]) -> Callable[..., Any]:
            self.items.append(RouteDef(path, handler))
            return handler

        return opened
