"""Work folders with a table of votes, as ``prepare`` writes it, of annotators of drawn skill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import storage
from fgbench.records import schema
from fgbench.workfolders.layout import MANIFESTS

SCHEMA = schema("votes")
SKILLS = {"ann-1": 0.9, "ann-2": 0.85, "ann-3": 0.8, "ann-4": 0.75, "ann-5": 0.1}
"""Share of votes that follow the clip; the last annotator is also fast."""
HASTY = "ann-5"


def vote(clip: str, annotator: str, label: str | None, **more: Any) -> dict[str, Any]:
    """A row of the table: a vote of the first round, for a class unless ``answer`` says otherwise."""
    row = {"clip_id": clip, "annotator": annotator, "round": 1, "answer": "class", "label": label}
    return {**dict.fromkeys(SCHEMA.names), **row, **more}


def drawn_votes(
    clips: Sequence[tuple[str, str, str]], classes: Sequence[str], *, seed: int = 0
) -> list[dict[str, Any]]:
    """Votes of five annotators on clips ``(clip, subject, label)``; every tenth clip has a known answer.

    Clips that three do not agree on are voted on again.
    """
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number, (clip, subject, label) in enumerate(clips):
        first = [_drawn(random, clip, name, label, classes, 1) for name in SKILLS]
        settled = _majority(first)
        again = [] if settled else [_drawn(random, clip, name, label, classes, 2) for name in SKILLS]
        settled = settled or _majority(again)
        gold = label if number % 10 == 0 else None
        rows += [
            {**row, "settled": settled, "gold_label": gold, "subject_id": subject} for row in (*first, *again)
        ]
    return sorted(rows, key=lambda row: (row["clip_id"], row["round"], row["annotator"]))


def _drawn(
    random: np.random.Generator, clip: str, name: str, label: str, classes: Sequence[str], number: int
) -> dict[str, Any]:
    near = classes[(list(classes).index(label) + 1) % len(classes)]
    chance = random.random()
    voted = label if random.random() < SKILLS[name] else near if chance < 0.5 else str(random.choice(classes))
    frame = int(np.clip(random.normal(15 + 2 * (name == "ann-2"), 2), 0, 40))
    spent = float(np.round(random.uniform(6, 14) * (0.15 if name == HASTY else 1), 1))
    answer = "class" if random.random() < 0.96 else str(random.choice(["unsure", "not_usable", "unknown"]))
    return vote(
        clip,
        name,
        voted if answer == "class" else None,
        answer=answer,
        round=number,
        confidence=float(np.round(random.uniform(0.5, 1), 2)),
        key_frame=frame,
        key_time_s=frame / 25,
        spent_s=spent,
        cast_at="2026-01-31T12:00:00Z",
    )


def _majority(rows: Sequence[dict[str, Any]]) -> str | None:
    most = Counter(row["label"] for row in rows if row["label"] is not None).most_common(1)
    return most[0][0] if most and most[0][1] >= 3 else None


def write_votes(work: Path, rows: Sequence[dict[str, Any]], **index: Any) -> Path:
    """Write the table, listed in the index; writes an index if there is none.

    Args:
        work: Work folder.
        rows: The votes.
        index: Entries of a new index, e.g. ``classes``.
    """
    folder = work / MANIFESTS
    folder.mkdir(parents=True, exist_ok=True)
    storage.write_table(folder / "votes.parquet", pa.Table.from_pylist(list(rows), schema=SCHEMA))
    path = folder / "index.json"
    content: dict[str, Any] = {"dataset": "voted", "synthetic": True, "files": {}, **index}
    if path.is_file():
        content = storage.read_json(path)
    content["files"]["votes.parquet"] = {"sha256": "0" * 64}
    storage.write_json(path, content)
    return work


def write_soft_labels(work: Path, shares: dict[str, dict[str, float] | None]) -> None:
    """Fill the column ``soft_label`` of the clips of a work folder.

    Args:
        work: Work folder.
        shares: Clip to class to share of its votes; ``None`` without votes.
    """
    path = work / MANIFESTS / "clips.parquet"
    table = pq.read_table(path).drop_columns(["soft_label"])
    kind = schema("clips").field("soft_label").type
    values = [
        None if shares.get(clip) is None else [{"label": one, "share": n} for one, n in shares[clip].items()]
        for clip in table["clip_id"].to_pylist()
    ]
    storage.write_table(path, table.append_column("soft_label", pa.array(values, kind)))
