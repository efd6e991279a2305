"""Names of the parts of a data set, in the usual spellings. Pure functions on names."""

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
"""Names of the test part beside a validation part, and else of the validation part."""

_TAILS = ("", "set", "data", "part", "split", "images", "imgs", "pictures", "videos", "clips", "faces")
_PARTS = {stem + tail: part for part, stems in _STEMS.items() for stem in stems for tail in _TAILS}
_EITHERS = frozenset(stem + tail for stem in _EITHER for tail in _TAILS)
_JOINTS = re.compile(r"[\s_.-]+")

EXAMPLES = "train, val, test, as Training, dev, Test_Set, PublicTest"
"""Examples of names of parts, for messages."""


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """Names of parts, to the part (``train``, ``val``, ``test``); other names are left out.

    Case, blanks, hyphens, underscores and dots are ignored. ``PublicTest`` and ``PrivateTest`` are val and
    test, as in FER2013; ``eval`` is test where there is another validation part, else val.

    Args:
        names: All names in one folder or column.
    """
    plain = {name: _JOINTS.sub("", key(name)) for name in names}
    sure = {name: part for name, word in plain.items() if (part := _PARTS.get(word))}
    either = "test" if "val" in sure.values() else "val"
    return {name: sure.get(name, either) for name, word in plain.items() if name in sure or word in _EITHERS}


def check_different(parts: Mapping[str, str], container: str) -> None:
    """Refuse two folders of one part.

    Args:
        parts: Result of :func:`parts_of`.
        container: Folder that holds them, for messages.

    Raises:
        DatasetError: If two names are of one part.
    """
    first: dict[str, str] = {}
    for name, part in sorted(parts.items()):
        if part in first:
            raise DatasetError(
                f"{container} has two folders of the part {part}: {first[part]!r} and {name!r}",
                "put them together",
            )
        first[part] = name
