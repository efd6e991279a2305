"""Brightness of the head: light on its smooth form, and on the relief that the action units make."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import mesh, relief
from fgbench.synthetic.action_units import Activation
from fgbench.synthetic.identity import Identity
from fgbench.synthetic.scene import Scene

Field = npt.NDArray[np.float32]

FULL = 128
"""Level of a surface in full even light; levels go up to 255."""

_RIM_ROWS = 5
_WARMTH = (0.93, 1.03, 1.08)
"""Exponents of red, green and blue: shadows on skin are reddish."""


class Shader:
    """Brightness over a head in a scene.

    Args:
        normals: float32 (rows, columns, 3): unit normals at rest on the grid.
        scene: Light.
        to_head: (3, 3): rotation from the camera's frame to the head's at its base pose.
        person: The person, for the depth of lines and the gloss of the skin.
    """

    def __init__(
        self, normals: Field, scene: Scene, to_head: npt.NDArray[np.float64], person: Identity
    ) -> None:
        self._normals, self._scene = _without_rim(normals), scene
        self._light = to_head @ np.array(scene.light)
        self._depth = np.float32((0.75 + 0.5 * person.age) * scene.exposure)
        age = relief.age_patch()
        self._at_rest = age.shading(self._light, 1.0 - scene.ambient) * np.float32(
            0.8 * person.age * scene.exposure
        )
        # Reflections do not depend on the colour below: they stand out more on dark skin.
        self._gloss = 0.22 * (170.0 / float(np.mean(person.skin))) ** 0.8
        self._by_channel: dict[int, Field] = {}
        level = np.arange(256) / FULL
        curves = [tint * level**power for tint, power in zip(scene.light_rgb, _WARMTH, strict=True)]
        table = np.clip(np.rint(np.stack(curves, axis=1) * FULL), 0, 255).astype(np.uint8)
        self._tones = table[None]

    def levels(self, activation: Activation, to_head: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        """Levels of red, green and blue over the relief's raster: (rows, columns, 3) uint8.

        Args:
            activation: Activation of the face.
            to_head: (3, 3): rotation from the camera's frame to the head's in this frame.
        """
        ambient = self._scene.ambient
        light = to_head @ np.array(self._scene.light)
        sky = to_head @ np.array([0.0, -1.0, 0.3])
        halfway = light + to_head @ np.array([0.0, 0.0, 1.0])
        halfway /= np.linalg.norm(halfway)
        lit, above, shine = cv2.split(cv2.transform(self._normals, np.stack([light, sky, halfway])))
        # A little light wraps around the edge of the shadow, as it does on skin.
        direct = np.maximum(lit * np.float32(0.8) + np.float32(0.2), 0.0)
        gloss = np.maximum(shine, 0.0) ** 2
        gloss = gloss * gloss
        gloss = gloss * gloss * gloss
        exposure = self._scene.exposure
        smooth = direct * np.float32(1.12 * (1.0 - ambient) * exposure)
        smooth += gloss * np.float32(self._gloss * (1.0 - ambient) * exposure)
        smooth += above * np.float32(0.16 * ambient * exposure) + np.float32(0.86 * ambient * exposure)
        total = _onto_relief(smooth)
        total[relief.age_patch().region] += self._at_rest
        for channel in np.flatnonzero(activation).tolist():
            if channel in relief.patches():
                part = total[relief.patches()[channel].region]
                cv2.scaleAdd(self._shade(channel), float(activation[channel]), part, dst=part)
        level = cv2.convertScaleAbs(cv2.max(total, 0.0), alpha=float(FULL))
        return np.asarray(cv2.LUT(cv2.merge([level, level, level]), self._tones))

    def _shade(self, channel: int) -> Field:
        """Shading added by a channel's forms at full intensity."""
        if channel not in self._by_channel:
            shade = relief.patches()[channel].shading(self._light, 1.0 - self._scene.ambient)
            self._by_channel[channel] = shade * self._depth
        return self._by_channel[channel]


def _without_rim(normals: Field) -> Field:
    """Normals whose last rows, where the skin turns under the jaw, point like the rows before."""
    result = normals.copy()
    result[-_RIM_ROWS:] = normals[-_RIM_ROWS - 1]
    return result


def _onto_relief(smooth: Field) -> Field:
    rows, columns = mesh.relief().shape
    shrink = np.array([[1.0 / mesh.RELIEF, 0.0, 0.0], [0.0, 1.0 / mesh.RELIEF, 0.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(smooth, shrink, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )
