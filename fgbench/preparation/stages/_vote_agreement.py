"""Agreement of annotators in each round, and confidences of classes, of the votes that ``ingest`` holds.

Votes are counted in arrays: some tens of bytes of memory for each. The results go into the data card.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.agreement import Agreement, LabelMeasure, NumberMeasure, agreements_of
from fgbench.evaluation.clusters import cluster_names
from fgbench.evaluation.unit_values import UnitValues
from fgbench.preparation.answers import is_class
from fgbench.preparation.stages._vote_batches import VoteBatch, vote_batches
from fgbench.preparation.stages._votes import COLUMNS, spelled_label
from fgbench.preparation.voting import PAPERS_GROUP
from fgbench.taxonomy import UNLABELLED, ontology, with_classes

_OF_CLIPS = (*(name for name in COLUMNS if name != "votes"), "subject_id", "source_id")
_NUMBERS = ("key_frame", "confidence")

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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


@dataclass(slots=True)
class _Counted:
    """Votes that were read, in arrays.

    Attributes:
        labels: Label, or answer for no class, to its number.
        annotators: Name to number.
        clusters: Cluster of each clip.
        parts: For each batch: clip, annotator, label, round, key frame and confidence of its votes, without
            clips with a duplicate vote.
        judged: Class to the confidences of judgements for it, in parts.
    """

    labels: dict[str, int] = field(default_factory=dict)
    annotators: dict[str, int] = field(default_factory=dict)
    clusters: list[str] = field(default_factory=list)
    parts: list[tuple[npt.NDArray[np.float64] | Indices, ...]] = field(default_factory=list)
    judged: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def read_annotation(paths: Iterable[Path], classes: Sequence[str]) -> Annotation:
    """Read the votes on all clips but those with a duplicate vote; clips rejected later are included.

    Args:
        paths: Tables of ``ingest``.
        classes: The classes as they are shown.

    Raises:
        ManifestError: If one is missing or damaged.
    """
    counted = _Counted()
    for path in paths:
        for batch in vote_batches(path, _OF_CLIPS, spelled_label, classes):
            _count(batch, counted, classes)
    cast = [np.concatenate(column) for column in zip(*counted.parts, strict=True)]
    rounds = sorted(set(cast[3].tolist())) if cast else []
    return Annotation(
        rounds={number: _round(counted, [column[cast[3] == number] for column in cast]) for number in rounds},
        confidences={
            label: fmean(values) if values else None for label, values in sorted(counted.judged.items())
        },
    )


def _count(batch: VoteBatch, counted: _Counted, classes: Sequence[str]) -> None:
    """Add the votes of a batch."""
    first = len(counted.clusters)
    column = {name: [clip[name] for clip in batch.clips] for name in ("subject_id", "source_id", "clip_id")}
    counted.clusters += cluster_names(
        subject_ids=column["subject_id"], source_ids=column["source_id"], clip_ids=column["clip_id"]
    )
    clip, number = batch.clip, batch.whole("round")
    annotator = _renumbered(batch.annotators, batch.annotator, counted.annotators)
    label = _renumbered(batch.labels, batch.label, counted.labels)
    is_once = ~duplicate_clips(len(batch.clips), clip, annotator, number)
    kept = is_once[clip]
    frames, confidences = batch.decimal("key_frame"), batch.decimal("confidence")
    columns = (clip + first, annotator, label, number, frames, confidences)
    counted.parts.append(tuple(one[kept] for one in columns))
    earliest = np.full(len(batch.clips), np.iinfo(np.int64).max)
    np.minimum.at(earliest, clip, number)
    has_classes = np.array([one["scheme"] != UNLABELLED for one in batch.clips], np.bool_)
    of_first = kept & (number == earliest[clip]) & has_classes[clip]
    for place in np.unique(batch.label[of_first]).tolist():
        if is_class(batch.labels[place]):
            given = confidences[of_first & (batch.label == place)]
            counted.judged[batch.labels[place]] += given[~np.isnan(given)].tolist()
    voted = np.diff(batch.ends) > 0
    for at in np.flatnonzero(~voted & has_classes).tolist():
        final = batch.clips[at]
        if final["label"]:
            labels = with_classes(ontology(final["scheme"]), classes)
            given = final["confidence"]
            counted.judged[labels.find(final["label"])] += [] if given is None else [given]


def duplicate_clips(
    n_clips: int, clip: Indices, annotator: Indices, number: Indices
) -> npt.NDArray[np.bool_]:
    """(N,) whether a clip has two votes of one annotator in one round.

    Args:
        n_clips: N.
        clip: (V,) clip of each vote.
        annotator: (V,) its annotator.
        number: (V,) its round.
    """
    order = np.lexsort((number, annotator, clip))
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for column in (clip, annotator, number):
        same &= np.diff(column[order]) == 0
    found = np.zeros(n_clips, np.bool_)
    found[clip[order[1:]][same]] = True
    return found


def _renumbered(names: Sequence[str], index: Indices, numbers: dict[str, int]) -> Indices:
    """Indices among names as numbers of these over all batches."""
    table = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    return table[index]


def _round(counted: _Counted, cast: Sequence[npt.NDArray[np.float64] | Indices]) -> Round:
    """Agreement in a round; ``cast`` are the columns of its votes, as :class:`_Counted` has them."""
    clip, annotator, label, _, *numbers = cast
    clips, unit = np.unique(clip, return_inverse=True)
    clusters = _clusters([counted.clusters[at] for at in clips.tolist()])
    place = np.full(len(counted.labels), -1)
    voted = [name for name, at in counted.labels.items() if is_class(name) and (label == at).any()]
    names = sorted(voted)
    for at, name in enumerate(names):
        place[counted.labels[name]] = at
    column = place[label.astype(np.int64)]
    is_for_class = column >= 0
    cells = unit[is_for_class] * len(names) + column[is_for_class]
    counts = np.bincount(cells, minlength=len(clips) * len(names)).reshape(len(clips), len(names))
    of_labels = LabelMeasure.of_values(
        UnitValues(values=column[is_for_class], units=unit[is_for_class], clusters=clusters), names
    )
    most = _most_voted(counts)
    of_numbers = [
        _number_measure(values, unit, clusters, chosen)
        for chosen in (None, *(most == at for at in range(len(names))))
        for values in numbers
    ]
    (on_all, *on_each), *on_numbers = agreements_of([of_labels, *of_numbers])

    def described(at: int, on_label: Agreement, n_clips: int, n_votes: int) -> ClassAgreement:
        (key_frame,), (confidence,) = on_numbers[2 * at : 2 * at + 2]
        return ClassAgreement(
            n_clips=n_clips, n_votes=n_votes, label=on_label, key_frame=key_frame, confidence=confidence
        )

    n_votes, n_clips = counts.sum(axis=0).tolist(), (counts > 0).sum(axis=0).tolist()
    return Round(
        n_annotators=len(np.unique(annotator)),
        groups=Counter(np.bincount(unit).tolist()),
        whole=described(0, on_all, len(clips), sum(n_votes)),
        classes={
            name: described(at + 1, on_each[at], n_clips[at], n_votes[at]) for at, name in enumerate(names)
        },
    )


def _clusters(names: Sequence[str]) -> Indices:
    """Index of each name among the different ones, sorted."""
    number = {name: at for at, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names], np.int64)


def _most_voted(counts: Indices) -> Indices:
    """(U,) class with most votes of each unit, from counts (U, C); -1 where several have as many, or none."""
    if not counts.shape[1]:
        return np.full(len(counts), -1)
    most = counts.max(axis=1)
    is_alone = (counts == most[:, None]).sum(axis=1) == 1
    return np.where(is_alone & (most > 0), counts.argmax(axis=1), -1)


def _number_measure(
    values: Floats | Indices, unit: Indices, clusters: Indices, chosen: npt.NDArray[np.bool_] | None
) -> NumberMeasure:
    """Measure of the numbers that were given of some units; ``chosen`` (U,), ``None`` for all."""
    kept = ~np.isnan(values)
    if chosen is not None:
        kept &= chosen[unit]
    return NumberMeasure.of_values(UnitValues(values=values[kept], units=unit[kept], clusters=clusters))
