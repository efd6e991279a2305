"""Drawings as PNG, PDF and SVG, the same bytes for the same drawing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from fgbench.reports.rendering.drawing_style import own_style
from fgbench.reports.rendering.fonts import fit_fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

_NO_TIME: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
"""Metadata to leave out."""

PICTURE_FORMATS = tuple(_NO_TIME)
"""Formats of drawings."""


def png(drawing: Drawing) -> bytes:
    """Drawing as PNG; equal drawings give equal bytes."""
    return picture(drawing, "png")


def picture(drawing: Drawing, kind: str) -> bytes:
    """Drawing as a file; equal drawings give equal bytes.

    Args:
        drawing: The drawing.
        kind: One of :data:`PICTURE_FORMATS`. PDF embeds its fonts as TrueType, which publishers ask for.
    """
    out = io.BytesIO()
    fit_fonts(drawing)
    with own_style():
        drawing.savefig(out, format=kind, metadata=_NO_TIME[kind])
    return out.getvalue()
