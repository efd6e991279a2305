"""Names of annotators that may be one person's: an import asks about them, and merges none in silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fgbench.catalogue.one_person import ANNOTATORS, persons
from fgbench.datasets._annotation_table import VOTES
from fgbench.errors import DatasetError
from fgbench.naming import key


def check_people(there: Counter[str], cast: Counter[str], root: Path) -> None:
    """Refuse answers of names that may be one person's, or that the table of votes would take for one.

    Args:
        there: Name to its votes in the table.
        cast: Name to its answers.
        root: Root of the data set.

    Raises:
        DatasetError: If ``annotators.csv`` does not say who they are, or that two names which differ in case
            alone are of two people.
    """
    people = persons(there + cast, root)
    of: dict[str, str] = {}
    for name in [*cast, *there]:
        other = of.setdefault(key(name), name)
        if other in cast and people[other] != people[name]:
            raise DatasetError(
                f"{other!r} and {name!r} are two people by {root / ANNOTATORS}, and their names differ in "
                "case, blanks or the form of letters alone: an import takes these for one name",
                f"call one of them otherwise in the answers, and in {VOTES}",
            )
