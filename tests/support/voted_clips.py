"""Four plain clips with votes of two rounds, all answers among them, and a known answer."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from fgbench.config import PrepareConfig
from tests.support.clip_folders import write_plain_clip

HEAD = ["clip", "annotator", "label", "confidence", "key_frame", "round", "spent_s", "cast_at"]
TIME = "2026-01-31T12:00:00Z"
VOTES = [
    ["a", "p1", "Wrath", "0.9", "3", "1", "4.5", "2026-01-31T13:00:00+01:00"],
    ["a", "p2", "wrath", "0.8", "3", "1", "", ""],
    ["a", "p3", "hate", "0.7", "3", "1", "2", TIME],
    ["a", "p4", "wrath", "0.9", "4", "1", "0", ""],
    ["a", "p5", "Unsure", "", "", "1", "", ""],
    ["b", "p1", "wrath", "0.9", "99", "1", "", ""],
    ["b", "p2", "hate", "0.9", "1", "1", "", ""],
    ["b", "p3", "no such class", "0.9", "1", "1", "", ""],
    ["c", "p1", "NOT usable", "", "", "2", "", ""],
    ["c", "p2", "not-usable", "", "", "2", "", ""],
    ["c", "p3", "hate", "", "", "2", "", ""],
    ["c", "p1", "hate", "", "", "1", "", ""],
    ["d", "p2", "hate", "0.9", "2", "2", "", ""],
    ["d", "p4", "hate", "0.9", "2", "2", "", ""],
    ["d", "p1", "hate", "0.9", "2", "2", "", ""],
    ["d", "p1", "wrath", "0.9", "2", "1", "", ""],
]
"""Rows of ``votes.csv``."""
GOLD = [["a", "wrath", ""]]
"""Rows of ``gold.csv``."""


def write(root: Path, rows: Sequence[Sequence[str]] = VOTES, gold: Sequence[Sequence[str]] = GOLD) -> Path:
    """Write plain clips with votes, known answers, and a person and film for each clip."""
    for number, name in enumerate(sorted({row[0] for row in rows})):
        write_plain_clip(root / "videos" / f"{name}.mp4", 8, seed=number)
    for name, table in (("votes.csv", [HEAD, *rows]), ("gold.csv", [["clip", "label", "key_frame"], *gold])):
        with (root / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table)
    people = ["clip,subject,source", *(f"{name},s{name},film" for name in sorted({row[0] for row in rows}))]
    (root / "annotations.csv").write_text("\n".join(people) + "\n", encoding="utf-8")
    return root


def recipe(**sections: object) -> PrepareConfig:
    """A recipe for them, quick to compute."""
    return PrepareConfig.model_validate(
        {
            "name": "test",
            "buckets": 4,
            "max_reject_rate": 0.9,
            "faces": {"align": "never"},
            "split": {"cover_all_classes": False},
            **sections,
        }
    )
