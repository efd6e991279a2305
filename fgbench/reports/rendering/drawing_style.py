"""Settings of all drawings, independent of any ``matplotlibrc`` in the current or home directory.

Drawings are made for a screen or for a paper: as wide as a column or page, letters of 8 points, no title.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

COLUMN_IN = 3.5
"""Width of a column of a paper, inches."""
PAGE_IN = 7.16
"""Width of a page of a paper, inches."""
POINTS = 8.0
"""Size of letters in a paper."""

_WIDE_FROM_IN = 7.5
"""Least width on a screen, inches, of drawings that take a page of a paper; narrower ones take a column."""
_HIGHER = 1.1
"""Factor of the height in a paper: letters shrink less than the drawing."""
_DOTS_PER_IN = 300

_STYLE = {
    "svg.hashsalt": "fgbench",  # equal drawings give equal bytes
    "pdf.fonttype": 42,  # TrueType, which publishers ask for
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}
_PAPER_STYLE = {
    "font.size": POINTS,
    **{
        f"{name}size": POINTS
        for name in (
            "axes.title",
            "axes.label",
            "xtick.label",
            "ytick.label",
            "legend.font",
            "legend.title_font",
        )
    },
    "lines.linewidth": 1.0,
    "axes.linewidth": 0.6,
}

_for_paper: ContextVar[bool] = ContextVar("for_paper", default=False)
_with_paper: ContextVar[bool] = ContextVar("with_paper", default=True)


@contextmanager
def own_style() -> Iterator[None]:
    """Draw with Matplotlib's own defaults and a few settings of fgbench; also a decorator.

    Settings are read both when a drawing is made and when it is written.
    """
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A character that the font lacks shows as a box; the warning would print it as it is.
        warnings.filterwarnings("ignore", message="Glyph ")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE | (_PAPER_STYLE if is_for_paper() else {}))
        yield


@contextmanager
def drawn(*, for_paper: bool, with_paper: bool = True) -> Iterator[None]:
    """Set how drawings are made.

    Args:
        for_paper: Whether they are for the user's paper rather than a screen.
        with_paper: Whether they show numbers of the paper that fgbench follows.
    """
    tokens = _for_paper.set(for_paper), _with_paper.set(with_paper)
    try:
        yield
    finally:
        _for_paper.reset(tokens[0])
        _with_paper.reset(tokens[1])


def shows_paper() -> bool:
    """Whether drawings show the paper's numbers."""
    return _with_paper.get()


def is_for_paper() -> bool:
    """Whether drawings are currently made for a paper."""
    return _for_paper.get()


def canvas(width_in: float, height_in: float, *, dpi: int, layout: Any = "constrained") -> Drawing:
    """An empty drawing.

    Args:
        width_in: Width on a screen, inches; in a paper that of a column or page.
        height_in: Height likewise; in a paper it follows from the width.
        dpi: Dots per inch on a screen.
        layout: Matplotlib's layout engine.
    """
    from matplotlib.figure import Figure as Canvas

    if not is_for_paper():
        return Canvas(figsize=(width_in, height_in), dpi=dpi, layout=layout)
    width = PAGE_IN if width_in >= _WIDE_FROM_IN else COLUMN_IN
    size = (width, height_in * width / width_in * _HIGHER)
    return Canvas(figsize=size, dpi=_DOTS_PER_IN, layout=layout)


def points(on_screen: float) -> float:
    """Font size: that on a screen, or that of a paper."""
    return POINTS if is_for_paper() else on_screen


def heading(drawing: Drawing, title: str, **how: Any) -> None:
    """Set the title of a drawing; papers have captions instead."""
    if not is_for_paper():
        drawing.suptitle(title, **how)
