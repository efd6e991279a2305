"""The paper's own numbers, as they stand in ``manifests/paper/``."""

from __future__ import annotations

import csv

from fgbench.resources import resource


def table1() -> dict[tuple[str, str], int]:
    """Table I: ``(source, part)`` to number.

    Sources are ``Image``, ``Video`` and ``Augmented Image``; beside the parts there is ``total``.
    """
    with resource("manifests", "paper", "table1.csv").open(encoding="utf-8", newline="") as file:
        return {(row["source"], row["split"]): int(row["n"]) for row in csv.DictReader(file)}
