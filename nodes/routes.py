"""The one way in which the front end may ask the pack beside the graph: a little JSON in, bytes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from gohd_core.errors import BadInput

from . import host

LARGEST = 16_384
"""Largest request in bytes."""


class Busy(BadInput):
    """ComfyUI runs a workflow: the same question has an answer when it is done."""


def answer_posts(path: str, answer: Callable[[Any], bytes], kind: str) -> None:
    """Opens a route of ComfyUI's server: JSON in, bytes of a kind out.

    `answer` runs beside the server's loop; a `BadInput` of it is status 400 with its sentence, `Busy` 503.
    """

    async def respond(request: web.Request) -> web.Response:
        # A form of another site can't send this type without asking first.
        if request.content_type != "application/json" or not 0 < (request.content_length or 0) <= LARGEST:
            return web.json_response({"error": f"Send JSON of at most {LARGEST} bytes."}, status=415)
        try:
            content = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.json_response({"error": "This is no JSON that can be read."}, status=400)
        try:
            made = await asyncio.get_running_loop().run_in_executor(None, answer, content)
        except BadInput as problem:
            status = 503 if isinstance(problem, Busy) else 400
            return web.json_response({"error": str(problem)}, status=status)
        return web.Response(body=made, content_type=kind, headers={"Cache-Control": "no-store"})

    routes = host.server().routes
    if path not in [route.path for route in routes]:
        routes.post(path)(respond)


def ready_when_idle(model: host.Managed) -> Any:
    """`host.ready` beside the graph: `Busy` while ComfyUI runs one, whose memory must not be touched."""
    if host.server().prompt_queue.currently_running:
        raise Busy("A workflow runs; this face is drawn again when it is done.")
    return host.ready(model)[0]
