"""Eyeballs in a picture, and three textures of one: fixed to the light, to the head, to the iris.

An eyeball is a ball: where its centre is in the head, which way the head is turned and where the eyes look
say where the iris is, exactly. Highlights keep their place towards the light, shadows and the corners' red
keep theirs in the head, the iris turns with the gaze.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from gohd_core.animator.geometry.window import sample_pixels
from gohd_core.constants import N_EXPRESSION, N_GAZE, N_POSE
from gohd_core.face.geometry.camera import Camera, rotation, transform

RADIUS = 0.272
"""Radius of an eyeball, model units."""
LIGHT, HEAD, IRIS = range(3)
"""The textures, by the frame that they are fixed to."""
EXTENTS = (0.7, 1.0, 0.62)  # light, head, iris
"""Half a texture's side in radii of the ball."""
TEXTURE = 48
"""Pixels on a side of a texture."""
_FACING = 0.15
"""Least cosine between a point's normal and the viewing direction at which a picture can show it."""
_RIM = 0.05
"""Width of the soft edge of a ball's outline, in squared radii."""


@dataclass(frozen=True)
class Eyes:
    """Both eyeballs, the subject's left first, as they are in a picture.

    Attributes:
        centres: [B,2,3] in model space, after the head's pose.
        axes: [B,3,3,3] rotations of row vectors from each texture (light, head, iris) to model space.
    """

    centres: Tensor
    axes: Tensor


def place_eyes(place: Tensor, descriptor: Tensor) -> Eyes:
    """Eyes of a head.

    Args:
        place: [1 or B,3] the left eye's centre in the head: half their distance, height, depth.
        descriptor: [B,72] in the network's order: of it, head pose and gaze (horizontal, vertical).
    """
    _, pose, gaze = descriptor.split((N_EXPRESSION, N_POSE, N_GAZE), dim=-1)
    head = rotation(pose[:, :3])
    both = torch.stack([place, place * place.new_tensor([-1, 1, 1])], 1).expand(len(pose), -1, -1)
    yaw, pitch = gaze.unbind(-1)
    direction = torch.stack([-yaw.sin() * pitch.cos(), pitch.sin(), yaw.cos() * pitch.cos()], -1)
    local = (direction[:, None] @ head.mT)[:, 0]
    up, left = local[:, 1].clamp(-0.999, 0.999).asin(), torch.atan2(-local[:, 0], local[:, 2])
    iris = rotation(torch.stack([-up, -left, torch.zeros_like(up)], -1)) @ head
    light = torch.eye(3, dtype=pose.dtype, device=pose.device).expand_as(head)
    return Eyes(transform(both, pose), torch.stack([light, head, iris], 1))


def unwrap_texture(
    picture: Tensor, eyes: Eyes, kind: int, extent: float | None = None
) -> tuple[Tensor, Tensor]:
    """Textures [B,2,C,n,n] of both balls from a picture [B,C,S,S], and their visibility [B,2,1,n,n]."""
    extent = EXTENTS[kind] if extent is None else extent
    line = (
        (torch.arange(TEXTURE, device=picture.device, dtype=torch.float32) * 2 + 1) / TEXTURE - 1
    ) * extent
    down, along = torch.meshgrid(-line, line, indexing="ij")
    point = torch.stack([along, down, (1 - along**2 - down**2).clamp_min(0).sqrt()], -1)
    normal = torch.einsum("hwi,bij->bhwj", point, eyes.axes[:, kind])[:, None]
    place = eyes.centres[:, :, None, None] + RADIUS * normal
    pixels = Camera.of_size(picture.shape[-1]).pixels(place)
    shown = normal[..., 2:].expand(-1, 2, -1, -1, -1) > _FACING
    # Both eyes in one grid, one below the other: pictures are large.
    seen = sample_pixels(picture, rearrange(pixels, "b eye h w xy -> b (eye h) w xy"))
    return rearrange(seen, "b c (eye h) w -> b eye c h w", eye=2), rearrange(
        shown, "b eye h w c -> b eye c h w"
    ).float()


def project_to_texture(eyes: Eyes, column: Tensor, row: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Intersects the rays of pixels [B,2,h,w] with their ball.

    Returns places [B,3,2,h,w,3] in the three textures (x right, y up, z towards the front, in radii), and the
    ball's soft outline [B,2,h,w] in 0..1.
    """
    camera = Camera.of_size(size)
    ray = camera.rays(column, row)
    away = eyes.centres - eyes.centres.new_tensor([0, 0, camera.distance])
    away = away[:, :, None, None]
    along = (ray * away).sum(-1)
    length = ray.square().sum(-1)
    inside = along.square() - length * (away.square().sum(-1) - RADIUS**2)
    # A ball's outline is where this becomes nothing; its unit is a squared radius.
    rim = inside / (length * RADIUS**2)
    distance = (along - inside.clamp_min(1e-9).sqrt()) / length
    normal = (ray * distance[..., None] - away) / RADIUS
    places = torch.einsum("bkhwi,bcji->bckhwj", normal, eyes.axes)
    return places, (rim / _RIM).clamp(0, 1)


def sample_texture(textures: Tensor, places: Tensor, kind: int) -> Tensor:
    """Textures [1 or B,2,C,n,n] of both eyes at places [B,2,h,w,3] of their balls -> [B,2,C,h,w]."""
    scale = places.new_tensor([1, -1]) / EXTENTS[kind]
    both = textures.expand(len(places), -1, -1, -1, -1).flatten(0, 1)  # [2B,C,n,n]
    grid = (places[..., :2] * scale).flatten(0, 1)  # [2B,h,w,2]
    # [2B,C,h,w] -> [B,2,C,h,w]
    return F.grid_sample(both, grid, "bilinear", "border", align_corners=False).unflatten(0, (-1, 2))
