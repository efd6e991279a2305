"""Paints a person's colours on the grid: skin, brows, beard, hair of the head, independent of the light.

The result is an albedo texture in grid coordinates. Lips, eyes and the parts behind the head are drawn
elsewhere, frame by frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.files.hashing import hash_u64
from fgbench.synthetic import anatomy, mesh
from fgbench.synthetic.identity import Identity

Field = npt.NDArray[np.float32]

_RIM = 0.42
"""Darkness of the edge under the jaw."""


_HAIRLINE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "short": (-0.80, 0.16),
        "parted": (-0.80, 0.20),
        "fringe": (-0.40, 0.30),
        "long": (-0.82, 1.30),
        "curly": (-0.74, 0.24),
    }
)
"""Style to the height of the hairline over the nose, and to the end of the sideburns."""


@lru_cache(maxsize=32)
def texture(person: Identity) -> npt.NDArray[np.uint8]:
    """Albedo of a person's head: (rows, columns, 3) uint8 RGB over :func:`fgbench.synthetic.mesh.texture`."""
    rng = np.random.default_rng(person.seed)
    x, y = _coordinates()
    colour = np.empty((*x.shape, 3), np.float32)
    colour[:] = person.skin
    _complexion(colour, x, y, person, rng)
    colour *= _shadows()
    if person.beard > 0:
        _beard(colour, x, y, person, rng)
    _brows(colour, person, rng)
    _hair(colour, x, y, person, rng)
    return np.clip(np.rint(colour), 0, 255).astype(np.uint8)


def bell(x: Field, y: Field, at_x: float, at_y: float, radius_x: float, radius_y: float) -> Field:
    """A bell around a point and its mirror image."""
    return np.asarray(
        np.exp(-(((np.abs(x) - at_x) / radius_x) ** 2) - ((y - at_y) / radius_y) ** 2), np.float32
    )


def hairline(angle_rad: Field, style: str) -> Field:
    """Height above which the head is covered with hair, by angle about the vertical axis."""
    turn = np.abs(angle_rad)
    if style == "bald":
        return np.full_like(turn, -2.0)
    forehead, burns = _HAIRLINE[style]
    line = forehead - 0.05 * _bump((turn - 0.66) / 0.24)
    if style == "parted":
        line = line + 0.16 * _bump((angle_rad - 0.35) / 0.45) - 0.10 * _bump((angle_rad + 0.42) / 0.22)
    if style == "long":
        line = line - 0.12 * _bump(angle_rad / 0.20) + 0.14 * _bump((turn - 0.80) / 0.28)
    temple = _step((turn - 0.90) / 0.34)
    # Round temples first, then the sideburns before the ears.
    line = line + (-0.20 - forehead) * temple + (burns + 0.20) * _step((turn - 1.14) / 0.12)
    return np.asarray(line, np.float32)


def hair_cover(angle_rad: Field, y: Field, style: str, softness: float = 0.05) -> Field:
    """Share of hair at each point, 0 to 1."""
    return _step(0.5 + (hairline(angle_rad, style) - y) / softness)


@lru_cache(maxsize=1)
def _coordinates() -> tuple[Field, Field]:
    raster = mesh.texture()
    return raster.field(0), raster.field(1)


