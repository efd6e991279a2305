"""Glasses: rims around the eyes, a bridge, and temples to the ears."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy
from fgbench.synthetic.canvas import Picture, Piece, soften
from fgbench.synthetic.identity import Identity

_FRAME, _GLINT = (36.0, 32.0, 34.0), (104.0, 100.0, 104.0)
_CORNERS = 28


def outlines(person: Identity) -> list[npt.NDArray[np.float64]]:
    """Lines (N, 3) of the frame in the head's frame: two rims, the bridge, two temples.

    Args:
        person: Wearer; :attr:`~fgbench.synthetic.identity.Identity.glasses` is the half height of the rims.
    """
    around = np.linspace(0.0, 2.0 * np.pi, _CORNERS)
    half_height, half_width = person.glasses, 1.28 * person.glasses + 0.045
    squarish = 0.62
    rim_x = half_width * np.sign(np.cos(around)) * np.abs(np.cos(around)) ** squarish
    rim_y = half_height * np.sign(np.sin(around)) * np.abs(np.sin(around)) ** squarish
    lines = []
    for sign in (-1.0, 1.0):
        x = sign * (anatomy.EYE_X - 0.005) + rim_x
        depth = 0.34 - 0.35 * x**2
        lines.append(np.column_stack([x, 0.02 + rim_y, depth]))
    inner = anatomy.EYE_X - 0.005 - half_width
    bridge_x = np.linspace(-inner, inner, 7)
    arch = -0.045 + 0.03 * (bridge_x / max(inner, 1e-6)) ** 2
    lines.append(np.column_stack([bridge_x, arch, np.full(7, 0.345)]))
    outer = anatomy.EYE_X - 0.005 + half_width
    for sign in (-1.0, 1.0):
        hinge = (sign * outer, -0.04, 0.34 - 0.35 * outer**2)
        lines.append(np.array([hinge, (sign * 0.83, -0.03, -0.15), (sign * 0.86, 0.0, -0.45)]))
    return lines


def draw_glasses(picture: Picture, lines: list[npt.NDArray[np.float64]], *, scale_px: float) -> None:
    """Draw projected glasses.

    Args:
        picture: (H, W, 3) uint8 RGB, changed.
        lines: The lines of :func:`outlines` in px, (N, 2) each.
        scale_px: Px per distance of the outer eye corners.
    """
    piece = Piece(picture, np.concatenate(lines), 0.05 * scale_px)
    if piece.empty:
        return
    shift = np.array([0.0, 0.018 * scale_px])
    shadow = piece.mask()
    piece.lines(shadow, [line + shift for line in lines[:3]], 90.0, 0.030 * scale_px)
    piece.paint((20.0, 12.0, 10.0), soften(shadow, 0.014 * scale_px))
    piece.lines(piece.pixels, lines, _FRAME, 0.022 * scale_px)
    glint = [line[2 : _CORNERS // 3] - 0.3 * shift for line in lines[:2]]
    piece.lines(piece.pixels, glint, _GLINT, 0.007 * scale_px)
