"""Headless OpenGL renderer of stylised heads with exact auxiliary outputs."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.constants import N_EXPRESSION, N_GAZE, N_POSE
from gohd_core.errors import BadInput
from gohd_core.stylised.camera import FOCAL_RATIO, project
from gohd_core.stylised.head.expressions import COEFFICIENT_LIMIT
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.head.template import MOUTH_B
from gohd_core.stylised.person.avatar import Avatar, PosedFrame
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.person.palettes import BACKGROUNDS
from gohd_core.stylised.person.parts import EYE, HAIR, PLAIN, SKIN
from gohd_core.stylised.rendering import shaders
from gohd_core.stylised.rendering.correspondence import barycentric_weights
from gohd_core.stylised.rendering.frames import Correspondence, RenderedFrame
from gohd_core.stylised.rendering.gpu import PROGRAMS, Mesh, create_context, renderer_status

NEAR, FAR = 5.0, 17.0
EYE_BIAS = 0.10
"""Eyeballs are pushed back this far (depth test only) so that half-closed lids cover them."""
SUPERSAMPLING = 2
LANDMARK_TOLERANCE = 0.05
"""A landmark is visible when it lies at most this far behind the depth buffer's value."""


def _checked(name: str, values: Any, length: int, limit: np.ndarray | float) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.shape != (length,):
        raise BadInput(f"{name} must have {length} values, got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise BadInput(f"{name} holds values that are not finite.")
    if (np.abs(values) > limit).any():
        worst = int((np.abs(values) / limit).argmax())
        bound = float(np.broadcast_to(limit, values.shape)[worst])
        raise BadInput(f"{name}[{worst}] = {values[worst]:.4g} is out of range: keep it within +-{bound:g}.")
    return values


_POSE_LIMIT = np.array([1.2, 1.6, 1.6, 1.0, 1.0, 2.0])


class HeadRenderer:
    """Renders identities at one picture size. Keep one per process and reuse it.

    Raises :class:`MissingDependency` when moderngl or OpenGL is missing.
    """

    def __init__(self, size: int = 256, *, cached_identities: int = 4) -> None:
        if not 16 <= size <= 2048:
            raise BadInput(f"The picture size must be between 16 and 2048 pixels, got {size}.")
        self.size = size
        self._cached = cached_identities
        self._context = context = create_context()
        self._programs = {
            name: context.program(shaders.VERTEX, fragment)
            for name, fragment in (
                (SKIN, shaders.SKIN_FRAGMENT),
                (EYE, shaders.EYE_FRAGMENT),
                (HAIR, shaders.HAIR_FRAGMENT),
                (PLAIN, shaders.PLAIN_FRAGMENT),
                ("identify", shaders.IDENTIFY_FRAGMENT),
            )
        }
        large = size * SUPERSAMPLING
        self._picture = context.texture((large, large), 4)
        self._large = context.framebuffer([self._picture], context.depth_renderbuffer((large,) * 2))
        self._backdrop = context.texture((large, large), 4)
        self._backdrop_target = context.framebuffer([self._backdrop])
        self._small = context.framebuffer([context.renderbuffer((size, size), 4)])
        self._identified = context.framebuffer(
            [context.renderbuffer((size, size), 4)], context.depth_texture((size, size))
        )
        corners = context.buffer(np.array([[-1, -1], [3, -1], [-1, 3]], "f4").tobytes())
        self._screens = {}
        for name, fragment in (
            ("background", shaders.BACKGROUND_FRAGMENT),
            ("copy", shaders.COPY_FRAGMENT),
            ("resolve", shaders.RESOLVE_FRAGMENT),
        ):
            program = context.program(shaders.SCREEN_VERTEX, fragment)
            screen = context.vertex_array(program, [(corners, "2f", "in_corner")])
            self._screens[name] = screen
        self._meshes: OrderedDict[Identity, Mesh] = OrderedDict()
        self._current: Identity | None = None

    def __enter__(self) -> HeadRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the graphics context."""
        self._meshes.clear()
        self._context.release()

    def avatar(self, identity: Identity) -> Avatar:
        """The mesh of an identity (built once, kept for the last few identities)."""
        return self._mesh(identity).avatar

    def _mesh(self, identity: Identity) -> Mesh:
        # another renderer of this process may have made its own context current
        self._context.__enter__()
        mesh = self._meshes.get(identity)
        if mesh is None:
            mesh = Mesh(self._context, self._programs, Avatar(identity))
            self._meshes[identity] = mesh
            if len(self._meshes) > self._cached:
                self._meshes.popitem(last=False)[1].release()
        self._meshes.move_to_end(identity)
        if self._current != identity:
            self._set_style(identity)
            for name in (EYE, "identify"):
                self._set(name, aperture=mesh.avatar.aperture)
            self._current = identity
        return mesh

    def _set(self, program: str, **values: Any) -> None:
        for name, value in values.items():
            if name in self._programs[program]:
                self._programs[program][name].value = value

    def _set_style(self, identity: Identity) -> None:
        style = identity.style
        warm = np.array([1.0 + style.warmth, 1.0, 1.0 - 1.2 * style.warmth])
        backdrop = np.square(np.array(style.background_colours)).mean(0)
        bounce = 0.75 + 0.25 * backdrop / max(float(backdrop.mean()), 0.05)
        sky = style.ambient * np.array([0.98, 1.0, 1.06]) * (0.6 + 0.4 * bounce)
        lights = {
            "light": style.light,
            "key_colour": tuple(style.key * warm),
            "sky": tuple(sky),
            "ground": tuple(style.ambient * np.array([0.66, 0.58, 0.55]) * bounce),
            "rim": style.rim,
        }
        for name in PROGRAMS:
            self._set(name, **lights, focal=2 * FOCAL_RATIO, half_pixel=1.0 / self.size)
            self._set(name, near=NEAR, far=FAR, bias=EYE_BIAS if name == EYE else 0.0)
        self._set("identify", focal=2 * FOCAL_RATIO, half_pixel=1.0 / self.size)
        self._set("identify", near=NEAR, far=FAR, mouth_b=MOUTH_B)
        self._set(SKIN, skin=style.skin, lip=style.lip, beard_colour=style.hair)
        self._set(SKIN, blush=style.blush, freckles=style.freckles, gloss=style.lip_gloss)
        self._set(SKIN, lash=0.004 + 0.011 * style.lashes)
        self._set(EYE, iris=style.iris, iris_size=style.iris_size, pupil_size=style.pupil_size)
        self._set(HAIR, hair=style.hair)
        screen = self._screens["background"]
        for name, colour in zip(("first", "second", "third"), style.background_colours, strict=True):
            screen.program[name].value = colour
        screen.program["kind"].value = BACKGROUNDS.index(style.background)
        screen.program["seed"].value = style.background_seed / float(1 << 20)
        self._backdrop_target.use()
        screen.render()

    def render(
        self,
        identity: Identity,
        expression: np.ndarray,
        pose: np.ndarray,
        gaze: np.ndarray,
        *,
        correspondence: bool = False,
    ) -> RenderedFrame:
        """Draw one frame.

        ``expression [64]``, ``pose [6]`` (Euler angles x, y, z in radians, then translation),
        ``gaze [2]`` (pitch up, yaw to the image's left, radians, in the camera's axes).
        Raises :class:`BadInput` on values out of range.
        """
        expression = _checked("expression", expression, N_EXPRESSION, COEFFICIENT_LIMIT)
        pose = _checked("pose", pose, N_POSE, _POSE_LIMIT)
        gaze = _checked("gaze", gaze, N_GAZE, 1.4)
        mesh = self._mesh(identity)
        frame = mesh.avatar.frame(expression, pose, gaze)
        count = mesh.avatar.dynamic_count
        moved = np.concatenate([frame.positions[:count], frame.normals[:count]], 1)
        mesh.vertices.write(moved.astype("f4").tobytes())
        self._place(frame)
        image = self._draw(mesh)
        parsing, triangle, depth = self._identify(mesh)
        basis = stylised_basis()
        landmarks_3d = frame.to_world(frame.skin[basis.landmark_indices]).astype(np.float32)
        projected = project(landmarks_3d, self.size)
        irises = project(frame.to_world(frame.irises), self.size)[:, :2].astype(np.float32)
        matched = None
        if correspondence:
            matched = self._correspondence(mesh, frame, triangle, depth)
        return RenderedFrame(
            image,
            projected[:, :2].astype(np.float32),
            landmarks_3d,
            irises,
            self._visible(projected, depth),
            parsing,
            matched,
        )

    def _place(self, frame: PosedFrame) -> None:
        rotation = tuple(frame.rotation.T.ravel().tolist())
        for name in (*PROGRAMS, "identify"):
            self._set(
                name,
                rotation=rotation,
                translation=tuple(frame.translation.tolist()),
                body_shift=tuple(frame.body_shift.tolist()),
            )

    def _draw(self, mesh: Mesh) -> np.ndarray:
        import moderngl

        context = self._context
        context.disable(moderngl.DEPTH_TEST)
        self._large.use()
        self._large.clear()
        self._backdrop.use(0)
        self._screens["copy"].render()
        context.enable(moderngl.DEPTH_TEST)
        for name in (HAIR, SKIN, EYE, PLAIN):
            if name in mesh.draws:
                mesh.draws[name].render()
        context.disable(moderngl.DEPTH_TEST)
        self._small.use()
        self._picture.use(0)
        self._screens["resolve"].render()
        pixels = np.frombuffer(self._small.read(components=3, alignment=1), np.uint8)
        return np.ascontiguousarray(pixels.reshape(self.size, self.size, 3)[::-1])

    def _identify(self, mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        import moderngl

        self._context.enable(moderngl.DEPTH_TEST)
        self._identified.use()
        self._identified.clear()
        program = self._programs["identify"]
        eyes = PROGRAMS.index(EYE)
        for material, first, array in mesh.identify:
            program["material"].value = material
            program["first"].value = first
            program["bias"].value = EYE_BIAS if material == eyes else 0.0
            array.render()
        shape = (self.size, self.size)
        raw = np.frombuffer(self._identified.read(components=4, alignment=1), np.uint8)
        raw = raw.reshape(*shape, 4)[::-1]
        triangle = mesh.triangles[raw[..., 0] + 256 * raw[..., 1].astype(np.int32)]
        parsing = np.concatenate([[0], mesh.avatar.face_parsing]).astype(np.uint8)[triangle]
        code = raw[..., 2]
        for which, label in ((1, labels.NOSE), (2, labels.UPPER_LIP), (3, labels.LOWER_LIP)):
            parsing[code == which] = label
        stored = self._identified.read(components=1, attachment=-1, dtype="f4", alignment=1)
        z = 2.0 * np.frombuffer(stored, np.float32).reshape(shape)[::-1] - 1.0
        depth = 2 * FAR * NEAR / ((FAR + NEAR) - z * (FAR - NEAR))
        depth = np.where(np.isin(parsing, labels.EYES), depth - EYE_BIAS, depth)
        return parsing, triangle, depth.astype(np.float32)

    def _visible(self, projected: np.ndarray, depth: np.ndarray) -> np.ndarray:
        column, row = np.rint(projected[:, 0]).astype(int), np.rint(projected[:, 1]).astype(int)
        inside = (column >= 0) & (column < self.size) & (row >= 0) & (row < self.size)
        nearest = np.zeros(len(projected))
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                r = np.clip(row + dy, 0, self.size - 1)
                c = np.clip(column + dx, 0, self.size - 1)
                nearest = np.maximum(nearest, depth[r, c])
        return inside & (projected[:, 2] <= nearest + LANDMARK_TOLERANCE)

    def _correspondence(
        self, mesh: Mesh, frame: PosedFrame, triangle: np.ndarray, depth: np.ndarray
    ) -> Correspondence:
        avatar = mesh.avatar
        vertices = project(avatar.to_world(frame), self.size).astype(np.float32)
        weights = barycentric_weights(triangle, vertices, avatar.faces)
        return Correspondence(triangle, weights, depth, vertices, avatar.faces, avatar.face_parsing)


__all__ = ["Correspondence", "HeadRenderer", "RenderedFrame", "renderer_status"]
