"""Names of annotators: as a list or a file of them, each once in one spelling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench.errors import ArgumentError
from fgbench.files.file_errors import readable
from fgbench.naming import key, tidy

_MOST = 10_000


def annotators_of(given: Sequence[str]) -> tuple[str, ...]:
    """Return the names of annotators.

    Args:
        given: Names, or one name of a file that has one on each line.

    Raises:
        ArgumentError: If there is none, one is given twice, or in two spellings, or is no name.
    """
    names = [tidy(name) for name in given]
    if len(names) == 1 and _is_file(names[0]):
        names = _lines(Path(names[0]))
    names = [name for name in names if name]
    if not names:
        raise ArgumentError(
            "names nobody, expected the names of the annotators",
            "e.g. anna,ben,cem,dora,emil, or a file with a name on each line",
            argument="annotators",
        )
    odd = [name for name in names if "|" in name or not name.isprintable()]
    if odd:
        raise ArgumentError(
            f"{odd[0]!r} is no name: it has a control character or a |",
            "write it otherwise",
            argument="annotators",
        )
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(key(name), name)) != name or names.count(name) > 1:
            twice = (
                f"{name!r} twice" if other == name else f"one person in two spellings, {other!r} and {name!r}"
            )
            raise ArgumentError(
                f"names {twice}, expected everybody once",
                "names are compared without regard to case",
                argument="annotators",
            )
    return tuple(names)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def _lines(path: Path) -> list[str]:
    try:
        with readable(path):
            text = path.read_bytes()[: _MOST * 200].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArgumentError(
            f"{path} is not UTF-8", "save it as text, with a name on each line", argument="annotators"
        ) from error
    return [tidy(line) for line in text.splitlines() if tidy(line)]
