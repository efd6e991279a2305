"""``votes.parquet``: 500,000 votes on 100,000 clips in 64 buckets, written from the rows of the stages.

The baseline is the same table by the rows of the stages as Python values, sorted whole and written with one
``pyarrow`` call; it is measured on a tenth of the clips and scaled.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fgbench import records, storage
from fgbench.catalogue.inventory import Inventory
from fgbench.catalogue.listing import Listing
from fgbench.files.hashing import bucket_of
from fgbench.preparation.stages._votes_table import read_ranges, write_votes
from fgbench.taxonomy import ontology

CLIPS, VOTERS, BUCKETS, SHARE = 100_000, 5, 64, 10


def _write_stages(folder: Path, n_clips: int) -> tuple[list[Path], list[Path]]:
    """Rows of ``ingest`` and ``consensus`` with votes drawn evenly; all clips are settled."""
    labels = ontology("fg33").labels
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(labels), (n_clips, VOTERS))
    rows: dict[int, list[dict[str, Any]]] = {bucket: [] for bucket in range(BUCKETS)}
    for number in range(n_clips):
        clip_id = f"clip{number:06d}"
        votes = [
            {
                "annotator": f"a-{voter:08x}",
                "label": labels[drawn[number, voter]],
                "confidence": 0.9,
                "key_frame": 12,
                "round": 1,
                "spent_s": 7.5,
                "cast_at": "2026-01-31T12:00:00Z",
            }
            for voter in range(VOTERS)
        ]
        rows[bucket_of(clip_id, BUCKETS)].append({"clip_id": clip_id, "fps": 25.0, "votes": votes})
    ingested, settled = [], []
    for bucket, of_bucket in rows.items():
        for stage, paths in (("ingest", ingested), ("consensus", settled)):
            paths.append(folder / f"{bucket}.{stage}.parquet")
            values = [row | {"label": row["votes"][0]["label"]} for row in of_bucket]
            storage.write_table(paths[-1], pa.Table.from_pylist(values, schema=records.schema(stage)))
    return ingested, settled


def _as_rows(path: Path, ingested: list[Path], settled: list[Path]) -> None:
    tree = ontology("fg33")
    got = {row["clip_id"]: row["label"] for one in settled for row in storage.read_rows(one)}
    rows = [
        {
            **vote,
            "clip_id": row["clip_id"],
            "answer": "class",
            "basic": tree.basic_and_valence(vote["label"])[0],
            "key_time_s": vote["key_frame"] / row["fps"],
            "settled": got[row["clip_id"]],
        }
        for one in ingested
        for row in storage.read_rows(one)
        for vote in row["votes"]
    ]
    rows.sort(key=lambda row: (row["clip_id"], row["round"], row["annotator"]))
    storage.write_table(path, pa.Table.from_pylist(rows, schema=records.schema("votes")))


def main() -> None:
    """Print times, their ratio and the most memory that Arrow held."""
    nothing = Inventory(media=0, used=0, unused=(), others={}, odd={})
    listing = Listing(entries=(), scheme="fg33", classes=ontology("fg33").labels, inventory=nothing)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ingested, settled = _write_stages(folder, CLIPS)
        start = time.process_time()
        count = write_votes(folder / "votes.parquet", read_ranges(ingested), settled, listing)
        ours = time.process_time() - start
        held = pa.default_memory_pool().max_memory()
        (folder / "part").mkdir()
        ingested, settled = _write_stages(folder / "part", CLIPS // SHARE)
        start = time.process_time()
        _as_rows(folder / "rows.parquet", ingested, settled)
        plain = SHARE * (time.process_time() - start)
        size = (folder / "votes.parquet").stat().st_size
    print("| votes | fgbench, s CPU | as Python rows, s CPU | ratio | Arrow's memory, MB | file, MB |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {count:,} | {ours:.2f} | {plain:.1f} | {plain / ours:.1f} | {held / 1e6:.0f} | {size / 1e6:.1f} |"
    )


if __name__ == "__main__":
    main()
