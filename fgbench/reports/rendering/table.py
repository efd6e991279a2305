"""What a report is made of, before it is rendered."""

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
        is_best: Whether it is the best of those that it compares with.
    """

    mean: float
    sd: float
    is_best: bool = False

    @property
    def is_same(self) -> bool:
        """Whether all seeds gave the same, as of a method without chance; but for rounding of the mean."""
        return self.sd < 1e-12

    def __str__(self) -> str:
        return f"{self.mean} ± {self.sd}"


SAME = "Numbers over several seeds without ±: the same for all seeds."
"""Note of tables in which seeds made no difference."""


class PValue(float):
    """A p-value: people see that a small one is not zero."""


class Best(float):
    """A number that is the best of those that it compares with."""


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
        columns: Heads of the columns.
        rows: Cells, one sequence per row.
        notes: Sentences below the table.
        keys: Leading columns that tell rows apart; every block repeats them.
        blocks: Numbers of columns, after the keys, of the blocks in which a page of limited width shows the
            table one below the other; empty for one block. Data formats keep the table whole.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    keys: int = 0
    blocks: Sequence[int] = ()

    @property
    def all_notes(self) -> list[str]:
        """The notes, and what a number without ± means where others could have one."""
        is_same = any(isinstance(cell, Spread) and cell.is_same for row in self.rows for cell in row)
        return [*self.notes, *([SAME] if is_same else [])]

    def parts(self) -> list[Table]:
        """The blocks of the table, without title and notes; the table itself where it is one block.

        Raises:
            ValueError: If the blocks do not cover the columns after the keys.
        """
        if not self.blocks:
            return [self]
        if self.keys + sum(self.blocks) != len(self.columns):
            raise ValueError(
                f"{self.keys} columns and blocks of {list(self.blocks)}, expected {len(self.columns)} in all"
            )
        found = []
        begin = self.keys
        for width in self.blocks:
            chosen = [*range(self.keys), *range(begin, begin + width)]
            rows = [[row[place] for place in chosen] for row in self.rows]
            columns = [self.columns[place] for place in chosen]
            found.append(Table(name=self.name, title="", columns=columns, rows=rows))
            begin += width
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: the numbers that it shows, and how it is drawn.

    Attributes:
        table: The numbers, with name, title and notes of the figure.
        draw: Makes the drawing.
    """

    table: Table
    draw: Callable[[], Drawing]


def centre(cell: Cell) -> float | None:
    """The number in a cell, the mean of a spread; ``None`` where there is none."""
    if isinstance(cell, Spread):
        return cell.mean
    return float(cell) if isinstance(cell, int | float) else None


def data_title(title: str, dataset: str, *, synthetic: bool) -> str:
    """Title of a table or figure of a data set."""
    return f"{title}: {dataset}" + (" (SYNTHETIC data)" if synthetic else "")
