"""Rows added to ``annotations.csv`` and ``votes.csv`` of a data set; rows that are there stay as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fgbench.datasets._annotation_table import column_names, read_annotations, row_reader
from fgbench.datasets._tables import decimal_number, open_text
from fgbench.printable import cell_of, text_of
from fgbench.storage import write_text
from fgbench.taxonomy import normal_label

Row = Mapping[str, str]


class ClipTable:
    """A table of a data set with rows that are added.

    Args:
        path: The file, which may be absent.
        required: Columns that it has to have.
        identity: Returns what makes a row the row of its clip, e.g. clip and annotator.

    Raises:
        DatasetError: If it cannot be read.
    """

    def __init__(self, path: Path, required: Sequence[str], identity: Callable[[Row], object]) -> None:
        self.path = path
        self._identity = identity
        self._columns = list(required)
        self._separator = ","
        self.rows: list[Row] = []
        self._new = 0
        there = read_annotations(path, required=set(required), as_written=True)
        if there is not None:
            with open_text(path) as file:
                reader, self._separator = row_reader(file)
                self._columns = column_names(reader)
            self.rows = list(there)
        self._at = {identity(row): row for row in self.rows}

    @property
    def n_new(self) -> int:
        """Number of rows that were added."""
        return self._new

    def add(self, row: Row) -> Row | None:
        """Add a row; where its clip has one already, nothing is changed and that one is returned.

        Args:
            row: Column to cell; columns that the table lacks are added.
        """
        identity = self._identity(row)
        if identity in self._at:
            return self._at[identity]
        cells = {column: cell_of(cell) for column, cell in row.items()}
        self._columns += [column for column in cells if column not in self._columns]
        self._at[identity] = cells
        self.rows.append(cells)
        self._new += 1
        return None

    def write(self) -> None:
        """Write the table if rows were added; the file is replaced in one step.

        Raises:
            ResourceError: If it cannot be written; the old one is then as it was.
        """
        if not self._new:
            return
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self._separator, lineterminator="\n")
        writer.writerow(self._columns)
        writer.writerows([row.get(column, "") for column in self._columns] for row in self.rows)
        write_text(self.path, text.getvalue())


def agrees(there: Row, new: Row) -> bool:
    """Return whether a row of a clip that is there has the label, key frame and, if any, confidence of a new
    one."""
    first, second = (normal_label(text_of(row.get("label", ""))) for row in (there, new))
    sure = new.get("confidence", "")
    return (
        first == second
        and there.get("key_frame", "") == new.get("key_frame", "")
        and (not sure or _number(there.get("confidence", "")) == _number(sure))
    )


def _number(cell: str) -> float | None:
    return decimal_number(cell.replace(",", "."))
