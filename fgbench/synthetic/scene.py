"""Filming of a clip: light, background, camera, base pose, blur and noise, sampled per clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fgbench.synthetic.camera import Camera, Pose

FACE_WIDTH_UNITS = 1.64
"""Width of the average face, in distances of the outer eye corners."""
_FACE_WIDTH_SHARE = (150 / 720, 420 / 720)
"""Range of the face's width relative to the height of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything in a clip except the person and their movements.

    Attributes:
        camera: Position and size of the head in the picture.
        pose: Pose of the head before any action unit.
        light: Direction to the main light in the frame of the camera, unit length.
        ambient: Share of light that comes from all sides, 0 to 1.
        light_rgb: Colour of the light, 1 is neutral.
        exposure: Brightness factor.
        blur_px: Standard deviation of the lens blur.
        noise: Standard deviation of the sensor noise in grey levels.
        seed: Seed of background, clothes and noise pattern.
    """

    camera: Camera
    pose: Pose
    light: tuple[float, float, float]
    ambient: float
    light_rgb: tuple[float, float, float]
    exposure: float
    blur_px: float
    noise: float
    seed: int


def draw_scene(width: int, height: int, rng: np.random.Generator) -> Scene:
    """A scene of random kind for pictures of the given size.

    Base yaw is mostly within 15 degrees; about one clip in twelve is seen from up to 30.
    """
    low, high = _FACE_WIDTH_SHARE
    face_width = height * float(low * (high / low) ** rng.random())
    scale = face_width / FACE_WIDTH_UNITS
    margin_x, margin_up, margin_down = 1.35 * scale, 1.65 * scale, 1.75 * scale
    centre = (
        float(rng.uniform(min(margin_x, 0.5 * width), max(width - margin_x, 0.5 * width))),
        float(rng.uniform(min(margin_up, 0.44 * height), max(height - margin_down, 0.44 * height))),
    )
    wide = rng.random() < 1 / 12
    yaw = (
        rng.uniform(15.0, 28.0) * rng.choice((-1.0, 1.0))
        if wide
        else np.clip(rng.normal(0.0, 6.0), -14.0, 14.0)
    )
    pitch, roll = np.clip(rng.normal(0.0, (3.5, 3.5)), -9.0, 9.0)
    warmth = rng.normal(0.0, 0.03)
    return Scene(
        camera=Camera(scale_px=scale, centre_px=centre, distance=float(rng.uniform(8.0, 16.0))),
        pose=Pose(float(yaw), float(pitch), float(roll)),
        light=_unit(rng.uniform(-0.75, 0.75), rng.uniform(-0.85, -0.1), rng.uniform(0.7, 1.1)),
        ambient=float(rng.uniform(0.42, 0.62)),
        light_rgb=(float(1.0 + warmth), 1.0, float(1.0 - warmth)),
        exposure=float(rng.uniform(0.9, 1.12)),
        blur_px=float(rng.uniform(0.45, 1.1)),
        noise=float(rng.uniform(0.6, 2.2)),
        seed=int(rng.integers(0, 2**32)),
    )


def studio(width: int, height: int, *, face_width_px: float) -> Scene:
    """The scene of the contact sheet: frontal, soft light from above, centred."""
    return Scene(
        camera=Camera(
            scale_px=face_width_px / FACE_WIDTH_UNITS, centre_px=(0.5 * width, 0.43 * height), distance=12.0
        ),
        pose=Pose(0.0, 0.0, 0.0),
        light=_unit(-0.35, -0.6, 1.0),
        ambient=0.45,
        light_rgb=(1.0, 1.0, 1.0),
        exposure=1.0,
        blur_px=0.5,
        noise=0.0,
        seed=7,
    )


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = float(np.sqrt(x * x + y * y + z * z))
    return float(x) / length, float(y) / length, float(z) / length
