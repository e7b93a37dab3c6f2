"""Surroundings of the face: ears, neck, clothes and glasses."""

from __future__ import annotations

import numpy as np

from gohd_core import parsing_labels as labels
from gohd_core.stylised.head.fields import grid_faces, smoothstep, vertex_normals
from gohd_core.stylised.head.template import Template
from gohd_core.stylised.person.identity import Style
from gohd_core.stylised.person.parts import PLAIN, SKIN, Part, plain_colour


def _skin_parameters(count: int, blush: np.ndarray | float = 0.0) -> np.ndarray:
    parameters = np.zeros((count, 4), np.float32)
    parameters[:, 0], parameters[:, 1], parameters[:, 2] = -0.08, 0.2, blush
    return parameters


def ear_parts(head: Template, skin: np.ndarray, style: Style) -> list[Part]:
    """Both ears: an outer shell with helix and concha, and its back."""
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    radius = np.array([0.02, 0.2, 0.36, 0.5, 0.62, 0.74, 0.84, 0.93, 1.0, 1.02, 0.9, 0.5])
    height = np.array([-30, -30, -24, 0, 10, 4, 8, 18, 12, -6, -26, -60]) / 1000.0
    light = np.array([0.50, 0.52, 0.62, 0.86, 1.0, 0.82, 0.9, 1.0, 1.0, 0.9, 0.75, 0.6])
    cosine, sine = np.cos(turn), np.sin(turn)
    outline_z = np.where(sine < 0, 1.0 + 0.22 * sine, 1.0)
    points_z = radius[:, None] * cosine * 0.108 * outline_z
    points_y = radius[:, None] * sine * 0.170 + 0.012 * cosine * radius[:, None]
    points_x = np.broadcast_to(height[:, None], points_z.shape)
    lobe = smoothstep(-points_y, 0.07, 0.15)
    points_x = points_x * (1 - 0.5 * lobe) + 0.005 * lobe
    parts = []
    for side, name, parsing in ((1, "ear_left", labels.LEFT_EAR), (-1, "ear_right", labels.RIGHT_EAR)):
        anchor = int(((head.layout - (side * 1.58, -0.06)) ** 2).sum(1).argmin())
        # Flare: the rear edge stands off the head.
        tilt = 0.50
        out = points_x * np.cos(tilt) - points_z * np.sin(tilt)
        back = points_z * np.cos(tilt) + points_x * np.sin(tilt)
        local = np.stack([side * (out + 0.040), points_y, back - 0.045], -1) * style.ear_size
        points = local.reshape(-1, 3) + skin[anchor]
        faces = grid_faces(len(turn), len(radius), wrap=True)
        faces = faces[:, ::-1] if side < 0 else faces
        normals = vertex_normals(points, faces)
        if (normals[32 * 5 : 32 * 9, 0] * side).mean() < 0:
            faces, normals = faces[:, ::-1], -normals
        occlusion = np.repeat(light, len(turn))
        extra = np.tile([side * 1.55, 0.0, 0.0], (len(points), 1))
        parts.append(
            Part(
                name,
                SKIN,
                points,
                faces,
                _skin_parameters(len(points), 0.55),
                parsing,
                extra=extra,
                occlusion=occlusion,
                normals=normals,
            )
        )
    return parts


