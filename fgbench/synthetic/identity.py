"""Synthetic people: shape, skin, hair and glasses of a person, a function of (seed, person)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from fgbench.files.hashing import hash_u64
from fgbench.synthetic import anatomy
from fgbench.synthetic.anatomy import Points

Colour = tuple[float, float, float]
"""RGB, 0 to 255."""

_SKIN: tuple[Colour, ...] = (
    (242, 207, 180),
    (236, 196, 170),
    (228, 184, 154),
    (218, 168, 134),
    (198, 145, 110),
    (172, 119, 86),
    (148, 100, 71),
    (126, 84, 61),
    (106, 70, 54),
)
"""From very light to very dark."""
_HAIR: tuple[Colour, ...] = (
    (24, 20, 19),
    (44, 31, 25),
    (74, 50, 36),
    (110, 76, 50),
    (158, 116, 74),
    (196, 160, 110),
    (134, 62, 36),
    (150, 146, 142),
)
_IRIS: tuple[Colour, ...] = (
    (62, 40, 26),
    (92, 62, 36),
    (104, 96, 56),
    (86, 118, 96),
    (92, 124, 156),
    (110, 116, 122),
)


@dataclass(frozen=True, slots=True)
class Trait:
    """Movement of reference points by one number of a person's shape.

    Attributes:
        spread: Standard deviation over people; values stay within two of them.
        x, y: Centre of the bell (the left half; the right mirrors it).
        rx, ry: Radii of the bell; ``inf`` for the whole head.
        dx, dy, dz: Displacement at the centre for a value of 1.
        gx, gy: Stretch about the centre for a value of 1.
    """

    spread: float
    x: float = 0.0
    y: float = 0.0
    rx: float = np.inf
    ry: float = np.inf
    dx: float = 0.0
    dy: float = 0.0
    dz: float = 0.0
    gx: float = 0.0
    gy: float = 0.0


TRAITS: Mapping[str, Trait] = MappingProxyType(
    {
        "face_width": Trait(0.045, gx=1.0),
        "face_length": Trait(0.038, gy=1.0),
        "jaw_width": Trait(0.045, x=0.62, y=1.02, rx=0.35, ry=0.35, dx=1.0),
        "chin_length": Trait(0.045, x=0.0, y=1.36, rx=0.45, ry=0.28, dy=1.0),
        "chin_depth": Trait(0.030, x=0.0, y=1.25, rx=0.30, ry=0.25, dz=1.0),
        "cheek_fullness": Trait(0.035, x=0.60, y=0.55, rx=0.25, ry=0.30, dx=0.6, dz=0.8),
        "eye_spacing": Trait(0.012, x=0.355, y=0.0, rx=0.22, ry=0.20, dx=1.0),
        "eye_size": Trait(0.09, x=0.355, y=0.0, rx=0.20, ry=0.16, gx=1.0, gy=0.6),
        "brow_height": Trait(0.016, x=0.38, y=-0.22, rx=0.34, ry=0.13, dy=-1.0),
        "brow_tilt": Trait(0.012, x=0.55, y=-0.20, rx=0.20, ry=0.12, dy=-1.0),
        "nose_length": Trait(0.025, x=0.0, y=0.50, rx=0.24, ry=0.20, dy=1.0),
        "nose_width": Trait(0.020, x=0.17, y=0.52, rx=0.12, ry=0.12, dx=1.0),
        "nose_depth": Trait(0.030, x=0.0, y=0.42, rx=0.14, ry=0.20, dz=1.0),
        "mouth_width": Trait(0.028, x=0.35, y=0.85, rx=0.18, ry=0.16, dx=1.0),
        "mouth_height": Trait(0.015, x=0.0, y=0.86, rx=0.45, ry=0.17, dy=1.0),
        "lip_thickness": Trait(0.25, x=0.0, y=0.853, rx=0.36, ry=0.16, gy=1.0),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A synthetic person.

    Attributes:
        subject_id: e.g. ``"s03"``.
        shape: Value of each of :data:`TRAITS`, in their order.
        skin: Colour of the skin in even light.
        lips: Colour of the lips.
        iris: Colour of the eyes.
        hair: Colour of hair and brows.
        hair_style: A key of :data:`fgbench.synthetic.hair.VOLUMES`.
        brow_thickness: Relative to the average.
        lashes: Strength of the lashes and the lid line, 0 to 1.
        beard: Density of facial hair, 0 (shaven) to 1.
        glasses: Half height of the glasses' rims relative to the eye distance; 0 without glasses.
        age: 0 (smooth skin) to 1 (deep lines).
        freckles: 0 to 1.
        seed: Seed of the fine texture.
        texture: Strength of mottles and pores relative to the embedded data set.
        blemishes: Spots and scars, 0 to 1.
        make_up: Colour on cheeks and lids, 0 to 1.
    """

    subject_id: str
    shape: tuple[float, ...]
    skin: Colour
    lips: Colour
    iris: Colour
    hair: Colour
    hair_style: str
    brow_thickness: float
    lashes: float
    beard: float
    glasses: float
    age: float
    freckles: float
    seed: int
    texture: float = 1.0
    blemishes: float = 0.0
    make_up: float = 0.0


