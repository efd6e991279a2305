"""Tables of py-feat (``Fex.to_csv``): seven expressions and action units.

``input`` (the file), ``frame`` (from 0; of pictures their number in the list), ``FaceRectX``, ..., ``AU01``
(probability), ..., ``anger``, ``disgust``, ``fear``, ``happiness``, ``sadness``, ``surprise``, ``neutral``
(probabilities). A row whose cells are empty is of a frame without a face.
"""

from __future__ import annotations

from collections.abc import Collection

from fgbench.inference.other_programs.cells import (
    frame_of,
    prediction_rows,
    scores_of,
    unit_columns,
    unit_values,
)
from fgbench.inference.other_programs.prediction_table import PredictionRow, PredictionTable
from fgbench.inference.other_programs.source import Source

ABOUT = "py-feat Fex CSV: seven expressions, action units"

_MARKS = frozenset({"facescore", "facerectx", "feat_face_x"})
_CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def is_of(columns: Collection[str]) -> bool:
    """Whether a table is one of py-feat: it has the box of the face as py-feat calls it."""
    return not _MARKS.isdisjoint(columns)


def read(source: Source) -> PredictionTable:
    """Return the predictions of a table.

    Raises:
        DatasetError: If a cell is no number, or out of range.
    """
    classes = [name for name in _CLASSES if name in source.column_of]
    indices = [source.column_of[name] for name in classes]
    units = unit_columns(source)
    unit_indices = list(units.values())

    def row_of(line: int, cells: list[str], name: str) -> PredictionRow:
        return PredictionRow(
            where=source.where(line),
            name=name,
            frame=frame_of(source, line, cells),
            scores=scores_of(source, line, cells, indices) if indices else None,
            units=unit_values(source, line, cells, unit_indices),
        )

    return PredictionTable(
        format="pyfeat", classes=tuple(classes), units=tuple(units), rows=prediction_rows(source, row_of)
    )