def neck_part(style: Style) -> Part:
    """A neck from inside the head into the collar; its top follows the head."""
    columns, rows = 44, 14
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    v = np.linspace(0, 1, rows)[:, None]
    width = style.neck_width
    radius = width * (1.0 - 0.10 * np.sin(np.pi * np.clip(v * 1.2, 0, 1)) + 0.45 * smoothstep(v, 0.62, 1.0))
    radius = radius * (0.50 + 0.50 * smoothstep(v, 0.0, 0.34))
    x = np.sin(turn)[None] * radius
    z = np.cos(turn)[None] * radius * 0.95 - 0.17 + 0.01 * v
    y = np.broadcast_to(-0.34 - 1.03 * v, x.shape)
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    faces = grid_faces(columns, rows, wrap=True)[:, ::-1]
    shade = np.broadcast_to(0.45 + 0.55 * smoothstep(v, 0.46, 0.83), x.shape)
    attach = np.broadcast_to(1.0 - smoothstep(v, 0.25, 0.84), x.shape)
    extra = np.tile([0.0, -2.0, 0.0], (len(points), 1))
    return Part(
        "neck",
        SKIN,
        points,
        faces,
        _skin_parameters(len(points)),
        labels.NECK,
        extra=extra,
        occlusion=shade.ravel(),
        attach=attach.ravel(),
        normals=vertex_normals(points, faces),
    )


