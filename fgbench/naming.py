"""Normal forms of names of labels, clips and people, so that names that read alike are one.

Pure functions on text. Names come from file systems, tables and keyboards: in composed or decomposed
Unicode, with blanks around or doubled, in any case, and from file systems as bytes that are no text at all.

A *tidy* name is stored and shown. The *key* of a name is used for comparisons: two names with one
key are one person, one source or one label. Clips are distinguished by their tidy names, in which the case
counts: there are file systems, and services that name videos, for which ``aB`` and ``Ab`` are two things.

Invisible characters (the byte order mark, the zero-width space) come along when text is copied from
pages and tables, and are no part of a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WRITTEN_OUT = 0xDC00
"""Offset of the surrogates by which Python represents bytes of a file name that are no text."""

_UNSEEN = re.compile("[\u00ad\u034f\u180e\u200b\u2060-\u2064\ufeff]")
"""Invisible characters: soft hyphen, zero-width space, word joiner, byte order mark and the like."""

_JOINERS = re.compile(
    "[\u200c\u200d\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff"  # joiners, variants, tags
    "\u061c\u200e\u200f\u202a-\u202e\u2065-\u206f"  # direction of writing
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufff0-\ufff8]"  # fillers
)
"""Invisible characters that choose the shape, position or direction of their neighbours: the
others that Unicode calls ignorable by default."""

_DEVICE = re.compile("con|prn|aux|nul|(?:com|lpt)[1-9]", re.IGNORECASE)
"""Names of devices, which Windows has in every folder."""


def tidy(name: str) -> str:
    """The name in composed Unicode (NFC), without invisible characters and blanks at its ends, and
    with single blanks."""
    if name.isascii():
        return " ".join(name.split())
    return " ".join(unicodedata.normalize("NFC", _UNSEEN.sub("", name)).split())


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """The form of a name for comparisons: tidy, and without regard to case, width, ligatures, joiners and
    marks of direction."""
    if name.isascii():
        return tidy(name).casefold()
    return tidy(plain(_JOINERS.sub("", tidy(name))).casefold())


def plain(name: str) -> str:
    """The name in plain letters (NFKC): without ligatures, and with letters of one width."""
    return unicodedata.normalize("NFKC", name)


def has_controls(name: str) -> bool:
    """Return whether a tidy name has a control character, as NUL or ESC, which no name has."""
    return not name.isprintable() and any(unicodedata.category(character) == "Cc" for character in name)


def is_text(name: str) -> bool:
    """Return whether a name can be written as UTF-8; names of files need not be."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """The name with every byte that is no text as an escape, e.g. ``caf\\xe9.jpg``; others unchanged."""
    if is_text(name):
        return name
    return "".join(_shown(character) for character in name)


def is_reserved(name: str) -> bool:
    """Return whether Windows has no file of this name: that of a device, e.g. ``con`` or ``nul.txt``, or one
    with a dot or blank at its end."""
    return _DEVICE.fullmatch(name.partition(".")[0].rstrip()) is not None or name.endswith((".", " "))


def _shown(character: str) -> str:
    number = ord(character)
    if not 0xD800 <= number <= 0xDFFF:
        return character
    return f"\\x{number - _WRITTEN_OUT:02x}" if 0xDC80 <= number <= 0xDCFF else f"\\u{number:04x}"


def first_few(names: Sequence[str], most: int = 8) -> str:
    """Names for a message, which stays short however many and long they are."""
    listed = ", ".join(name if len(name) <= 80 else f"{name[:80]}..." for name in names[:most])
    return f"{listed} and {len(names) - most:,} more" if len(names) > most else listed


def counted(number: int, one: str, several: str = "") -> str:
    """A number of things in words, e.g. ``"1 clip"``, ``"2,000 clips"``.

    Args:
        number: The number.
        one: Singular.
        several: Plural; by default with an ``s``.
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Map every name to its representative: the first in the alphabet of the tidy ones with the same key.

    Args:
        names: In any order, also several times.
    """
    first: dict[str, str] = {}
    seen = sorted(set(names))
    for name in seen:
        spelling = tidy(name)
        first[key(name)] = min(first.get(key(name), spelling), spelling)
    return {name: first[key(name)] for name in seen}


def several_spellings(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of different names with the same key, each and all in alphabetical order."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(key(name), set()).add(name)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)
