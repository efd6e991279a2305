"""Shares of votes put into made-up manifests."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import records


def set_shares(manifests, shares):
    """Write the shares of votes into the table of clips; clips that are not named get none.

    Args:
        manifests: Folder of the manifests.
        shares: Clip to class to share.
    """
    path = manifests / "clips.parquet"
    rows = [
        row
        | {
            "soft_label": [
                {"label": label, "share": share} for label, share in shares.get(row["clip_id"], {}).items()
            ]
            or None
        }
        for row in pq.read_table(path).to_pylist()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=records.schema("clips")), path)


def agreed_shares(manifests):
    """Shares of clips all of whose votes are for their class."""
    rows = pq.read_table(manifests / "clips.parquet").to_pylist()
    return {row["clip_id"]: {row["label"]: 1.0} for row in rows}
