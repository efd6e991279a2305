"""Labels of action units of the image set, for networks that train on them along with the classes.

Reads the manifests for the frame of each image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fgbench.records import AuRow
from fgbench.runs.frames import labels_by_frame
from fgbench.runs.unit_results import Labels
from fgbench.storage import read_rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitLabels:
    """Labels of action units of N images.

    Attributes:
        images: (N, A) int8; 1 present, -1 absent, 0 not labelled.
        frames: Clip and number of each of their frames, to the A labels.
    """

    images: Labels
    frames: Mapping[tuple[str, int], tuple[int, ...]]


def unit_labels(
    manifests: Path, sample_ids: Sequence[str], rows: Iterable[AuRow], action_units: Sequence[str]
) -> UnitLabels:
    """Return the labels of images; an augmented copy has those of its frame.

    Args:
        manifests: Folder of the manifests.
        sample_ids: Ids of N images.
        rows: Labels of the data set's frames.
        action_units: Names of A units.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    row_of = {name: row for row, name in enumerate(sample_ids)}
    rows_of_frame: dict[tuple[str, int], list[int]] = {}
    for path in sorted((manifests / "images").glob("*.parquet")):
        for image in read_rows(path, ["image_id", "clip_id", "frame_index"]):
            if (row := row_of.get(image["image_id"])) is not None:
                rows_of_frame.setdefault((image["clip_id"], image["frame_index"]), []).append(row)
    labels = np.zeros((len(sample_ids), len(action_units)), np.int8)
    for key, labelled in labels_by_frame(rows, rows_of_frame).items():
        for row in rows_of_frame[key]:
            labels[row] = [labelled.get(unit, 0) for unit in action_units]
    frames = {key: tuple(labels[rows_of_one[0]].tolist()) for key, rows_of_one in rows_of_frame.items()}
    return UnitLabels(images=labels, frames=frames)
