"""The last step of ``fgbench prepare``: the manifests that users read.

Writes under ``manifests/`` of the work folder:

- ``clips.parquet``: one row per usable clip;
- ``faces/<bucket>.parquet``: one row per sampled frame, with the aligned face or the reason of its absence;
- ``images/<part>-<bucket>.parquet``: the image set, originals and copies;
- ``features/<name>/<bucket>.parquet``: features, those of the recipe;
- ``rejects.parquet``: every clip that could not be used, with stage and reason;
- ``reannotate.csv``: clips on which annotators have to vote again;
- ``folds.csv``: official folds, where the data set has any;
- ``README.md``: the data card;
- ``index.json``: digest and row count of every file, the recipe and the provenance. It is removed before
  anything changes and written last: manifests without it are not complete.

Clips that the stage ``audit`` took out are in no table but the rejects.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import pipeline, records, storage
from fgbench.catalogue.listing import Listing
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.faces.status import USABLE
from fgbench.hashing import digest_file, digest_json
from fgbench.pipeline import REJECTS, ROWS, Marker
from fgbench.provenance import provenance
from fgbench.records import IMAGE_ROLES, SPLITS
from fgbench.stages._card import data_card

if TYPE_CHECKING:
    import pyarrow as pa

MANIFESTS = "manifests"
INDEX = "index.json"
FOLDS = "folds.csv"
"""Official folds: ``clip_id,fold``."""

ALIGNED = "similarity"
"""Column ``align`` of faces that were found and turned upright by a similarity."""
NOT_ALIGNED = "none"
"""Column ``align`` of pictures that are cropped already and were taken as they are."""

Finished = Mapping[str, Mapping[int, Marker]]


def publish(
    config: PrepareConfig, workdir: Path, finished: Finished, listing: Listing
) -> tuple[bool, dict[str, dict[str, int]]]:
    """Bring the manifests up to date.

    Args:
        config: The recipe.
        workdir: The work folder.
        finished: Stage to bucket to marker, for all stages.
        listing: What the recipe takes from the data set.

    Returns:
        Whether anything was written, and the counts per part as in the index.
    """
    folder = workdir / MANIFESTS
    origin = {
        "recipe": config.model_dump(mode="json"),
        "stages": {
            stage: {str(bucket): marker.identity for bucket, marker in sorted(markers.items())}
            for stage, markers in finished.items()
        },
        "classes": list(listing.classes),
        "left_out": dict(listing.left_out),
    }
    current = _current_index(folder)
    if current is not None and current["origin"] == origin and _all_there(folder, current):
        return False, current["counts"]
    (folder / INDEX).unlink(missing_ok=True)
    dropped = _dropped(workdir, finished)
    files = _link_parts(workdir, folder, finished, dropped)
    align = ALIGNED if config.faces.align else NOT_ALIGNED
    clips = _clips_table(workdir, finished, dropped, align=align)
    storage.write_table(folder / "clips.parquet", clips)
    rejects = _rejects_table(workdir, finished)
    storage.write_table(folder / "rejects.parquet", rejects)
    storage.write_text(folder / "reannotate.csv", _reannotate(rejects))
    counts = _counts(workdir, finished, clips)
    storage.write_text(folder / "README.md", data_card(config, counts, rejects, listing))
    texts = ["reannotate.csv", "README.md"]
    if folds := _folds(workdir, finished, set(clips["clip_id"].to_pylist())):
        storage.write_text(folder / FOLDS, folds)
        texts.append(FOLDS)
    for name, rows in (("clips.parquet", clips.num_rows), ("rejects.parquet", rejects.num_rows)):
        files[name] = {"sha256": digest_file(folder / name), "rows": rows}
    for name in texts:
        files[name] = {"sha256": digest_file(folder / name), "rows": None}
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, described in files.items():
        described["bytes"] = (folder / name).stat().st_size
    index = {
        "dataset": config.dataset.name,
        "synthetic": config.dataset.synthetic,
        "scheme": config.dataset.scheme,
        "classes": list(listing.classes),
        "left_out": dict(listing.left_out),
        "protocol": config.protocol.model_dump(mode="json"),
        "counts": counts,
        "files": files,
        "origin": origin,
        "provenance": provenance(),
    }
    storage.write_json(folder / INDEX, index)
    return True, counts


def read_index(workdir: Path) -> dict[str, Any]:
    """Index of the manifests of a work folder.

    Raises:
        ManifestError: If the manifests are not there or not complete.
    """
    folder = workdir / MANIFESTS
    try:
        index: dict[str, Any] = storage.read_json(folder / INDEX)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(
            f"no complete manifests in {folder} (no {INDEX})",
            "run fgbench prepare; it continues where it was",
        ) from error
    return index


def content_digest(index: Mapping[str, Any], features: Collection[str] = ()) -> str:
    """Digest of what a run reads of the manifests, by which it is known whether a run is of them.

    Features that are computed later do not change it, so that runs which do not read them stay what they are.

    Args:
        index: Content of the index.
        features: Tables of features that are read too, e.g. ``{"lbp"}``.
    """
    read = {"clips.parquet", "rejects.parquet"}
    folders = ("faces/", "images/", *(f"features/{name}/" for name in features))
    return digest_json(
        {
            name: described["sha256"]
            for name, described in index["files"].items()
            if name in read or name.startswith(folders)
        }
    )


def is_published(workdir: Path) -> bool:
    """Whether a work folder has complete manifests."""
    return (workdir / MANIFESTS / INDEX).is_file()


def verify(workdir: Path) -> list[str]:
    """Compare the manifests with their index; returns one line per fault, none if all is well.

    Raises:
        ManifestError: If there is no index.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = workdir / MANIFESTS
    index = read_index(workdir)
    faults = []
    for name, described in sorted(index["files"].items()):
        path = folder / name
        if not path.is_file():
            faults.append(f"{name}: missing")
        elif digest_file(path) != described["sha256"]:
            faults.append(f"{name}: content differs from the index")
        elif described["rows"] is not None:
            try:
                found = pq.read_metadata(path).num_rows
            except pa.ArrowInvalid as error:
                faults.append(f"{name}: not a Parquet file: {error}")
                continue
            if found != described["rows"]:
                faults.append(f"{name}: {found} rows, the index says {described['rows']}")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    faults += [f"{name}: not in the index" for name in sorted(present - index["files"].keys() - {INDEX})]
    return faults


