"""Names of the parts of a data set, in the spellings that are in use. Pure functions on names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fgbench.errors import DatasetError
from fgbench.naming import key

_STEMS = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validate", "validation", "dev", "devel", "development", "publictest"),
    "test": ("test", "testing", "tst", "privatetest"),
}
_EITHER = ("eval", "evaluation")
"""The part to test on beside one to choose on, and else the part to choose on."""

_TAILS = ("", "set", "data", "part", "split", "images", "imgs", "pictures", "videos", "clips", "faces")
_PARTS = {stem + tail: part for part, stems in _STEMS.items() for stem in stems for tail in _TAILS}
_EITHERS = frozenset(stem + tail for stem in _EITHER for tail in _TAILS)
_JOINTS = re.compile(r"[\s_.-]+")

EXAMPLES = "train, val, test, as Training, dev, Test_Set, PublicTest"
"""What messages say of names of parts."""


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """Names that are of parts, to the part (``train``, ``val``, ``test``); the others are left out.

    Case, blanks, hyphens, underscores and dots do not matter. ``PublicTest`` and ``PrivateTest`` are val and
    test, as FER2013 has them; ``eval`` is test where there is another part to choose on, else val.

    Args:
        names: All that stand beside each other.
    """
    plain = {name: _JOINTS.sub("", key(name)) for name in names}
    found = {name: part for name, word in plain.items() if (part := _PARTS.get(word))}
    either = "test" if "val" in found.values() else "val"
    return {
        name: found.get(name, either) for name, word in plain.items() if name in found or word in _EITHERS
    }


def check_different(parts: Mapping[str, str], place: str) -> None:
    """Refuse two folders of one part.

    Args:
        parts: As :func:`parts_of` gives them.
        place: What they are in, for messages.

    Raises:
        DatasetError: If two names are of one part.
    """
    first: dict[str, str] = {}
    for name, part in sorted(parts.items()):
        if part in first:
            raise DatasetError(
                f"{place} has two folders of the part {part}: {first[part]!r} and {name!r}",
                "put them together",
            )
        first[part] = name
