"""Drawing of the mouth: lips, with teeth, tongue or dark between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fgbench.synthetic.action_units import Activation, channels_of
from fgbench.synthetic.canvas import Colour, Picture, Piece, shaded, soften, tinted
from fgbench.synthetic.identity import Identity

_DARK, _TEETH, _TONGUE = (50, 18, 20), (232, 225, 212), (188, 94, 94)
_TEETH_HEIGHT = 0.105
_CLOSED = 0.012
"""Distance of the inner contours, in units, up to which nothing shows between the lips."""
Line = npt.NDArray[np.float64]


def draw_mouth(
    picture: Picture,
    contours: Mapping[str, Line],
    activation: Activation,
    *,
    scale_px: float,
    person: Identity,
    tone: Colour,
) -> None:
    """Draw the mouth.

    Args:
        picture: (H, W, 3) uint8 RGB, changed.
        contours: ``lip_upper``, ``lip_lower``, ``inner_upper``, ``inner_lower``, each (N, 2), from the
            picture's left to its right.
        activation: Activation of the face; tongue show (19) and lip bite (32) are drawn.
        scale_px: Px per distance of the outer eye corners.
        person: Colours.
        tone: Factors of red, green and blue by the light at the mouth.
    """
    outer = np.concatenate([contours["lip_upper"], contours["lip_lower"][::-1]])
    piece = Piece(picture, outer, 0.08 * scale_px)
    if piece.empty:
        return
    _draw_lips(piece, contours, outer, scale_px=scale_px, colour=np.array(person.lips) * tone)
    _draw_inside(piece, contours, scale_px=scale_px, tone=tone)
    _draw_seam(piece, contours, scale_px=scale_px, colour=np.array(person.lips) * tone)
    tongue, bite = (float(activation[channels_of(au)[0]]) for au in (19, 32))
    if bite > 0.05:
        _draw_bite(piece, contours, bite, scale_px=scale_px, tone=tone)
    if tongue > 0.05:
        _draw_tongue(piece, contours, tongue, scale_px=scale_px, tone=tone)


def _draw_lips(
    piece: Piece,
    contours: Mapping[str, Line],
    outer: Line,
    *,
    scale_px: float,
    colour: npt.NDArray[np.float64],
) -> None:
    lower, inner_lower = contours["lip_lower"], contours["inner_lower"]
    layer = piece.layer(tinted(colour, 0.76))
    inner = np.vstack([lower[:1], inner_lower, lower[-1:]])
    piece.fill(layer, np.concatenate([inner, lower[::-1]]), tinted(colour, 0.92))
    thickness = float(np.hypot(*(lower[len(lower) // 2] - inner_lower[len(inner_lower) // 2])))
    if thickness > 0.03 * scale_px:
        crest = 0.45 * _sampled(inner_lower, 9) + 0.55 * _sampled(lower, 9)
        piece.lines(layer, [crest[2:-2]], tinted(colour * 1.02 + 14.0, 1.0), 0.45 * thickness)
    piece.lines(layer, [contours["inner_upper"]], tinted(colour, 0.60), 0.022 * scale_px)
    mask = piece.mask()
    piece.fill(mask, outer, 255.0)
    piece.paint(soften(layer, 0.020 * scale_px), soften(mask, 0.013 * scale_px), 0.92)


def _draw_inside(piece: Piece, contours: Mapping[str, Line], *, scale_px: float, tone: Colour) -> None:
    upper, lower = contours["inner_upper"], contours["inner_lower"]
    middle = len(upper) // 2
    gap = float(np.hypot(*(lower[middle] - upper[middle])))
    if gap < _CLOSED * scale_px:
        return
    down = (lower[middle] - upper[middle]) / gap
    inside = piece.layer(tinted(_DARK, tone))
    if gap > 0.20 * scale_px:
        floor = lower[2:-2] - down * 0.09 * scale_px
        piece.fill(inside, np.concatenate([floor, lower[2:-2][::-1]]), tinted(_TEETH, np.array(tone) * 0.60))
    _fill_tongue(piece, inside, upper, lower[middle], down, gap, scale_px=scale_px, tone=tone)
    inside = soften(inside, 0.02 * scale_px)
    height = min(_TEETH_HEIGHT * scale_px, 0.10 * scale_px + 0.3 * gap)
    bow = np.sqrt(np.clip(1.0 - np.linspace(-1.0, 1.0, len(upper)) ** 6, 0.0, 1.0))
    edge = upper + down * height * bow[:, None]
    piece.fill(inside, np.concatenate([upper, edge[::-1]]), tinted(_TEETH, np.array(tone) * 0.88))
    if scale_px > 70:
        gaps = np.stack([upper, edge], axis=1)[1:-1]
        piece.lines(inside, gaps, tinted(_TEETH, np.array(tone) * 0.76), 0.004 * scale_px)
    mask = piece.mask()
    piece.fill(mask, np.concatenate([upper, lower[::-1]]), 255.0)
    shade = _shade_inside(piece, upper, scale_px)
    piece.paint(shaded(soften(inside, 0.006 * scale_px), shade), soften(mask, 0.007 * scale_px))


def _fill_tongue(
    piece: Piece,
    inside: Picture,
    upper: Line,
    floor: Line,
    down: Line,
    gap: float,
    *,
    scale_px: float,
    tone: Colour,
) -> None:
    centre = floor - down * min(0.10 * scale_px, 0.25 * gap)
    half = 0.30 * float(np.hypot(*(upper[-1] - upper[0])))
    around = np.linspace(0.0, 2.0 * np.pi, 24)[:, None]
    side = np.array([down[1], -down[0]])
    oval = centre + np.cos(around) * side * half + np.sin(around) * down * 0.45 * gap
    piece.fill(inside, oval, tinted(_TONGUE, np.array(tone) * 0.72))


def _shade_inside(piece: Piece, upper: Line, scale_px: float) -> Picture:
    """Darkness in the corners of the mouth and under the upper lip."""
    shade = piece.mask()
    corners = 0.16 * (upper[-1] - upper[0])
    for corner, inward in ((upper[0], corners), (upper[-1], -corners)):
        piece.disc(shade, corner + 0.15 * inward, 0.8 * float(np.hypot(*corners)), 205.0)
    piece.lines(shade, [upper], 150.0, 0.030 * scale_px)
    return soften(shade, 0.028 * scale_px)


def _draw_seam(
    piece: Piece, contours: Mapping[str, Line], *, scale_px: float, colour: npt.NDArray[np.float64]
) -> None:
    """The dark line where the lips meet, out to the corners."""
    upper, lower = contours["inner_upper"], contours["inner_lower"]
    corners = contours["lip_upper"][[0, -1]]
    if float(np.abs(lower[:, 1] - upper[:, 1]).max()) < 0.06 * scale_px:
        lines = [np.vstack([corners[:1], 0.5 * (upper + lower), corners[1:]])]
    else:
        lines = [np.vstack([corners[:1], upper[:2]]), np.vstack([upper[-2:], corners[1:]])]
    mask = piece.mask()
    piece.lines(mask, lines, 255.0, 0.014 * scale_px)
    for corner in corners:
        piece.disc(mask, corner, 0.013 * scale_px, 230.0)
    piece.paint(tinted(colour, (0.36, 0.26, 0.28)), soften(mask, 0.009 * scale_px), 0.85)


def _draw_bite(
    piece: Piece, contours: Mapping[str, Line], strength: float, *, scale_px: float, tone: Colour
) -> None:
    """Upper teeth on the lower lip."""
    upper, lower = contours["inner_upper"], contours["lip_lower"]
    middle = len(upper) // 2
    top = upper[middle - 4 : middle + 3]
    edge = top + (lower[len(lower) // 2] - upper[middle]) * min(0.75, 0.35 + 0.6 * strength)
    mask = piece.mask()
    piece.fill(mask, np.concatenate([top, edge[::-1]]), 255.0)
    layer = piece.layer(tinted(_TEETH, np.array(tone) * 0.95))
    gaps = np.stack([top, edge], axis=1)[1:-1:2]
    piece.lines(layer, gaps, tinted(_TEETH, np.array(tone) * 0.70), 0.005 * scale_px)
    piece.paint(layer, soften(mask, 0.006 * scale_px))
    rim = piece.mask()
    piece.lines(rim, [edge], 255.0, 0.012 * scale_px)
    piece.paint(tinted((96, 36, 38), tone), soften(rim, 0.008 * scale_px), 0.6)


def _draw_tongue(
    piece: Piece, contours: Mapping[str, Line], strength: float, *, scale_px: float, tone: Colour
) -> None:
    """The tip of the tongue over the lower lip."""
    upper, lower, outer = contours["inner_upper"], contours["inner_lower"], contours["lip_lower"]
    middle = len(upper) // 2
    root = 0.5 * (upper[middle] + lower[middle])
    down = outer[len(outer) // 2] - upper[middle]
    down = down / max(float(np.hypot(*down)), 1e-6)
    reach = float(np.dot(lower[middle] - root, down)) + (0.06 + 0.16 * strength) * scale_px
    side = np.array([down[1], -down[0]])
    around = np.linspace(0.0, np.pi, 19)[:, None]
    half = 0.115 * scale_px
    tip = root + np.cos(around) * side * half + np.sin(around) ** 0.8 * down * reach
    layer = piece.layer(tinted(_TONGUE, tone))
    groove = np.stack([root, root + down * 0.8 * reach])
    piece.lines(layer, [groove], tinted(_TONGUE, np.array(tone) * 0.80), 0.012 * scale_px)
    wet = root + down * 0.75 * reach + side * 0.3 * half
    piece.disc(layer, wet, 0.03 * scale_px, tinted(_TONGUE, np.array(tone) * 1.15))
    mask, shadow = piece.mask(), piece.mask()
    piece.fill(mask, tip, 255.0)
    piece.fill(shadow, tip + down * 0.02 * scale_px, 255.0)
    piece.paint(tinted((60, 24, 24), tone), soften(shadow, 0.015 * scale_px), 0.4)
    piece.paint(soften(layer, 0.015 * scale_px), soften(mask, 0.007 * scale_px))


def _sampled(line: Line, count: int) -> Line:
    return np.asarray(line[np.linspace(0, len(line) - 1, count).round().astype(int)])
