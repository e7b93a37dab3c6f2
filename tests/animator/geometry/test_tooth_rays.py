"""Rows of teeth lie where the renderer has them, whatever the pose and the jaw."""

from __future__ import annotations

import numpy as np
import torch

from gohd_core.animator.geometry.tooth_rays import tooth_places
from gohd_core.stylised.camera import project
from gohd_core.stylised.ground_truth.feature_rings import feature_rings
from gohd_core.stylised.person.avatar import Avatar
from gohd_core.stylised.person.identity import Identity
from gohd_core.stylised.person.mouth import ARCH_COLUMNS, ARCH_ROWS

SIZE = 256


def test_places_are_those_of_the_teeth_that_the_renderer_draws_there():
    along, down = np.meshgrid(np.linspace(-1, 1, ARCH_COLUMNS), np.linspace(-1, 1, ARCH_ROWS))
    generator = np.random.default_rng(0)
    rings = feature_rings()
    for seed in (3, 7, 12):
        identity = Identity.random(seed)
        avatar = Avatar(identity)
        coefficients = np.asarray(identity.coefficients, np.float32)
        edge = torch.from_numpy(rings.mean + rings.identity @ coefficients)[0, 1]
        for jaw in (0.0, 0.5, 1.0):
            pose = generator.normal(0, [0.15, 0.3, 0.1, 0.05, 0.05, 0.1])
            expression = np.zeros(64)
            expression[0] = jaw
            frame = avatar.frame(expression, pose, np.zeros(2))
            descriptor = torch.from_numpy(np.concatenate([expression, pose, [0, 0]])).float()[None]
            for k, name in enumerate(("teeth_lower", "teeth_upper")):
                part = next(each for each in avatar.parts if each.name == name)
                points = frame.to_world(frame.positions[part.span]).astype(np.float64)
                column, row = torch.from_numpy(project(points, SIZE)[None, None, :, :2]).float().unbind(-1)
                found = tooth_places(edge[None], descriptor, column, row, SIZE)[0, k, 0].numpy()
                # Teeth bulge by a hundredth, and are rounded where they end: the places' middle is meant.
                inside = np.abs(found[:, 0]) < 0.9
                assert inside.mean() > 0.7
                assert np.abs(found[:, 0] - along.ravel())[inside].mean() < 0.03
                assert np.abs(found[:, 1] - down.ravel())[inside].mean() < 0.1
