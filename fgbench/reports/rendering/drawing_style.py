"""The settings of all drawings: ours, whatever ``matplotlibrc`` is in the current directory or at home.

A drawing is made for a screen or for a paper: as wide as a column or a page, letters of 8 points, no title.
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
"""Width of its page, inches."""
POINTS = 8.0
"""Size of letters in a paper."""

_WIDE_FROM_IN = 7.5
"""Drawings that have this width on a screen, inches, take a page of a paper, narrower ones a column."""
_HIGHER = 1.1
"""Height in a paper beside that of a smaller screen: letters do not shrink as much as the drawing."""
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
    """Draw with Matplotlib's own defaults and a few settings of ours; also a decorator.

    Both what makes a drawing and what writes it to a file read settings.
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
    """Make drawings in a certain way.

    Args:
        for_paper: For a paper of the user's, not for a screen.
        with_paper: With what is said of the paper that fgbench follows.
    """
    tokens = _for_paper.set(for_paper), _with_paper.set(with_paper)
    try:
        yield
    finally:
        _for_paper.reset(tokens[0])
        _with_paper.reset(tokens[1])


def shows_paper() -> bool:
    """Whether drawings show what the paper says."""
    return _with_paper.get()


def is_for_paper() -> bool:
    """Whether drawings are made for a paper now."""
    return _for_paper.get()


def canvas(width_in: float, height_in: float, *, dpi: int, layout: Any = "constrained") -> Drawing:
    """An empty drawing.

    Args:
        width_in: Width on a screen, inches; a paper's is that of a column or a page.
        height_in: Height likewise; a paper's follows from the width.
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
    """Size of letters: as on a screen, or that of a paper."""
    return POINTS if is_for_paper() else on_screen


def heading(drawing: Drawing, title: str, **how: Any) -> None:
    """The title of a drawing; papers have captions."""
    if not is_for_paper():
        drawing.suptitle(title, **how)
