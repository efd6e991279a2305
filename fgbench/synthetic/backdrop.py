"""Draws the static parts of a clip: the background, the shoulders and the neck."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic.camera import Pose, project, rotation, turned
from fgbench.synthetic.canvas import Picture, lay, soften, tinted
from fgbench.synthetic.identity import Identity
from fgbench.synthetic.scene import Scene

_SHIFT = 4
_COARSE = 8
"""Px per pixel of the small pictures from which smooth parts are enlarged."""

_NECK = ((0.0, -0.4), (-0.52, -0.4), (-0.53, 0.25), (-0.57, 0.50), (-0.74, 0.72), (-1.2, 0.95))
_COLLAR = ((-0.66, 0.66), (-0.52, 0.80), (-0.28, 0.98), (0.0, 1.05), (0.28, 0.98), (0.52, 0.80), (0.66, 0.66))
_SHOULDERS = (
    (0.0, 1.05), (-0.28, 0.98), (-0.52, 0.80), (-0.66, 0.66), (-0.95, 0.80), (-1.45, 1.02), (-1.75, 1.35),
    (-1.95, 4.0),
)  # fmt: skip
"""Left halves of the outlines, from the base of the head, in distances of the outer eye corners."""


def draw_backdrop(person: Identity, scene: Scene, width: int, height: int) -> Picture:
    """Background, shoulders and neck: (height, width, 3) uint8 RGB."""
    rng = np.random.default_rng(scene.seed)
    picture = _background(rng, scene, width, height)
    _draw_body(picture, person, scene, rng)
    return picture


def _background(rng: np.random.Generator, scene: Scene, width: int, height: int) -> Picture:
    """A room out of focus: a wall with a gradient and some blurred things."""
    columns, rows = -(-width // _COARSE), -(-height // _COARSE)
    tone = rng.uniform(55, 205) * (1.0 + rng.uniform(-0.12, 0.12, 3))
    x, y = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    slope = rng.uniform(-0.25, 0.25, 2)
    wall = np.clip(tone * (1.0 + slope[0] * x + slope[1] * y)[:, :, None], 5, 250).astype(np.float32)
    for _ in range(int(rng.integers(2, 9))):
        colour = tinted(tone * rng.uniform(0.45, 1.5) + rng.uniform(-25, 25, 3), 1.0)
        left, top = rng.uniform(-0.1, 0.95) * columns, rng.uniform(-0.1, 0.9) * rows
        size = rng.uniform(0.06, 0.40) * columns, rng.uniform(0.15, 0.9) * rows
        corner = int(left), int(top)
        if rng.random() < 0.7:
            cv2.rectangle(wall, corner, (int(left + size[0]), int(top + size[1])), colour, -1)
        else:
            cv2.ellipse(wall, corner, (int(size[0] / 2), int(size[1] / 3)), 0, 0, 360, colour, -1)
    blurred = cv2.GaussianBlur(wall, (0, 0), float(rng.uniform(0.6, 3.0)))
    light = np.asarray(scene.light_rgb, np.float32) * np.float32(scene.exposure)
    return _grown(np.clip(blurred * light, 0, 255).astype(np.uint8), width, height)


def _draw_body(picture: Picture, person: Identity, scene: Scene, rng: np.random.Generator) -> None:
    """Shoulders with clothes, and the neck with the head's shadow on it."""
    height, width = picture.shape[:2]
    scale = scene.camera.scale_px
    base = np.array([[0.0, 0.95, -0.45]])
    upright = rotation(Pose(scene.pose.yaw_deg, scene.pose.pitch_deg, 0.0))
    origin = project(turned(base, upright), scene.camera)[0]
    origin[0] -= 0.25 * scale * np.sin(np.deg2rad(scene.pose.roll_deg))
    light = np.asarray(scene.light_rgb) * scene.exposure
    cloth = np.clip(rng.uniform(20, 200) * (1.0 + rng.uniform(-0.35, 0.35, 3)), 8, 235) * light
    columns, rows = -(-width // _COARSE), -(-height // _COARSE)
    across = ((np.arange(columns) + 0.5) * _COARSE - origin[0]) / scale
    down = ((np.arange(rows) + 0.5) * _COARSE - origin[1]) / scale
    lean = float(scene.light[0])
    roundness = 1.0 - 0.55 * np.clip(np.abs(across - 0.22 * lean) / 0.62, 0, 1.2) ** 2.2
    shadow = 0.52 + 0.48 / (1.0 + np.exp(-np.clip((down - 0.60) / 0.10, -50.0, 50.0)))
    skin = np.array(person.skin) * light * (0.74 + 0.25 * scene.ambient)
    neck = (shadow[:, None] * roundness[None, :])[:, :, None] * skin
    folds = cv2.GaussianBlur(rng.standard_normal((rows, columns), np.float32), (0, 0), 5)
    folds /= float(folds.std())
    tilt = 1.0 - 0.18 * np.clip(np.abs(across - 0.5 * lean) / 1.6, 0, 1.5) ** 2
    clothes = (tilt[None, :] * (1.0 + 0.06 * folds))[:, :, None] * cloth
    for layer, outline in ((neck, _NECK), (clothes, _SHOULDERS)):
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [_fixed(_both(outline), scale, origin)], 255, cv2.LINE_AA, _SHIFT)
        lay(picture, _grown(np.clip(layer, 0, 255).astype(np.uint8), width, height), soften(mask, 0.8))
    seam = max(1, round(0.05 * scale))
    cv2.polylines(
        picture, [_fixed(_COLLAR, scale, origin)], False, tinted(cloth, 0.72), seam, cv2.LINE_AA, _SHIFT
    )


def _grown(small: Picture, width: int, height: int) -> Picture:
    rows, columns = small.shape[:2]
    large = cv2.resize(small, (columns * _COARSE, rows * _COARSE), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(large[:height, :width])


def _both(half: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [*half, *((-x, y) for x, y in reversed(half))]


def _fixed(
    points: Sequence[tuple[float, float]], scale: float, origin: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    return np.asarray(np.rint((np.array(points) * scale + origin) * (1 << _SHIFT)), np.int32)
