"""Adapter of plain folders: the name of a folder is the class of its files.

Layouts::

    <class>/<file>
    <part>/<class>/<file>       parts: train, val, test in the usual spellings (Training, dev, Test_Set, ...)

One folder that holds all others, as in ``images/<class>/<file>``, is passed through. A file is a picture or
a video by its name or, where that does not suffice, by its first bytes. A folder of pictures in place of a
file is a clip of these frames; other folders there cannot be used. The id of a clip is its path
without suffix, or with it where files in one folder differ only by suffix. Labels: the names of the
folders in lower case (label set ``free``), unless the recipe names a label set. Two folders in one
folder may not have the same class by their names, as they do where these differ only in case, blanks, the
composition of letters or invisible characters.

Action units: a table ``action_units.csv`` beside the folders, see :mod:`fgbench.datasets._unit_table`, which
names a clip by its id or its path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from fgbench.datasets import _unit_table
from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import file_names, layout_error, pictures, prefix, stem, subfolders
from fgbench.datasets._parts import check_different, parts_of
from fgbench.datasets._tree import is_work_folder
from fgbench.datasets._whole_paths import tails
from fgbench.errors import DatasetError, MediaError
from fgbench.media.kinds import kind_of, kind_of_name
from fgbench.naming import first_few, key, shown, tidy
from fgbench.records import PEOPLE, AuRow, ClipEntry, UnitSource
from fgbench.taxonomy import is_usual_label, normal_label

_WRAPPING = frozenset(
    {
        "images",
        "image",
        "imgs",
        "pictures",
        "photos",
        "faces",
        "videos",
        "clips",
        "data",
        "dataset",
        "classes",
    }
)
"""Names of folders that hold the folders of classes, as keys."""

_DEEPEST = 4
"""Largest number of wrapping folders that are passed through."""

_LAYOUT = ("<class>/<file>", "<part>/<class>/<file> with the parts train, val, test")

CARD = Card(
    title="Your own pictures or clips in folders",
    kind="image",
    licence="yours",
    citation="none",
    request="no one: these are your own files",
    protocol="parts of the folders; without them the recipe divides clip by clip",
    layouts=_LAYOUT,
    variants=(Variant(scheme="free"),),
    is_own=True,
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Pictures, clips and folders of pictures, ordered by id (the path without suffix).

    Args:
        root: Folder with one of the layouts above.

    Raises:
        DatasetError: If it has neither, or names of parts stand beside names of classes.
    """
    base = _base(root)
    top = _data_folders(base)
    if not top:
        raise layout_error(f"{root} has no folders", _LAYOUT)
    parts = parts_of(top)
    if parts and len(parts) < len(top):
        other = min(top.keys() - parts.keys())
        raise DatasetError(
            f"{base} has the folder {min(parts)!r}, a part, beside {other!r}, a class",
            f"expected layout: {'; or '.join(_LAYOUT)}",
        )
    check_different(parts, str(base))
    entries: list[ClipEntry] = []
    for name, folder in top.items() if parts else [("", base)]:
        classes = _data_folders(folder) if parts else top
        if not classes:
            raise layout_error(f"{folder} has no folders of classes", _LAYOUT)
        _check_classes(classes, folder)
        for label, inner in classes.items():
            entries.extend(_entries(root, inner, label, parts.get(name)))
    if all(entry.problem for entry in entries):
        raise layout_error(f"{root} has no pictures or videos in its folders", _LAYOUT)
    if _unit_table.has_table(root):
        units = _unit_table.read_units(root, _naming(entries))
        entries = _unit_table.with_units(entries, units, units.named - {entry.clip_id for entry in entries})
    return sorted(entries, key=lambda entry: entry.clip_id)


def notes(root: Path) -> list[str]:
    """A message if there is a single class, which probably is the folder of all pictures, else one if there
    is a table of labels, which is not read.

    Args:
        root: Folder that :func:`list_clips` can read.
    """
    base = _base(root)
    top = _data_folders(base)
    parts = parts_of(top)
    names = {name for part in (top.values() if parts else [base]) for name in _data_folders(part)}
    if len({normal_label(name) for name in names}) != 1:
        tables = _tables(root)
        if not tables:
            return []
        are = "is" if len(tables) == 1 else "are"
        return [
            f"warning: {' and '.join(tables)} {are} not read: the names of the folders are taken for the "
            f"classes ({first_few(sorted(map(shown, names)))}). For the labels of the table take the recipe "
            "default"
        ]
    return [
        f"warning: there is a single folder, {shown(min(names))}, which is taken for the only class; "
        f"expected one for each class: {_LAYOUT[0]}. " + _table_advice(root)
    ]


