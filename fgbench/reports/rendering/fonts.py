"""Fonts with the letters of a drawing: names of users' classes may be in any script.

Reads the list of installed fonts, and their character maps where the usual font lacks a letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

USUAL = "DejaVu Sans"
"""Font of all drawings, which comes with Matplotlib."""


def fonts_for(text: str) -> tuple[list[str], str]:
    """Font families that together cover a text, the usual one first.

    Args:
        text: Text to draw.

    Returns:
        The families, and the characters that no installed font has, in code point order.
    """
    families = [USUAL]
    lacking = _wanted(text) - _characters(_path_of(USUAL))
    while lacking:
        best = min(_installed(), key=lambda font: (-len(lacking & _characters(font[1])), font), default=None)
        if best is None or not lacking & _characters(best[1]):
            break
        families.append(best[0])
        lacking -= _characters(best[1])
    return families, "".join(sorted(lacking))


def fit_fonts(drawing: Drawing) -> str:
    """Add fonts to texts with letters that the usual font lacks; returns the characters that no font has."""
    from matplotlib.text import Text

    lacking: set[str] = set()
    usual = _characters(_path_of(USUAL))
    for text in drawing.findobj(Text):
        if _wanted(text.get_text()) - usual:
            families, missing = fonts_for(text.get_text())
            text.set_fontfamily(families)
            lacking.update(missing)
    return "".join(sorted(lacking))


def lacking_note(names: Iterable[str]) -> str | None:
    """Sentence on letters of names that no installed font has; ``None`` if all can be drawn."""
    names = list(names)
    _, missing = fonts_for("".join(names))
    if not missing:
        return None
    shown = next(name for name in names if set(name) & set(missing))
    return (
        f"no installed font has {len(missing)} of the characters of the names, e.g. of {shown}: boxes stand "
        "for them in figures; install one that has, e.g. Noto Sans of that script"
    )


def _wanted(text: str) -> set[str]:
    return {character for character in text if character.isprintable() and not character.isspace()}


def _path_of(family: str) -> str:
    from matplotlib import font_manager

    return str(font_manager.findfont(family))


@lru_cache(maxsize=1)
def _installed() -> list[tuple[str, str]]:
    """Family and file of the upright regular fonts."""
    from matplotlib import font_manager

    fonts = font_manager.fontManager.ttflist
    return sorted(
        {
            (font.name, str(font.fname))
            for font in fonts
            if font.style == "normal" and font.weight in (400, "normal", "regular", "book")
        }
    )


@lru_cache(maxsize=256)
def _characters(path: str) -> frozenset[str]:
    """Characters of a font; empty if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()
