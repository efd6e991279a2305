"""Runs compared with the first of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
