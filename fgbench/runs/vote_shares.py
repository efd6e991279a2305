"""Shares of annotators' votes that a run may learn from: ``soft_label`` of the clips of the manifests.

Pictures and their augmented copies have the shares of their clip. Not stated in the paper, which trains on
the settled labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fgbench import storage

TARGET = "target"
"""Key of the details of a result whose network learned from votes."""

SOFT = "soft"
"""Value of ``losses.target`` of recipes that learn from votes, and of :data:`TARGET`."""

_COLUMN = "soft_label"


def read_shares(manifests: Path) -> dict[str, dict[str, float]]:
    """Shares of the votes for classes by clip and class; clips without votes are left out.

    Args:
        manifests: Folder of the manifests; those of earlier versions have no votes.

    Raises:
        ManifestError: If the table of clips is missing or damaged.
    """
    path = manifests / "clips.parquet"
    with storage.open_table(path) as file:
        has_shares = _COLUMN in file.schema_arrow.names
    if not has_shares:
        return {}
    return {
        row["clip_id"]: {item["label"]: item["share"] for item in row[_COLUMN]}
        for row in storage.read_rows(path, ["clip_id", _COLUMN])
        if row[_COLUMN]
    }


def target_details(target: str) -> dict[str, str]:
    """Entries of the details of a result on the target of its losses; none for the settled classes."""
    return {TARGET: SOFT} if target == SOFT else {}


def is_soft(details: Mapping[str, object]) -> bool:
    """Return whether the network of a run learned from votes."""
    return details.get(TARGET) == SOFT
