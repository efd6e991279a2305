"""A person's head as it moves before a camera: surface, ears, hair, glasses, pupils in px."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy, face, glasses, hair, identity, mesh, muscles
from fgbench.synthetic.action_units import Activation, channels_of
from fgbench.synthetic.camera import FULL_GAZE, PIVOT, Camera, project, turned
from fgbench.synthetic.identity import Identity

Pixels = npt.NDArray[np.float32]
Line = npt.NDArray[np.float64]

_EYEBALL_RADIUS = 0.135


class Rig:
    """Moving parts of a head, projected.

    Args:
        person: The person.
        camera: The camera.
    """

    def __init__(self, person: Identity, camera: Camera) -> None:
        self._camera, self._style = camera, person.hair_style
        self._surface = _surface(person)
        self.normals = mesh.normals(self._surface.rest, mesh.grid().shape)
        eyes = anatomy.on_surface(np.array([[-anatomy.EYE_X, 0.0], [anatomy.EYE_X, 0.0]]))
        self._eyeballs = identity.shaped(eyes, person.shape) - [0.0, 0.0, _EYEBALL_RADIUS - 0.02]
        self._glasses = glasses.outlines(person) if person.glasses > 0 else []

    def nodes(self, weights: Activation, matrix: npt.NDArray[np.float64]) -> Pixels:
        """Nodes of the grid: float32 (rows, columns, 2) px.

        Args:
            weights: Weights of the displacement fields.
            matrix: (3, 3): rotation of the head.
        """
        rows, columns = mesh.grid().shape
        points = self._surface.moved(weights).reshape(rows, columns, 3)
        shift = PIVOT - matrix @ PIVOT
        x, y, z = cv2.split(cv2.transform(points, np.column_stack([matrix, shift])))
        camera = self._camera
        factor = np.float32(camera.scale_px) / (np.float32(1.0) - z * np.float32(1.0 / camera.distance))
        centre_x, centre_y = camera.centre_px
        return np.asarray(cv2.merge([x * factor + np.float32(centre_x), y * factor + np.float32(centre_y)]))

    def pupils(
        self, activation: Activation, gaze: tuple[float, float], matrix: npt.NDArray[np.float64]
    ) -> Line:
        """Centres of the pupils, (2, 2) px: the person's right eye, then the left one.

        Args:
            activation: Activation of the face; AUs 61 to 64 turn the eyes.
            gaze: Idle gaze to the person's left and up, as fractions of the largest turn.
            matrix: (3, 3): rotation of the head.
        """
        way = []
        for (plus, minus, full), idle in zip(FULL_GAZE, gaze, strict=True):
            acted = float(activation[channels_of(plus)[0]] - activation[channels_of(minus)[0]])
            way.append(full * min(max(acted + idle, -1.0), 1.0))
        depth = float(np.sqrt(_EYEBALL_RADIUS**2 - way[0] ** 2 - way[1] ** 2))
        return self._seen(self._eyeballs + np.array([way[0], -way[1], depth]), matrix)

    def ears(self, matrix: npt.NDArray[np.float64]) -> list[Line]:
        """Outlines of the ears, the person's right one first; empty under long hair."""
        if self._style == "long":
            return []
        return [self._seen(hair.ear(sign), matrix) for sign in (-1.0, 1.0)]

    def skull(self, matrix: npt.NDArray[np.float64]) -> Line:
        """Outline of the back of the head."""
        centre = turned(hair.skull_centre(), matrix)[0]
        outline = hair.skull_outline(matrix, self._style) + centre[:2]
        return project(np.column_stack([outline, np.full(len(outline), centre[2])]), self._camera)

    def long_hair(self, matrix: npt.NDArray[np.float64]) -> Line | None:
        """Outline of hair that falls on the shoulders; ``None`` if there is none."""
        return self._seen(hair.long_hair(), matrix) if self._style == "long" else None

    def glasses(self, matrix: npt.NDArray[np.float64]) -> list[Line]:
        """Lines of the glasses; empty without glasses."""
        return [self._seen(line, matrix) for line in self._glasses]

    def _seen(self, points: Line, matrix: npt.NDArray[np.float64]) -> Line:
        return project(turned(points, matrix), self._camera)


@lru_cache(maxsize=32)
def _surface(person: Identity) -> face.Deformable:
    grid = mesh.grid()
    rest = identity.shaped(grid.points, person.shape).astype(np.float32)
    return face.Deformable(rest=hair.raised(grid, rest, person.hair_style), basis=_basis(), spans={})


@lru_cache(maxsize=1)
def _basis() -> npt.NDArray[np.float32]:
    return muscles.basis(mesh.grid().points)
