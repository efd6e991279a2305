"""``votes.parquet`` of the manifests: all votes on readable clips, ordered by clip, round and annotator.

Reads the buckets of ``ingest`` and ``consensus``, a row group at a time, and merges them by ranges of clips,
so that memory grows with the number of clips and buckets, and not with the number of votes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench import records, storage
from fgbench.catalogue.listing import Listing
from fgbench.preparation.answers import NO_CLASS
from fgbench.preparation.stages._votes import spelled_label
from fgbench.taxonomy import NOT_USABLE, UNLABELLED, UNSURE

if TYPE_CHECKING:
    import pyarrow as pa

VOTES = "votes.parquet"
"""Name of the table."""

RANGE = 1 << 16
"""Votes that are sorted at a time; more where a clip has more."""

_CLIP = ("clip_id", "fps", "gold_label", "subject_id", "source_id")
_PLAIN = ("annotator", "round", "confidence", "key_frame", "outside", "spent_s", "cast_at")
"""Fields of a vote that are columns unchanged."""
_ROUNDS = "votes.list.element.round"
"""Leaf of the column of votes, by which they are counted."""
_SETTLED = ["clip_id", "label", "round"]
_ORDER = [("clip_id", "ascending"), ("round", "ascending"), ("annotator", "ascending")]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges of clips with about :data:`RANGE` votes each.

    Attributes:
        last: The last clip of each range, in order; none where there are no votes.
        buckets: Tables of ``ingest`` that hold votes, each ordered by clip.
    """

    last: Sequence[str]
    buckets: Sequence[Path]


def write_votes(path: Path, ranges: Ranges, settled: Sequence[Path], listing: Listing) -> int:
    """Write the votes on all clips that could be read.

    Args:
        path: File to write.
        ranges: From :func:`read_ranges`.
        settled: Tables of ``consensus``.
        listing: Clips and classes of the data set.

    Returns:
        Number of votes.

    Raises:
        ManifestError: If a table is missing or damaged.
        ResourceError: If the table cannot be written.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    answers = _Answers(listing)
    schema = records.schema("votes")
    labels = pa.concat_tables(
        [records.schema("consensus").empty_table().select(_SETTLED)]
        + [storage.read_table(one, _SETTLED) for one in settled]
    )
    buckets = [_Bucket(one, answers) for one in ranges.buckets]
    writer = storage.TableWriter(path, schema)
    try:
        for last in ranges.last:
            rows = pa.concat_tables([bucket.up_to(last) for bucket in buckets]).sort_by(_ORDER)
            of_clip = labels.take(pc.index_in(rows["clip_id"], labels["clip_id"]))
            is_late = pc.fill_null(pc.greater(rows["round"], of_clip["round"]), False)
            own = pc.if_else(is_late, pa.scalar(None, pa.string()), of_clip["label"])
            rows = rows.append_column("settled", own)
            writer.add_table(rows.select(schema.names).cast(schema).combine_chunks())
        writer.close()
    except BaseException:
        writer.discard()
        raise
    return writer.rows


def read_ranges(ingested: Sequence[Path]) -> Ranges:
    """Divide the clips with votes into ranges.

    Args:
        ingested: Tables of ``ingest``.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    import pyarrow.compute as pc

    counts: dict[str, int] = {}
    filled = []
    for path in ingested:
        before = len(counts)
        for rows in _groups(path, ["clip_id", _ROUNDS]):
            sizes = pc.list_value_length(rows["votes"]).to_pylist()
            clip_ids = rows["clip_id"].to_pylist()
            counts.update({one: size for one, size in zip(clip_ids, sizes, strict=True) if size})
        if len(counts) > before:
            filled.append(path)
    bounds: dict[int, str] = {}
    clips = sorted(counts)
    for clip_id, total in zip(clips, accumulate(counts[one] for one in clips), strict=True):
        bounds[(total - 1) // RANGE] = clip_id
    return Ranges(list(bounds.values()), filled)


def _groups(path: Path, columns: list[str]) -> Iterator[pa.Table]:
    """Row groups of a table; the file is open only while one is read."""
    number, count = 0, 1
    while number < count:
        with storage.open_table(path, [name.partition(".")[0] for name in columns]) as file:
            count = file.num_row_groups
            rows = file.read_row_group(number, columns) if count else None
        if rows is not None:
            yield rows.combine_chunks()
        number += 1


class _Bucket:
    """Votes of a bucket, given range by range."""

    def __init__(self, path: Path, answers: _Answers) -> None:
        self._groups = _groups(path, [*_CLIP, "votes"])
        self._answers = answers
        self._pending: pa.Table | None = None

    def up_to(self, last: str) -> pa.Table:
        """The votes on the clips up to one, without those of earlier calls."""
        import pyarrow as pa
        import pyarrow.compute as pc

        taken = [_no_votes()]
        while True:
            if self._pending is None:
                group = next(self._groups, None)
                if group is None:
                    break
                self._pending = self._answers.votes(group)
            count = pc.sum(pc.less_equal(self._pending["clip_id"], last)).as_py() or 0
            taken.append(self._pending.slice(0, count))
            if count < self._pending.num_rows:
                self._pending = self._pending.slice(count)
                break
            self._pending = None
        return pa.concat_tables(taken)


def _no_votes() -> pa.Table:
    whole = records.schema("votes")
    return whole.remove(whole.get_field_index("settled")).empty_table()


class _Answers:
    """Labels of votes as answers, as the classes of a data set spell them."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._seen: dict[str | None, tuple[str | None, str | None, str | None]] = {None: (None, None, None)}

    def of(self, written: str | None) -> tuple[str | None, str | None, str | None]:
        """Answer, class and upper class of a label as it was written."""
        if written not in self._seen:
            assert written is not None
            labels = self._listing.label_set
            label = spelled_label(written, labels)
            if label in (UNSURE, NOT_USABLE):
                self._seen[written] = label, None, None
            elif label == NO_CLASS or labels.name == UNLABELLED:
                self._seen[written] = "unknown", None, None
            else:
                above = self._listing.upper.get(label, labels.basic_and_valence(label)[0])
                self._seen[written] = "class", label, above
        return self._seen[written]

    def votes(self, clips: pa.Table) -> pa.Table:
        """A row per vote on some clips, in the columns of the table but ``settled``.

        Args:
            clips: Rows of ``ingest``, as one chunk.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        lists = clips["votes"].combine_chunks()
        lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
        cast, parents = pc.list_flatten(lists), pc.list_parent_indices(lists)
        votes = {name: pc.struct_field(cast, name) for name in (*_PLAIN, "label", "time_s")}
        of_clip = {name: clips[name].take(parents) for name in _CLIP}
        answers = [self.of(label) for label in votes["label"].to_pylist()]
        counted = pc.divide(votes["key_frame"].cast(pa.float64()), of_clip["fps"])
        columns: Mapping[str, object] = {
            **{name: of_clip[name] for name in ("clip_id", "subject_id", "source_id")},
            **{name: votes[name] for name in _PLAIN},
            **{
                name: pa.array([one[number] for one in answers], pa.string())
                for number, name in enumerate(("answer", "label", "basic"))
            },
            "key_time_s": pc.coalesce(votes["time_s"], counted),
            "gold_label": pa.array(
                [self.of(one)[1] for one in of_clip["gold_label"].to_pylist()], pa.string()
            ),
        }
        schema = _no_votes().schema
        return pa.table({name: columns[name] for name in schema.names}).cast(schema)