@lru_cache(maxsize=1)
def _angles() -> Field:
    return mesh.texture().angle_rad.astype(np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, int], sigma_x: float, sigma_y: float) -> Field:
    """Smooth noise of unit variance; coarse noise is made small and enlarged."""
    shrink = max(1, int(min(sigma_x, sigma_y) / 2.0))
    rows, columns = (-(-size // shrink) + 4 for size in shape)
    small = rng.standard_normal((rows, columns), np.float32)
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=sigma_x / shrink, sigmaY=sigma_y / shrink)
    small /= float(small.std())
    if shrink > 1:
        small = cv2.resize(small, (columns * shrink, rows * shrink), interpolation=cv2.INTER_LINEAR)
    return np.asarray(small[: shape[0], : shape[1]])


def _complexion(colour: Field, x: Field, y: Field, person: Identity, rng: np.random.Generator) -> None:
    """Red cheeks, nose and chin, dark rings, mottles, pores, freckles."""
    red = 0.8 * bell(x, y, 0.45, 0.36, 0.22, 0.17) + 0.7 * bell(x, y, 0.0, 0.46, 0.14, 0.10)
    red += 0.35 * bell(x, y, 0.0, 1.22, 0.18, 0.10) + 0.25 * bell(x, y, 0.8, 0.2, 0.1, 0.25)
    colour *= 1.0 - red[:, :, None] * np.array([0.015, 0.085, 0.085], np.float32)
    rings = bell(x, y, 0.34, 0.085, 0.15, 0.045) * (0.07 + 0.08 * person.age)
    colour *= 1.0 - rings[:, :, None] * np.array([0.9, 1.0, 0.85], np.float32)
    for size, strength in ((40, 0.022), (9, 0.015), (1.2, 0.018)):
        colour *= np.maximum(1.0 + person.texture * strength * _noise(rng, x.shape, size, size), 0.1)[
            :, :, None
        ]
    if person.freckles > 0:
        spots = cv2.GaussianBlur((rng.random(x.shape) < 0.012).astype(np.float32), (0, 0), 1.6) * 8.0
        where = bell(x, y, 0.25, 0.28, 0.35, 0.18) * np.minimum(spots, 1.0) * person.freckles
        colour *= 1.0 - where[:, :, None] * np.array([0.16, 0.26, 0.32], np.float32)
    if person.blemishes > 0 or person.make_up > 0:
        _colouring(colour, x, y, person)


def _colouring(colour: Field, x: Field, y: Field, person: Identity) -> None:
    """Spots and scars, and make-up on cheeks and lids, of wide sets; drawn by a separate generator."""
    rng = np.random.default_rng(hash_u64("fgbench.synthetic", "colouring", person.seed))
    for _ in range(round(40 * person.blemishes)):
        at_x, at_y = rng.uniform(-0.75, 0.75), rng.uniform(-0.5, 1.25)
        radius = rng.uniform(0.006, 0.035), rng.uniform(0.006, 0.035)
        spot = np.exp(-(((x - at_x) / radius[0]) ** 2) - ((y - at_y) / radius[1]) ** 2)[:, :, None]
        colour *= 1.0 - spot * np.asarray(rng.uniform(-0.15, 0.6) * rng.uniform(0.4, 1.0, 3), np.float32)
    if person.make_up > 0:
        tint = rng.uniform(0.0, 0.5, 3).astype(np.float32)
        lids = bell(x, y, 0.355, -0.07, 0.17, 0.055) * person.make_up
        cheeks = bell(x, y, 0.50, 0.34, 0.20, 0.14) * person.make_up
        colour *= 1.0 - lids[:, :, None] * tint
        colour *= 1.0 - cheeks[:, :, None] * np.array([0.02, 0.22, 0.16], np.float32)


@lru_cache(maxsize=1)
def _shadows() -> Field:
    """Share of light in regions that little light reaches, whatever the light: float32 (rows, columns, 3).

    Eye sockets, creases of the lids, nostrils and wings of the nose, corners of the mouth, under lip and jaw.
    """
    x, y = _coordinates()
    side = np.abs(x)
    line_x = np.clip(side, 0.20, 0.52)
    crease = anatomy.lid_line(line_x, upper=True) - 0.054 * anatomy.lid_bell(line_x) - 0.012
    below = anatomy.lid_line(line_x, upper=False) + 0.040
    within = np.clip((0.165 - np.abs(side - 0.358)) / 0.05, 0.0, 1.0)
    wing = np.hypot((side - 0.125) / 0.060, (y - 0.505) / 0.062)
    around_wing = _bump((wing - 1.0) / 0.20) * _step((side - 0.10) / 0.08) * _step((y - 0.44) / 0.06)
    under_jaw = _step((mesh.nearness_to_jaw(len(x)) - 0.90) / 0.10)[:, None]
    # Each: darkness, and the share of it that red takes (what shines through the skin is red).
    layers = (
        (0.15 * bell(x, y, 0.32, -0.105, 0.17, 0.065), 0.85),
        (0.16 * bell(x, y, 0.15, -0.03, 0.06, 0.12), 0.90),
        (0.36 * _bump((y - crease) / 0.0095) * within, 0.85),
        (0.10 * _bump((y - below) / 0.014) * within, 0.85),
        (0.10 * bell(x, y, 0.12, 0.22, 0.05, 0.20), 0.90),
        (0.80 * bell(x, y, 0.078, 0.556, 0.040, 0.019), 0.92),
        (0.30 * bell(x, y, 0.06, 0.585, 0.13, 0.030), 0.90),
        (0.30 * around_wing, 0.90),
        (0.10 * bell(x, y, 0.0, 0.68, 0.022, 0.06), 0.90),
        (0.26 * bell(x, y, 0.0, 1.035, 0.19, 0.030), 0.90),
        (0.30 * bell(x, y, 0.365, 0.85, 0.035, 0.030), 0.90),
        (_RIM * under_jaw * (1.0 - _step((side - 0.30) / 0.25)), 1.0),
    )
    share = np.ones((*x.shape, 3), np.float32)
    for darkness, red in layers:
        share *= 1.0 - np.asarray(darkness, np.float32)[:, :, None] * np.array([red, 1.0, 1.0], np.float32)
    return share


def _beard(colour: Field, x: Field, y: Field, person: Identity, rng: np.random.Generator) -> None:
    jaw = _step((y - 0.72 - 0.25 * (np.abs(x) - 0.55)) / 0.12) * _step((np.abs(x) - 0.02 + (y - 0.62)) / 0.05)
    cheek = _step((y - (1.06 - 0.62 * np.clip(np.abs(x) - 0.25, 0.0, 1.0))) / 0.10)
    lip = bell(x, y, 0.16, 0.70, 0.20, 0.055) * (np.abs(x) > 0.012)
    chin = _step((y - 1.05) / 0.06)
    bare = 1.0 - bell(x, y, 0.0, 0.875, 0.34, 0.115)
    where = np.clip(np.maximum(np.maximum(jaw * cheek, chin), lip), 0.0, 1.0) * bare * _step((y - 0.3) / 0.3)
    grain = np.clip(0.6 + 0.45 * _noise(rng, x.shape, 0.7, 1.6), 0.0, 1.3)
    alpha = np.clip(where * grain * (0.15 + 0.65 * person.beard), 0.0, 0.92).astype(np.float32)[:, :, None]
    colour += alpha * (np.array(person.hair, np.float32) * 0.9 - colour)


def _brows(colour: Field, person: Identity, rng: np.random.Generator) -> None:
    """Brows as many fine hairs around the line of the landmarks, thick inside and thin outside."""
    marks = anatomy.landmarks()[22:27, :2]
    line = anatomy.curve(marks, 41)
    line = np.vstack([line[:1] + (line[:1] - line[1:2]) * 1.5, line, line[-1:] + (line[-1:] - line[-2:-1])])
    along = np.linspace(0.0, 1.0, len(line))
    thick = person.brow_thickness * np.interp(
        along, (0.0, 0.08, 0.35, 0.75, 1.0), (0.026, 0.045, 0.054, 0.040, 0.012)
    )
    edges = np.array([[0.0, -0.15], [0.0, 0.85]])[:, None] * thick[:, None]
    outline = np.vstack([line + edges[0], (line + edges[1])[::-1]])
    body = np.zeros(colour.shape[:2], np.uint8)
    for sign in (-1.0, 1.0):
        cv2.fillPoly(body, [_texels(outline * [sign, 1.0], 4)], 150, cv2.LINE_AA, 4)
        hairs = _brow_hairs(line, thick, int(230 * person.brow_thickness), rng) * [sign, 1.0]
        lines = _texels(hairs.reshape(-1, 2), 4).reshape(-1, 2, 2)
        for part, darkness in zip(np.array_split(lines, 4), (190, 210, 230, 250), strict=True):
            cv2.polylines(body, list(part), False, darkness, 1, cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(body, (0, 0), 0.9).astype(np.float32) / 255.0
    # Brows are darker than the hair, and always darker than the skin.
    tone = np.minimum(np.array(person.hair) * 0.75, np.array(person.skin) * 0.45).astype(np.float32)
    alpha = np.clip(cover * 1.15, 0.0, 0.94)[:, :, None]
    colour += alpha * (tone - colour)


def _brow_hairs(
    line: npt.NDArray[np.float64], thick: npt.NDArray[np.float64], count: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Roots and tips (count, 2, 2) of a brow's hairs: upright at the inner end, flat at the outer."""
    along = np.linspace(0.0, 1.0, len(line))
    at = rng.random(count)
    x, y, half = (np.interp(at, along, values) for values in (line[:, 0], line[:, 1], thick))
    y = y + half * rng.uniform(-0.05, 0.95, count)
    slant = np.interp(at, (0.0, 0.25, 1.0), (1.35, 0.75, 0.05)) + rng.normal(0.0, 0.15, count)
    length = 0.050 * np.interp(at, (0.0, 0.5, 1.0), (0.9, 1.0, 0.7)) * rng.uniform(0.7, 1.2, count)
    sinking = np.where(at > 0.55, 0.28, 0.0)
    tip_x, tip_y = x + length * np.cos(slant), y + length * (sinking - np.sin(slant))
    return np.stack([np.column_stack([x, y]), np.column_stack([tip_x, tip_y])], axis=1)


def _hair(colour: Field, x: Field, y: Field, person: Identity, rng: np.random.Generator) -> None:
    """Hair of the head: strands of varying tone with a ragged edge on the forehead."""
    angle = _angles()
    if person.hair_style == "curly":
        strands, edge = _noise(rng, x.shape, 3.0, 3.0), _noise(rng, x.shape, 6.0, 6.0)
    else:
        length = 7.0 if person.hair_style == "short" else 22.0
        strands, edge = _noise(rng, x.shape, 1.0, length), _noise(rng, x.shape, 1.3, 0.4 * length)
    ragged = y + (0.035 if person.hair_style == "fringe" else 0.016) * edge
    if person.hair_style == "bald":
        shadow = 0.10 * hair_cover(angle, y, "short", 0.35)
        colour *= 1.0 - shadow[:, :, None]
        return
    cover = hair_cover(angle, ragged, person.hair_style, 0.09)
    tone = np.array(person.hair, np.float32) * np.clip(1.0 + 0.17 * strands, 0.5, 1.6)[:, :, None]
    rim = 0.22 * hair_cover(angle, y - 0.06, person.hair_style, 0.14) * (1.0 - cover)
    colour *= 1.0 - rim[:, :, None]
    colour += cover[:, :, None] * (tone - colour)


def _texels(xy: npt.NDArray[np.float64], shift: int) -> npt.NDArray[np.int32]:
    """Fixed-point texture coordinates (``shift`` fractional bits) of positions (N, 2) on the front."""
    return np.asarray(np.rint(mesh.in_texture(mesh.coordinates(xy)) * (1 << shift)), np.int32)


def _bump(x: npt.NDArray[np.floating]) -> Field:
    return np.asarray(np.exp(-(x**2)), np.float32)


def _step(x: npt.NDArray[np.floating]) -> Field:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), np.float32)
