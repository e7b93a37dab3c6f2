"""OpenGL context and buffers of the stylised renderer; moderngl is imported here alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from gohd_core.errors import MissingDependency
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.parts import EYE, HAIR, PLAIN, SKIN

PROGRAMS = (SKIN, EYE, HAIR, PLAIN)
"""Shading programs; their order is the material number of the identifying program."""
_INSTALL = "pip install moderngl; on Debian or Ubuntu also: apt install libegl1 libgl1-mesa-dri"


def renderer_status() -> list[tuple[str, bool, str]]:
    """Requirements of rendering: (name, present, how to install), for ``gohd doctor``."""
    status = []
    try:
        import moderngl  # noqa: F401

        status.append(("moderngl", True, ""))
    except ImportError:
        status.append(("moderngl", False, "pip install moderngl"))
        return [*status, ("OpenGL 3.3 through EGL", False, _INSTALL)]
    try:
        create_context().release()
        status.append(("OpenGL 3.3 through EGL", True, ""))
    except MissingDependency:
        status.append(("OpenGL 3.3 through EGL", False, _INSTALL))
    return status


def create_context() -> Any:
    try:
        import moderngl
    except ImportError as error:
        raise MissingDependency(
            "Rendering stylised heads needs the package moderngl: pip install moderngl."
        ) from error
    try:
        return moderngl.create_context(standalone=True, backend="egl", require=330)
    except Exception as error:  # moderngl and glcontext raise bare Exception for any failure
        raise MissingDependency(
            "Rendering stylised heads needs OpenGL 3.3 through EGL, which could not be opened "
            f"({error}); on Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri."
        ) from error


class Mesh:
    """GPU buffers of one avatar."""

    def __init__(self, context: Any, programs: dict[str, Any], avatar: Avatar) -> None:
        self.avatar = avatar
        self.vertices = context.buffer(
            np.concatenate([avatar.positions, avatar.normals], 1).astype("f4").tobytes()
        )
        shade = np.stack([avatar.occlusion, avatar.attach], 1)
        fixed = np.concatenate([avatar.parameters, avatar.extra, shade], 1).astype("f4")
        self.fixed = context.buffer(fixed.tobytes())
        material = np.concatenate(
            [np.full(len(part.faces), PROGRAMS.index(part.program)) for part in avatar.parts]
        )
        order = np.argsort(material, kind="stable")
        self.triangles = np.concatenate([[0], order + 1]).astype(np.int32)
        """``[F + 1]``: number of a drawn triangle -> index in the avatar's faces + 1 (0 = none)."""
        self.draws: dict[str, Any] = {}
        self.identify: list[tuple[int, int, Any]] = []
        """Material, number of the first triangle and vertex array of each identifying draw."""
        self._owned: list[Any] = [self.vertices, self.fixed]
        first = 0
        for number, name in enumerate(PROGRAMS):
            faces = avatar.faces[material == number]
            if not len(faces):
                continue
            indices = context.buffer(np.ascontiguousarray(faces, "i4").tobytes())
            self._owned.append(indices)
            self.draws[name] = self._array(context, programs[name], indices)
            identifying = self._array(context, programs["identify"], indices)
            self.identify.append((number, first, identifying))
            first += len(faces)

    def _array(self, context: Any, program: Any, indices: Any) -> Any:
        content = []
        for buffer, names, sizes in (
            (self.vertices, ("in_position", "in_normal"), (3, 3)),
            (self.fixed, ("in_parameters", "in_extra", "in_shade"), (4, 3, 2)),
        ):
            used = [n if n in program else None for n in names]
            layout = " ".join(f"{s}f" if n else f"{4 * s}x" for n, s in zip(used, sizes, strict=True))
            kept = [n for n in used if n]
            if kept:
                content.append((buffer, layout, *kept))
        array = context.vertex_array(program, content, indices)
        self._owned.append(array)
        return array

    def release(self) -> None:
        for item in reversed(self._owned):
            item.release()
