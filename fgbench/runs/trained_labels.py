"""Clips and labels that a method was trained or chosen on: ``trained_on.parquet`` of its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fgbench import storage

TRAINED_ON = "trained_on.parquet"
"""Name of the table in the folder of a run: data set, clip, SHA-256 of its file, label."""

LABEL = "label"
"""Column of the class of a clip; null without one, and absent in runs of earlier versions."""

_CLIP = ("dataset", "clip_id", "sha256")


def trained_rows(
    manifests: Path, dataset: str, labels: Mapping[str, str | None]
) -> list[dict[str, str | None]]:
    """The rows of the table for clips of a work folder.

    Args:
        manifests: Folder of the manifests.
        dataset: Name of the data set.
        labels: Clip to label; ``None`` without one.

    Raises:
        ManifestError: If the table of clips is missing or damaged.
    """
    rows = storage.read_rows(manifests / "clips.parquet", ["clip_id", "sha256"])
    return [
        {"dataset": dataset, **row, LABEL: labels[row["clip_id"]]} for row in rows if row["clip_id"] in labels
    ]


def write_trained_rows(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the table; of rows of one file the first is kept.

    Args:
        folder: Folder of the run.
        rows: Rows, the label of which may be absent.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()) for name in (*_CLIP, LABEL)])
    single: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        single.setdefault(tuple(row[name] for name in _CLIP), row)
    storage.write_table(folder / TRAINED_ON, pa.Table.from_pylist(list(single.values()), schema=schema))


def read_trained_labels(folder: Path, dataset: str) -> dict[str, str]:
    """Read the label of each clip of a data set that a run was trained or chosen on; empty if it keeps none.

    Args:
        folder: Folder of the run.
        dataset: Name of the data set.

    Raises:
        ManifestError: If the table is damaged.
    """
    path = folder / TRAINED_ON
    if not path.is_file():
        return {}
    with storage.open_table(path, ["dataset", "clip_id"]) as file:
        if LABEL not in file.schema_arrow.names:
            return {}
    return {
        row["clip_id"]: row[LABEL]
        for row in storage.read_rows(path, ["dataset", "clip_id", LABEL])
        if row["dataset"] == dataset and row[LABEL] is not None
    }
