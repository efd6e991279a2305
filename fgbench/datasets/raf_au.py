"""Adapter of RAF-AU: pictures from the web with the FACS codes of experts.

Layout::

    RAFAU_label.txt                 lines "0001.jpg 1+2+25+L12", or "0001.jpg null"
    aligned/0001_aligned.jpg        (variant ``aligned``)
    original/0001.jpg               (variant ``original``)

Labels: 23 action units; a unit of one side (``L12``, ``R12``) is present. A unit that is not in the line of a
picture is absent. Codes of other units, and of the tongue and the head, are skipped.
There are no classes of expressions, and subjects are not named; the pictures are those of RAF-ML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import find, layout_error, prefix, unwrap
from fgbench.datasets._tables import read_text
from fgbench.datasets._unit_names import Patterns
from fgbench.errors import DatasetError
from fgbench.records import AuRow, ClipEntry

UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 32, 39)
"""Action units of the face in the list."""

_FILE = "RAFAU_label.txt"
_NONE = "null"
_CODE = re.compile(r"(?:[LRTB])?(?P<unit>[0-9]{1,3})[A-Ea-e]?")
_TOTAL = 4601
_LAYOUTS = {
    "aligned": f"{_FILE} with lines '0001.jpg 1+2+25', and aligned/0001_aligned.jpg",
    "original": f"{_FILE} with lines '0001.jpg 1+2+25', and original/0001.jpg",
}

CARD = Card(
    title="RAF-AU",
    kind="au",
    licence="non-commercial research only, after a request by a member of staff",
    citation="Yan, Li, Que, Pei and Deng, RAF-AU Database: In-the-Wild Facial Expressions with Subjective "
    "Emotion Judgement and Objective AU Annotations, ACCV 2020",
    request="Weihong Deng, Beijing University of Posts and Telecommunications, page of RAF-AU",
    protocol="F1 of action units; parts picture by picture",
    layouts=tuple(_LAYOUTS.values()),
    variants=(
        Variant(
            name="aligned", scheme="none", about="pictures aligned by the owners", totals={WHOLE: _TOTAL}
        ),
        Variant(name="original", scheme="none", about="pictures as found on the web", totals={WHOLE: _TOTAL}),
    ),
    totals_source="Yan et al. 2020: 4,601 pictures",
    unconfirmed=("which pictures publications train on and test: parts are drawn by fgbench",),
)


def list_clips(root: Path, variant: str = "aligned") -> list[ClipEntry]:
    """Pictures, without labels, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.
        variant: ``"aligned"`` or ``"original"``.

    Raises:
        DatasetError: If the folder is not laid out so, or the list has a line of another kind.
    """
    base = _base(root)
    folder = find(base, variant)
    if folder is None:
        raise layout_error(f"{base} has no folder {variant}/", (_LAYOUTS[variant],))
    before, ending = prefix(folder, root), "_aligned" if variant == "aligned" else ""
    entries = []
    for name, _ in _listed(base):
        pure = PurePosixPath(name)
        path = f"{before}{pure.stem}{ending}{pure.suffix}"
        entries.append(ClipEntry(clip_id=pure.stem, path=path, key_frame=0))
    return sorted(entries, key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Labels of all pictures, in the order of the list.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: As :func:`list_clips`.
    """
    patterns = Patterns(UNITS)
    for name, units in _listed(_base(root)):
        labels = patterns.of([1 if unit in units else -1 for unit in UNITS])
        yield AuRow(clip_id=PurePosixPath(name).stem, frame_index=0, labels=labels)


def _base(root: Path) -> Path:
    base = unwrap(root, lambda folder: find(folder, _FILE) is not None)
    if base is None:
        raise layout_error(f"{root} has no file {_FILE}", tuple(_LAYOUTS.values()))
    return base


def _listed(base: Path) -> Iterator[tuple[str, set[int]]]:
    """Name of every picture, and the numbers of its units."""
    path = find(base, _FILE)
    assert path is not None
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        words = text.split()
        if not words:
            continue
        codes = words[1].split("+") if len(words) == 2 else []
        matches = [_CODE.fullmatch(code) for code in codes]
        if len(words) != 2 or "/" in words[0] or (words[1] != _NONE and None in matches):
            raise DatasetError(
                f"{path} line {line} is {text[:60]!r}",
                "expected lines such as '0001.jpg 1+2+25+L12', or null",
            )
        yield words[0], {int(match["unit"]) for match in matches if match is not None}
