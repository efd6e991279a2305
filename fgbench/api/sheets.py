"""The sheet of a run: tables and figures of it alone, as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.reports import check_formats, formats_for

if TYPE_CHECKING:
    from fgbench.reports.rendering.table import Table


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
        out: This and what follows: as of :func:`fgbench.api.reports.report`.

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