def _tube(spine: np.ndarray, radius: float, *, closed: bool, sides: int = 8) -> tuple:
    """Tube of constant radius along ``spine [N, 3]``: points, faces and outward normals."""
    around = np.roll(spine, -1, 0) - np.roll(spine, 1, 0)
    tangent = around if closed else np.gradient(spine, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
    helper = np.array([0.31, 0.53, 0.79])
    first = np.cross(tangent, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(tangent, first)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.cos(turn)[None, :, None] * first[:, None] + np.sin(turn)[None, :, None] * second[:, None]
    points = (spine[:, None] + radius * ring).reshape(-1, 3)
    faces = grid_faces(sides, len(spine), wrap=True)
    if closed:
        last = (len(spine) - 1) * sides
        i = np.arange(sides)
        j = (i + 1) % sides
        faces = np.concatenate([faces, np.stack([last + i, last + j, i], -1), np.stack([last + j, j, i], -1)])
    faces = faces.astype(np.int32)
    normals = vertex_normals(points, faces)
    outward = points.reshape(len(spine), -1, 3) - spine[:, None]
    if (normals.reshape(outward.shape) * outward).sum() < 0:
        faces, normals = faces[:, ::-1], -normals
    return points, faces, normals


def cloth_parts(style: Style) -> list[Part]:
    """Shoulders and a neckline. They move with the body."""
    columns, rows = 72, 22
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    v = np.linspace(0, 1, rows)[:, None] ** 1.7
    width = style.neck_width
    sine, cosine = np.sin(turn)[None], np.cos(turn)[None]
    rx = width * 1.22 + (1.18 - width) * np.sin(np.clip(v * 1.5, 0, 1) * np.pi / 2) ** 0.95
    rz = width * 1.16 + (0.52 - width) * smoothstep(v, 0.0, 0.6)
    drop = 0.26 * v**1.3 + 0.05 * smoothstep(v, 0.0, 0.25) + 1.5 * np.clip(v - 0.62, 0, 1)
    front = np.clip(cosine, 0, 1)
    depth = {"crew": 0.06, "v": 0.30, "collar": 0.20, "hood": 0.08}[style.neckline]
    sharp = 7.0 if style.neckline in ("v", "collar") else 2.0
    dip = depth * front**sharp * (1 - smoothstep(v, 0.0, 0.35))
    y = -0.985 - drop - dip
    x = sine * rx
    z = cosine * rz - 0.14 + 0.22 * dip
    points = np.stack([x + 0 * y, y + 0 * x, z + 0 * y], -1).reshape(-1, 3)
    faces = grid_faces(columns, rows, wrap=True)[:, ::-1]
    colour = np.broadcast_to(np.array(style.cloth), (rows, columns, 3)).copy()
    if style.neckline in ("crew", "v"):
        band = (1 - smoothstep(v, 0.055, 0.075))[..., None]
        colour = colour * (1 - band) + band * np.array(style.trim)
    parameters = np.concatenate([colour.reshape(-1, 3), np.full((rows * columns, 1), 0.04)], 1)
    shade = np.broadcast_to(0.62 + 0.38 * smoothstep(v, 0.0, 0.3), (rows, columns)).ravel()
    parts = [
        Part(
            "torso",
            PLAIN,
            points,
            faces,
            parameters,
            labels.CLOTH,
            occlusion=shade,
            attach=0.0,
            normals=vertex_normals(points, faces),
        )
    ]
    spine = points[:columns] + np.array([0.0, -0.005, 0.0])
    if style.neckline == "hood":
        spine = spine * np.array([1.25, 1.0, 1.25]) + np.array([0.0, -0.035, 0.0])
        tube, tube_faces, normals = _tube(spine, 0.095, closed=True, sides=14)
        colour = np.array(style.cloth) * 0.94
    elif style.neckline == "collar":
        spine = spine * np.array([1.07, 1.0, 1.07])
        tube, tube_faces, normals = _tube(spine, 0.052, closed=True, sides=10)
        colour = np.clip(np.array(style.trim) * 0.5 + 0.5, 0, 1)
    else:
        tube, tube_faces, normals = _tube(spine, 0.026, closed=True, sides=8)
        colour = np.array(style.trim)
    parts.append(
        Part(
            "neckline",
            PLAIN,
            tube,
            tube_faces,
            plain_colour(colour, len(tube), 0.04),
            labels.CLOTH,
            occlusion=0.92,
            attach=0.0,
            normals=normals,
        )
    )
    return parts


def glasses_parts(skin: np.ndarray, centres: np.ndarray, style: Style) -> list[Part]:
    """Spectacle frames around the eyes at ``centres [2, 3]``, with bridge and temples."""
    if style.glasses == "none":
        return []
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    power = {"round": 1.0, "square": 0.45, "oval": 0.8}[style.glasses]
    wide = {"round": 0.245, "square": 0.262, "oval": 0.265}[style.glasses]
    high = {"round": 0.240, "square": 0.200, "oval": 0.200}[style.glasses]
    cosine, sine = np.cos(turn), np.sin(turn)
    outline_x = wide * np.sign(cosine) * np.abs(cosine) ** power
    outline_y = high * np.sign(sine) * np.abs(sine) ** power
    front = float(skin[:, 2][np.abs(skin[:, 1] - centres[0, 1]) < 0.3].max())
    depth = max(float(centres[:, 2].mean()) + 0.36, front - 0.06)
    colour = np.array(style.glasses_colour)
    parts = []

    def add(name: str, spine: np.ndarray, radius: float, *, closed: bool) -> None:
        points, faces, normals = _tube(spine, radius, closed=closed)
        parts.append(
            Part(
                name,
                PLAIN,
                points,
                faces,
                plain_colour(colour, len(points), 0.6),
                labels.GLASSES,
                normals=normals,
            )
        )

    for side, centre in ((1, centres[0]), (-1, centres[1])):
        x = centre[0] + outline_x + side * 0.012
        z = depth - 0.30 * np.maximum(np.abs(x) - 0.10, 0.0) ** 2 / 0.45
        spine = np.stack([x, centre[1] + outline_y - 0.012, z], -1)
        add("rim", spine, 0.0165, closed=True)
        hinge = spine[np.abs(x).argmax()] + np.array([0.0, 0.05, 0.0])
        ear = np.array([side * (float(np.abs(skin[:, 0]).max()) + 0.035), centre[1] + 0.06, -0.10])
        s = np.linspace(0, 1, 12)[:, None]
        bend = np.array([side * 0.06, 0.0, 0.0]) * np.sin(np.pi * s)
        add("temple", hinge + (ear - hinge) * s + bend, 0.0155, closed=False)
    inner = abs(centres[0, 0]) + 0.012 - wide
    s = np.linspace(-1, 1, 12)
    bridge = np.stack(
        [s * max(inner, 0.03), centres[0, 1] + 0.05 - 0.03 * s**2, np.full(12, depth + 0.004)], -1
    )
    add("bridge", bridge, 0.015, closed=False)
    return parts
