"""Labels of action units of the drawn data set, from the intensities that its faces were drawn with.

Reads ``truth.parquet`` beside the clips.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgbench.errors import DatasetError
from fgbench.files.parquet_files import open_parquet
from fgbench.records import AuRow

TRUTH = "truth.parquet"

PRESENT_FROM = 0.4
"""Least intensity (0 to 1, which is E of FACS) of a present unit. It is 2 of 5, the bound with which
DISFA's intensities are made labels; weaker ones are hardly visible."""

_AGAIN = "delete the folder and run fgbench synth again"
_UNIT = re.compile(r"au\d\d")  # the sides of a face have names of their own, e.g. au12_l


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield the labels of every frame, in the order of the table.

    Args:
        root: Folder of the data set.

    Raises:
        DatasetError: If there is no table of truth, it is damaged, or it has no action units.
    """
    import pyarrow as pa

    path = root / TRUTH
    if not path.is_file():
        raise DatasetError(
            f"{root} has no labels of action units (neither action_units.csv nor {TRUTH})",
            "give them in action_units.csv (clip,frame,AU1,...), see docs/action-units.md; the drawn data "
            "set has them: fgbench synth; a network without them: fgbench train msau --trunk none",
        )
    try:
        with open_parquet(path) as file:
            units = [name for name in file.schema_arrow.names if _UNIT.fullmatch(name)]
            if not units:
                raise DatasetError(f"{path} has no action units, expected columns au01, au02, ...", _AGAIN)
            for batch in file.iter_batches(columns=["clip_id", "frame_index", *units]):
                yield from _rows(batch.to_pydict(), units)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DatasetError(f"{path} is damaged: {error}", _AGAIN) from error


def _rows(columns: dict[str, list[Any]], units: list[str]) -> Iterator[AuRow]:
    for row, (clip_id, frame_index) in enumerate(
        zip(columns["clip_id"], columns["frame_index"], strict=True)
    ):
        labels = {unit: 1 if columns[unit][row] >= PRESENT_FROM else -1 for unit in units}
        yield AuRow(clip_id=clip_id, frame_index=frame_index, labels=labels)
