"""What became of each file of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow.parquet as pq


def unaccounted(work: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """Faults by name: neither used nor rejected with a reason, or rejected for what nobody foresaw.

    Args:
        work: A work folder.
        names: Names of files without their suffix, part of their clips' ids.
    """
    manifests = work / "manifests"
    used = pq.read_table(manifests / "clips.parquet", columns=["clip_id"])["clip_id"].to_pylist()
    rejected: Mapping[str, dict[str, str]] = {
        row["id"]: row for row in pq.read_table(manifests / "rejects.parquet").to_pylist()
    }
    actual: dict[str, list[str]] = {}
    for name in names:
        if any(name in clip for clip in used):
            continue
        rows = [row for clip, row in rejected.items() if name in clip]
        if not rows:
            actual[name] = ["neither used nor rejected"]
        elif not rows[0]["reason"] or not rows[0]["detail"]:
            actual[name] = [f"rejected without reason or detail: {rows[0]}"]
        elif rows[0]["reason"] == "internal_error":
            actual[name] = [f"rejected by the net alone: {rows[0]['detail'][:200]}"]
    return actual
