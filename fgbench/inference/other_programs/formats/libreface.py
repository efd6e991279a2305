"""Tables of LibreFace (``get_facial_attributes(..., output_save_path)``): expression and action units.

Of a video: ``frame_idx`` (from 0), ``frame_time_in_ms``, ``path_to_frame`` (in a folder that is called as
the video), ``aligned_frame_path``, ``facial_expression``, ``au_1``, ... (presence), ``au_1_intensity``, ...
(0 to 5); of a picture ``input_image_path`` in place of the frames. Presences are scored, of a table without
them the intensities from 2 on. The expression is a name alone, without probabilities.
"""

from __future__ import annotations

from collections.abc import Collection

from fgbench.inference.other_programs.cells import (
    frame_of,
    name_column,
    parent_name,
    prediction_rows,
    unit_columns,
)
from fgbench.inference.other_programs.cells import unit_values as values_of
from fgbench.inference.other_programs.prediction_table import PredictionRow, PredictionTable
from fgbench.inference.other_programs.source import Source

ABOUT = "LibreFace CSV: expression as a name, action units"

_EXPRESSION = "facial_expression"
_FRAME = "path_to_frame"


def is_of(columns: Collection[str]) -> bool:
    """Whether a table is one of LibreFace: ``facial_expression``, or intensities as it calls them."""
    return _EXPRESSION in columns or any(
        name.startswith("au_") and name.endswith("_intensity") for name in columns
    )


def read(source: Source) -> PredictionTable:
    """Return the predictions of a table.

    Raises:
        DatasetError: If a cell is no number, or out of range.
    """
    presences, intensities = unit_columns(source), unit_columns(source, "_intensity")
    units = presences or intensities
    indices = list(units.values())
    has_names = name_column(source) is not None

    def row_of(line: int, cells: list[str], name: str) -> PredictionRow:
        if not has_names and _FRAME in source.column_of:
            name = parent_name(cells[source.column_of[_FRAME]]) or name
        label = cells[source.column_of[_EXPRESSION]] if _EXPRESSION in source.column_of else ""
        return PredictionRow(
            where=source.where(line),
            name=name,
            frame=frame_of(source, line, cells),
            label=label if label.lower() not in ("", "nan", "none") else None,
            units=values_of(source, line, cells, indices, are_intensities=not presences) if indices else None,
        )

    note = (
        () if presences or not units else ("action units: intensities (au_1_intensity), present from 2 on",)
    )
    return PredictionTable(
        format="libreface", classes=(), units=tuple(units), rows=prediction_rows(source, row_of), notes=note
    )
