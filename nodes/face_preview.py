"""Faces that the front end may have drawn again without a run: those of the last nodes that showed one.

One route, `POST /gohd/face`: `{"face": key, "time": seconds, "values": {slider: number}}` in, a JPEG out.
A key is a random word that a run gave to its node; nothing that is sent names a file.
"""

from __future__ import annotations

import io
import math
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from gohd_core.errors import BadInput

from . import host, routes

ROUTE = "/gohd/face"
KEPT = 6
"""Faces that are kept; of 512 pixels each takes about 60 MB."""
SIZE = 512
"""Largest side of the picture in pixels."""
QUALITY = 92


@dataclass(frozen=True)
class Face:
    """A portrait made ready for drawing, and the motion that sliders are added to."""

    animator: host.Managed
    source: Any
    motion: Any

    def draw(self, values: Mapping[str, float], seconds: float) -> bytes:
        """The frame at a time with sliders on top, as JPEG."""
        from gohd_core.mesh.source import MeshSource
        from gohd_core.motion.adjusting import adjusted

        frame = min(round(seconds * float(self.motion.fps)), len(self.motion) - 1)
        motion = adjusted(self.motion[frame : frame + 1], values)
        # Faces that are drawn by their mesh need no network on the device.
        needs_network = not isinstance(self.source, MeshSource)
        model = routes.ready_when_idle(self.animator) if needs_network else self.animator.runtime
        with torch.inference_mode():
            drawn = next(iter(model.animate(self.source, motion, batch_size=1)))
        picture, written = host.preview_picture(drawn[0]), io.BytesIO()
        picture.save(written, "JPEG", quality=QUALITY)
        return written.getvalue()


_faces: OrderedDict[str, Face] = OrderedDict()
_lock = threading.Lock()


def keep(animator: host.Managed, portrait: Any, motion: Any) -> dict[str, list[Any]]:
    """Makes a portrait ready for the front end; returns the face's key and the seconds for it."""
    from gohd_core.pipeline import encode

    (model,) = host.ready(animator)
    smaller = portrait if portrait.size <= SIZE or portrait.mesh is None else portrait.resized(SIZE)
    face = Face(animator, encode(model, smaller), motion)
    key = secrets.token_urlsafe(16)
    with _lock:
        _faces[key] = face
        while len(_faces) > KEPT:
            _faces.popitem(last=False)
    return {"gohd_face": [key, motion.pose.duration]}


def answer(content: Any) -> bytes:
    """The question in a request; `BadInput` for what the route does not understand."""
    from gohd_core.motion.adjusting import checked

    if not isinstance(content, dict) or not isinstance(content.get("values"), dict):
        raise BadInput("Send an object with face, time and values.")
    seconds = content.get("time", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise BadInput("The time is a number of seconds from 0 on.")
    with _lock:
        face = _faces.get(str(content.get("face")))
        if face is None:
            raise BadInput("This face is not known any more; run the workflow once.")
        _faces.move_to_end(str(content.get("face")))
        return face.draw(checked(content["values"]), seconds)


def open_route() -> None:
    """Lets the front end ask."""
    routes.answer_posts(ROUTE, answer, "image/jpeg")
