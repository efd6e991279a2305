"""Annotators of the entries that an adapter lists: one name for each person, and pseudonyms.

Reads ``annotators.csv`` and ``annotators.salt`` in the root of the data set.
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from fgbench.catalogue.carried_listing import carried_names
from fgbench.catalogue.one_person import ANNOTATORS, persons, read_annotators
from fgbench.catalogue.pseudonyms import SALT, Names, Naming, pseudonyms
from fgbench.naming import counted, first_few
from fgbench.records import ClipEntry

_QUOTED = re.compile("""'([^']*)'|"([^"]*)\"""")


def with_annotators(
    entries: Sequence[ClipEntry], root: Path, naming: Naming
) -> tuple[list[ClipEntry], Names, list[str]]:
    """Entries whose votes have the annotators' names as they are written.

    Pseudonyms of a list that the data set carries stay as they are.

    Args:
        entries: Entries with the names of ``votes.csv``.
        root: Root of the data set.
        naming: Rule by which annotators are named.

    Returns:
        The entries, the form of the names, and lines for people.

    Raises:
        DatasetError: If two names may be one person, or the salt or ``annotators.csv`` is damaged.
        ManifestError: If the list that the data set carries is damaged.
    """
    votes = Counter(vote.annotator for entry in entries for vote in entry.votes)
    carried = carried_names(root)
    if not votes or carried in ("salted", "unsalted"):
        return list(entries), cast("Names", carried) if votes else "", []
    people = {name: name for name in votes} if carried is not None else persons(votes, root)
    written, form = pseudonyms(people.values(), root, naming)
    names = {name: written[annotator] for name, annotator in people.items()}
    listed = [_written(entry, names) for entry in entries]
    return listed, form, [] if carried is not None else _notes(votes, people, root)


def _written(entry: ClipEntry, names: Mapping[str, str]) -> ClipEntry:
    if entry.problem is not None:
        reason, detail = entry.problem
        detail = _QUOTED.sub(lambda quoted: _named(quoted, names), detail)
        entry = replace(entry, problem=(reason, detail))
    if not entry.votes:
        return entry
    return replace(entry, votes=tuple(replace(vote, annotator=names[vote.annotator]) for vote in entry.votes))


def _named(quoted: re.Match[str], names: Mapping[str, str]) -> str:
    """A quoted word of the details of a problem; an annotator's name as it is written elsewhere."""
    word = quoted[1] or quoted[2] or ""
    return f"'{names[word]}'" if word in names else quoted[0]


def _notes(votes: Mapping[str, int], people: Mapping[str, str], root: Path) -> list[str]:
    """Lines on names of one person, names of the table without votes, and a salt that others can read."""
    lines = []
    spellings = Counter(people.values())
    several = {name: count for name, count in spellings.items() if count > 1}
    if several:
        lines.append(
            f"{ANNOTATORS}: {counted(sum(several.values()), 'name')} of {counted(len(several), 'annotator')}"
        )
    idle = sorted(read_annotators(root).keys() - votes.keys())
    if idle:
        lines.append(
            f"{ANNOTATORS} lists {counted(len(idle), 'name')} without a vote: "
            f"{first_few([repr(name) for name in idle])}"
        )
    salt = root / SALT
    if salt.is_file() and stat.S_IMODE(salt.stat().st_mode) & 0o077:
        lines.append(f"warning: others can read {SALT}: chmod 600 {SALT}")
    return lines
