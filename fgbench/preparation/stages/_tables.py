"""Tables of the manifests, assembled from those of several stages and buckets."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench import records, storage
from fgbench.config import PrepareConfig
from fgbench.files.parquet_files import open_parquet
from fgbench.naming import shown
from fgbench.preparation import pipeline
from fgbench.preparation.pipeline import REJECTS, ROWS, Marker
from fgbench.preparation.stages._clip_faces import COUNTED, counts_per_clip
from fgbench.preparation.stages._lost_clips import listed_columns
from fgbench.preparation.stages._vote_agreement import Annotation, read_annotation
from fgbench.printable import cell_of
from fgbench.records import SPLITS, ClipEntry
from fgbench.runs.lost_clips import is_lost
from fgbench.taxonomy import Ontology

if TYPE_CHECKING:
    import pyarrow as pa

SOFT = "soft_label"
"""Column of the shares of the votes for classes."""

Finished = Mapping[str, Mapping[int, Marker]]
"""Stage to bucket to marker, for all stages."""


def dropped_clips(workdir: Path, finished: Finished) -> dict[int, list[str]]:
    """Bucket to the clips that the audit took out or that have no image set; other buckets are absent."""
    clips: dict[int, list[str]] = {}
    for stage in ("audit", "augment"):
        folder = pipeline.stage_folder(workdir, stage)
        for bucket, marker in sorted(finished[stage].items()):
            path = marker.files(folder).get(REJECTS)
            if path is not None:
                clips.setdefault(bucket, []).extend(row["id"] for row in storage.read_rows(path, ["id"]))
    return clips


def copy_without(source: Path, target: Path, clip_ids: list[str]) -> int:
    """Copy a table without the rows of some clips, a row group at a time; return the number of rows left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with open_parquet(source) as file:
        writer = storage.TableWriter(target, file.schema_arrow)
        try:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                rows = rows.filter(pc.invert(pc.is_in(rows["clip_id"], pa.array(clip_ids, pa.string()))))
                if rows.num_rows:
                    writer.add_table(rows)
            writer.close()
        except BaseException:
            writer.discard()
            raise
    return writer.rows


def _paths(workdir: Path, finished: Finished, stage: str, output: str = ROWS) -> list[Path]:
    folder = pipeline.stage_folder(workdir, stage)
    markers = (marker for _, marker in sorted(finished[stage].items()))
    return [folder / marker.outputs[output]["file"] for marker in markers if marker.outputs[output]["rows"]]