def subject_name(number: int) -> str:
    """Id of the person with this number, e.g. ``"s03"``."""
    return f"s{number:02d}"


def average() -> Identity:
    """The average face, for reference pictures."""
    return Identity(
        subject_id="average",
        shape=(0.0,) * len(TRAITS),
        skin=_SKIN[2],
        lips=(178, 100, 92),
        iris=_IRIS[1],
        hair=_HAIR[2],
        hair_style="short",
        brow_thickness=1.0,
        lashes=0.6,
        beard=0.0,
        glasses=0.0,
        age=0.45,
        freckles=0.0,
        seed=1,
    )


def draw_identity(seed: int, number: int) -> Identity:
    """The person ``number`` of the data set with this seed, a function of these two alone."""
    rng = np.random.default_rng(hash_u64("fgbench.synthetic", "identity", seed, number))
    shape = tuple(
        float(trait.spread * np.clip(rng.standard_normal(), -2.0, 2.0)) for trait in TRAITS.values()
    )
    tone = (number * 0.618034 + rng.random() * 0.3) % 1.0
    position = tone * (len(_SKIN) - 1)
    skin = _mix(_SKIN[int(position)], _SKIN[min(int(position) + 1, len(_SKIN) - 1)], position % 1.0)
    red, green, blue = skin
    blood = float(rng.uniform(0.15, 0.60)) * red / _SKIN[0][0]
    lips = _mix((0.86 * red, 0.66 * green, 0.66 * blue), (176, 72, 78), blood)
    colours = 2 if tone > 0.55 else len(_HAIR)
    masculine = rng.random() < 0.5
    styles = (
        ("short", "parted", "curly", "bald") if masculine else ("fringe", "long", "parted", "curly", "long")
    )
    return Identity(
        subject_id=subject_name(number),
        shape=shape,
        skin=skin,
        lips=lips,
        iris=_IRIS[int(rng.integers(0, 2 if tone > 0.5 else len(_IRIS)))],
        hair=_HAIR[int(rng.integers(0, colours))],
        hair_style=styles[int(rng.integers(0, len(styles)))],
        brow_thickness=float(rng.uniform(1.0, 1.35) if masculine else rng.uniform(0.7, 1.0)),
        lashes=float(rng.uniform(0.2, 0.5) if masculine else rng.uniform(0.6, 1.0)),
        beard=float(rng.uniform(0.2, 1.0)) if masculine and rng.random() < 0.5 else 0.0,
        glasses=float(rng.uniform(0.13, 0.17)) if rng.random() < 0.22 else 0.0,
        age=float(rng.beta(2.0, 2.0)),
        freckles=float(rng.random()) if rng.random() < 0.3 and tone < 0.5 else 0.0,
        seed=int(rng.integers(0, 2**32)),
    )


def shaped(points: Points, shape: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Positions (N, 3) of reference points on a person's face at rest."""
    result = points[:, :3].copy()
    left = 1.0 / (1.0 + np.exp(-np.clip(points[:, 0] / 0.02, -60.0, 60.0)))
    for trait, value in zip(TRAITS.values(), shape, strict=True):
        if value:
            for sign, side in ((1.0, left), (-1.0, 1.0 - left)):
                result += value * side[:, None] * _moved(trait, points, sign)
    return result


@lru_cache(maxsize=64)
def opening(shape: tuple[float, ...]) -> float:
    """Height of the person's open eye at rest, in the middle."""
    x = np.array([anatomy.EYE_X])
    margins = [np.column_stack([x, anatomy.lid_line(x, upper=upper)]) for upper in (True, False)]
    top, bottom = (shaped(anatomy.on_surface(margin), shape)[0, 1] for margin in margins)
    return float(bottom - top)


def _moved(trait: Trait, points: Points, sign: float) -> npt.NDArray[np.float64]:
    x, y = sign * points[:, 0], points[:, 1]
    bell = np.exp(-(((x - trait.x) / trait.rx) ** 2) - ((y - trait.y) / trait.ry) ** 2)
    dx = sign * (trait.dx + trait.gx * (x - trait.x))
    dy = trait.dy + trait.gy * (y - trait.y)
    return bell[:, None] * np.stack([dx, dy, np.full_like(dx, trait.dz)], axis=1)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (float(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
