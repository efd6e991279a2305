"""Runs compared, sheets of single runs, and tables as text, plain values and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.reports import check_formats, formats_for

if TYPE_CHECKING:
    from fgbench.reports.rendering.table import Table

_OF_ALL_CLASSES = 2
"""Tables of a comparison that are of all classes together: the runs, and their differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsCompared:
    """Runs compared with the first of them.

    Attributes:
        tables: The runs, their differences to the first, then per other run those of the classes.
        numbers: All numbers as plain values; undefined ones are ``None``.
    """

    tables: tuple[Table, ...]
    numbers: dict[str, Any]

    @property
    def of_all_classes(self) -> tuple[Table, ...]:
        """Tables of all classes together."""
        return self.tables[:_OF_ALL_CLASSES]


def compare_runs(runs: Sequence[str], workdir: str | os.PathLike[str] = ".") -> RunsCompared:
    """Return a comparison of runs with the first: differences with intervals, paired tests.

    Args:
        runs: Experiments, ``experiment/fold/seed``, or folders; at least two.
        workdir: Work folder that names are looked for in.

    Raises:
        ConfigError: If fewer than two are named, or one is of action units.
        DatasetError: If they are of different data sets or classes, or share no sample.
        ManifestError: If there is no such run, or it is damaged.
    """
    from fgbench.reports.comparison.compared import compare
    from fgbench.reports.comparison.contenders import find_contender
    from fgbench.reports.comparison.tables import comparison_json, comparison_tables

    comparison = compare([find_contender(run, Path(workdir)) for run in runs])
    return RunsCompared(tables=tuple(comparison_tables(comparison)), numbers=comparison_json(comparison))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Tables and figures of one run.

    Attributes:
        tables: Those that fit a terminal.
        paths: Files of all.
    """

    tables: tuple[Table, ...]
    paths: tuple[Path, ...]


def sheet(
    run: str,
    workdir: str | os.PathLike[str] = ".",
    *,
    out: str | os.PathLike[str] | None = None,
    formats: Sequence[str] | None = None,
    for_paper: bool = False,
    with_paper: bool = True,
) -> Sheet:
    """Write the tables and figures of one run: scores, calibration, coverage, confusions.

    Args:
        run: An experiment, ``experiment/fold/seed``, or a folder.
        workdir: Work folder that a name is looked for in.
        out: This and what follows: as of :func:`report`.

    Raises:
        ConfigError: If there is no such format, or a file would replace one that fgbench did not write.
        ManifestError: If there is no such run, or it is damaged.
        ResourceError: If a file cannot be written.
    """
    from fgbench.reports.comparison.contenders import find_contender
    from fgbench.reports.rendering.files import Look
    from fgbench.reports.run.files import printed_tables, write_sheet
    from fgbench.workfolders.folder import check_results

    check_formats(formats)
    one = find_contender(run, Path(workdir))
    if out is None:
        check_results(one.workdir)
    tables = printed_tables(one)
    paths = write_sheet(
        one,
        one.workdir / "reports" if out is None else Path(out),
        formats_for(formats, for_paper=for_paper),
        look=Look(for_paper=for_paper, with_paper=with_paper),
        own=out is None,
    )
    return Sheet(tables=tuple(tables), paths=tuple(paths))


def table_text(table: Table, format_: str = "md") -> str:
    """Return a table as text.

    Args:
        table: The table.
        format_: ``"md"``, ``"csv"``, ``"tex"`` or ``"html"``.

    Raises:
        ConfigError: If there is no such format.
    """
    from fgbench.reports.rendering.files import TEXT_FORMATS

    check_formats([format_], text_alone=True)
    return TEXT_FORMATS[format_](table)


def table_json(table: Table) -> dict[str, Any]:
    """Return a table as plain values; several seeds as their mean and standard deviation."""
    from fgbench.reports.rendering.table import Spread

    rows = [
        [[cell.mean, cell.sd] if isinstance(cell, Spread) else cell for cell in row] for row in table.rows
    ]
    return {"title": table.title, "columns": list(table.columns), "rows": rows, "notes": list(table.notes)}


def write_tables(tables: Sequence[Table], format_: str, out: str | os.PathLike[str]) -> list[Path]:
    """Write tables as text, a file each, and return the files.

    Args:
        tables: The tables; their names become those of the files.
        format_: As of :func:`table_text`.
        out: Folder; created if missing.

    Raises:
        ConfigError: If there is no such format, or a file would replace one that fgbench did not write.
        ResourceError: If a file cannot be written.
    """
    from fgbench.reports.rendering.files import file_names, write_item
    from fgbench.workfolders.output_folders import writing_in

    check_formats([format_], text_alone=True)
    folder = Path(out)
    with writing_in(folder, [file for table in tables for file in file_names(table, [format_])]):
        return [path for table in tables for path in write_item(table, folder, [format_])]
