"""Adapter of EmotioNet: a million pictures from the web in lists of addresses with action units.

Layout::

    <any folders>/dataFile_0001.txt ...     lines: address, original address, and the codes of AU 1 to 60
    <any folders>/<file of the address>     pictures that were downloaded, e.g. N_0000000001_00039.jpg

Labels: 17 action units (1 2 4 5 6 9 10 12 15 17 18 20 24 25 26 28 43); 1 present, 0 absent, 999 not labelled.
Cells are separated by tabs; a first line of names is skipped. A picture is found by the last part of its
address, anywhere below the folder. Addresses without a picture there, as many are dead, are counted in one
row of the rejects.

Variants: ``manual`` is the list ``dataFile_1000.txt``, which people coded; ``automatic`` are all others,
which the owners' detector coded: **pseudo labels**. There are no classes of expressions, and subjects are
not named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import file_names, layout_error, stem, unwrap
from fgbench.datasets._tables import label_of, open_text
from fgbench.datasets._tree import FILE, everything
from fgbench.datasets._unit_names import Patterns
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_picture
from fgbench.records import PEOPLE, AuRow, ClipEntry, UnitSource

UNITS = (1, 2, 4, 5, 6, 9, 10, 12, 15, 17, 18, 20, 24, 25, 26, 28, 43)
"""Action units of the face that are coded."""

MANUAL = "datafile_1000.txt"
"""Lower-case name of the list that people coded."""

_N_CODES = 60
_FIRST = 2  # cells before the code of AU 1
_CODES = {0: "absent", 1: "present", 999: "unknown"}
_LABELS = {"unknown": 0, "absent": -1, "present": 1}
_LAYOUT = (
    "dataFile_0001.txt with lines of an address, the original address and 60 codes between tabs, and the "
    "pictures in any folders",
)
_SHOWN = 3

CARD = Card(
    title="EmotioNet",
    kind="au",
    licence="research only, after a signed agreement; the pictures have licences of their own",
    citation="Benitez-Quiroz, Srinivasan and Martinez, EmotioNet: An accurate, real-time algorithm for "
    "the automatic annotation of a million facial expressions in the wild, CVPR 2016",
    request="Aleix Martinez, Ohio State University, page of the EmotioNet challenge",
    protocol="F1 of action units; parts picture by picture",
    layouts=_LAYOUT,
    variants=(
        Variant(name="manual", scheme="none", about="the list that people coded"),
        Variant(name="automatic", scheme="none", about="the lists that a detector coded: pseudo labels"),
    ),
    unconfirmed=(
        "that dataFile_1000.txt is the list that people coded, and the others are a detector's",
        "numbers of pictures: which can still be downloaded changes",
    ),
)


def list_clips(root: Path, variant: str = "manual") -> list[ClipEntry]:
    """Pictures of the existing lists, without labels, ordered by id.

    Args:
        root: Folder with the layout above.
        variant: ``"manual"`` or ``"automatic"``.

    Raises:
        DatasetError: If there is no list of the variant, or one has a line of another kind.
    """
    there = _pictures(root)
    clips: dict[str, ClipEntry] = {}
    lost: list[str] = []
    for name, _ in _listed(root, variant):
        if name in there:
            clip = PurePosixPath(name).stem
            clips[clip] = ClipEntry(clip_id=clip, path=there[name], key_frame=0)
        else:
            lost.append(name)
    if not clips:
        raise layout_error(f"{root} has no picture of the {len(lost):,} that its lists name", _LAYOUT)
    entries = sorted(clips.values(), key=lambda entry: entry.clip_id)
    if lost:
        detail = f"{len(lost):,} of {len(lost) + len(clips):,} listed pictures are not there, e.g. "
        problem = ("missing_file", detail + ", ".join(lost[:_SHOWN]))
        entries.append(ClipEntry(clip_id="missing", path="missing", problem=problem))
    return entries


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels of the pictures of all lists; manual codes have precedence.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If there is no list, or one has a line of another kind.
    """
    patterns = Patterns(UNITS)
    for variant in ("automatic", "manual"):  # later rows of a picture replace earlier ones
        if any((path.name.lower() == MANUAL) == (variant == "manual") for path in _lists(root)):
            for name, labels in _listed(root, variant):
                yield AuRow(clip_id=PurePosixPath(name).stem, frame_index=0, labels=patterns.of(labels))


def unit_source(root: Path, variant: str = "manual") -> UnitSource:
    """Return whether people or a detector coded the pictures.

    Args:
        root: As for :func:`list_clips`.
        variant: As for :func:`list_clips`.
    """
    if variant == "manual":
        return PEOPLE
    line = "action units: PSEUDO labels of EmotioNet's detector, no person's"
    return UnitSource(pseudo="EmotioNet's detector", lines=(line,))


def _lists(root: Path) -> list[Path]:
    """The lists, in the order of their names.

    Raises:
        DatasetError: If there is none.
    """

    def names(folder: Path) -> list[str]:
        lower = ((name, name.lower()) for name in file_names(folder))
        return [name for name, low in lower if low.startswith("datafile_") and low.endswith(".txt")]

    base = unwrap(root, lambda folder: bool(names(folder)))
    if base is None:
        raise layout_error(f"{root} has no list dataFile_0001.txt", _LAYOUT)
    return [base / name for name in names(base)]


def _listed(root: Path, variant: str) -> Iterator[tuple[str, list[int]]]:
    """File name of every address of a variant's lists, and the labels of :data:`UNITS`."""
    paths = [path for path in _lists(root) if (path.name.lower() == MANUAL) == (variant == "manual")]
    if not paths:
        wanted = "dataFile_1000.txt" if variant == "manual" else "other than dataFile_1000.txt"
        raise layout_error(f"{root} has no list {wanted}", _LAYOUT)
    for path in paths:
        with open_text(path) as file:
            for line, text in enumerate(file, start=1):
                cells = text.rstrip("\r\n").split("\t")
                if not text.strip() or (line == 1 and cells[0].strip().lower() == "url"):
                    continue
                name = PurePosixPath(urlsplit(cells[0].strip()).path).name
                if len(cells) < _FIRST + _N_CODES or not is_picture(name):
                    raise DatasetError(
                        f"{path} line {line} begins with {text[:60]!r} and has {len(cells)} cells",
                        f"expected an address, the original address and {_N_CODES} codes between tabs",
                    )
                codes = (cells[_FIRST + unit - 1] for unit in UNITS)
                yield name, [_LABELS[label_of(code, _CODES, path, line)] for code in codes]


def _pictures(root: Path) -> Mapping[str, str]:
    """Name of every picture below the folder to its path; the first of several with one name."""
    paths: dict[str, str] = {}
    try:
        for item in everything(root):
            name = item.path.rpartition("/")[2]
            if item.kind == FILE and stem(name) and is_picture(name):
                paths.setdefault(name, item.path)
    except OSError as error:
        raise DatasetError(f"cannot list {root}: {error.strerror}", "check its permissions") from error
    return paths
