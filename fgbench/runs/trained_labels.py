"""Labels that a network was trained or chosen on: column ``label`` of ``trained_on.parquet`` of its run."""

from __future__ import annotations

from pathlib import Path

from fgbench import storage

TRAINED_ON = "trained_on.parquet"
"""Name of the table in the folder of a run: data set, clip, SHA-256 of its file, label."""

LABEL = "label"
"""Column of the class of a clip; null without one, and absent in runs of earlier versions."""


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
