"""Last step of ``fgbench prepare``: write the manifests.

Writes under ``manifests/`` of the work folder:

- ``clips.parquet``: one row per usable clip;
- ``faces/<bucket>.parquet``: one row per sampled frame, with the aligned face or the reason of its absence;
- ``images/<part>-<bucket>.parquet``: the image set, originals and copies;
- ``features/<name>/<bucket>.parquet``: features, those of the recipe;
- ``rejects.parquet``: every clip that could not be used, with stage and reason, and its class and part where
  the data set has them: such clips of the test list count as samples without prediction;
- ``rejects.csv``: the same for a spreadsheet;
- ``reannotate.csv``: clips on which annotators have to vote again;
- ``folds.csv``: official folds, where the data set has any, also of clips that could not be read;
- ``README.md``: the data card;
- ``index.json``: digest and row count of every file, the recipe and the provenance. It is removed before
  anything changes and written last: manifests without it are not complete.

Results without rows are left out, but every part, the faces and every kind of features have at least one
table: where there is nothing at all, one without rows, bucket 0. Clips that the stage ``audit`` took out,
or that failed in ``augment``, are in no table but the rejects.

Files that an earlier index lists and the new one does not are deleted, and no others. While the index is
being replaced, ``index.json.previous`` lists the files of fgbench.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import records, storage
from fgbench.catalogue.listing import Listing
from fgbench.catalogue.survey import unlike_published
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError, ResourceError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.files.parquet_files import open_parquet
from fgbench.preparation import pipeline
from fgbench.preparation.pipeline import REJECTS, ROWS, stage_folder
from fgbench.preparation.stages import _tables as tables
from fgbench.preparation.stages._card import data_card
from fgbench.preparation.stages._clip_faces import face_counts
from fgbench.preparation.stages._tables import Finished
from fgbench.preparation.stored_results import StoredResults
from fgbench.preparation.voting import low_classes
from fgbench.provenance import provenance
from fgbench.records import SPLITS
from fgbench.workfolders.layout import INDEX, MANIFESTS
from fgbench.workfolders.manifest_index import is_sealed, read_index
from fgbench.workfolders.sealed_json import discard, read_sealed, write_sealed

if TYPE_CHECKING:
    import pyarrow as pa
from fgbench.workfolders.verification import Claim, Runner, Verified

PREVIOUS = "index.json.previous"
"""List of the files of fgbench while the index is being replaced."""

FOLDS = "folds.csv"
"""Official folds: ``clip_id,fold``."""

ALIGNED = "similarity"
"""Column ``align`` of clips whose faces were found and turned upright by a similarity."""
NOT_ALIGNED = "none"
"""Column ``align`` of clips and pictures that are cropped already and were taken as they are."""

_TEXTS = ("rejects.csv", "reannotate.csv", "README.md")
"""Text files that are always written."""

LAYOUT = 4
"""Version of the layout of the manifests; those of another version are written anew."""

_READ = ("ingest", "consensus", "split", "faces")
"""Stages whose rows are read here; results of the others are linked."""


def publish(
    config: PrepareConfig,
    workdir: Path,
    finished: Finished,
    listing: Listing,
    *,
    results: StoredResults,
    runner: Runner = map,
) -> tuple[bool, dict[str, dict[str, int]]]:
    """Bring the manifests up to date.

    Args:
        config: The recipe.
        workdir: The work folder.
        finished: Stage to bucket to marker, for all stages.
        listing: Clips and classes that the recipe takes from the data set.
        results: The results that the markers are of.
        runner: Hashes files, e.g. in worker processes.

    Returns:
        Whether anything was written, and the counts per part as in the index.

    Raises:
        DamagedFilesError: If results differ from their markers.
        ResourceError: If the manifests cannot be written, or a folder is a link.
    """
    folder = workdir / MANIFESTS
    origin = {
        "layout": LAYOUT,
        "recipe": config.model_dump(mode="json"),
        "stages": {
            stage: {str(bucket): marker.fingerprint for bucket, marker in sorted(markers.items())}
            for stage, markers in finished.items()
        },
        # An item that failed for a passing reason gives another result under the same fingerprint.
        "results": digest_json(
            [
                marker.contents(stage)
                for stage, markers in sorted(finished.items())
                for _, marker in sorted(markers.items())
            ]
        ),
        "classes": list(listing.classes),
        **({"upper": dict(listing.upper)} if listing.upper else {}),
        "left_out": dict(listing.left_out),
        **({"pseudo": listing.units.pseudo} if listing.units.pseudo else {}),
        "columns": records.schema("clips").names,
    }
    current = _current_index(workdir, results)
    if current is not None and current["origin"] == origin and _all_there(current, results, runner):
        discard(folder / PREVIOUS)  # a run was killed between its last two steps
        return False, current["counts"]
    _demand(finished, results, runner)
    dropped = tables.dropped_clips(workdir, finished)
    parts = _parts(config, finished)
    clips, alignment = tables.clips_table(
        workdir, finished, dropped, aligned=ALIGNED, as_is=NOT_ALIGNED, never=config.faces.align == "never"
    )
    rejects = tables.rejects_table(workdir, finished, listing.entries, config, listing.label_set)
    folds = tables.folds_text(listing.entries, clips, rejects)
    texts = ["clips.parquet", "rejects.parquet", *_TEXTS, *([FOLDS] if folds else [])]
    written = {part.name for part in parts} | set(texts)
    listed = _ours(folder, current, results.verified)
    ours = listed | written
    _refuse_obstacles(folder, ours)
    if current is not None:
        _refuse_others(folder, written - listed)
    write_sealed(folder / PREVIOUS, {"files": sorted(ours)})
    discard(folder / INDEX)
    files = _write_parts(workdir, parts, dropped)
    storage.write_table(folder / "clips.parquet", clips)
    storage.write_table(folder / "rejects.parquet", rejects)
    storage.write_text(folder / "rejects.csv", tables.rejects_text(rejects))
    storage.write_text(folder / "reannotate.csv", tables.reannotate_text(rejects))
    counts = tables.counts_of(finished, clips)
    annotation = tables.annotation(workdir, finished, listing.classes)
    faces = face_counts(clips)
    low = low_classes(annotation.confidences, config.consensus.drop_classes_below)
    classes = [label for label in listing.classes if label not in low]
    if listing.are_found:
        occurring = tables.labels_that_occur(clips, rejects)
        classes = [label for label in classes if label in occurring]
    unlike = unlike_published(config.dataset, listing)
    rows = {"clips.parquet": clips.num_rows, "rejects.parquet": rejects.num_rows}
    card = data_card(
        config,
        counts,
        rejects,
        listing,
        classes=classes,
        annotation=annotation,
        alignment=alignment,
        unlike_published=unlike,
        faces=faces,
        rows={**{name: file["rows"] for name, file in files.items()}, **rows},
    )
    storage.write_text(folder / "README.md", card)
    if folds:
        storage.write_text(folder / FOLDS, folds)
    for name in texts:
        files[name] = {"sha256": digest_file(folder / name), "rows": rows.get(name)}
    storage.remove_listed(folder, ours - files.keys())
    for name, described in files.items():
        described["bytes"] = (folder / name).stat().st_size
    index = {
        "dataset": config.dataset.name,
        "synthetic": config.dataset.synthetic,
        "scheme": config.dataset.scheme,
        "classes": classes,
        **({"upper": {name: listing.upper[name] for name in classes}} if listing.upper else {}),
        "left_out": dict(listing.left_out),
        **({"unlike_published": unlike} if unlike else {}),
        "protocol": config.protocol.model_dump(mode="json"),
        "counts": counts,
        "alignment": alignment,
        "faces": faces,
        "files": files,
        "origin": origin,
        "provenance": provenance(),
    }
    results.verified.forget([f"{MANIFESTS}/{name}" for name in ours - files.keys()])
    results.verified.note(claims(index, results.verified))
    results.verified.relinked(
        claim
        for stage, markers in finished.items()
        for marker in markers.values()
        for claim in results.claims(stage, marker)
    )
    write_sealed(folder / INDEX, index)
    discard(folder / PREVIOUS)
    return True, counts


def claims(index: Mapping[str, Any], verified: Verified) -> list[Claim]:
    """Digests that the files of the manifests should have.

    Args:
        index: Content of their index.
        verified: Noted digests of their work folder.
    """
    return [
        verified.claim(f"{MANIFESTS}/{name}", described["sha256"])
        for name, described in index["files"].items()
    ]


def verify(workdir: Path) -> list[str]:
    """Compare the manifests with their index; return one line per fault, empty if there is none.

    Every file is hashed, also those noted as intact.

    Raises:
        ManifestError: If there is no index.
    """
    import pyarrow as pa

    folder = workdir / MANIFESTS
    index = read_index(workdir)
    faults = [] if is_sealed(workdir) else [f"{INDEX}: does not bear the digest of its content"]
    for name, described in sorted(index["files"].items()):
        path = folder / name
        if not path.is_file():
            faults.append(f"{name}: missing")
        elif digest_file(path) != described["sha256"]:
            faults.append(f"{name}: content differs from the index")
        elif described["rows"] is not None:
            try:
                with open_parquet(path) as file:
                    n_rows = file.metadata.num_rows
            except (pa.ArrowException, OSError) as error:
                faults.append(f"{name}: not a Parquet file: {error}")
                continue
            if n_rows != described["rows"]:
                faults.append(f"{name}: {n_rows} rows, the index says {described['rows']}")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    faults += [
        f"{name}: not in the index" for name in sorted(present - index["files"].keys() - {INDEX, PREVIOUS})
    ]
    return faults


def _current_index(workdir: Path, results: StoredResults) -> dict[str, Any] | None:
    """The index; ``None`` if there is none, or it is damaged, which is reported."""
    if not (workdir / MANIFESTS / INDEX).exists():
        return None
    try:
        index = read_index(workdir)
        if is_sealed(workdir) and {"origin", "counts"} <= index.keys():
            return index
        results.damage.append(f"{MANIFESTS}/{INDEX}: does not bear the digest of its content")
    except ManifestError as error:
        results.damage.append(f"{MANIFESTS}/{INDEX}: {error.message}")
    return None


def _all_there(index: Mapping[str, Any], results: StoredResults, runner: Runner) -> bool:
    """Return whether the files of the manifests match the index; report those that do not."""
    damaged = results.verified.damaged(claims(index, results.verified), runner, all_of=results.recheck)
    results.damage += [f"{claim.name}: missing, or its content is not that of the index" for claim in damaged]
    return not damaged


def _demand(finished: Finished, results: StoredResults, runner: Runner) -> None:
    """Check the results that are about to be read or linked."""
    for stages, read in ((_READ, True), (tuple(finished.keys() - set(_READ)), False)):
        of = [(stage, marker) for stage in sorted(stages) for marker in finished[stage].values()]
        wanted = [claim for stage, marker in of for claim in results.claims(stage, marker)]
        results.demand(wanted, runner, read=read)
    wanted = [
        results.verified.claim(f"stages/{stage}/{out['file']}", out["sha256"])
        for stage, markers in finished.items()
        for marker in markers.values()
        if (out := marker.outputs[REJECTS])["rows"]
    ]
    results.demand(wanted, runner)


def _ours(folder: Path, current: Mapping[str, Any] | None, verified: Verified) -> set[str]:
    """Files of the manifests that belong to fgbench: listed by the index, or when it was being replaced."""
    listed = set(current["files"]) if current is not None else set()
    try:
        listed |= set(map(str, read_sealed(folder / PREVIOUS)["files"]))
    except FileNotFoundError:
        pass
    except (ManifestError, KeyError, TypeError):
        discard(folder / PREVIOUS)
    if current is None:  # files written here that are unchanged belong to fgbench too
        prefix = f"{MANIFESTS}/"
        noted = [claim for claim in verified.noted() if claim.name.startswith(prefix)]
        listed |= {claim.name.removeprefix(prefix) for claim in noted if verified.is_noted(claim)}
    return listed


def _refuse_others(folder: Path, names: Iterable[str]) -> None:
    """Raise if files would be replaced that no index lists: they are the user's."""
    for name in sorted(names):
        path = folder / name
        if path.exists() or path.is_symlink():
            raise ResourceError(
                f"{path} would be replaced, and fgbench has not written it: no index lists it",
                "move it away, and run the same command again",
            )


