"""What ``fgbench predict`` writes of a detector of action units: a row per file and frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.printable import cell_of

TABLE = "action_units.csv"
"""Name of the table, below the folder of the output."""

_BEFORE = ("file", "frame", "time_s", "status", "track")


def unit_rows(told: Sequence[Mapping[str, Any]], units: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A row per frame of every file that was read, in their order.

    Args:
        told: What was said of each file, or of each face of it; ``frames`` is where the table of its frames
            lies, of a video.
        units: Names of the units.

    Returns:
        ``file``, ``frame`` (from 0; 0 of a picture), ``time_s`` (``None`` of a picture), ``status``,
        ``track`` (a number per face: as it is followed in a video, from left to right in a picture of which
        every face is asked for), and the probability of each unit, ``None`` where no face is
        usable.
    """
    for item in told:
        if item["frames"] is not None:
            for row in _frames(Path(item["frames"])):
                found = (row["frame_index"], row["time_s"], row["status"], row["track_id"])
                yield _row(item["path"], found, row["probabilities"], units)
        elif item["kind"] == "image":
            yield _row(item["path"], (0, None, item["status"], item["face"]), item["probabilities"], units)


def _row(
    path: str, found: Sequence[Any], probabilities: Sequence[float] | None, units: Sequence[str]
) -> dict[str, Any]:
    values = [None] * len(units) if probabilities is None else probabilities
    return dict(zip((*_BEFORE, *units), (path, *found, *values), strict=True))


def _frames(path: Path) -> Iterator[Mapping[str, Any]]:
    from fgbench.storage import read_rows

    columns = ["frame_index", "time_s", "status", "track_id", "probabilities"]
    yield from read_rows(path, columns)


def write_unit_rows(path: Path, told: Sequence[Mapping[str, Any]], units: Sequence[str]) -> None:
    """Write :func:`unit_rows` as CSV: probabilities with six digits, nothing where there is none.

    Raises:
        ResourceError: If the file cannot be written.
    """
    from fgbench import storage

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell_of(name) for name in (*_BEFORE, *units)])
    for row in unit_rows(told, units):
        writer.writerow([_cell(row[name], is_unit=name in units) for name in (*_BEFORE, *units)])
    storage.write_bytes(path, text.getvalue().encode())


def _cell(value: Any, *, is_unit: bool) -> str:
    if value is None:
        return ""
    if is_unit:
        return f"{value:.6f}"
    return cell_of(str(value))
