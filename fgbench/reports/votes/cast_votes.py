"""Votes of a work folder as arrays. Reads ``manifests/votes.parquet``, and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError
from fgbench.evaluation.ballots import NONE, Ballots, Flags, Floats, Indices
from fgbench.evaluation.clusters import cluster_names
from fgbench.runs.labels import read_labels
from fgbench.storage import read_table
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

if TYPE_CHECKING:
    import pyarrow as pa

VOTES = "votes.parquet"
"""Table of all votes, in the folder of the manifests."""

CLASS, UNSURE, NOT_USABLE, UNKNOWN = "class", "unsure", "not_usable", "unknown"
"""Kinds of answers."""

_COLUMNS = [
    "clip_id",
    "annotator",
    "round",
    "answer",
    "label",
    "confidence",
    "key_time_s",
    "spent_s",
    "gold_label",
    "settled",
    "subject_id",
    "source_id",
]

Words = npt.NDArray[np.object_]


class NoVotesError(ManifestError):
    """A data set has no votes that could be shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CastVotes:
    """N votes; a unit is a clip in a round.

    Attributes:
        dataset: Name of the data set.
        synthetic: Whether it is drawn.
        classes: Names of the C classes: those of the data set in their order, then others in votes.
        annotators: Names of the A annotators, sorted.
        clips: Ids of the clips, sorted.
        ballots: Votes by unit, annotator and class.
        clip: (N,) index of the clip of each vote.
        rounds: (N,) round of each vote, from 1.
        answers: (N,) kind of each answer.
        confidences: (N,) 0 to 1; NaN where not given.
        key_times_s: (N,) time of the key frame in seconds; NaN where not given.
        spent_s: (N,) seconds spent on the vote; NaN where not given.
        gold: (N,) index of the known answer of the clip; :data:`fgbench.evaluation.ballots.NONE` for none.
        settled: (N,) index of the class that the clip was settled as, likewise.
        clusters: Cluster of each clip, as of :mod:`fgbench.evaluation.clusters`.
        ids: Subject and source of each clip; ``None`` where not known.
        n_left_out: Clips left out because an annotator voted twice in one round.
    """

    dataset: str
    synthetic: bool
    classes: tuple[str, ...]
    annotators: tuple[str, ...]
    clips: tuple[str, ...]
    ballots: Ballots
    clip: Indices
    rounds: Indices
    answers: Words
    confidences: Floats
    key_times_s: Floats
    spent_s: Floats
    gold: Indices
    settled: Indices
    clusters: tuple[str, ...]
    ids: tuple[tuple[str | None, str | None], ...]
    n_left_out: int

    def chosen(self, rows: Flags) -> CastVotes:
        """The votes of some rows; clips, annotators, classes and units keep their indices."""
        arrays = ("clip", "rounds", "answers", "confidences", "key_times_s", "spent_s", "gold", "settled")
        kept = {name: getattr(self, name)[rows] for name in arrays}
        return replace(self, ballots=self.ballots.chosen(rows), **kept)


def has_votes(index: Mapping[str, Any]) -> bool:
    """Whether the index of a work folder lists a table of votes."""
    return VOTES in index["files"]


def read_votes(workdir: Path) -> CastVotes:
    """Read the votes of a work folder.

    Clips on which an annotator voted twice in one round are left out: which vote counts is not known.

    Raises:
        NoVotesError: If the data set has none.
        ManifestError: If manifests are missing or damaged.
    """
    index = read_index(workdir)
    if has_votes(index) and (table := read_table(workdir / MANIFESTS / VOTES, _COLUMNS)).num_rows:
        cast = _cast(table, str(index["dataset"]), bool(index["synthetic"]), read_labels(index).labels)
        if len(cast.clip):
            return cast
    raise NoVotesError(
        f"{index['dataset']} has no votes of annotators ({MANIFESTS}/{VOTES} in {workdir}), expected some",
        "votes come from votes.csv beside the videos (fgbench annotate import); then fgbench prepare",
    )


def _cast(table: pa.Table, dataset: str, synthetic: bool, classes: Sequence[str]) -> CastVotes:
    clips, clip = _numbered(table["clip_id"])
    annotators, annotator = _numbered(table["annotator"])
    rounds = _numbers(table["round"]).astype(np.int64)
    twice = _voted_twice(clip, annotator, rounds)
    named = {
        name for column in ("label", "gold_label", "settled") for name in table[column].unique().to_pylist()
    }
    names = (*classes, *sorted({name for name in named if name is not None} - {*classes}))
    answers = np.array(table["answer"].to_pylist(), object)
    label = np.where(answers == CLASS, _placed(table["label"], names), NONE)
    units = np.unique(clip * (int(rounds.max()) + 1) + rounds, return_inverse=True)[1].astype(np.int64)
    first = np.unique(clip, return_index=True)[1]
    subjects, sources = (table[name].take(first).to_pylist() for name in ("subject_id", "source_id"))
    keep = ~np.isin(clip, twice)
    return CastVotes(
        dataset=dataset,
        synthetic=synthetic,
        classes=names,
        annotators=annotators,
        clips=clips,
        ballots=Ballots(
            units=units[keep],
            annotators=annotator[keep],
            classes=label[keep],
            n_units=int(units.max()) + 1,
            n_annotators=len(annotators),
            n_classes=len(names),
        ),
        clip=clip[keep],
        rounds=rounds[keep],
        answers=answers[keep],
        confidences=_numbers(table["confidence"])[keep],
        key_times_s=_numbers(table["key_time_s"])[keep],
        spent_s=_numbers(table["spent_s"])[keep],
        gold=_placed(table["gold_label"], names)[keep],
        settled=_placed(table["settled"], names)[keep],
        clusters=cluster_names(subject_ids=subjects, source_ids=sources, clip_ids=clips),
        ids=tuple(zip(subjects, sources, strict=True)),
        n_left_out=len(twice),
    )


def settled_rounds(cast: CastVotes) -> Indices:
    """(clips,) round that settled each clip; 0 for clips that none did.

    It is the last one but for late votes, which have no settled label.
    """
    last = np.zeros(len(cast.clips), np.int64)
    is_settled = cast.settled != NONE
    np.maximum.at(last, cast.clip[is_settled], cast.rounds[is_settled])
    return last


def _voted_twice(clip: Indices, annotator: Indices, rounds: Indices) -> Indices:
    """Indices of the clips on which an annotator has two votes in one round."""
    votes, n = np.unique(np.stack([clip, annotator, rounds]), axis=1, return_counts=True)
    return np.unique(votes[0, n > 1])


def _numbered(column: pa.ChunkedArray) -> tuple[tuple[str, ...], Indices]:
    """Different texts of a column, sorted, and the index of each row among them."""
    names = sorted(column.unique().to_pylist())
    return tuple(names), _placed(column, names)


def _placed(column: pa.ChunkedArray, names: Sequence[str]) -> Indices:
    """(N,) index of each text among names; :data:`fgbench.evaluation.ballots.NONE` for nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: Any = pc.index_in(column, value_set=pa.array(names, pa.string()))
    return np.asarray(pc.fill_null(found, NONE).to_numpy(), np.int64)


def _numbers(column: pa.ChunkedArray) -> Floats:
    """(N,) float64; NaN for nulls."""
    import pyarrow as pa

    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
