"""Costs that the page on clusters tells are those of the last run of the benchmark."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_costs_of_a_million_clips_are_those_that_were_measured():
    results = (ROOT / "tests/performance/RESULTS.md").read_text(encoding="utf-8")
    section = results.partition("## engines\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line
    ]
    page = (ROOT / "docs/clusters.md").read_text(encoding="utf-8")
    costs = " ".join(page.partition("## What a million clips cost\n")[2].partition("\n## ")[0].split())
    of_task = {row[0]: row[4] for row in rows if len(row) == 6 and row[0] != "engine"}
    for title, where in (
        ("local, one worker (b", "in one process"),
        ("Ray", "on Ray"),
        ("local, one worker, work", "in S3"),
    ):
        (ms,) = (ms for name, ms in of_task.items() if name.startswith(title))
        assert re.search(rf"{round(float(ms))} ms {where}", costs), (title, ms)
    (one,) = (row for row in rows if len(row) == 9 and row[0] == "1")
    assert f"{one[5]} s of computing and {one[6]} MB a clip" in costs
    assert f"{one[7]} core-hours and {one[8]} TB" in costs
