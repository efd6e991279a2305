"""Table IV: accuracy of clip methods on public data sets, beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench.reports.paper.benchmark_tables import benchmark_table
from fgbench.reports.rendering.table import Table


def build(workdir: Path) -> Table:
    """Table IV of a work folder; see :func:`build_of`."""
    return build_of([workdir])


def build_of(workdirs: Sequence[Path]) -> Table:
    """Table IV of several work folders, each of one data set.

    Raises:
        NoRunError: If there is no finished run on a data set of the table.
        ManifestError: If a run is damaged.
    """
    return benchmark_table(workdirs, name="table4", number="IV", source="video")
