"""Hair that stands off the head, and the ears: volume over the scalp, hair behind the face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy, skin
from fgbench.synthetic.canvas import Colour, Picture, Piece, tinted
from fgbench.synthetic.identity import Identity
from fgbench.synthetic.mesh import Raster

Line = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Volume:
    """Height of hair above the scalp.

    Attributes:
        height: Over the forehead.
        sleekness: Share of it that is missing at the sides.
    """

    height: float
    sleekness: float


VOLUMES: Mapping[str, Volume] = MappingProxyType(
    {
        "short": Volume(0.075, 0.65),
        "parted": Volume(0.100, 0.55),
        "fringe": Volume(0.100, 0.35),
        "long": Volume(0.100, 0.20),
        "curly": Volume(0.150, 0.35),
        "bald": Volume(0.0, 0.0),
    }
)
"""Volume of each style."""

_STEP_NODES = 2.2
"""Softness, in nodes of the grid, of the step from skin to hair."""
_CENTRE = np.array([0.0, -0.28, -0.55])
_SKULL = np.array([0.86, 1.13, 0.95])
_LONG = np.array(
    [
        (0.0, -1.46), (-0.55, -1.36), (-0.88, -1.02), (-1.02, -0.50), (-1.06, 0.10), (-1.08, 0.70),
        (-1.09, 1.25), (-1.03, 1.66), (-0.86, 1.86), (-0.64, 1.80), (-0.50, 1.40),
    ]
)  # fmt: skip
_EAR = np.array(
    [
        (0.00, -0.02), (0.05, -0.10), (0.115, -0.11), (0.150, -0.03), (0.140, 0.09), (0.105, 0.19),
        (0.080, 0.29), (0.035, 0.335), (0.0, 0.30),
    ]
)  # fmt: skip


def raised(raster: Raster, rest: npt.NDArray[np.float32], style: str) -> npt.NDArray[np.float32]:
    """Positions (N, 3) of a raster at rest with the hair's volume on the scalp."""
    volume = VOLUMES[style]
    angle, y = raster.angle_rad.astype(np.float32), raster.y.astype(np.float32)
    cover = skin.hair_cover(angle, y + 0.15, style, 0.30)
    cover *= 1.0 - volume.sleekness * np.clip((np.abs(angle) - 0.6) / 0.6, 0.0, 1.0)
    cover = cv2.GaussianBlur(cover, (0, 0), _STEP_NODES, borderType=cv2.BORDER_REPLICATE)
    outward = rest - _CENTRE
    outward = outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    return np.asarray(rest + volume.height * cover.reshape(-1, 1) * outward, np.float32)


def skull_outline(matrix: npt.NDArray[np.float64], style: str) -> Line:
    """Outline (N, 2) of the back of the head with its hair, about its centre, as the camera sees it."""
    volume = VOLUMES[style]
    radii = _SKULL + volume.height * np.array([1.0 - volume.sleekness, 1.0, 1.0])
    shape = (matrix * radii**2) @ matrix.T
    factor = np.linalg.cholesky(shape[:2, :2])
    around = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
    return np.asarray(np.stack([np.cos(around), np.sin(around)], axis=1) @ factor.T)


def skull_centre() -> Line:
    """Centre (1, 3) of the back of the head."""
    return _CENTRE[None, :]


@lru_cache(maxsize=1)
def long_hair() -> Line:
    """Outline (N, 3) of hair that falls on the shoulders, in the head's frame."""
    half = np.column_stack([_LONG, np.full(len(_LONG), -0.50)])
    return np.vstack([half, (half * (-1.0, 1.0, 1.0))[:0:-1]])


@lru_cache(maxsize=2)
def ear(sign: float) -> Line:
    """Outline (N, 3) of an ear in the head's frame; ``sign`` is +1 for the person's left."""
    outline = anatomy.curve(np.vstack([_EAR, _EAR[:1]]), 33)[:-1]
    x = sign * (0.775 + outline[:, 0])
    return np.column_stack([x, 0.02 + outline[:, 1], -0.42 - 0.5 * outline[:, 0]])


def draw_skull(picture: Picture, outline: Line, person: Identity, tone: Colour) -> None:
    """Draw the back of the head."""
    piece = Piece(picture, outline, 2.0)
    if not piece.empty:
        colour = person.skin if person.hair_style == "bald" else person.hair
        piece.fill(piece.pixels, outline, tinted(colour, np.array(tone) * 0.62))


def draw_long_hair(
    picture: Picture, outline: Line, person: Identity, tone: Colour, *, scale_px: float
) -> None:
    """Draw hair that falls on the shoulders, strand by strand."""
    piece = Piece(picture, outline, 2.0)
    if piece.empty:
        return
    rng = np.random.default_rng(person.seed)
    colour = np.array(person.hair) * tone
    piece.fill(piece.pixels, outline, tinted(colour, 0.55))
    rows = len(outline) // 2 + 1
    left, right = outline[:rows], np.roll(outline[::-1], 1, axis=0)[:rows]
    # Only the strands beside the face are visible.
    shares = np.concatenate([np.linspace(0.03, 0.22, 9), np.linspace(0.78, 0.97, 9)])[:, None, None]
    strands = left + rng.permutation(shares) * (right - left)
    for some, brightness in zip(np.array_split(strands, 4), (0.46, 0.66, 0.55, 0.76), strict=True):
        piece.lines(piece.pixels, some, tinted(colour, brightness), 0.034 * scale_px)


def draw_ear(picture: Picture, outline: Line, person: Identity, tone: Colour) -> None:
    """Draw one ear."""
    piece = Piece(picture, outline, 3.0)
    if piece.empty:
        return
    colour = np.array(person.skin) * (0.80, 0.68, 0.64) * tone
    centre = outline.mean(axis=0)
    piece.fill(piece.pixels, outline, tinted(colour, 1.0))
    for size, brightness in ((0.80, 0.90), (0.62, 0.78), (0.42, 0.64)):
        piece.fill(piece.pixels, centre + size * (outline - centre), tinted(colour, brightness))
