"""Labels of action units that a network was trained and selected on: ``trained_units.parquet`` of its run.

The manifests hold no such labels: methods read them from the data set, where they may change. A network that
starts from another one has the labels of that one too, as it has its clips in ``trained_on.parquet``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fgbench import storage

TRAINED_UNITS = "trained_units.parquet"
"""Name of the table in the folder of a run: data set, clip, frame, labels."""

_AGAIN = "run it again as before (the command of the run sees the damage)"

FrameKey = tuple[str, str, int]
"""Data set, clip and number of a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedUnits:
    """The labelled frames that a network knows.

    Attributes:
        units: A names of action units.
        frame_step: Every so-many-th frame with a usable face and labels was taken.
        frames: Frame to its A labels (1 present, -1 absent, 0 not labelled); ``None`` for labelled frames
            that were tested, and neither trained nor selected on.
        images: Further frames that were trained on along with classes, to their A labels.
    """

    units: tuple[str, ...]
    frame_step: int
    frames: Mapping[FrameKey, tuple[int, ...] | None]
    images: Mapping[FrameKey, tuple[int, ...]]


def write_trained_units(folder: Path, trained: TrainedUnits) -> None:
    """Write the table.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    keys = [*trained.frames, *trained.images]
    schema = pa.schema(
        [
            ("dataset", pa.string()),
            ("clip_id", pa.string()),
            ("frame_index", pa.int32()),
            ("labels", pa.list_(pa.int8())),
            ("is_image", pa.bool_()),
        ],
        metadata={"units": json.dumps(list(trained.units)), "frame_step": str(trained.frame_step)},
    )
    columns = {
        "dataset": [key[0] for key in keys],
        "clip_id": [key[1] for key in keys],
        "frame_index": [key[2] for key in keys],
        "labels": [*trained.frames.values(), *trained.images.values()],
        "is_image": [False] * len(trained.frames) + [True] * len(trained.images),
    }
    storage.write_table(folder / TRAINED_UNITS, pa.table(columns, schema=schema))


def read_trained_units(folder: Path) -> TrainedUnits | None:
    """Read the table; ``None`` where a run has none: it knows no labels of action units, or is of an earlier
    version.

    Raises:
        ManifestError: If it is damaged.
    """
    path = folder / TRAINED_UNITS
    if not path.is_file():
        return None
    with storage.parquet_explained(path, _AGAIN):
        table = storage.read_table(path, hint=_AGAIN)
        frames: dict[FrameKey, tuple[int, ...] | None] = {}
        images: dict[FrameKey, tuple[int, ...]] = {}
        names = ("dataset", "clip_id", "frame_index", "labels", "is_image")
        for row in zip(*(table.column(name).to_pylist() for name in names), strict=True):
            dataset, clip_id, frame_index, labels, is_image = row
            if is_image:
                images[dataset, clip_id, frame_index] = tuple(labels)
            else:
                frames[dataset, clip_id, frame_index] = None if labels is None else tuple(labels)
        return TrainedUnits(
            units=tuple(json.loads(table.schema.metadata[b"units"])),
            frame_step=int(table.schema.metadata[b"frame_step"]),
            frames=frames,
            images=images,
        )
