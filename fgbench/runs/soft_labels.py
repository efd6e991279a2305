"""Shares of the annotators' votes for the classes of a clip. Reads ``clips.parquet`` of the manifests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.storage import open_table

SoftLabels = Mapping[str, Mapping[str, float]]
"""Clip to class to the share of its votes; clips without votes are absent."""

COLUMN = "soft_label"
"""Column of the clips; manifests of earlier versions lack it."""


def read_soft_labels(manifests: Path) -> SoftLabels:
    """Shares of the votes of all clips that have any; empty without manifests.

    Raises:
        ManifestError: If the clips are damaged.
    """
    path = manifests / "clips.parquet"
    if not path.is_file():
        return {}
    with open_table(path, ["clip_id"]) as file:
        if COLUMN not in file.schema_arrow.names:
            return {}
        rows = file.read(columns=["clip_id", COLUMN]).to_pylist()
    return {
        row["clip_id"]: {entry["label"]: entry["share"] for entry in row[COLUMN]}
        for row in rows
        if row[COLUMN]
    }


def shares_of(soft: SoftLabels, clip_ids: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.float64]:
    """(N, C) shares of the votes on the clip of each sample.

    A row of NaN where a clip has no votes, or some for a class that is not among ``classes``.

    Args:
        soft: Shares per clip.
        clip_ids: Clip of each of N samples.
        classes: C names.
    """
    number = {label: column for column, label in enumerate(classes)}
    shares = np.full((len(clip_ids), len(classes)), np.nan)
    for row, clip in enumerate(clip_ids):
        votes = soft.get(clip)
        if votes and votes.keys() <= number.keys():
            shares[row] = 0.0
            for label, share in votes.items():
                shares[row, number[label]] = share
    return shares
