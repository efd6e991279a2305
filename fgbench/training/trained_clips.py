"""Which clips detectors of action units were trained and selected on: ``trained_on.parquet`` of their run.

The manifests of the work folder alone do not tell: a run may be of several work folders, or of one fold of a
cross-validation of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.storage import read_rows
from fgbench.training.au_frames import Frames

TRAINED_ON = "trained_on.parquet"
"""Name of the table in the folder of a run: data set, clip, SHA-256 of its file."""


def write_trained_clips(folder: Path, frames: Sequence[Frames]) -> None:
    """Write the clips of frames.

    Raises:
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    schema = pa.schema([("dataset", pa.string()), ("clip_id", pa.string()), ("sha256", pa.string())])
    seen = {
        (number, clip) for part in frames for number, (clip, _) in zip(part.folders, part.keys, strict=True)
    }
    found: list[dict[str, Any]] = []
    for number, one in enumerate(frames[0].data):
        rows = read_rows(one.place.manifests / "clips.parquet", ["clip_id", "sha256"])
        found += [{"dataset": one.dataset, **row} for row in rows if (number, row["clip_id"]) in seen]
    storage.write_table(folder / TRAINED_ON, pa.Table.from_pylist(found, schema=schema))


def read_trained_clips(folder: Path) -> list[dict[str, Any]] | None:
    """The rows of the table; ``None`` where a run has none.

    Raises:
        ManifestError: If it is damaged.
    """
    path = folder / TRAINED_ON
    if not path.is_file():
        return None
    return list(read_rows(path, ["dataset", "clip_id", "sha256"]))
