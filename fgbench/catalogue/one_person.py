"""Annotators whose names may be those of one person: which they are, and ``annotators.csv``, which tells.

Nobody is counted twice in a round, and no two people are taken for one in silence: names that are nearly
equal are asked about, and the user's table ``annotators.csv`` (``name,annotator``) in the root of the data
set answers. Not stated in the paper.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from fgbench.datasets._annotation_table import column_names, row_reader
from fgbench.datasets._tables import open_text
from fgbench.errors import DatasetError
from fgbench.naming import counted, key, tidy
from fgbench.printable import text_of

ANNOTATORS = "annotators.csv"
"""Table of the root of a data set: a name as the votes have it, and the annotator who it is."""

_LEAST_LETTERS = 5
"""Letters of names that count as nearly equal when one letter differs."""

_MOST_LETTERS = 100
"""Letters and digits of names in which one letter is exchanged: time and memory grow with their square."""

_LATIN = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"  # Cyrillic
    "\u0456\u0458\u0455\u0501\u051b\u051d\u04bb"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",  # Greek
    "abekmhopctyxijsdqwhabezhikmnoptyx",
)
"""Small letters of other scripts to the Latin ones as which they, or their capitals, look."""

_SHOWN = 3
"""Pairs that the error shows."""


def persons(votes: Mapping[str, int], root: Path) -> dict[str, str]:
    """The annotator of each name: the one of ``annotators.csv``, else the name itself.

    Args:
        votes: Name to its number of votes.
        root: Root of the data set.

    Raises:
        DatasetError: If names may be those of one person and the table does not tell, or it cannot be read.
    """
    listed = read_annotators(root)
    annotators = {name: listed.get(name, name) for name in votes}
    open_pairs = [
        (one, other)
        for one, other in alike(votes)
        if annotators[one] != annotators[other] and not {one, other} <= listed.keys()
    ]
    if open_pairs:
        pairs = [
            " and ".join(f"{name} ({counted(votes[one], 'vote')})" for one, name in _shown(pair))
            for pair in open_pairs[:_SHOWN]
        ]
        rest = f", and {counted(len(open_pairs) - _SHOWN, 'more pair')}" if len(open_pairs) > _SHOWN else ""
        raise DatasetError(
            f"two names of annotators may be one person: {'; '.join(pairs)}{rest}",
            f"write {root / ANNOTATORS} with the columns name,annotator and a line for each of these names: "
            "the same annotator for one person, different ones for two",
        )
    return annotators


def read_annotators(root: Path) -> dict[str, str]:
    """Name to annotator of ``annotators.csv``; empty if there is no such table.

    Raises:
        DatasetError: If it lacks a column or a cell, gives a name two annotators, or cannot be read.
    """
    path = root / ANNOTATORS
    if not (path.exists() or path.is_symlink()):
        return {}
    try:
        with open_text(path) as file:
            return _annotators(file, path)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8: {error.reason}", "save the table as UTF-8 text") from error
    except csv.Error as error:
        raise DatasetError(
            f"{path} is not a CSV table: {error}", "expected the columns name,annotator"
        ) from error


def _annotators(file: Iterator[str], path: Path) -> dict[str, str]:
    reader, _ = row_reader(file)
    columns = column_names(reader)
    reader.fieldnames = columns
    missing = [name for name in ("name", "annotator") if columns.count(name) != 1]
    if missing:
        raise DatasetError(
            f"{path} does not have one column {missing[0]}",
            "the first line has to be name,annotator: a name as the votes have it, and who it is",
        )
    annotator_of: dict[str, str] = {}
    for row in reader:
        name, annotator = (text_of((row[column] or "").strip()) for column in ("name", "annotator"))
        if not name or not annotator:
            raise DatasetError(
                f"{path} line {reader.line_num} lacks a name or an annotator, expected both",
                "correct the line",
            )
        if annotator_of.setdefault(name, annotator) != annotator:
            raise DatasetError(
                f"{path} line {reader.line_num} gives {name!r} a second annotator", "keep one of them"
            )
    return annotator_of


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that may be of one person, sorted.

    They differ only in case, blanks, punctuation, Unicode composition or letters of other scripts that look
    like Latin ones; or, with five letters or more and
    no more than a hundred, in one letter that is added, left out or another. Names that differ in a number,
    or in a word of one letter (``rater A`` and ``rater B``), are those of two.
    """
    of: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        of[_letters(name)].append(name)
    pairs = [pair for group in of.values() for pair in combinations(group, 2)]
    for one, other in _one_letter_apart(of):
        pairs += [
            (min(pair), max(pair))
            for pair in ((a, b) for a in of[one] for b in of[other])
            if not _differ_in_a_short_word(*pair)
        ]
    return sorted(pairs)


def _letters(name: str) -> str:
    """The letters and digits of a name, as they look; all of it if it has none."""
    whole = "".join(_seen(name).split())
    return "".join(filter(str.isalnum, whole)) or whole


def _seen(name: str) -> str:
    """The key of a name in Latin letters where others look like them."""
    return key(name) if name.isascii() else key(name).translate(_LATIN)


def _one_letter_apart(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of texts with enough letters of which one is the other with one letter added, or exchanged."""
    long = {
        text for text in texts if len(text) <= _MOST_LETTERS and sum(map(str.isalpha, text)) >= _LEAST_LETTERS
    }
    exchanged: dict[tuple[int, str], list[str]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for text in sorted(long):
        for index, character in enumerate(text):
            if not character.isalpha():
                continue
            rest = text[:index] + text[index + 1 :]
            if rest in long:
                seen.add((rest, text))
            exchanged[index, rest].append(text)
    for group in exchanged.values():
        seen.update(combinations(group, 2))
    yield from sorted(seen)


def _differ_in_a_short_word(one: str, other: str) -> bool:
    """Whether two names have the same words but for one of a single letter, as in a numbering by letters."""
    first, second = _words(one), _words(other)
    odd = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]]
    return len(first) == len(second) and len(odd) == 1 and all(len(word) == 1 for word in odd[0])


def _words(name: str) -> list[str]:
    """Words of a name in lower case; a capital after a small letter begins one."""
    parted = ""
    for before, character in zip(f" {name}", name, strict=False):
        parted += " " if before.islower() and character.isupper() else ""
        parted += character if character.isalnum() else " "
    return key(parted).split()


def _shown(pair: Sequence[str]) -> list[tuple[str, str]]:
    """Both names with the form in which an error shows them: by code points where they would look alike."""
    look_alike = tidy(pair[0]) == tidy(pair[1]) or any(_seen(name) != key(name) for name in pair)
    return [(name, ascii(name) if look_alike else repr(name)) for name in pair]
