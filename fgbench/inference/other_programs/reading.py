"""Reads the predictions of another program from a file, or a folder with a file per clip, in any format.

A format is a module of :mod:`fgbench.inference.other_programs.formats`; the columns tell which one it is,
unless the user names it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from fgbench.errors import ConfigError, DatasetError
from fgbench.inference.other_programs import formats
from fgbench.inference.other_programs.prediction_table import PredictionTable
from fgbench.inference.other_programs.source import Source, open_source
from fgbench.naming import first_few

AUTO = "auto"
"""Name that stands for the format by the columns."""

PLAIN = "csv"
"""The format of tables that no program's own fits."""

_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".json")
_SHOWN = 12


def format_names() -> list[str]:
    """Return the names of all formats, sorted."""
    names = (module.name for module in pkgutil.iter_modules(formats.__path__))
    return sorted(name for name in names if not name.startswith("_"))


def check_format(name: str) -> None:
    """Refuse the name of a format that there is not.

    Raises:
        ConfigError: If there is none.
    """
    if name != AUTO and name not in format_names():
        raise ConfigError(
            f"unknown format {name!r} of predictions", f"known formats: {', '.join([AUTO, *format_names()])}"
        )


def read_prediction_table(path: Path, format_: str = AUTO) -> PredictionTable:
    """The table of a file, or of all files of a folder, which are called as their clips.

    Args:
        path: The file or folder.
        format_: Name of a format, or :data:`AUTO`.

    Raises:
        ConfigError: If there is no such format.
        DatasetError: If a file is missing, empty, of no format that is known, or damaged.
    """
    check_format(format_)
    sources = _sources(path)
    chosen = {format_} if format_ != AUTO else {_format_of(source) for source in sources}
    if len(chosen) > 1:
        raise DatasetError(
            f"{path} has files of several formats: {', '.join(sorted(chosen))}", "name one as format"
        )
    (name,) = chosen
    module = _module(name)
    for source in sources:
        _check_kind(name, module, source)
    tables: list[PredictionTable] = [module.read(source) for source in sources]
    return _without_empty_classes(tables[0] if len(tables) == 1 else _together(path, tables))


def files_of(path: Path) -> list[Path]:
    """Return the files that are read: the file itself, or those of a folder that may be tables, sorted.

    Hidden files are none of them.

    Raises:
        DatasetError: If a folder has none.
    """
    if not path.is_dir():
        return [path]
    names = (file for file in path.rglob("*") if not file.name.startswith("."))
    files = sorted(file for file in names if file.suffix.lower() in _SUFFIXES and file.is_file())
    tables = [file for file in files if file.suffix.lower() != ".txt"] or files
    if not tables:
        raise DatasetError(
            f"{path} has no file of predictions ({', '.join(_SUFFIXES)})",
            "name a file, or a folder with a file per clip",
        )
    return tables


def _sources(path: Path) -> list[Source]:
    root = path if path.is_dir() else path.parent
    return [open_source(file, file.relative_to(root).with_suffix("").as_posix()) for file in files_of(path)]


def _format_of(source: Source) -> str:
    """Return the format of a file by its columns.

    Raises:
        DatasetError: If none fits, or several do.
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
            f"{source.path} may be of the formats {' and '.join(own)}", f"name one, e.g. format {own[0]}"
        )
    shown = first_few(source.columns, _SHOWN) or "nothing"
    raise DatasetError(
        f"{source.path} has columns of no format that is known (it has: {shown})",
        "; ".join(f"{name}: {_module(name).ABOUT}" for name in format_names()),
    )


def _check_kind(name: str, module: ModuleType, source: Source) -> None:
    """Refuse a table where JSON is read, JSON where a table is, and a file without a column of the format."""
    is_document = source.document is not None
    if _is_json(module) != is_document:
        is_, expected = ("JSON", "a table") if is_document else ("a table", "JSON")
        raise DatasetError(
            f"{source.path} is {is_}, the format {name} is {expected}", f"{module.ABOUT}; or format {AUTO}"
        )
    if name != PLAIN and not module.is_of(source.head) and not _has_some(module, source):
        shown = first_few(source.columns, _SHOWN) or "nothing"
        raise DatasetError(
            f"{source.path} has no columns of the format {name} (it has: {shown})",
            f"{module.ABOUT}; or format {AUTO}",
        )


def _has_some(module: ModuleType, source: Source) -> bool:
    """Whether a file has anything that the format reads."""
    if source.document is not None:
        return False
    table: PredictionTable = module.read(source)
    return bool(table.classes or table.units)


def _together(path: Path, tables: Sequence[PredictionTable]) -> PredictionTable:
    first = tables[0]
    for other in tables[1:]:
        if (other.classes, other.units) != (first.classes, first.units):
            raise DatasetError(
                f"files in {path} have different columns: {first_few([*first.classes, *first.units])}, and "
                f"{first_few([*other.classes, *other.units])}",
                "give all the same columns, in one order",
            )
    return PredictionTable(
        format=first.format,
        classes=first.classes,
        units=first.units,
        rows=[row for one in tables for row in one.rows],
        notes=tuple(dict.fromkeys(note for one in tables for note in one.notes)),
    )


def _without_empty_classes(table: PredictionTable) -> PredictionTable:
    """Leave out classes of which no row says anything, where rows tell action units: they were not asked."""
    says_classes = any(row.scores is not None or row.label is not None for row in table.rows)
    says_units = any(row.units is not None for row in table.rows)
    return table if says_classes or not says_units else replace(table, classes=())


def _is_json(module: ModuleType) -> bool:
    return bool(getattr(module, "IS_JSON", False))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{formats.__name__}.{name}")
