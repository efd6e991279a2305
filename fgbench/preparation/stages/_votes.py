"""Votes of annotators on the clips, as the rows of ``ingest`` hold them.

Reads those rows; the results go into the data card and the stage ``consensus``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.evaluation.agreement import Agreement, LabelMeasure, NumberMeasure, agreements_of
from fgbench.evaluation.clusters import cluster_names
from fgbench.preparation.answers import NO_CLASS, is_for_class
from fgbench.preparation.voting import (
    PAPERS_GROUP,
    Judgement,
    class_confidences,
    duplicate_voter,
    judgements,
)
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
_CLUSTERS = ["subject_id", "source_id"]


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
        for row in read_rows(path, COLUMNS):
            yield from _judgements(row, votes_of(row), ontology(row["scheme"]))


def cast_votes(path: Path) -> Iterator[tuple[str, list[Vote]]]:
    """Id and votes of the clips of a table of ``ingest`` that have votes, without clips with a duplicate one.

    Args:
        path: The table.
    """
    for clip_id, votes, _ in votes_at_rates(path):
        yield clip_id, votes


def votes_at_rates(path: Path) -> Iterator[tuple[str, list[Vote], float | None]]:
    """Id, votes and frames per second of the clips that :func:`cast_votes` gives.

    Args:
        path: The table.
    """
    for row in read_rows(path, [*COLUMNS, "fps"]):
        votes = votes_of(row)
        if votes and duplicate_voter(votes) is None:
            yield row["clip_id"], votes, row["fps"]


def _judgements(row: Mapping[str, Any], votes: list[Vote], labels: Ontology) -> list[Judgement]:
    if labels.name == UNLABELLED or duplicate_voter(votes) is not None:
        return []
    label = row["label"] and labels.find(row["label"])
    return judgements(votes, label, row["confidence"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassAgreement:
    """Agreement of annotators on a class, or on all of them.

    Attributes:
        n_clips: Clips with at least one vote for the class.
        n_votes: Votes for it.
        label: On the label: this class against all others.
        key_frame: On the key frames of the clips that have most votes for it alone.
        confidence: On the confidence, likewise.
    """

    n_clips: int
    n_votes: int
    label: Agreement
    key_frame: Agreement
    confidence: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of votes.

    Attributes:
        n_annotators: Different people.
        groups: Number of voters to number of clips with that many.
        whole: Agreement over all classes.
        classes: Agreement on each class that has a vote, by name.
    """

    n_annotators: int
    groups: Mapping[int, int]
    whole: ClassAgreement
    classes: Mapping[str, ClassAgreement]

    @property
    def odd_groups(self) -> dict[int, int]:
        """The groups of other sizes than the paper's."""
        return {size: count for size, count in sorted(self.groups.items()) if size != PAPERS_GROUP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Votes and confidences of all clips that could be read.

    Attributes:
        rounds: Number of the round to its agreement; empty where the data set has final labels.
        confidences: Class to mean confidence, from
            :func:`fgbench.preparation.voting.class_confidences`.
    """

    rounds: Mapping[int, Round]
    confidences: Mapping[str, float | None]


def read_annotation(paths: Iterable[Path], classes: Sequence[str]) -> Annotation:
    """Read the votes on all clips but those with a duplicate vote; clips rejected later are included.

    Args:
        paths: Tables of ``ingest``.
        classes: The classes as they are shown.

    Raises:
        ManifestError: If one is missing or damaged.
    """
    read: list[Judgement] = []
    cast: dict[int, list[tuple[str, list[Vote]]]] = defaultdict(list)
    for path in paths:
        for row in read_rows(path, COLUMNS + _CLUSTERS):
            votes = votes_of(row, classes)
            read += _judgements(row, votes, with_classes(ontology(row["scheme"]), classes))
            (cluster,) = cluster_names(
                subject_ids=[row["subject_id"]], source_ids=[row["source_id"]], clip_ids=[row["clip_id"]]
            )
            if duplicate_voter(votes) is None:
                for number in sorted({vote.round for vote in votes}):
                    cast[number].append((cluster, [vote for vote in votes if vote.round == number]))
    return Annotation(
        rounds={number: _round(clips) for number, clips in sorted(cast.items())},
        confidences=class_confidences(read),
    )


def _round(clips: list[tuple[str, list[Vote]]]) -> Round:
    clusters = [cluster for cluster, _ in clips]
    votes = [of_clip for _, of_clip in clips]
    labels = [[vote.label for vote in of_clip if is_for_class(vote)] for of_clip in votes]
    by_class: dict[str, list[int]] = defaultdict(list)
    for index, of_clip in enumerate(labels):
        most = Counter(of_clip).most_common(2)
        if most and (len(most) == 1 or most[0][1] > most[1][1]):
            by_class[most[0][0]].append(index)
    n_votes = Counter(label for of_clip in labels for label in of_clip)
    n_clips = Counter(label for of_clip in labels for label in set(of_clip))
    names = sorted(n_votes)
    of_labels = LabelMeasure(labels, clusters)
    of_numbers = [
        measure
        for indices in (range(len(clips)), *(by_class.get(name, []) for name in names))
        for measure in _number_measures(votes, clusters, indices)
    ]
    (on_all, *on_each), *numbers = agreements_of([of_labels, *of_numbers])
    assert list(of_labels.names) == names

    def described(number: int, on_label: Agreement, n_clips: int, n_votes: int) -> ClassAgreement:
        (key_frame,), (confidence,) = numbers[2 * number : 2 * number + 2]
        return ClassAgreement(
            n_clips=n_clips, n_votes=n_votes, label=on_label, key_frame=key_frame, confidence=confidence
        )

    return Round(
        n_annotators=len({vote.annotator for of_clip in votes for vote in of_clip}),
        groups=Counter(map(len, votes)),
        whole=described(0, on_all, len(clips), n_votes.total()),
        classes={
            name: described(number, on_each[number - 1], n_clips[name], n_votes[name])
            for number, name in enumerate(names, start=1)
        },
    )


def _number_measures(
    votes: Sequence[Sequence[Vote]], clusters: Sequence[str], indices: Iterable[int]
) -> tuple[NumberMeasure, NumberMeasure]:
    """Key frames and confidences of some clips."""
    chosen = list(indices)
    within = [clusters[index] for index in chosen]
    frames = [[v.key_frame for v in votes[index] if v.key_frame is not None] for index in chosen]
    confidences = [[v.confidence for v in votes[index] if v.confidence is not None] for index in chosen]
    return NumberMeasure(frames, within), NumberMeasure(confidences, within)
