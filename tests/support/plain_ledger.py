"""A second reading of ledgers, from the documented format alone, and a program that appends to one.

``python -m tests.support.plain_ledger FOLDER NAME COUNT`` appends readings of a run to ``FOLDER``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from fgbench.runs.ledger.chain import append


def entry(run="lbp-svm/0/0", **change):
    """Values of a reading as :func:`fgbench.runs.ledger.chain.append` takes them."""
    return {
        "time": "2026-01-02T03:04:05Z",
        "run": run,
        "kind": "classes",
        "command": "fgbench baseline lbp-svm",
        "parts": ["test"],
        "n": 3,
        "samples": "a" * 64,
        "labels": None,
        "configuration": "b" * 64,
        "predictions": "c" * 64,
        "is_late": False,
        "earlier_runs": 0,
        "fgbench": "0.1.0",
        "commit": None,
    } | change


def rows(work: Path):
    """Every line as plain values."""
    return [json.loads(line) for line in (work / "ledger.jsonl").read_text().splitlines()]


def hash_of(row):
    """Hash of a line: of its other values, keys sorted, without blanks, in ASCII."""
    values = {key: value for key, value in row.items() if key != "hash"}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def is_chain(lines):
    """Whether lines are numbered from 1, and each bears its hash and that of the one before."""
    before = ["0" * 64, *(row["hash"] for row in lines)]
    return all(
        (row["number"], row["previous"], row["hash"]) == (number, previous, hash_of(row))
        for number, (row, previous) in enumerate(zip(lines, before, strict=False), 1)
    )


if __name__ == "__main__":
    for number in range(int(sys.argv[3])):
        append(Path(sys.argv[1]), entry(f"{sys.argv[2]}/0/{number}"))