def clips_table(
    workdir: Path,
    finished: Finished,
    dropped: Mapping[int, list[str]],
    *,
    aligned: str,
    as_is: str,
    never: bool,
) -> tuple[pa.Table, dict[str, int]]:
    """The usable clips, ordered by id, and the numbers of their usable frames that are aligned and as is.

    Args:
        workdir: The work folder.
        finished: Markers of all stages.
        dropped: Clips to leave out, by bucket.
        aligned: Value of column ``align`` for clips whose faces are aligned.
        as_is: Value of it for clips whose frames were taken as they are.
        never: Whether all frames were taken as they are.

    Returns:
        The table; and the number of frames by ``"aligned"`` and ``"as_is"``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = records.schema("clips")
    split_paths = _paths(workdir, finished, "split")
    if not split_paths:
        return schema.empty_table(), {"aligned": 0, "as_is": 0}
    probe = [name for name in schema.names if name in records.schema("ingest").names]
    settled = records.schema("consensus")
    probe = [name for name in probe if name == "clip_id" or name not in settled.names]
    table = pipeline.read_table(split_paths)
    gone = pa.array([clip_id for clip_ids in dropped.values() for clip_id in clip_ids], pa.string())
    table = table.filter(pc.invert(pc.is_in(table["clip_id"], gone)))
    # Left joins: clips that were dropped do not come back.
    table = table.join(pipeline.read_table(_paths(workdir, finished, "ingest"), probe), "clip_id")
    labels = pipeline.read_table(_paths(workdir, finished, "consensus"))
    table = table.join(labels.drop_columns([SOFT, "round"]), "clip_id")
    counted = [counts_per_clip(path) for path in _paths(workdir, finished, "faces")]
    if counted:
        table = table.join(pa.concat_tables(counted), "clip_id")
        for name in COUNTED:
            filled = pc.fill_null(table[name], 0)
            table = table.set_column(table.schema.get_field_index(name), name, filled)
    else:
        zeros = pa.array([0] * table.num_rows, pa.int32())
        for name in COUNTED:
            table = table.append_column(name, zeros)
    taken = pc.equal(table["n_as_is"], 0) if not never else pa.array([False] * table.num_rows)
    table = table.append_column("align", pc.if_else(taken, aligned, as_is))
    usable, whole = (pc.sum(table[name]).as_py() or 0 for name in ("n_faces_ok", "n_as_is"))
    alignment = {"aligned": 0 if never else usable - whole, "as_is": usable if never else whole}
    # Joins take no lists.
    soft = labels[SOFT].take(pc.index_in(table["clip_id"], labels["clip_id"]))
    table = table.append_column(SOFT, soft)
    return table.select(schema.names).cast(schema).sort_by("clip_id").combine_chunks(), alignment


def ingested(workdir: Path, finished: Finished) -> list[Path]:
    """Tables of the clips that could be read."""
    return _paths(workdir, finished, "ingest")


def settled(workdir: Path, finished: Finished) -> list[Path]:
    """Tables of the labels of clips."""
    return _paths(workdir, finished, "consensus")


def annotation(workdir: Path, finished: Finished, classes: Sequence[str]) -> Annotation:
    """Votes and confidences of the clips that could be read, with classes as they are shown."""
    return read_annotation(ingested(workdir, finished), classes)


def rejects_table(
    workdir: Path, finished: Finished, entries: Sequence[ClipEntry], config: PrepareConfig, labels: Ontology
) -> pa.Table:
    """Rejects of all stages, ordered by id and stage, with the columns that the data set lists."""
    import pyarrow as pa

    schema = records.schema("published_rejects")
    paths = [path for stage in finished for path in _paths(workdir, finished, stage, REJECTS)]
    if not paths:
        return schema.empty_table()
    table = pipeline.read_table(paths).sort_by([("id", "ascending"), ("stage", "ascending")])
    listed = {shown(entry.clip_id): entry for entry in entries}
    parts = {
        row["clip_id"]: row["split"]
        for path in _paths(workdir, finished, "split")
        for row in storage.read_rows(path, ["clip_id", "split"])
    }
    rows = [
        {**row, **listed_columns(row["id"], listed.get(row["id"]), parts, config, labels)}
        for row in table.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def rejects_text(rejects: pa.Table) -> str:
    """Rejects as CSV, for a spreadsheet: the columns of the table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rejects.column_names)
    for row in rejects.to_pylist():
        writer.writerow(["" if value is None else cell_of(str(value)) for value in row.values()])
    return text.getvalue()


def labels_that_occur(clips: pa.Table, rejects: pa.Table) -> set[str]:
    """Labels of clips, usable or not; clips that annotators did not settle have none."""
    lost = {row["label"] for row in rejects.to_pylist() if is_lost(row)}
    return {*clips["label"].to_pylist(), *lost} - {None}


def reannotate_text(rejects: pa.Table) -> str:
    """The clips on which annotators have to vote again, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "why"])
    for row in rejects.to_pylist():
        if row["reason"] == "reannotate":
            writer.writerow([cell_of(row["id"]), cell_of(row["detail"])])
    return text.getvalue()


def folds_text(entries: Sequence[ClipEntry], clips: pa.Table, rejects: pa.Table) -> str:
    """The official folds of clips that are tested, as CSV; empty if the data set has none.

    Args:
        entries: Entries of the data set.
        clips: Table of the usable clips.
        rejects: Table of the others; those that could not be read are tested all the same.
    """
    tested = {*clips["clip_id"].to_pylist(), *(row["id"] for row in rejects.to_pylist() if is_lost(row))}
    folds = {shown(entry.clip_id): entry.fold for entry in entries if entry.fold is not None}
    rows = sorted((clip_id, fold) for clip_id, fold in folds.items() if clip_id in tested)
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip_id", "fold"])
    writer.writerows([[cell_of(clip_id), fold] for clip_id, fold in rows])
    return text.getvalue()


def counts_of(finished: Finished, clips: pa.Table) -> dict[str, dict[str, int]]:
    """Part to number of clips, of original images and of images with copies."""
    counts: dict[str, Counter[str]] = {part: Counter(clips=0, images=0, augmented=0) for part in SPLITS}
    for part, n_images in zip(clips["split"].to_pylist(), clips["n_images"].to_pylist(), strict=True):
        counts[part]["clips"] += 1
        counts[part]["images"] += n_images
    for marker in finished["augment"].values():
        for part in SPLITS:
            counts[part]["augmented"] += marker.outputs[part]["rows"]
    return {part: dict(of_part) for part, of_part in counts.items()}