def _table_advice(root: Path) -> str:
    """Advice on labels in tables."""
    tables = _tables(root)
    if tables:
        return f"The labels are in {' and '.join(tables)}: take the recipe default"
    return (
        "If labels are in a table, put it beside the folder as annotations.csv (clip,label), and take the "
        "recipe default"
    )


def _tables(root: Path) -> list[str]:
    """Tables of the layout of one's own clips that lie beside the folders."""
    return [name for name in ("annotations.csv", "votes.csv") if (root / name).is_file()]


def _base(root: Path) -> Path:
    """The folder of the classes or parts: the root, or its only folder, if that holds further folders and
    has no name of a class."""
    base = root
    for _ in range(_DEEPEST):
        top = _data_folders(base)
        if len(top) != 1 or parts_of(top):
            break
        (name, inner), *_ = top.items()
        below = _data_folders(inner)
        is_wrapping = key(name) in _WRAPPING or parts_of(below) or _n_usual(below) > 1
        if not below or not is_wrapping:
            break
        base = inner
    return base


def _n_usual(names: Iterable[str]) -> int:
    """Number of names that are labels of the usual sets."""
    return sum(is_usual_label(name) for name in names)


def action_units(root: Path) -> Iterator[AuRow]:
    """Labels of action units of ``action_units.csv``.

    Args:
        root: Folder with one of the layouts above.

    Raises:
        DatasetError: If there is no such table, or it cannot be read.
    """
    return iter(_unit_table.read_units(root, _naming(list_clips(root))))


def unit_source(root: Path) -> UnitSource:
    """Origin of the labels of ``action_units.csv``, if there is one.

    Args:
        root: Folder with one of the layouts above.

    Raises:
        DatasetError: If the table cannot be read.
    """
    if not _unit_table.has_table(root):
        return PEOPLE
    return _unit_table.read_units(root, _naming(list_clips(root))).source


def _naming(entries: Iterable[ClipEntry]) -> Callable[[str], str]:
    """Function from a name in a table to the id of a clip: by id, by path, or by a whole path that ends with
    that of one clip; other names are returned unchanged."""
    ids = {tidy(entry.path): entry.clip_id for entry in entries}

    def meant(name: str) -> str:
        ends = [ids[tail] for tail in tails(name) if tail in ids]
        plain = tidy(name).removeprefix("./")
        return ends[0] if len(ends) == 1 else ids.get(plain, plain)

    return meant


def _data_folders(folder: Path) -> dict[str, Path]:
    return {name: inner for name, inner in subfolders(folder).items() if not is_work_folder(inner)}


def _check_classes(names: Iterable[str], folder: Path) -> None:
    """Refuse two folders of one class.

    Raises:
        DatasetError: If two names are one label.
    """
    first: dict[str, str] = {}
    for name in sorted(names):
        label = normal_label(name)
        if key(label) in first:
            raise DatasetError(
                f"{folder} has two folders of the class {label!r}: {first[key(label)]!a} and {name!a}",
                "put them together, or give them names that differ in letters",
            )
        first[key(label)] = name


def _entries(root: Path, folder: Path, label: str, part: str | None) -> Iterator[ClipEntry]:
    before = prefix(folder, root)
    try:
        names, folders = file_names(folder), _data_folders(folder)
    except DatasetError:  # unreadable folders are reported by the inventory
        return
    stems = Counter(stem(name) for name in names if kind_of_name(name) in ("picture", "video"))
    for name in names:
        # A phone gives a picture and a film the same name: each is an entry of its own.
        clip_id = before + (name if stems[stem(name)] > 1 else stem(name))
        try:
            kind = kind_of(folder / name)
        except MediaError as error:  # deleted meanwhile, or unreadable: its name does not give its kind
            problem = (error.reason, f"{shown(before + name)}: {error.message}")
            yield ClipEntry(clip_id=clip_id, path=before + name, label=label, problem=problem)
            continue
        if kind in ("picture", "video"):
            yield ClipEntry(clip_id=clip_id, path=before + name, label=label, split=part)
    for name, inner in folders.items():
        entry = ClipEntry(clip_id=before + name, path=before + name, label=label, split=part)
        try:
            has_pictures = bool(pictures(inner))
        except DatasetError:
            continue
        if has_pictures:
            yield entry
        else:
            detail = f"{shown(before + name)} has no pictures; what lies deeper than {_LAYOUT[0]} is not read"
            yield replace(entry, problem=("no_pictures", detail))
