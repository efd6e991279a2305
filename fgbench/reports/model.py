"""What a report is made of, before it is rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

Cell = str | int | float | None
"""Value of a cell; ``None`` is a blank cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a title and notes.

    Attributes:
        name: File name without suffix.
        title: Title; says so when the data are synthetic.
        columns: Heads of the columns.
        rows: Cells, one sequence per row.
        notes: Sentences below the table.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: the numbers that it shows, and how it is drawn.

    Attributes:
        table: The numbers, with name, title and notes of the figure.
        draw: Makes the drawing.
    """

    table: Table
    draw: Callable[[], Drawing]


def data_title(title: str, dataset: str, *, synthetic: bool) -> str:
    """Title of a table or figure of a data set."""
    return f"{title}: {dataset}" + (" (SYNTHETIC data)" if synthetic else "")
