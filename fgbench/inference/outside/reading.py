"""The answers of another program from a file, or from a folder with a file per clip, whatever their format.

A format is a module of :mod:`fgbench.inference.outside.formats`. Which it is follows from the columns where
nobody says.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from fgbench.errors import ConfigError, DatasetError
from fgbench.inference.outside import formats
from fgbench.inference.outside.answers import Answers
from fgbench.inference.outside.source import Source, open_source
from fgbench.naming import first_few

AUTO = "auto"
"""Name that stands for the format that the columns tell."""

PLAIN = "csv"
"""The format of tables that no program's own fits."""

_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".json")
_SHOWN = 12


def format_names() -> list[str]:
    """Names of all formats, sorted."""
    found = (module.name for module in pkgutil.iter_modules(formats.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def check_format(name: str) -> None:
    """Refuse the name of a format that there is not.

    Raises:
        ConfigError: If there is none.
    """
    if name != AUTO and name not in format_names():
        raise ConfigError(
            f"unknown format {name!r} of predictions", f"known formats: {', '.join([AUTO, *format_names()])}"
        )


def read_answers(path: Path, format_: str = AUTO) -> Answers:
    """The answers of a file, or of all files of a folder, which are called as their clips.

    Args:
        path: The file or folder.
        format_: Name of a format, or :data:`AUTO`.

    Raises:
        ConfigError: If there is no such format.
        DatasetError: If a file is missing, empty, of no format that is known, or damaged.
    """
    check_format(format_)
    sources = _sources(path)
    chosen = {format_} if format_ != AUTO else {_told(source) for source in sources}
    if len(chosen) > 1:
        raise DatasetError(
            f"{path} has files of several formats: {', '.join(sorted(chosen))}", "name one with --format"
        )
    (name,) = chosen
    module = _module(name)
    for source in sources:
        _check_kind(name, module, source)
    found: list[Answers] = [module.read(source) for source in sources]
    return _without_empty_classes(found[0] if len(found) == 1 else _together(path, found))


def files_of(path: Path) -> list[Path]:
    """The files that are read: the file itself, or those of a folder that may be tables, sorted.

    Hidden files are none of them.

    Raises:
        DatasetError: If a folder has none.
    """
    if not path.is_dir():
        return [path]
    names = (file for file in path.rglob("*") if not file.name.startswith("."))
    found = sorted(file for file in names if file.suffix.lower() in _SUFFIXES and file.is_file())
    tables = [file for file in found if file.suffix.lower() != ".txt"] or found
    if not tables:
        raise DatasetError(
            f"{path} has no file of predictions ({', '.join(_SUFFIXES)})",
            "name a file, or a folder with a file per clip",
        )
    return tables


def _sources(path: Path) -> list[Source]:
    root = path if path.is_dir() else path.parent
    return [open_source(file, file.relative_to(root).with_suffix("").as_posix()) for file in files_of(path)]


def _told(source: Source) -> str:
    """The format that the columns of a file tell.

    Raises:
        DatasetError: If they tell none, or several.
    """
    fitting = [
        name
        for name in format_names()
        if _is_json(module := _module(name)) == (source.document is not None) and module.is_of(source.head)
    ]
    own = [name for name in fitting if name != PLAIN] or fitting
    if len(own) == 1:
        return own[0]
    if own:
        raise DatasetError(
            f"{source.path} may be of the formats {' and '.join(own)}", f"name one: --format {own[0]}"
        )
    shown = first_few(source.columns, _SHOWN) or "nothing"
    raise DatasetError(
        f"{source.path} has columns of no format that is known (it has: {shown})",
        "; ".join(f"{name}: {_module(name).ABOUT}" for name in format_names()),
    )


def _check_kind(name: str, module: ModuleType, source: Source) -> None:
    """Refuse a table where JSON is read, JSON where a table is, and what lacks all columns of a format."""
    is_document = source.document is not None
    if _is_json(module) != is_document:
        is_, expected = ("JSON", "a table") if is_document else ("a table", "JSON")
        raise DatasetError(
            f"{source.path} is {is_}, the format {name} is {expected}", f"{module.ABOUT}; or --format {AUTO}"
        )
    if name != PLAIN and not module.is_of(source.head) and not _has_some(module, source):
        shown = first_few(source.columns, _SHOWN) or "nothing"
        raise DatasetError(
            f"{source.path} has no columns of the format {name} (it has: {shown})",
            f"{module.ABOUT}; or --format {AUTO}",
        )


def _has_some(module: ModuleType, source: Source) -> bool:
    """Whether a file that was named to be of a format has anything that is read of it."""
    if source.document is not None:
        return False
    found: Answers = module.read(source)
    return bool(found.classes or found.units)


def _together(path: Path, found: Sequence[Answers]) -> Answers:
    first = found[0]
    for other in found[1:]:
        if (other.classes, other.units) != (first.classes, first.units):
            raise DatasetError(
                f"files in {path} have different columns: {first_few([*first.classes, *first.units])}, and "
                f"{first_few([*other.classes, *other.units])}",
                "give all the same columns, in one order",
            )
    return Answers(
        format=first.format,
        classes=first.classes,
        units=first.units,
        rows=[row for one in found for row in one.rows],
        notes=tuple(dict.fromkeys(note for one in found for note in one.notes)),
    )


def _without_empty_classes(answers: Answers) -> Answers:
    """Leave out classes of which no row says anything, where rows tell action units: they were not asked."""
    says_classes = any(row.scores is not None or row.label is not None for row in answers.rows)
    says_units = any(row.units is not None for row in answers.rows)
    return answers if says_classes or not says_units else replace(answers, classes=())


def _is_json(module: ModuleType) -> bool:
    return bool(getattr(module, "IS_JSON", False))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{formats.__name__}.{name}")
