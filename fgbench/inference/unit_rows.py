"""Table of ``fgbench predict`` for detectors of action units: a row per file and frame."""

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


def unit_rows(files: Sequence[Mapping[str, Any]], units: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a row per frame of every file that was read, in their order.

    Args:
        files: Row of each file, or of each face in it; ``frames`` is the path of the table of its frames, for
            a video.
        units: Names of the units.

    Returns:
        ``file``, ``frame`` (from 0; 0 for a picture), ``time_s`` (``None`` for a picture), ``status``,
        ``track`` (a number per face: as tracked in a video, from left to right in a picture with
        ``--all-faces``), and the probability of each unit, ``None`` without a usable face.
    """
    for item in files:
        if item["frames"] is not None:
            for row in _frames(Path(item["frames"])):
                head = (row["frame_index"], row["time_s"], row["status"], row["track_id"])
                yield _row(item["path"], head, row["probabilities"], units)
        elif item["kind"] == "image":
            yield _row(item["path"], (0, None, item["status"], item["face"]), item["probabilities"], units)


def _row(
    path: str, head: Sequence[Any], probabilities: Sequence[float] | None, units: Sequence[str]
) -> dict[str, Any]:
    values = [None] * len(units) if probabilities is None else probabilities
    return dict(zip((*_BEFORE, *units), (path, *head, *values), strict=True))


def _frames(path: Path) -> Iterator[Mapping[str, Any]]:
    from fgbench.storage import read_rows

    columns = ["frame_index", "time_s", "status", "track_id", "probabilities"]
    yield from read_rows(path, columns)


def write_unit_rows(path: Path, files: Sequence[Mapping[str, Any]], units: Sequence[str]) -> None:
    """Write :func:`unit_rows` as CSV: probabilities with six digits, blank if there is none.

    Raises:
        ResourceError: If the file cannot be written.
    """
    from fgbench import storage

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell_of(name) for name in (*_BEFORE, *units)])
    for row in unit_rows(files, units):
        writer.writerow([_cell(row[name], is_unit=name in units) for name in (*_BEFORE, *units)])
    storage.write_bytes(path, text.getvalue().encode())


def _cell(value: Any, *, is_unit: bool) -> str:
    if value is None:
        return ""
    if is_unit:
        return f"{value:.6f}"
    return cell_of(str(value))
