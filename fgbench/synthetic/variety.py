"""Variation beyond that of the embedded data set: skin, make-up, light, and the recording of a clip.

Pure functions of (seed, person) and (seed, clip). Geometry, action units and landmarks are unchanged, so
a clip of a wide set has the truth of the clip of the plain set with its id. All ranges are ours: they are
meant to exceed those of one laboratory or one camera, not to match those of a data set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fgbench.files.hashing import hash_u64
from fgbench.synthetic.identity import Identity
from fgbench.synthetic.scene import FACE_WIDTH_UNITS, Scene

VARIETIES = ("plain", "wide")
"""``plain`` is the embedded data set; ``wide`` varies skin, light and recording too."""

_SHARP_PX = (34.0, 200.0)
"""Range of the width of the face, in px, that a recording resolves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Changes of a clip's frames by a recording, in this order.

    Attributes:
        shrink: Factor by which frames are reduced before they are enlarged again, at least 1.
        gamma: Exponent of brightness, 1 is neutral.
        contrast: Factor of brightness about the middle grey.
        saturation: Factor of the colours; 0 is grey.
        jpeg_quality: Quality of a first compression as JPEG, 1 to 100; 0 for none.
        h264_qp: Quantiser of the video itself; 22 is that of the embedded data set.
    """

    shrink: float = 1.0
    gamma: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    jpeg_quality: int = 0
    h264_qp: int = 22


def wide_person(person: Identity, seed: int, number: int) -> Identity:
    """A person with individual texture and colouring of the skin, otherwise unchanged.

    Args:
        person: The person of the embedded data set.
        seed: Seed of the data set.
        number: Number of the person.
    """
    rng = np.random.default_rng(hash_u64("fgbench.synthetic", "wide person", seed, number))
    red, green, blue = person.lips
    made_up = rng.random() < 0.35
    return replace(
        person,
        texture=float(np.exp(rng.uniform(np.log(0.4), np.log(3.5)))),
        blemishes=float(rng.uniform(0.0, 1.0)) if rng.random() < 0.6 else 0.0,
        make_up=float(rng.uniform(0.3, 1.0)) if made_up else 0.0,
        lips=(red * float(rng.uniform(0.75, 1.1)), green * float(rng.uniform(0.55, 1.05)), blue)
        if made_up
        else person.lips,
    )


def wide_scene(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Look]:
    """A scene in another light and seen by another camera, from the same position.

    Args:
        scene: The scene of the embedded data set.
        rng: Generator of the clip.

    Returns:
        The scene with other light, blur and noise, and the changes by the recording.
    """
    face_px = FACE_WIDTH_UNITS * scene.camera.scale_px
    low, high = _SHARP_PX
    sharp_px = low * (high / low) ** rng.random()
    warmth, tint = rng.normal(0.0, 0.09), rng.normal(0.0, 0.03)
    light = np.array([rng.uniform(-1.6, 1.6), rng.uniform(-1.2, 0.6), rng.uniform(0.45, 1.1)])
    x, y, z = (light / np.linalg.norm(light)).tolist()
    lit = replace(
        scene,
        light=(x, y, z),
        ambient=float(rng.uniform(0.15, 0.8)),
        light_rgb=(float(1.0 + warmth), float(1.0 + tint), float(1.0 - warmth)),
        exposure=float(rng.uniform(0.7, 1.35)),
        blur_px=float(rng.uniform(0.45, 1.1) + (rng.uniform(0.5, 2.5) if rng.random() < 0.35 else 0.0)),
        noise=float(0.6 * (12.0 / 0.6) ** rng.random()),
    )
    look = Look(
        shrink=max(1.0, face_px / sharp_px) if rng.random() < 0.6 else 1.0,
        gamma=float(np.exp(rng.normal(0.0, 0.2))),
        contrast=float(rng.uniform(0.65, 1.2)),
        saturation=0.0 if rng.random() < 0.2 else float(rng.uniform(0.4, 1.3)),
        jpeg_quality=int(rng.integers(12, 60)) if rng.random() < 0.5 else 0,
        h264_qp=int(rng.integers(20, 40)),
    )
    return lit, look
