"""Last step of ``fgbench prepare``: write the manifests.

Writes under ``manifests/`` of the work folder:

- ``clips.parquet``: one row per usable clip;
- ``votes.parquet``: one row per vote, where the data set has votes, those on clips not settled too;
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

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench import records, storage
from fgbench.catalogue.listing import Listing
from fgbench.catalogue.survey import unlike_published
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.files.parquet_files import open_parquet
from fgbench.preparation.pipeline import REJECTS
from fgbench.preparation.stages import _tables as tables
from fgbench.preparation.stages._card import data_card
from fgbench.preparation.stages._clip_faces import face_counts
from fgbench.preparation.stages._foreign_files import own_files, refuse_obstacles, refuse_others
from fgbench.preparation.stages._manifest_parts import parts_of, write_parts
from fgbench.preparation.stages._tables import Finished
from fgbench.preparation.stages._votes_table import VOTES, read_ranges, write_votes
from fgbench.preparation.stored_results import StoredResults
from fgbench.preparation.voting import low_classes
from fgbench.provenance import provenance
from fgbench.workfolders.layout import INDEX, MANIFESTS, PREVIOUS
from fgbench.workfolders.manifest_index import is_sealed, read_index
from fgbench.workfolders.sealed_json import discard, write_sealed
from fgbench.workfolders.verification import Claim, Runner, Verified

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
        "votes": records.schema("votes").names,
    }
    current = _current_index(workdir, results)
    if current is not None and current["origin"] == origin and _all_there(current, results, runner):
        discard(folder / PREVIOUS)  # a run was killed between its last two steps
        return False, current["counts"]
    _demand(finished, results, runner)
    dropped = tables.dropped_clips(workdir, finished)
    parts = parts_of(config, finished)
    clips, alignment = tables.clips_table(
        workdir, finished, dropped, aligned=ALIGNED, as_is=NOT_ALIGNED, never=config.faces.align == "never"
    )
    rejects = tables.rejects_table(workdir, finished, listing.entries, config, listing.label_set)
    folds = tables.folds_text(listing.entries, clips, rejects)
    votes = read_ranges(tables.ingested(workdir, finished))
    of_votes = [VOTES] if votes.last else []
    texts = ["clips.parquet", "rejects.parquet", *of_votes, *_TEXTS, *([FOLDS] if folds else [])]
    written = {part.name for part in parts} | set(texts)
    listed = own_files(folder, current, results.verified)
    ours = listed | written
    refuse_obstacles(folder, ours)
    if current is not None:
        refuse_others(folder, written - listed)
    write_sealed(folder / PREVIOUS, {"files": sorted(ours)})
    discard(folder / INDEX)
    files = write_parts(workdir, parts, dropped, {} if current is None else current["files"])
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
    if votes.last:
        rows[VOTES] = write_votes(folder / VOTES, votes, tables.settled(workdir, finished), listing)
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
    sizes = {f"{MANIFESTS}/{name}": described.get("bytes") for name, described in index["files"].items()}
    damaged += [
        claim for claim in claims(index, results.verified) if results.is_cut(claim, sizes[claim.name])
    ]
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
