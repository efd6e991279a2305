"""Tables of OpenFace 2 (``FeatureExtraction``, ``FaceLandmarkImg``): action units.

One table per clip, named as the clip: ``frame`` (from 1), ``face_id``, ``timestamp``, ``confidence``,
``success``, ..., ``AU01_r`` (intensity 0 to 5), ..., ``AU01_c`` (presence). Presences are scored, of a table
without them the intensities from 2 on. A row without ``success``, or with a confidence below 0.5, is of a
frame in which OpenFace was not sure of the face: it has no prediction, as the data sets' own tables of
OpenFace are read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from fgbench.datasets._unit_columns import SURE_FROM
from fgbench.inference.other_programs.cells import (
    frame_of,
    number_of,
    prediction_rows,
    unit_columns,
    unit_values,
)
from fgbench.inference.other_programs.prediction_table import PredictionRow, PredictionTable
from fgbench.inference.other_programs.source import Source

ABOUT = "OpenFace FeatureExtraction CSV: action units"

_COLUMN = re.compile(r"au[0-9]{2}_[rc]")


def is_of(columns: Collection[str]) -> bool:
    """Whether a table is one of OpenFace: it has columns such as ``au01_c``."""
    return any(_COLUMN.fullmatch(name) for name in columns)


def read(source: Source) -> PredictionTable:
    """Return the predictions of a table.

    Raises:
        DatasetError: If a cell is no number, or out of range.
    """
    presences, intensities = unit_columns(source, "_c"), unit_columns(source, "_r")
    units = presences or intensities
    indices = list(units.values())

    def is_sure(line: int, cells: Sequence[str]) -> bool:
        for name, least in (("success", 1.0), ("confidence", SURE_FROM)):
            value = (
                number_of(source, line, cells, source.column_of[name]) if name in source.column_of else least
            )
            if value is None or not value >= least:
                return False
        return True

    def row_of(line: int, cells: list[str], name: str) -> PredictionRow:
        values = unit_values(source, line, cells, indices, are_intensities=not presences)
        return PredictionRow(
            where=source.where(line),
            name=name,
            frame=frame_of(source, line, cells, from_one=True),
            units=values if is_sure(line, cells) else None,
        )

    note = () if presences else ("action units: intensities (AU01_r), present from 2 on",)
    return PredictionTable(
        format="openface", classes=(), units=tuple(units), rows=prediction_rows(source, row_of), notes=note
    )
