"""A person assembled: every part of an identity in one mesh, and its deformation per frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.stylised.camera import NECK_PIVOT, gaze_direction, gaze_in_head, rotation_matrix
from gohd_core.stylised.head.expressions import INDEX
from gohd_core.stylised.head.fields import vertex_normals
from gohd_core.stylised.head.morphable import stylised_basis
from gohd_core.stylised.head.template import EYE_LEFT, EYE_RIGHT, EYEBALL_RADIUS, template
from gohd_core.stylised.person import body, eyes, skin
from gohd_core.stylised.person.hair import hair_line_distance, hair_parts
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.person.mouth import mouth_inside
from gohd_core.stylised.person.palettes import HIDES_EARS
from gohd_core.stylised.person.parts import SKIN, Part


@lru_cache(maxsize=1)
def _normal_operator() -> object:
    """Sparse ``[V, F]`` sum of face normals into vertices."""
    import scipy.sparse

    faces = stylised_basis().faces
    count = len(faces)
    entries = (np.ones(3 * count, np.float32), (faces.T.ravel(), np.tile(np.arange(count), 3)))
    return scipy.sparse.csr_matrix(entries, shape=(len(template().layout), count))


def skin_normals(points: np.ndarray) -> np.ndarray:
    """Unit normals ``[V, 3]`` of the deformed skin ``[V, 3]``."""
    faces = stylised_basis().faces
    first, second, third = (points[faces[:, k]] for k in range(3))
    u, v = second - first, third - first
    face_normals = np.empty_like(u)
    face_normals[:, 0] = u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1]
    face_normals[:, 1] = u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2]
    face_normals[:, 2] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    normals = _normal_operator() @ face_normals
    return normals / np.sqrt((normals * normals).sum(1, keepdims=True) + 1e-12)


@dataclass(frozen=True)
class PosedFrame:
    """An avatar in one frame. Positions are in the neutral head's frame, before the pose."""

    positions: np.ndarray
    """``[N, 3]`` float32 of the whole mesh."""
    normals: np.ndarray
    skin: np.ndarray
    """``[V, 3]``: the linear model's vertices (without beard height)."""
    rotation: np.ndarray
    translation: np.ndarray
    body_shift: np.ndarray
    irises: np.ndarray
    """``[2, 3]``: iris centres on the eyeballs, subject's left first, neutral head's frame."""

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Points of the head ``[..., 3]`` in the world (the camera's axes)."""
        return points @ self.rotation.T + self.translation


class Avatar:
    """The mesh of an identity. Deforming it costs a few milliseconds."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        style = identity.style
        head, basis = template(), stylised_basis()
        coefficients = np.asarray(identity.coefficients, np.float32)
        self.neutral = basis.mean_shape + basis.identity_basis @ coefficients
        normals = skin_normals(self.neutral)
        distance = hair_line_distance(style)
        below = None if distance is None else distance(head.layout)
        parameters, extra, occlusion = skin.skin_parameters(head, style, below)
        self._beard = skin.beard_mask(head, style)[1].astype(np.float32)[:, None]
        face = Part(
            "face",
            SKIN,
            self.neutral,
            basis.faces,
            parameters,
            labels.SKIN,
            extra=extra,
            occlusion=occlusion,
            normals=normals,
            dynamic=True,
        )
        self._face = face
        lid_rings = [head.ring(kind, 0.0) for kind in (EYE_LEFT, EYE_RIGHT)]
        moved = [(self.neutral - head.mean)[ring].mean(0) for ring in lid_rings]
        self.eye_centres = (head.eye_centres + np.stack(moved)).astype(np.float32)
        openings = np.stack([self.neutral[r] for r in lid_rings]) - self.eye_centres[:, None]
        wide, high = np.abs(openings[..., :2]).max((0, 1)) / EYEBALL_RADIUS
        self.aperture = (float(wide) + 0.03, float(high) + 0.06)
        self._eyes = eyes.eyeball_parts(self.eye_centres)
        self._eye_units = [part.normals.astype(np.float32) for part in self._eyes]
        self._brows = eyes.brow_parts(self.neutral, style)
        self._brow_heights = eyes.brow_heights().astype(np.float32)
        self._lash_rings = eyes.lash_rings(head)
        self._lashes = eyes.lash_parts(self._lash_rings, self.neutral)
        self._mouth = mouth_inside(head, self.neutral)
        self.parts: list[Part] = [
            face,
            *self._eyes,
            *(part for part, _ in self._brows),
            *self._lashes,
            *self._mouth.moving,
            self._mouth.cavity,
            self._mouth.rigid,
            *hair_parts(self.neutral, normals, style),
            *([] if style.hair_style in HIDES_EARS else body.ear_parts(head, self.neutral, style)),
            body.neck_part(style),
            *body.cloth_parts(style),
            *body.glasses_parts(self.neutral, self.eye_centres, style),
        ]
        self._assemble()

    def _assemble(self) -> None:
        start = 0
        self.dynamic_count = 0
        for part in self.parts:
            part.start = start
            start += len(part.positions)
            if part.dynamic:
                self.dynamic_count = start
            if part.normals is None:
                part.normals = vertex_normals(part.positions, part.faces)

        def gather(values: list) -> np.ndarray:
            return np.concatenate(values).astype(np.float32)

        def column(name: str) -> np.ndarray:
            return gather([np.broadcast_to(getattr(p, name), (len(p.positions),)) for p in self.parts])

        self.positions = gather([p.positions for p in self.parts])
        self.normals = gather([p.normals for p in self.parts])
        self.parameters = gather([p.parameters for p in self.parts])
        self.extra = gather(
            [np.zeros((len(p.positions), 3)) if p.extra is None else p.extra for p in self.parts]
        )
        self.occlusion, self.attach = column("occlusion"), column("attach")
        self.faces = np.concatenate([p.faces + p.start for p in self.parts]).astype(np.int32)
        self.face_parsing = np.concatenate([np.full(len(p.faces), p.parsing, np.uint8) for p in self.parts])

    def frame(self, expression: np.ndarray, pose: np.ndarray, gaze: np.ndarray) -> PosedFrame:
        """Deform for ``expression [64]``, ``pose [6]`` and ``gaze [2]`` (see :mod:`.camera`)."""
        basis = stylised_basis()
        active = np.flatnonzero(expression)
        skin_points = self.neutral
        if len(active):
            skin_points = skin_points + basis.expression_basis[:, :, active] @ expression[active].astype(
                np.float32
            )
        normals = skin_normals(skin_points)
        surface = skin_points + normals * self._beard
        positions, all_normals = self.positions.copy(), self.normals.copy()
        face = self._face.span
        positions[face] = surface
        all_normals[face] = skin_normals(surface) if self._beard.any() else normals
        for part, binding in self._brows:
            on_skin, outward = binding.apply(skin_points), binding.apply(normals)
            positions[part.span] = on_skin + outward * self._brow_heights
            all_normals[part.span] = outward
        blinks = (expression[INDEX["blink_left"]], expression[INDEX["blink_right"]])
        for k, (part, ring) in enumerate(zip(self._lashes, self._lash_rings, strict=True)):
            side = 1 - 2 * k
            lash = eyes.lash_positions(skin_points[ring], side, self.identity.style.lashes, float(blinks[k]))
            positions[part.span] = lash
        for name, points in self._mouth.deform(skin_points, expression).items():
            part = next(p for p in self._mouth.parts if p.name == name)
            positions[part.span] = points
        local_gaze = gaze_in_head(pose, gaze)
        pitch, yaw = local_gaze
        turn = rotation_matrix(np.array([-pitch, -yaw, 0.0])).astype(np.float32)
        for k, part in enumerate(self._eyes):
            turned = self._eye_units[k] @ turn.T
            positions[part.span] = turned * EYEBALL_RADIUS + self.eye_centres[k]
            all_normals[part.span] = turned
        rotation = rotation_matrix(pose[:3]).astype(np.float32)
        translation = np.asarray(pose[3:], np.float32)
        shift = NECK_PIVOT @ rotation.T + translation - NECK_PIVOT
        looking = gaze_direction(local_gaze).astype(np.float32)
        irises = self.eye_centres + EYEBALL_RADIUS * looking
        return PosedFrame(positions, all_normals, skin_points, rotation, translation, shift, irises)

    def to_world(self, frame: PosedFrame) -> np.ndarray:
        """The whole mesh ``[N, 3]`` in the world, as the vertex shader places it."""
        with_head = frame.to_world(frame.positions)
        with_body = frame.positions + frame.body_shift
        attach = self.attach[:, None]
        return with_head * attach + with_body * (1 - attach)
