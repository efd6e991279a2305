"""Drawing of the eyes: eyeball, iris, pupil, clipped to the lids; lashes; the lids' shadow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fgbench.synthetic.canvas import Colour, Picture, Piece, shaded, soften, tinted
from fgbench.synthetic.identity import Identity

_IRIS_RADIUS, _PUPIL_RADIUS = 0.066, 0.026
_WHITE, _WHITE_CORNER, _CARUNCLE = (228, 222, 216), (188, 164, 154), (198, 132, 122)
_LASH = (36, 25, 22)
Line = npt.NDArray[np.float64]


def draw_eye(
    picture: Picture,
    upper: Line,
    lower: Line,
    pupil: Line,
    *,
    scale_px: float,
    person: Identity,
    tone: Colour,
    glint: tuple[float, float],
) -> None:
    """Draw one eye.

    Args:
        picture: (H, W, 3) uint8 RGB, changed.
        upper: (N, 2): margin of the upper lid from the outer to the inner corner.
        lower: (N, 2): margin of the lower lid likewise.
        pupil: (2,): centre of the pupil.
        scale_px: Px per distance of the outer eye corners.
        person: Colours and lashes.
        tone: Factors of red, green and blue by the light at the eye.
        glint: Position of the light's reflection, from the pupil, in radii of the iris.
    """
    outline = np.concatenate([upper, lower[::-1]])
    piece = Piece(picture, outline, 0.08 * scale_px)
    if piece.empty:
        return
    mask = piece.mask()
    piece.fill(mask, outline, 255.0)
    ball = _ball(piece, upper, lower, pupil, scale_px=scale_px, person=person, tone=tone)
    piece.disc(ball, pupil + np.array(glint) * _IRIS_RADIUS * scale_px, 0.014 * scale_px, (246, 246, 246))
    piece.paint(ball, soften(mask, 0.007 * scale_px))
    _draw_lashes(piece, upper, lower, scale_px=scale_px, person=person, tone=tone)


def _ball(
    piece: Piece, upper: Line, lower: Line, pupil: Line, *, scale_px: float, person: Identity, tone: Colour
) -> Picture:
    """The eyeball under the shadow of the upper lid."""
    ball = piece.layer(tinted(_WHITE_CORNER, tone))
    centre = 0.25 * (upper[0] + upper[-1] + upper[len(upper) // 2] + lower[len(lower) // 2])
    middle = tinted(np.add(_WHITE, _WHITE_CORNER), np.array(tone) * 0.5)
    piece.disc(ball, centre, 0.120 * scale_px, middle)
    piece.disc(ball, centre, 0.092 * scale_px, tinted(_WHITE, tone))
    piece.disc(ball, upper[-1], 0.022 * scale_px, tinted(_CARUNCLE, tone))
    iris = np.array(person.iris) * tone
    radius = _IRIS_RADIUS * scale_px
    piece.disc(ball, pupil, radius, tinted(iris, 0.42))
    piece.disc(ball, pupil, radius * 0.86, tinted(iris, 0.85))
    piece.disc(ball, pupil + np.array([0.0, 0.16 * radius]), radius * 0.62, tinted(iris, 1.20))
    piece.disc(ball, pupil, _PUPIL_RADIUS * scale_px, (14, 11, 10))
    shade = piece.mask()
    down = np.array([0.0, 0.022 * scale_px])
    piece.fill(shade, np.concatenate([upper - 3.0 * down, (upper + down)[::-1]]), 140.0)
    return shaded(soften(ball, 0.010 * scale_px), soften(shade, 0.014 * scale_px))


def _draw_lashes(
    piece: Piece, upper: Line, lower: Line, *, scale_px: float, person: Identity, tone: Colour
) -> None:
    along = upper[0] - upper[-1]
    along = along / max(float(np.hypot(*along)), 1e-6)
    up = np.array([along[1], -along[0]]) * np.sign(along[0] or 1.0)
    skin = np.array(person.skin) * tone
    rim = 0.40 + 0.25 * person.lashes
    piece.lines(
        piece.pixels, [lower], tinted(skin * (1.0 - rim * np.array([0.5, 0.62, 0.64])), 1.0), 0.010 * scale_px
    )
    strength = 0.60 + 0.32 * person.lashes
    dark = tinted(skin + strength * (np.array(_LASH) * tone - skin), 1.0)
    # The line is thicker towards the outer corner.
    outward = np.linspace(1.0, 0.0, len(upper))[:, None]
    thick = scale_px * (0.7 + 0.6 * person.lashes) * (0.012 + 0.016 * outward)
    line = np.concatenate([upper + 0.3 * thick * up, (upper - 0.7 * thick * up)[::-1]])
    piece.fill(piece.pixels, line, dark)
    if person.lashes > 0.45 and scale_px > 90:
        roots = upper[: len(upper) - 4]
        share = 1.0 - np.arange(len(roots))[:, None] / len(upper)
        tips = roots + scale_px * 0.045 * person.lashes * share * (0.8 * up + 0.75 * share * along)
        fine = tinted(skin + 0.75 * (np.array(dark) - skin), 1.0)
        piece.lines(piece.pixels, np.stack([roots, tips], axis=1), fine, 0.006 * scale_px)
