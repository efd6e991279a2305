"""The settings of all drawings: ours, whatever ``matplotlibrc`` is in the current directory or at home."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_STYLE = {
    "svg.hashsalt": "fgbench",  # equal drawings give equal bytes
    "pdf.fonttype": 42,  # TrueType, which publishers ask for
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}


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
        matplotlib.rcParams.update(_STYLE)
        yield