def _current_index(folder: Path) -> dict[str, Any] | None:
    try:
        index: dict[str, Any] = storage.read_json(folder / INDEX)
    except (FileNotFoundError, ManifestError):
        return None
    return index


def _all_there(folder: Path, index: Mapping[str, Any]) -> bool:
    try:
        return all((folder / name).stat().st_size == file["bytes"] for name, file in index["files"].items())
    except FileNotFoundError:
        return False


def _dropped(workdir: Path, finished: Finished) -> dict[int, list[str]]:
    """Bucket to the clips that the audit took out, where there are any."""
    folder = pipeline.stage_folder(workdir, "audit")
    found = {}
    for bucket, marker in sorted(finished["audit"].items()):
        path = marker.files(folder).get(REJECTS)
        if path is not None:
            found[bucket] = [row["id"] for row in storage.read_rows(path, ["id"])]
    return found


def _without(source: Path, target: Path, clip_ids: list[str]) -> int:
    """Copy a table without the rows of some clips, a row group at a time; returns the rows that are left."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
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


def _link_parts(
    workdir: Path, folder: Path, finished: Finished, dropped: Mapping[int, list[str]]
) -> dict[str, dict[str, Any]]:
    """Give the tables of faces and images their names; returns name to digest and rows.

    Tables with rows of dropped clips are copied without them; those of ``augment`` have none.
    """
    parts = [
        ("faces", bucket, marker, ROWS, f"faces/{bucket:05d}.parquet")
        for bucket, marker in finished["faces"].items()
    ]
    parts += [
        ("augment", bucket, marker, part, f"images/{part}-{bucket:05d}.parquet")
        for bucket, marker in finished["augment"].items()
        for part in SPLITS
    ]
    parts += [
        (stage, bucket, marker, ROWS, f"features/{stage}/{bucket:05d}.parquet")
        for stage in pipeline.FEATURES
        for bucket, marker in finished[stage].items()
    ]
    files: dict[str, dict[str, Any]] = {}
    for stage, bucket, marker, output, name in sorted(parts, key=lambda item: item[4]):
        described = marker.outputs[output]
        if not described["rows"]:
            continue
        source = pipeline.stage_folder(workdir, stage) / described["file"]
        if bucket not in dropped or stage == "augment":
            storage.link(source, folder / name)
            files[name] = {"sha256": described["sha256"], "rows": described["rows"]}
        elif rows := _without(source, folder / name, dropped[bucket]):
            files[name] = {"sha256": digest_file(folder / name), "rows": rows}
    return files


def _paths(workdir: Path, finished: Finished, stage: str, output: str = ROWS) -> list[Path]:
    folder = pipeline.stage_folder(workdir, stage)
    markers = (marker for _, marker in sorted(finished[stage].items()))
    return [folder / marker.outputs[output]["file"] for marker in markers if marker.outputs[output]["rows"]]


def _clips_table(
    workdir: Path, finished: Finished, dropped: Mapping[int, list[str]], *, align: str
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = records.schema("clips")
    split_paths = _paths(workdir, finished, "split")
    if not split_paths:
        return schema.empty_table()
    probe = [name for name in schema.names if name in records.schema("ingest").names]
    settled = records.schema("consensus")
    probe = [name for name in probe if name == "clip_id" or name not in settled.names]
    table = pipeline.read_table(split_paths)
    gone = pa.array([clip_id for clip_ids in dropped.values() for clip_id in clip_ids], pa.string())
    table = table.filter(pc.invert(pc.is_in(table["clip_id"], gone)))
    # Left joins: clips that are gone do not come back.
    table = table.join(pipeline.read_table(_paths(workdir, finished, "ingest"), probe), "clip_id")
    table = table.join(pipeline.read_table(_paths(workdir, finished, "consensus")), "clip_id")
    counted = []
    for path in _paths(workdir, finished, "faces"):
        faces = pipeline.read_table([path], ["clip_id", "role", "status"])
        usable = pc.is_in(faces["status"], pa.array(sorted(USABLE)))
        image = pc.and_(usable, pc.is_in(faces["role"], pa.array(IMAGE_ROLES)))
        flags = pa.table({"clip_id": faces["clip_id"], "n_faces_ok": usable, "n_images": image})
        flags = flags.set_column(1, "n_faces_ok", flags["n_faces_ok"].cast(pa.int32()))
        flags = flags.set_column(2, "n_images", flags["n_images"].cast(pa.int32()))
        sums = flags.group_by("clip_id", use_threads=False).aggregate(
            [("n_faces_ok", "sum"), ("n_images", "sum")]
        )
        counted.append(sums.rename_columns(["clip_id", "n_faces_ok", "n_images"]))
    if counted:
        table = table.join(pa.concat_tables(counted), "clip_id")
        for name in ("n_faces_ok", "n_images"):
            filled = pc.fill_null(table[name], 0)
            table = table.set_column(table.schema.get_field_index(name), name, filled)
    else:
        zeros = pa.array([0] * table.num_rows, pa.int32())
        table = table.append_column("n_faces_ok", zeros).append_column("n_images", zeros)
    table = table.append_column("align", pa.array([align] * table.num_rows, pa.string()))
    return table.select(schema.names).cast(schema).sort_by("clip_id").combine_chunks()


def _rejects_table(workdir: Path, finished: Finished) -> pa.Table:
    schema = records.schema("rejects")
    paths = [path for stage in finished for path in _paths(workdir, finished, stage, REJECTS)]
    if not paths:
        return schema.empty_table()
    return pipeline.read_table(paths).cast(schema).sort_by([("id", "ascending"), ("stage", "ascending")])


def _reannotate(rejects: pa.Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "why"])
    for row in rejects.to_pylist():
        if row["reason"] == "reannotate":
            writer.writerow([row["id"], row["detail"]])
    return text.getvalue()


def _folds(workdir: Path, finished: Finished, clip_ids: set[str]) -> str:
    """The official folds of the usable clips as CSV; empty if the data set has none."""
    rows = [
        (row["clip_id"], row["fold"])
        for path in _paths(workdir, finished, "ingest")
        for row in storage.read_rows(path, ["clip_id", "fold"])
        if row["fold"] is not None and row["clip_id"] in clip_ids
    ]
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip_id", "fold"])
    writer.writerows(sorted(rows))
    return text.getvalue()


def _counts(workdir: Path, finished: Finished, clips: pa.Table) -> dict[str, dict[str, int]]:
    """Part to number of clips, of original images and of images with copies."""
    counts: dict[str, Counter[str]] = {part: Counter(clips=0, images=0, augmented=0) for part in SPLITS}
    for part, n_images in zip(clips["split"].to_pylist(), clips["n_images"].to_pylist(), strict=True):
        counts[part]["clips"] += 1
        counts[part]["images"] += n_images
    for marker in finished["augment"].values():
        for part in SPLITS:
            counts[part]["augmented"] += marker.outputs[part]["rows"]
    return {part: dict(found) for part, found in counts.items()}