def _refuse_obstacles(folder: Path, names: Iterable[str]) -> None:
    """Raise, before the index is removed, if files would be written or deleted behind a link, or cannot be
    written because something else stands in their place or in that of their folders."""
    paths = sorted(folder / name for name in names)
    above = {parent for path in paths for parent in path.parents if parent != folder.parent}
    for path in sorted(path for path in above if path == folder or folder in path.parents):
        if path.is_symlink():
            raise ResourceError(
                f"{path} is a link, expected a folder: nothing is written behind it", "remove the link"
            )
        if path.exists() and not path.is_dir():
            raise ResourceError(f"{path} is a file, expected a folder", "move it away")
    for path in paths:
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            raise ResourceError(
                f"{path} is a folder with files, expected a file of fgbench's", "move it away"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A table of a bucket that is published under a name of its own.

    Attributes:
        stage: Stage that it is of.
        bucket: Bucket that it is of.
        described: Its file, digest and rows, from the marker; ``None`` for an empty table.
        schema: Arrow schema of the table.
        name: Path below the manifests.
    """

    stage: str
    bucket: int
    described: Mapping[str, Any] | None
    schema: pa.Schema
    name: str


def _parts(config: PrepareConfig, finished: Finished) -> list[_Part]:
    """Tables to publish, in the order of their names."""
    kinds = [("faces", ROWS, "faces/{:05d}.parquet")]
    kinds += [("augment", part, f"images/{part}-{{:05d}}.parquet") for part in SPLITS]
    kinds += [
        (stage, ROWS, f"features/{stage}/{{:05d}}.parquet")
        for stage in (*pipeline.FEATURES, *config.features)
    ]
    parts = []
    for stage in pipeline.stages(config):
        if not stage.is_enabled(config):
            continue
        schemas = pipeline.schemas(stage, stage.config(config))
        for name, output, pattern in kinds:
            if name != stage.name:
                continue
            schema = schemas[output]
            of_output = [
                _Part(
                    stage=name,
                    bucket=bucket,
                    described=marker.outputs[output],
                    schema=schema,
                    name=pattern.format(bucket),
                )
                for bucket, marker in finished[name].items()
                if marker.outputs[output]["rows"]
            ]
            parts += of_output or [
                _Part(stage=name, bucket=0, described=None, schema=schema, name=pattern.format(0))
            ]
    return sorted(parts, key=lambda part: part.name)


def _write_parts(
    workdir: Path, parts: Sequence[_Part], dropped: Mapping[int, list[str]]
) -> dict[str, dict[str, Any]]:
    """Link or copy the tables of buckets into the manifests; return name to digest and rows.

    Tables with rows of dropped clips are copied without them; those of ``augment`` have none.
    """
    folder = workdir / MANIFESTS
    files: dict[str, dict[str, Any]] = {}
    for part in parts:
        target = folder / part.name
        if part.described is None:
            storage.write_table(target, part.schema.empty_table())
            files[part.name] = {"sha256": digest_file(target), "rows": 0}
            continue
        source = stage_folder(workdir, part.stage) / part.described["file"]
        sha256, rows = part.described["sha256"], part.described["rows"]
        if part.bucket in dropped and part.stage != "augment":
            rows = tables.copy_without(source, target, dropped[part.bucket])
            sha256 = digest_file(target)
        else:
            if not storage.link(source, target) and digest_file(target) != sha256:
                raise ResourceError(f"{target} is not what was copied into it", "look after the disk")
        files[part.name] = {"sha256": sha256, "rows": rows}
    return files
