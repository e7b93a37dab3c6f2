"""The linear morphable head of eq. 10: shape, landmarks and the eye-motion feature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gohd_core.constants import BFM09, N_EXPRESSION, N_IDENTITY, N_LANDMARKS, SPACES, STYLISED
from gohd_core.errors import BadInput
from gohd_core.face.geometry import camera as _camera
from gohd_core.face.geometry.camera import Camera
from gohd_core.face.geometry.eye_motion import eye_motion
from gohd_core.face.geometry.eye_projection import eye_projection
from gohd_core.face.geometry.morphable_file import read_bfm, read_landmark_model
from gohd_core.kernels.policy import exact_dtype


class MorphableModel:
    """S = mean + identity . B_id + expression . B_exp (eq. 10), with the 68 landmarks among its vertices.

    All methods take any leading dimensions, broadcast them, and can be differentiated.

    Attributes:
        mean_shape: [V, 3] in model units, x to the image's right, y up, z towards the camera.
        identity_basis, expression_basis: [V, 3, 80] and [V, 3, 64].
        faces: [F, 3] vertex indices from 0; None in a model of the landmarks alone.
        landmark_indices: [68], the vertices of the standard landmarks.
        space: the coefficient space.
    """

    def __init__(
        self,
        mean_shape: Any,
        identity_basis: Any,
        expression_basis: Any,
        landmark_indices: Any,
        *,
        space: str,
        faces: Any = None,
    ) -> None:
        # Copied: the procedural basis is cached and shared, and must not change under its other users.
        self.mean_shape = _copied(mean_shape, np.float32)
        self.identity_basis = _copied(identity_basis, np.float32)
        self.expression_basis = _copied(expression_basis, np.float32)
        self.landmark_indices = _copied(landmark_indices, np.int64)
        self.faces = None if faces is None else _copied(faces, np.int64)
        self.space = space
        self._check()

    def _check(self) -> None:
        n = len(self.mean_shape)
        wanted = {
            "mean_shape": (n, 3),
            "identity_basis": (n, 3, N_IDENTITY),
            "expression_basis": (n, 3, N_EXPRESSION),
            "landmark_indices": (N_LANDMARKS,),
        }
        for name, shape in wanted.items():
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise BadInput(f"{name} of the morphable model has shape {found}; {shape} is wanted.")
        if self.space not in SPACES:
            raise BadInput(f"There is no coefficient space {self.space!r}; use {' or '.join(SPACES)}.")
        indices = [self.landmark_indices] + ([] if self.faces is None else [self.faces])
        if any(int(i.min()) < 0 or int(i.max()) >= n for i in indices):
            raise BadInput(f"The morphable model points at vertices that it lacks (it has {n}).")

    @classmethod
    def from_file(cls, path: str | Path) -> MorphableModel:
        """The Basel Face Model from BFM_model_front.mat, as Deep3DFaceRecon makes it."""
        return cls(space=BFM09, **read_bfm(path))

    @classmethod
    def stylised(cls) -> MorphableModel:
        """The procedural head of the built-in weights, all vertices."""
        from gohd_core.stylised.head.morphable import stylised_basis

        basis = stylised_basis()
        names = ("mean_shape", "identity_basis", "expression_basis", "landmark_indices", "faces")
        return cls(space=STYLISED, **{name: getattr(basis, name) for name in names})

    @classmethod
    def of_space(cls, space: str, path: str | Path | None = None) -> MorphableModel:
        """The whole model of a space, from its file where it has one; `BadInput` for bfm09 without."""
        if path is not None:
            return cls.from_file(path)
        if space != STYLISED:
            raise BadInput(
                f"The space {space!r} needs its morphable model here: give face_model=BFM_model_front.mat."
            )
        return cls.stylised()

    @classmethod
    def stylised_landmarks(cls) -> MorphableModel:
        """The 68 landmarks of the procedural head alone, from the pack's assets; quick to load."""
        return cls(space=STYLISED, **read_landmark_model())

    def to(self, device: str | torch.device) -> MorphableModel:
        """A copy on another device."""
        moved = object.__new__(MorphableModel)
        for name, value in vars(self).items():
            setattr(moved, name, value.to(device) if isinstance(value, Tensor) else value)
        return moved

    def landmarks_only(self) -> MorphableModel:
        """A model whose only vertices are the 68 landmarks: all that eye motion and losses need."""
        rows = self.landmark_indices
        return MorphableModel(
            self.mean_shape[rows],
            self.identity_basis[rows],
            self.expression_basis[rows],
            torch.arange(N_LANDMARKS, dtype=torch.long, device="cpu"),
            space=self.space,
        )

    def vertices(self, identity: Tensor | None = None, expression: Tensor | None = None) -> Tensor:
        """Shape S (eq. 10) in model space, [..., V, 3].

        Args:
            identity: [..., 80]; None is the average face.
            expression: [..., 64]; None is the neutral ("mean") expression.
        """
        return self._shape(slice(None), identity, expression)

    def landmarks(
        self, identity: Tensor | None = None, expression: Tensor | None = None, pose: Tensor | None = None
    ) -> Tensor:
        """The 68 landmarks in model space, [..., 68, 3], moved by pose [..., 6] where it is given."""
        points = self._shape(self.landmark_indices, identity, expression)
        return points if pose is None else _camera.transform(points, pose)

    def landmarks_2d(
        self,
        identity: Tensor | None = None,
        expression: Tensor | None = None,
        pose: Tensor | None = None,
        size: int = _camera.ALIGNED_SIZE,
    ) -> Tensor:
        """The 68 landmarks in pixels of an aligned picture of that size, [..., 68, 2], y down."""
        return Camera.of_size(size).pixels(self.landmarks(identity, expression, pose))

    @staticmethod
    def rotation(angles: Tensor) -> Tensor:
        """Euler angles [..., 3] -> [..., 3, 3] for row vectors; see `camera.rotation`."""
        return _camera.rotation(angles)

    @staticmethod
    def transform(points: Tensor, pose: Tensor) -> Tensor:
        """Moves points [..., V, 3] by a pose [..., 6]."""
        return _camera.transform(points, pose)

    @staticmethod
    def projection(points: Tensor, camera: Camera | None = None) -> Tensor:
        """Model space [..., V, 3] -> picture plane [..., V, 2] in pixels, **y up** (see `Camera`)."""
        camera = camera or Camera()
        return camera.project(camera.to_camera(points))

    def eye_motion_feature(self, expression: Tensor) -> Tensor:
        """Handcrafted eye motion f_t of Fig. 4 from expression [..., 64], [..., 21].

        Landmarks are taken with identity and pose set to zero (§3.2) and projected by the aligned
        camera; the reference is the neutral expression. See `eye_motion` for the 21 values.
        """
        moved = self.projection(self.landmarks(expression=expression))
        return eye_motion(moved, self.projection(self.landmarks()).to(moved))

    def eye_projection(self) -> Tensor:
        """[64, 64]: the part of a change of expression that moves eyes and brows; see `eye_projection`."""
        return eye_projection(self.expression_basis[self.landmark_indices])

    def _shape(self, rows: Any, identity: Tensor | None, expression: Tensor | None) -> Tensor:
        shape = self.mean_shape[rows]
        kind = shape.dtype
        for name, coefficients, basis in (
            ("identity", identity, self.identity_basis[rows]),
            ("expression", expression, self.expression_basis[rows]),
        ):
            if coefficients is None:
                continue
            if coefficients.shape[-1] != basis.shape[-1]:
                raise BadInput(
                    f"The {name} has shape {tuple(coefficients.shape)}; its last dimension must be "
                    f"{basis.shape[-1]}."
                )
            # Long sums round: the CPU adds in float64.
            exact = exact_dtype(coefficients.device, coefficients.dtype)
            # basis [V,3,n] -> [n,3V]
            flat = coefficients.to(exact) @ basis.flatten(0, 1).T.to(coefficients.device, exact)
            shape = shape.to(flat) + flat.unflatten(-1, basis.shape[:2])  # [...,3V] -> [...,V,3]
            kind = coefficients.dtype
        return shape.to(kind)


def _copied(values: Any, dtype: type[np.generic]) -> Tensor:
    return torch.from_numpy(np.asarray(values).astype(dtype))
