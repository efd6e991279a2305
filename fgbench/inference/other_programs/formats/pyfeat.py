"""Tables of py-feat (``Fex.to_csv``): seven expressions and action units.

``input`` (the file), ``frame`` (from 0; of pictures their number in the list), ``FaceRectX``, ..., ``AU01``
(probability), ..., ``anger``, ``disgust``, ``fear``, ``happiness``, ``sadness``, ``surprise``, ``neutral``
(probabilities). A row whose cells are empty is of a frame without a face.
"""

from __future__ import annotations

from collections.abc import Collection

from fgbench.inference.other_programs.cells import column_rows, unit_columns
from fgbench.inference.other_programs.prediction_table import PredictionTable
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

    return PredictionTable(
        format="pyfeat",
        classes=tuple(classes),
        units=tuple(units),
        rows=column_rows(source, classes=indices, units=list(units.values())),
    )
