"""Plain tables (CSV, or Parquet with the same columns), for predictions of any program.

``clip_id`` (or ``clip``, ``file``, ``path``) names the clip of a row; without it the file is of one clip, and
is named as the clip. ``frame`` counts from 0. ``label`` is the class that was chosen; every further column is
a class with its probability, or an action unit (``AU1``, ``AU01``; 0 or 1, or a probability). Columns of
text, and those of :data:`PASSED_OVER`, are not read.
"""

from __future__ import annotations

from collections.abc import Collection

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.cells import (
    FRAMES,
    FURTHER_NAMES,
    NAMES,
    column_rows,
    number_of,
    unit_columns,
)
from fgbench.inference.other_programs.prediction_table import PredictionTable
from fgbench.inference.other_programs.source import Source
from fgbench.naming import first_few

ABOUT = "plain CSV or Parquet: clip_id or file, frame, label, a column per class or action unit"

PASSED_OVER = frozenset(
    {
        *("", "index", "unnamed: 0", "subject", "subject_id", "source", "source_id", "split", "fold", "seed"),
        *("time", "timestamp", "time_s", "confidence", "score", "success", "face_id", "valence", "arousal"),
    }
)
"""Columns that are neither classes nor of use."""


_PREDICTED = ("predicted", "prediction", "pred", "y_pred", "predicted_label", "predicted_class")
"""Columns beside which ``label`` is the truth."""


def is_of(columns: Collection[str]) -> bool:
    """Whether a table can be read as a plain one: it has names of clips, or labels."""
    return not {*NAMES, "label"}.isdisjoint(columns)


def read(source: Source) -> PredictionTable:
    """Return the predictions of a table.

    Raises:
        DatasetError: If a cell is no number, or out of range; or beside ``label`` there is another column of
            predictions, since it is the truth then.
    """
    predicted = next(
        (source.columns[source.column_of[name]] for name in _PREDICTED if name in source.column_of), None
    )
    if predicted is not None and "label" in source.column_of:
        raise DatasetError(
            f"{source.path} has the columns label and {predicted}, expected one: label is the class that the "
            "program predicted",
            f"rename {predicted} to label, and leave the true classes out: the work folder has them",
        )
    units = unit_columns(source)
    reserved = {*NAMES, *FURTHER_NAMES, *FRAMES, "label", *PASSED_OVER}
    indices = [
        column
        for column, name in enumerate(source.head)
        if name not in reserved and column not in units.values() and _has_numbers(source, column)
    ]
    unit_indices = list(units.values())
    label = source.column_of.get("label")

    read_too = {*NAMES, *FURTHER_NAMES, *FRAMES, "label"}
    used = {
        *indices,
        *unit_indices,
        *(source.column_of[name] for name in read_too if name in source.column_of),
    }
    passed = [name for column, name in enumerate(source.columns) if name and column not in used]
    return PredictionTable(
        format="csv",
        classes=tuple(source.columns[column] for column in indices),
        units=tuple(units),
        rows=column_rows(source, classes=indices, units=unit_indices, label=label),
        notes=(f"columns not read: {first_few(passed)}",) if passed else (),
    )


def _has_numbers(source: Source, column: int) -> bool:
    """Whether any cell of a column is a number; columns of text are no classes."""
    for line, cells in source.rows:
        try:
            if number_of(source, line, cells, column) is not None:
                return True
        except DatasetError:
            continue
    return False
