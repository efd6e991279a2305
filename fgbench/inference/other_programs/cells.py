"""Cells of the tables of all programs: names of clips, frames, numbers, action units.

Pure functions of an opened file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from fgbench.datasets._tables import whole_number
from fgbench.datasets._unit_names import PRESENT_FROM, unit_name
from fgbench.errors import DatasetError
from fgbench.inference.other_programs.prediction_table import PredictionRow
from fgbench.inference.other_programs.source import Source

NAMES = ("clip_id", "clip", "file", "path", "filename", "file_name", "image_id", "sample_id")
"""Columns of the name of the clip or file; the first of them that a table has counts."""

FURTHER_NAMES = ("input", "input_image_path", "image", "image_path", "img", "img_path", "video", "video_path")
"""Columns of that name in the files of single programs."""

FRAMES = ("frame", "frame_idx", "frame_index")
"""Columns of the number of the frame."""

_UNIT = re.compile(r"au[ _-]?0*([1-9][0-9]?)")


def unit_columns(source: Source, ending: str = "") -> dict[str, int]:
    """Return the columns of action units: name, spelled as in recipes, to index.

    Args:
        source: The file.
        ending: End of their names, after the number, e.g. ``"_c"``.

    Raises:
        DatasetError: If a unit has two columns.
    """
    columns: dict[str, int] = {}
    for column, name in enumerate(source.head):
        match = _UNIT.fullmatch(name.removesuffix(ending)) if name.endswith(ending) else None
        if match is None:
            continue
        unit = unit_name(int(match[1]))
        if unit in columns:
            raise DatasetError(f"{source.path} has two columns of {unit}", "rename one of them")
        columns[unit] = column
    return columns


def name_column(source: Source) -> int | None:
    """Return the column of the name of the clip or file; ``None`` if only the file's own name tells it."""
    return next(
        (source.column_of[name] for name in (*NAMES, *FURTHER_NAMES) if name in source.column_of), None
    )


def frame_of(source: Source, line: int, cells: Sequence[str], *, from_one: bool = False) -> int | None:
    """Return the number of the frame of a row, from 0; ``None`` if the row has none.

    Args:
        source: The file.
        line: Number of the row.
        cells: Its cells.
        from_one: Whether the program counts from 1.

    Raises:
        DatasetError: If it is no whole number.
    """
    column = next((source.column_of[name] for name in FRAMES if name in source.column_of), None)
    text = "" if column is None else cells[column]
    if not text:
        return None
    number = whole_number(text.removesuffix(".0"))
    if number is None or number < from_one:
        raise DatasetError(
            f"{source.where(line)}: frame is {text[:40]!r}, expected a whole number from {int(from_one)} on",
            "correct the line",
        )
    return number - from_one


def number_of(source: Source, line: int, cells: Sequence[str], column: int) -> float | None:
    """Return the number in a cell, which need not be finite; ``None`` for an empty cell.

    Raises:
        DatasetError: If it is no number.
    """
    text = cells[column].replace(",", ".") if source.has_commas else cells[column]
    if not text:
        return None
    try:
        return float(text.replace("_", "x"))
    except ValueError as error:
        raise DatasetError(
            f"{source.where(line)}: {source.columns[column]} is {text[:40]!r}, expected a number",
            "correct the line",
        ) from error


def scores_of(
    source: Source, line: int, cells: Sequence[str], indices: Sequence[int]
) -> tuple[float, ...] | None:
    """Return the scores of the classes in a row, not all finite; ``None`` if all are empty or NaN (no face).

    Raises:
        DatasetError: If a cell is no number, or some are empty.
    """
    values = [number_of(source, line, cells, column) for column in indices]
    if all(value is None or math.isnan(value) for value in values):
        return None
    bare = [source.columns[column] for column, value in zip(indices, values, strict=True) if value is None]
    if bare:
        raise DatasetError(
            f"{source.where(line)} has no value of {bare[0]}, but of other classes",
            "write all probabilities of a row, or none",
        )
    return tuple(value for value in values if value is not None)


def unit_values(
    source: Source, line: int, cells: Sequence[str], indices: Sequence[int], *, are_intensities: bool = False
) -> tuple[float | None, ...] | None:
    """Return the probabilities of the action units in a row; ``None`` if all cells are empty (no face).

    Args:
        source: The file.
        line: Number of the row.
        cells: Its cells.
        indices: Indices of the columns.
        are_intensities: Whether numbers are intensities 0 to 5, which are present from 2 on.

    Raises:
        DatasetError: If a cell is no number, or out of range.
    """
    most = 5.0 if are_intensities else 1.0
    values: list[float | None] = []
    for column in indices:
        value = number_of(source, line, cells, column)
        if value is not None and not 0.0 <= value <= most:
            raise DatasetError(
                f"{source.where(line)}: {source.columns[column]} is {cells[column][:40]}, expected 0 to "
                f"{most:g}",
                "write presences (0, 1) or probabilities of action units",
            )
        if value is not None and are_intensities:
            value = float(value >= PRESENT_FROM)
        values.append(value)
    return None if all(value is None for value in values) else tuple(values)


def prediction_rows(
    source: Source, row_of: Callable[[int, list[str], str], PredictionRow]
) -> list[PredictionRow]:
    """Return the predictions of all rows.

    Args:
        source: The file.
        row_of: Makes a prediction from the line, the cells, and the name of the clip or file.

    Raises:
        DatasetError: If a row names nothing.
    """
    column = name_column(source)
    rows = []
    for line, cells in source.rows:
        name = source.clip if column is None else cells[column]
        if not name:
            raise DatasetError(f"{source.where(line)} names no clip or file", "correct the line")
        rows.append(row_of(line, cells, name))
    return rows


def column_rows(
    source: Source, *, classes: Sequence[int], units: Sequence[int] = (), label: int | None = None
) -> list[PredictionRow]:
    """Return the predictions of a table with a column per class or action unit, frames counted from 0.

    Args:
        source: The file.
        classes: Indices of the columns of the classes.
        units: Indices of the columns of the action units, probabilities.
        label: Index of the column of the chosen class.

    Raises:
        DatasetError: If a cell is no number, or out of range, or a row names nothing.
    """

    def row_of(line: int, cells: list[str], name: str) -> PredictionRow:
        return PredictionRow(
            where=source.where(line),
            name=name,
            frame=frame_of(source, line, cells),
            label=None if label is None else cells[label] or None,
            scores=scores_of(source, line, cells, classes),
            units=unit_values(source, line, cells, units),
        )

    return prediction_rows(source, row_of)


def parent_name(path: str) -> str:
    """Return the name of the folder of a file; empty if the path has none."""
    return PurePosixPath(path.replace("\\", "/")).parent.name
