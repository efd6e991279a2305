"""Votes of ``ingest`` by batches of clips, as arrays: a value for each vote, all clips one after another.

Labels are spelled once for each spelling, and annotators named once for each name, however many the votes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.records import Vote
from fgbench.storage import ROWS_PER_GROUP, open_table
from fgbench.taxonomy import Ontology, ontology, with_classes

Indices = npt.NDArray[np.int64]
_VOTES = "votes"
_OTHERS = ("confidence", "key_frame", "round", "time_s", "outside", "spent_s", "cast_at")
_AT_ONCE = 16 * ROWS_PER_GROUP
"""Clips of a batch."""

Spelling = Callable[[str, Ontology], str]
"""Label of a vote as a label set spells it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoteBatch:
    """N clips with their V votes.

    Attributes:
        clips: Other columns of each clip, by name.
        ends: (N + 1,) places at which the votes of the clips begin and end.
        annotators: Names of annotators.
        annotator: (V,) index of the annotator among them.
        labels: Labels as they are spelled.
        label: (V,) index of the label among them.
        others: Column of votes to its Arrow array.
    """

    clips: list[dict[str, Any]]
    ends: Indices
    annotators: list[str]
    annotator: Indices
    labels: list[str]
    label: Indices
    others: dict[str, Any]

    @property
    def clip(self) -> Indices:
        """(V,) index of the clip of each vote."""
        return np.repeat(np.arange(len(self.clips)), np.diff(self.ends))

    def whole(self, column: str) -> Indices:
        """(V,) whole numbers of a column without gaps."""
        numbers: Indices = self.others[column].to_numpy(zero_copy_only=False).astype(np.int64)
        return numbers

    def decimal(self, column: str) -> npt.NDArray[np.float64]:
        """(V,) numbers of a column, NaN where it has none."""
        numbers: npt.NDArray[np.float64] = (
            self.others[column].to_numpy(zero_copy_only=False).astype(np.float64)
        )
        return numbers

    def votes(self) -> Iterator[list[Vote]]:
        """Yield the votes on each clip."""
        columns = [_values(self.others[name]) for name in _OTHERS]
        labels = [self.labels[place] for place in self.label.tolist()]
        annotators = [self.annotators[place] for place in self.annotator.tolist()]
        cast = [
            Vote(
                annotator=annotator,
                label=label,
                confidence=confidence,
                key_frame=key_frame,
                round=number,
                time_s=time_s,
                outside=outside,
                spent_s=spent_s,
                cast_at=cast_at,
            )
            for annotator, label, confidence, key_frame, number, time_s, outside, spent_s, cast_at in zip(
                annotators, labels, *columns, strict=True
            )
        ]
        for begin, end in pairwise(self.ends.tolist()):
            yield cast[begin:end]


def vote_batches(
    path: Path, columns: Sequence[str], spelling: Spelling, classes: Sequence[str] = ()
) -> Iterator[VoteBatch]:
    """Yield the clips of a table of ``ingest`` in its order.

    Args:
        path: The table.
        columns: Columns of clips, among them ``scheme``.
        spelling: Spells labels.
        classes: The user's own classes as they were written, if there are any.

    Raises:
        ManifestError: If the table is missing or damaged.
    """
    read = [*columns, _VOTES]
    sets: dict[str, Ontology] = {}
    spelled: dict[tuple[str, str], str] = {}
    with open_table(path, read) as file:
        for batch in file.iter_batches(batch_size=_AT_ONCE, columns=read):
            clips = batch.select(list(columns)).to_pylist()
            lists = batch.column(_VOTES)
            sizes = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            votes = lists.flatten()
            schemes = [clip["scheme"] for clip in clips]
            for scheme in set(schemes) - sets.keys():
                sets[scheme] = with_classes(ontology(scheme), classes)
            annotators, annotator = _numbered(votes.field("annotator"))
            written, number = _numbered(votes.field("label"))
            names = sorted(set(schemes))
            for scheme in names:
                for label in written:
                    if (scheme, label) not in spelled:
                        spelled[scheme, label] = spelling(label, sets[scheme])
            of_scheme = np.array([names.index(scheme) for scheme in schemes], np.int64)
            yield VoteBatch(
                clips=clips,
                ends=ends,
                annotators=annotators,
                annotator=annotator,
                labels=[spelled[scheme, label] for scheme in names for label in written],
                label=number + len(written) * np.repeat(of_scheme, sizes),
                others={name: votes.field(name) for name in _OTHERS},
            )


def _numbered(texts: Any) -> tuple[list[str], Indices]:
    """Different texts of an Arrow array, and the index of each among them."""
    encoded = texts.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _values(array: Any) -> list[Any]:
    """Values of an Arrow array as Python has them."""
    if array.null_count == len(array):
        return [None] * len(array)
    if array.null_count:
        values: list[Any] = array.to_pylist()
        return values
    return array.to_numpy(zero_copy_only=False).tolist()  # type: ignore[no-any-return]
