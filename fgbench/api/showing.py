"""Values as notebooks show them: paragraphs, tables and pictures in HTML, all names escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from fgbench.printable import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_SIDE_PX = 84
_CELL = "display:inline-block;margin:2px;text-align:center;font-size:11px;vertical-align:top"


def paragraph(text: str) -> str:
    """Return a sentence as HTML."""
    return f"<p>{escape(printable(text))}</p>"


def table(frame: pd.DataFrame, *, index: bool = True) -> str:
    """Return a table as HTML, numbers to three digits, blank where they are not known."""
    return str(frame.to_html(border=0, index=index, na_rep="", float_format="{:.3f}".format))


def picture(pixels: npt.NDArray[np.uint8], label: str = "", *, side_px: int = _SIDE_PX) -> str:
    """Return a picture as HTML that needs no other file.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        label: Name below it.
        side_px: Height in px.
    """
    from fgbench.media.images import encode

    data = b64encode(encode(_reduced(pixels, 2 * side_px), "jpeg", 85)).decode("ascii")
    name = escape(printable(label), quote=True)
    image = f'<img src="data:image/jpeg;base64,{data}" alt="{name}" style="height:{side_px}px">'
    caption = f'<figcaption style="width:{side_px}px;overflow-wrap:anywhere">{name}</figcaption>'
    return f'<figure style="{_CELL}">{image}{caption}</figure>'


def contact_sheet(text: str, pictures: Sequence[tuple[npt.NDArray[np.uint8], str]]) -> str:
    """Return pictures side by side below a sentence.

    Args:
        text: The sentence.
        pictures: (H, W, 3) uint8 RGB each, with the name below it.
    """
    return f"{paragraph(text)}<div>{''.join(picture(pixels, label) for pixels, label in pictures)}</div>"


def _reduced(pixels: npt.NDArray[np.uint8], side_px: int) -> npt.NDArray[np.uint8]:
    if max(pixels.shape[:2]) <= side_px:
        return pixels
    import cv2

    scale = side_px / max(pixels.shape[:2])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    smaller: npt.NDArray[np.uint8] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return smaller
