"""Votes of annotators on the clips, as the rows of ``ingest`` hold them.

Reads those rows; the results go into the stage ``consensus`` and the notes at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.preparation.answers import NO_CLASS
from fgbench.preparation.stages._vote_batches import vote_batches
from fgbench.preparation.voting import Judgement, duplicate_voter, judgements
from fgbench.records import Vote
from fgbench.storage import read_rows, read_table
from fgbench.taxonomy import (
    UNLABELLED,
    Ontology,
    UnknownLabelError,
    ontology,
    reserved_answer,
    with_classes,
)

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ["clip_id", "label", "scheme", "confidence", "votes"]
"""Columns of ``ingest`` with annotations."""


def votes_of(row: Mapping[str, Any], classes: Sequence[str] = ()) -> list[Vote]:
    """Votes of a row of ``ingest``, with labels as the label set spells them, if there is a label set.

    Args:
        row: The row.
        classes: The user's own classes as they were written, if there are any.
    """
    return spelled([Vote(**vote) for vote in row["votes"]], with_classes(ontology(row["scheme"]), classes))


def spelled(votes: Iterable[Vote], labels: Ontology) -> list[Vote]:
    """Votes with labels as a label set spells them, reserved answers as :mod:`fgbench.taxonomy` does, and
    :data:`fgbench.preparation.voting.NO_CLASS` for labels that it lacks; other labels are unchanged if there
    are no classes."""
    return [
        vote if (label := spelled_label(vote.label, labels)) == vote.label else replace(vote, label=label)
        for vote in votes
    ]


def spelled_label(label: str, labels: Ontology) -> str:
    """The label of a vote, as :func:`spelled` has it."""
    answer = reserved_answer(label)
    if answer is not None:
        return answer
    if labels.name == UNLABELLED:
        return label
    try:
        return labels.find(label)
    except UnknownLabelError:
        return NO_CLASS


def with_votes(paths: Iterable[Path]) -> list[Path]:
    """Return those tables of ``ingest`` that have votes; where all labels are final, none has."""
    return [path for path in paths if _n_votes(read_table(path, ["votes"])["votes"])]


def _n_votes(votes: pa.ChunkedArray) -> int:
    return sum(len(chunk.flatten()) for chunk in votes.chunks)


def strange_votes(paths: Iterable[Path]) -> Counter[str]:
    """Count the votes for labels that are no class; blank labels are counted under ``""``.

    Args:
        paths: Tables of ``ingest``.
    """
    counts: Counter[str] = Counter()
    for path in paths:
        for row in read_rows(path, COLUMNS):
            votes = zip(row["votes"], votes_of(row), strict=True)
            counts.update(cast["label"].strip() for cast, vote in votes if vote.label == NO_CLASS)
    return counts


def votes_beyond(paths: Iterable[Path]) -> dict[str, int]:
    """Clip to the number of votes of its latest round for a key frame beyond its end.

    Args:
        paths: Tables of ``ingest``.
    """
    counts: dict[str, int] = {}
    for path in paths:
        for row in read_rows(path, ["clip_id", "votes"]):
            last = max((vote["round"] for vote in row["votes"]), default=0)
            beyond = sum(vote["outside"] is not None and vote["round"] == last for vote in row["votes"])
            if beyond:
                counts[row["clip_id"]] = beyond
    return counts


def judged(paths: Iterable[Path]) -> Iterator[Judgement]:
    """Judgements of classes in tables of ``ingest``; clips with a duplicate vote are skipped.

    Args:
        paths: The tables.
    """
    for path in paths:
        for row, votes in rows_with_votes(path, COLUMNS):
            yield from _judgements(row, votes, ontology(row["scheme"]))


def rows_with_votes(
    path: Path, columns: Sequence[str], classes: Sequence[str] = ()
) -> Iterator[tuple[dict[str, Any], list[Vote]]]:
    """Rows of a table of ``ingest`` without their votes, and these as :func:`votes_of` gives them.

    Args:
        path: The table.
        columns: Its columns.
        classes: The user's own classes as they were written, if there are any.

    Raises:
        ManifestError: If the table is missing or damaged.
    """
    others = [name for name in columns if name != "votes"]
    for batch in vote_batches(path, others, spelled_label, classes):
        yield from zip(batch.clips, batch.votes(), strict=True)


def _judgements(row: Mapping[str, Any], votes: list[Vote], labels: Ontology) -> list[Judgement]:
    if labels.name == UNLABELLED or duplicate_voter(votes) is not None:
        return []
    label = row["label"] and labels.find(row["label"])
    return judgements(votes, label, row["confidence"])
