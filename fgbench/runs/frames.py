"""Sampled frames of a work folder: those with a usable face, and their labels of action units.

Reads ``manifests/faces/*.parquet``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from fgbench.errors import ManifestError
from fgbench.faces.status import USABLE
from fgbench.records import AuRow
from fgbench.storage import read_rows


def table_parts(manifests: Path, table: str) -> list[Path]:
    """Return the files of a table, by name.

    Raises:
        ManifestError: If the manifests have no such table.
    """
    folder = manifests / table
    if not folder.is_dir():
        raise ManifestError(f"{folder} is missing", "run fgbench prepare")
    return sorted(folder.glob("*.parquet"))


def usable_frames(
    manifests: Path, *, roles: Collection[str] = ("image", "video", "both")
) -> frozenset[tuple[str, int]]:
    """Return clip and number of all sampled frames with a usable face.

    Args:
        manifests: Folder of the manifests.
        roles: Roles of the frames: for the image set, the video set, or both.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    columns = ["clip_id", "frame_index", "role", "status"]
    rows = (row for path in table_parts(manifests, "faces") for row in read_rows(path, columns))
    return frozenset(
        (row["clip_id"], row["frame_index"])
        for row in rows
        if row["status"] in USABLE and row["role"] in roles
    )


def labels_by_frame(
    rows: Iterable[AuRow], frames: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Mapping[str, int]]:
    """Return the labels of frames; those of a frame itself override those of its whole clip.

    Args:
        rows: Labels as an adapter gives them, in any order.
        frames: Clip and number of the frames that are asked for, each once.

    Returns:
        Clip and number to the labels, of frames that have some, ordered.
    """
    whole: dict[str, Mapping[str, int]] = {}
    single: dict[tuple[str, int], Mapping[str, int]] = {}
    for row in rows:
        if row.frame_index is None:
            whole[row.clip_id] = row.labels
        else:
            single[row.clip_id, row.frame_index] = row.labels
    return {
        key: single[key] if key in single else whole[key[0]]
        for key in sorted(frames)
        if key in single or key[0] in whole
    }
