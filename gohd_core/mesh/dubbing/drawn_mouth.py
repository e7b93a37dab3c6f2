"""Teeth and tongue in the light of a real clip, for mouths that the clip does not show itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import N_DESCRIPTOR
from gohd_core.face.geometry.camera import Camera, rotation
from gohd_core.images import Image
from gohd_core.mesh.contours import face_contours
from gohd_core.mesh.encoding.own_face import OwnFace
from gohd_core.mesh.frame import EDGE, MouthFrame, Window
from gohd_core.mesh.geometry.contour_warp import ContourFlow
from gohd_core.mesh.mouth.mouth import Mouth


class DrawnMouth:
    """The mouth of `mouth.Mouth`, taken from one frame with shut lips and drawn into any."""

    def __init__(
        self, picture: Image, pose: Tensor, points: Tensor, flat: np.ndarray, closed: Tensor
    ) -> None:
        """From a square picture [S,S,3] in which poses are told.

        Args:
            pose: [6] of the head. points: [478,3] in head space. flat: [478,2] their pixels.
            closed: [3,7,48,3] contours without expression.
        """
        size = len(picture)
        camera = Camera.of_size(size)
        descriptor = pose.new_zeros(1, N_DESCRIPTOR)
        descriptor[0, 64:70] = pose
        image = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
        unit = camera.focal / (camera.distance - pose[5].item())
        flat = torch.from_numpy(flat.astype(np.float32))
        contours = face_contours(points[None])[0]
        gaze = pose.new_zeros(2, 2)
        self.size = size
        self._mouth = Mouth.of(
            OwnFace(image, flat, points, contours, closed, descriptor, gaze, 0.0, 0.0, unit)
        )
        self._middle = flat[[61, 291]].mean(0)

    def over(
        self, skin: np.ndarray, flow: ContourFlow, lips: Tensor, corner: np.ndarray, pose: Tensor, jaw: float
    ) -> np.ndarray:
        """Colours [h,w,3] of a frame's window with the mouth's inside drawn into them.

        Args:
            skin: [h,w,3] colours in 0..255 there. flow: the lips', in the window.
            lips: [1,7,48,2] contours in pixels of the square that the window is of.
            corner: [2] where that square begins in the one in which poses are told.
            pose, jaw: [6] of the head, and the jaw's coefficient.
        """
        step = torch.from_numpy(corner.astype(np.int64))
        its = flow.window
        window = Window(its.x + step[0], its.y + step[1], its.width, its.height, self.size)
        contours = lips + step
        rigid = (self._middle - contours[:, EDGE].mean(1))[..., None, None].expand(-1, -1, 2, 2)
        descriptor = pose.new_zeros(1, N_DESCRIPTOR)
        descriptor[0, 64:70] = pose
        drawn = self._mouth.draw(
            MouthFrame(
                window=window,
                skin=torch.from_numpy(skin).permute(2, 0, 1)[None] / 127.5 - 1,
                opening=flow.opening,
                rigid=rigid,
                contours=contours,
                descriptor=descriptor,
                rotation=rotation(pose[None, :3]),
                jaw=torch.tensor([jaw], dtype=torch.float32, device="cpu"),
            )
        )
        return ((drawn[0].permute(1, 2, 0) + 1) * 127.5).numpy()
