"""Probabilities of the single streams of a clip run, on disk.

A file beside those of a run (see :mod:`fgbench.runs.results`)::

    runs/<experiment>/<fold>/<seed>/streams.parquet   one row per clip (val, test) and stream

Clips that a stream could not predict have no row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.runs.predictions import matrix_of

if TYPE_CHECKING:
    import pyarrow as pa

STREAMS = "streams.parquet"
SPATIAL = "spatial"
TEMPORAL = "temporal"
NAMES = (SPATIAL, TEMPORAL)
"""Streams of the clip networks (paper section IV-B)."""

PARTS = ("val", "test")
"""Parts whose clips are kept."""

AGAIN = "run the experiment again with --force"
NEAR = 1e-3  # tolerance of sums of float32 probabilities or weights; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamScores:
    """Probabilities of one stream, in columns of length N.

    Attributes:
        classes: C names of the classes, in the order of the probabilities.
        sample_ids: Unique ids of clips.
        parts: ``"val"`` or ``"test"``.
        labels: True class.
        subject_ids: Subject shown; ``None`` if unknown.
        probabilities: (N, C) float32.
    """

    classes: tuple[str, ...]
    sample_ids: Sequence[str]
    parts: Sequence[str]
    labels: Sequence[str]
    subject_ids: Sequence[str | None]
    probabilities: npt.NDArray[np.float32]

    def of(self, sample_ids: Sequence[str]) -> npt.NDArray[np.float32]:
        """Probabilities of some clips, (M, C) float32; rows of clips without any are NaN."""
        row_of = {name: row for row, name in enumerate(self.sample_ids)}
        probabilities = np.full((len(sample_ids), len(self.classes)), np.nan, np.float32)
        for row, name in enumerate(sample_ids):
            if name in row_of:
                probabilities[row] = self.probabilities[row_of[name]]
        return probabilities


def streams_schema(classes: Sequence[str]) -> pa.Schema:
    """Arrow schema of ``streams.parquet``; its metadata (``classes``, JSON) has the names of the classes."""
    import pyarrow as pa

    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("part", pa.string()),
            ("label", pa.string()),
            ("subject_id", pa.string()),
            ("stream", pa.string()),
            ("probabilities", pa.list_(pa.float32(), len(classes))),
        ],
        metadata={"classes": json.dumps(list(classes))},
    )


def write_streams(folder: Path, streams: Mapping[str, StreamScores]) -> None:
    """Write ``streams.parquet``.

    Args:
        folder: Folder of the run.
        streams: Name (one of :data:`NAMES`) to probabilities; at least one.

    Raises:
        ValueError: If the streams are inconsistent.
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    if not streams or not set(streams) <= set(NAMES):
        raise ValueError(f"streams {sorted(streams)}, expected some of {', '.join(NAMES)}")
    if fault := _streams_fault(streams):
        raise ValueError(fault)
    columns = {
        "sample_id": [name for scores in streams.values() for name in scores.sample_ids],
        "part": [part for scores in streams.values() for part in scores.parts],
        "label": [label for scores in streams.values() for label in scores.labels],
        "subject_id": [subject for scores in streams.values() for subject in scores.subject_ids],
        "stream": [name for name, scores in streams.items() for _ in scores.sample_ids],
        "probabilities": [row for scores in streams.values() for row in scores.probabilities],
    }
    classes = next(iter(streams.values())).classes
    storage.write_table(folder / STREAMS, pa.table(columns, schema=streams_schema(classes)))


def read_streams(folder: Path) -> dict[str, StreamScores]:
    """Read the probabilities of the streams of a run, by name in the order of :data:`NAMES`.

    Raises:
        ManifestError: If they are not there or damaged.
    """
    import pyarrow as pa

    path = folder / STREAMS
    with storage.parquet_explained(path, AGAIN):
        table = storage.read_table(path, hint=AGAIN)
        classes = tuple(json.loads(table.schema.metadata[b"classes"]))
        schema = streams_schema(classes)
    if not table.schema.equals(schema):
        raise ManifestError(f"{path} has columns {table.column_names}, not those of streams", AGAIN)
    names = table.column("stream").to_pylist()
    if unknown := sorted(map(str, set(names) - set(NAMES))):
        raise ManifestError(f"{path} has streams {unknown}, expected {', '.join(NAMES)}", AGAIN)
    streams = {}
    for stream in NAMES:
        part = table.filter(pa.array([name == stream for name in names], pa.bool_()))
        if part.num_rows:
            streams[stream] = StreamScores(
                classes=classes,
                sample_ids=part.column("sample_id").to_pylist(),
                parts=part.column("part").to_pylist(),
                labels=part.column("label").to_pylist(),
                subject_ids=part.column("subject_id").to_pylist(),
                probabilities=matrix_of(part.column("probabilities").to_pylist(), len(classes)),
            )
    if fault := "no rows" if not streams else _streams_fault(streams):
        raise ManifestError(f"{path} is damaged: {fault}", AGAIN)
    return streams


def _streams_fault(streams: Mapping[str, StreamScores]) -> str | None:
    """First inconsistency of some streams; ``None`` if there is none."""
    truth_of: dict[str, tuple[str, str, str | None]] = {}
    if len({scores.classes for scores in streams.values()}) != 1:
        return "streams of different classes, expected the same in the same order"
    for name, scores in streams.items():
        n = len(scores.sample_ids)
        lengths = {len(scores.parts), len(scores.labels), len(scores.subject_ids)}
        if lengths != {n} or scores.probabilities.shape != (n, len(scores.classes)):
            return f"columns of the {name} stream of different lengths, expected one length"
        if len(set(scores.sample_ids)) != n or None in scores.sample_ids:
            return f"ids of the {name} stream that occur twice or are missing, expected unique ones"
        if unknown := set(scores.parts) - set(PARTS):
            return f"parts {sorted(map(str, unknown))}, expected {' or '.join(PARTS)}"
        if unknown := set(scores.labels) - set(scores.classes):
            return f"labels {sorted(map(str, unknown))[:3]}, expected the classes"
        values = scores.probabilities
        sums = values.sum(axis=1, dtype=np.float64)
        if not (np.isfinite(values).all() and (values >= 0).all() and (np.abs(sums - 1) < NEAR).all()):
            return f"probabilities of the {name} stream that do not add up to 1, or are below 0"
        truths = zip(scores.parts, scores.labels, scores.subject_ids, strict=True)
        for sample, truth in zip(scores.sample_ids, truths, strict=True):
            if truth_of.setdefault(sample, truth) != truth:
                return f"clip {sample!r} has another part, class or subject in each stream"
    return None
