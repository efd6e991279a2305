"""A sheet of the 33 classes: the apex of each, one person, seen from the front, with its action units."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError
from fgbench.synthetic.identity import average, draw_identity
from fgbench.synthetic.plan import SynthOptions
from fgbench.synthetic.recipes import apex, describe, recipes
from fgbench.synthetic.render import Renderer
from fgbench.synthetic.scene import studio

_SMALLEST_TILE_PX = 120
_OVERSIZE = 2
"""Faces are drawn this many times larger and shrunk, which smooths their lines."""
_TILE_RATIO, _FACE_SHARE = 1.20, 0.58
_CAPTION_PX = 44
_PAPER, _INK, _FAINT = (250, 250, 248), (20, 20, 20), (95, 95, 95)


def contact_sheet(
    options: SynthOptions, *, subject: int | None = None, columns: int = 7, tile_px: int = 300
) -> npt.NDArray[np.uint8]:
    """Draw the apex of every class.

    Args:
        options: Only the seed is used, and only with a subject.
        subject: Number of the person; the average face if not given.
        columns: Faces side by side.
        tile_px: Width of a face's tile.

    Returns:
        uint8 (H, W, 3) RGB.

    Raises:
        ConfigError: If columns or tile_px are too small.
    """
    if columns < 1 or tile_px < _SMALLEST_TILE_PX:
        raise ConfigError(
            f"a sheet of {columns} columns of {tile_px} px, expected at least 1 of {_SMALLEST_TILE_PX} px",
            "choose larger numbers",
        )
    person = average() if subject is None else draw_identity(options.seed, subject)
    height = round(_TILE_RATIO * tile_px)
    large = _OVERSIZE * tile_px, _OVERSIZE * height
    scene = studio(*large, face_width_px=_FACE_SHARE * large[0])
    renderer = Renderer(person, scene, *large)
    tiles = []
    for label in recipes():
        picture = renderer.picture(apex(label), scene.pose)
        small = np.asarray(cv2.resize(picture, (tile_px, height), interpolation=cv2.INTER_AREA))
        tiles.append(_captioned(small, label, describe(label)))
    blank = np.full_like(tiles[0], _PAPER)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.ascontiguousarray(np.vstack(rows))


def _captioned(picture: npt.NDArray[np.uint8], title: str, units: str) -> npt.NDArray[np.uint8]:
    caption = np.full((_CAPTION_PX, picture.shape[1], 3), _PAPER, np.uint8)
    for text, baseline, size, ink in ((title, 18, 0.5, _INK), (units, 36, 0.4, _FAINT)):
        cv2.putText(caption, text, (8, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    return np.vstack([picture, caption])
