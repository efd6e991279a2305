"""Tables and figures of reports, before they are rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


@dataclass(frozen=True, slots=True)
class Spread:
    """A number over several seeds.

    Attributes:
        mean: Mean over the seeds.
        sd: Standard deviation over the seeds (n - 1).
        is_best: Whether it is the best of comparable numbers.
    """

    mean: float
    sd: float
    is_best: bool = False

    @property
    def is_same(self) -> bool:
        """Whether all seeds gave the same, e.g. of a deterministic method; up to rounding of the mean."""
        return self.sd < 1e-12

    def __str__(self) -> str:
        return f"{self.mean} ± {self.sd}"


SAME = "Numbers over several seeds without ±: the same for all seeds."
"""Note of tables in which seeds made no difference."""


class PValue(float):
    """A p-value, printed so that a small one is not taken for zero."""


class Best(float):
    """The best of comparable numbers."""


class OfPaper(str):
    """A sentence that compares with the paper's numbers, or explains them."""

    __slots__ = ()


Cell = str | int | float | Spread | None
"""Value of a cell; ``None`` is a blank cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a title and notes.

    Attributes:
        name: File name without suffix.
        title: Title; says so when the data are synthetic.
        columns: Titles of the columns.
        rows: Cells, one sequence per row.
        notes: Sentences below the table.
        keys: Number of leading columns that identify rows; every block repeats them.
        blocks: Numbers of columns, after the keys, of the blocks into which a page of limited width divides
            the table; empty for one block. Data formats keep the table whole.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    keys: int = 0
    blocks: Sequence[int] = ()

    def are_numbers(self) -> list[bool]:
        """Whether each column holds numbers alone."""
        return [
            all(isinstance(row[column], int | float | Spread | None) for row in self.rows)
            for column in range(len(self.columns))
        ]

    @property
    def all_notes(self) -> list[str]:
        """Notes, including the meaning of a number without ± where others have one."""
        is_same = any(isinstance(cell, Spread) and cell.is_same for row in self.rows for cell in row)
        return [*self.notes, *([SAME] if is_same else [])]

    def parts(self) -> list[Table]:
        """Blocks of the table, without title and notes; the table itself if it is one block.

        Raises:
            ValueError: If the blocks do not cover the columns after the keys.
        """
        if not self.blocks:
            return [self]
        if self.keys + sum(self.blocks) != len(self.columns):
            raise ValueError(
                f"{self.keys} columns and blocks of {list(self.blocks)}, expected {len(self.columns)} in all"
            )
        parts = []
        begin = self.keys
        for width in self.blocks:
            chosen = [*range(self.keys), *range(begin, begin + width)]
            rows = [[row[column] for column in chosen] for row in self.rows]
            columns = [self.columns[column] for column in chosen]
            parts.append(Table(name=self.name, title="", columns=columns, rows=rows))
            begin += width
        return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: its numbers and its drawing.

    Attributes:
        table: The numbers, with name, title and notes of the figure.
        draw: Makes the drawing.
    """

    table: Table
    draw: Callable[[], Drawing]


def centre(cell: Cell) -> float | None:
    """Number in a cell, the mean of a spread; ``None`` if there is none."""
    if isinstance(cell, Spread):
        return cell.mean
    return float(cell) if isinstance(cell, int | float) else None


def data_title(title: str, dataset: str, *, synthetic: bool) -> str:
    """Title of a table or figure of a data set."""
    return f"{title}: {dataset}" + (" (SYNTHETIC data)" if synthetic else "")
