"""``fgbench publish``: a prepared data set without its pictures, for others who have the clips.

Reads a work folder and its data set, whose files are hashed; writes the folder that
`fgbench.publication.layout` describes, without pictures, absolute paths and folders of this machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fgbench import plugins, records, storage
from fgbench.callbacks import Progress
from fgbench.catalogue.carried_listing import adapter_of, write_listing
from fgbench.catalogue.listing import Listing, list_data
from fgbench.catalogue.open_settings import name_of, settled
from fgbench.catalogue.pseudonyms import naming_of
from fgbench.config import PrepareConfig
from fgbench.errors import DatasetError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.media import video
from fgbench.naming import shown
from fgbench.preparation.prepare import preview, saved_here
from fgbench.preparation.stages._votes_table import VOTES as MANIFEST_VOTES
from fgbench.preparation.stages.publish import claims
from fgbench.publication import layout
from fgbench.publication.card import data_card
from fgbench.publication.croissant import croissant
from fgbench.publication.listed_paths import is_below
from fgbench.publication.portable import portable_entry, portable_recipe, portable_reject, portable_table
from fgbench.publication.responsible_ai import facts_of
from fgbench.publication.scrubbing import Scrubber
from fgbench.publication.source_files import SourceFile, file_rows, names_of, source_files
from fgbench.publication.tables import write_tables
from fgbench.publication.target import target_for
from fgbench.records import SPLITS, AuRow
from fgbench.remote.fetching import at_hand
from fgbench.reports.freshness import read_present
from fgbench.runs.division import FOLDS
from fgbench.runs.ledger.counts import ledger_lines
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.verification import Verified

_CHANGED = "fgbench prepare --verify reads again what has changed; then publish it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A publication that was written.

    Attributes:
        folder: Its folder.
        index: Its index.
        sources: Number of files of the data set that it lists.
    """

    folder: Path
    index: layout.Index
    sources: int


def publish(workdir: Path, out: Path, *, jobs: int, progress: Progress) -> Published:
    """Publish a work folder without its pictures.

    Args:
        workdir: Work folder with complete manifests.
        out: The folder to write: new, empty, or an earlier publication of the same data set.
        jobs: Worker processes that hash files and digest pixels.
        progress: Called with the number of hashed files.

    Raises:
        ConfigError: If something else is in the folder; nothing in it is changed.
        DatasetError: If the data set is not there.
        ManifestError: If the work folder is unfinished or damaged, or the data set has changed.
        ResourceError: If the publication cannot be written.
    """
    index = read_index(workdir)
    target = target_for(out, index["dataset"])
    asked, root = saved_here(workdir)
    listing = _finished(asked, root, workdir, index)
    scrub = Scrubber({root: "DATA", workdir: "WORK"})
    units = _units(asked, root)
    folds = [path.name for path in sorted((workdir / FOLDS).glob("*.csv"))]
    with plugins.load("engines", "local").start(jobs) as runner:
        _demand(workdir, index, runner)
        sources = source_files(root, [entry.path for entry in listing.entries], runner, progress)
        _refuse_changed(workdir, root, sources)
        target.begin(_names(units is not None, folds))
        rows = write_tables(workdir, out, list(index["files"]), runner)
    if MANIFEST_VOTES in index["files"]:
        rows[layout.COUNTED_VOTES] = index["files"][MANIFEST_VOTES]["rows"]
        storage.write_bytes(out / layout.COUNTED_VOTES, (workdir / MANIFESTS / MANIFEST_VOTES).read_bytes())
    rows |= write_listing(out, [portable_entry(entry, scrub) for entry in listing.entries], units)
    rows[layout.FILES] = _write_rows(out / layout.FILES, layout.files_schema(), file_rows(sources))
    outside = {shown(entry.clip_id) for entry in listing.entries if not is_below(entry.path)}
    rejects = [
        portable_reject(row, outside, scrub)
        for row in storage.read_rows(workdir / MANIFESTS / layout.REJECTS)
    ]
    rows[layout.REJECTS] = _write_rows(out / layout.REJECTS, records.schema("published_rejects"), rejects)
    _copy_text(workdir / MANIFESTS / layout.REANNOTATE, out / layout.REANNOTATE, outside)
    for name in folds:
        _copy_text(workdir / FOLDS / name, out / FOLDS / name, outside)
    published = _index(workdir, index, asked, listing, scrub, has_units=units is not None)
    recipe = yaml.safe_dump(published.recipe, sort_keys=False, allow_unicode=True)
    storage.write_text(out / layout.RECIPE, recipe)
    reasons = Counter((row["stage"], row["reason"]) for row in rejects)
    storage.write_text(out / layout.CARD, data_card(published, rows, reasons, ledger_lines(workdir)))
    if read_index(workdir) != index:
        raise ManifestError(f"{workdir} was prepared anew meanwhile", "publish it again")
    texts = (layout.RECIPE, layout.CARD, layout.REANNOTATE, *(f"{FOLDS}/{name}" for name in folds))
    files = {name: _described(out / name, rows.get(name)) for name in (*rows, *texts)}
    facts = facts_of(asked, root, out, listing, units=published.unit_source, reasons=reasons)
    schemas = {name: layout.schema_of(name) for name, count in rows.items() if count}
    storage.write_json(out / layout.CROISSANT, croissant(published, files, schemas, facts))
    files[layout.CROISSANT] = _described(out / layout.CROISSANT, None)
    published = layout.Index.model_validate({**published.model_dump(mode="json"), "files": files})
    target.end(published)
    return Published(folder=out, index=published, sources=len(sources))


def _finished(asked: PrepareConfig, root: Path, workdir: Path, index: Mapping[str, Any]) -> Listing:
    """Return the listing of the data set by the recipe.

    Raises:
        ManifestError: If the manifests of the work folder are not made of it.
    """
    listing = list_data(asked.dataset, root, naming_of(asked, asked.dataset.name or name_of(root)))
    dataset = asked.dataset.model_copy(update={"scheme": listing.scheme})
    now, _ = settled(asked.model_copy(update={"dataset": dataset}), listing.entries, root)
    made = index.get("origin", {}).get("recipe", {})
    if now.model_dump(mode="json") != made or preview(asked, root, workdir).waiting:
        raise ManifestError(
            f"{workdir} is not finished, or its data set has changed since it was prepared",
            "run fgbench prepare with its recipe and --data-root again: what is done is kept",
        )
    return listing


def _demand(workdir: Path, index: Mapping[str, Any], runner: Any) -> None:
    """Raise a ManifestError if the manifests do not match their index."""
    verified = Verified(workdir)
    damaged = verified.damaged(claims(index, verified), runner, all_of=True)
    if damaged:
        raise ManifestError(f"{damaged[0].path} is not what its index says", storage.AGAIN)


def _refuse_changed(workdir: Path, root: Path, sources: Sequence[SourceFile]) -> None:
    """Raise if the files of the clips are not those that the manifests were made of."""
    digests = {file.path: file.sha256 for file in sources}
    for clip in storage.read_rows(workdir / MANIFESTS / "clips.parquet", ["path", "decoder", "sha256"]):
        path = clip["path"]
        names = names_of(root, path)
        sha256: str | None = None
        if names != [path]:
            at_hand(root, path)
        if names and all(name in digests for name in names):
            sha256 = digests[path] if names == [path] else video.media_digest(root / path, clip["decoder"])
        if sha256 is None:
            raise DatasetError(
                f"{path} is not in {root}, or cannot be read: its digest is part of a publication",
                "bring the data set back to where it was prepared",
            )
        if sha256 != clip["sha256"]:
            raise ManifestError(f"{path} is not the file that the manifests were made of", _CHANGED)


def _units(asked: PrepareConfig, root: Path) -> list[AuRow] | None:
    """Return the labels of action units of the data set; ``None`` if it has none."""
    adapter = adapter_of(asked.dataset, root)
    if not hasattr(adapter, "action_units"):
        return None
    try:
        return list(adapter.action_units(root))
    except DatasetError:  # the adapter reads such labels, but this data set has none
        return None


def _copy_text(source: Path, target: Path, outside: Collection[str]) -> None:
    with storage.readable(source):
        text = source.read_text(encoding="utf-8")
    storage.write_text(target, portable_table(text, outside))


def _write_rows(path: Path, schema: Any, rows: Iterable[Mapping[str, Any]]) -> int:
    import pyarrow as pa

    table = pa.Table.from_pylist(list(rows), schema=schema)
    storage.write_table(path, table)
    return int(table.num_rows)


def _names(has_units: bool, folds: Iterable[str]) -> set[str]:
    """Return the names of all files that may be written."""
    return {
        *(f"{table}/{part}.parquet" for table in layout.PARTED for part in SPLITS),
        *(f"{FOLDS}/{name}" for name in folds),
        *({layout.ACTION_UNITS} if has_units else ()),
        layout.ENTRIES,
        layout.VOTES,
        layout.COUNTED_VOTES,
        layout.FILES,
        layout.REJECTS,
        layout.REANNOTATE,
        layout.RECIPE,
        layout.CARD,
        layout.CROISSANT,
    }


def _described(path: Path, rows: int | None) -> dict[str, Any]:
    return {"sha256": digest_file(path), "bytes": path.stat().st_size, "rows": rows}


def _index(
    workdir: Path,
    index: Mapping[str, Any],
    asked: PrepareConfig,
    listing: Listing,
    scrub: Scrubber,
    *,
    has_units: bool,
) -> layout.Index:
    """Return the index of the publication, without its files."""
    present = read_present(workdir)
    models = {}
    if asked.faces.detector_model is not None:
        model = Path(asked.faces.detector_model)
        models[model.name] = digest_file(model)
    units = {"pseudo": listing.units.pseudo, "lines": [scrub.text(line) for line in listing.units.lines]}
    return layout.Index.model_validate(
        {
            "kind": layout.KIND,
            "format": layout.FORMAT,
            "dataset": index["dataset"],
            "synthetic": index["synthetic"],
            "scheme": index.get("scheme"),
            "classes": index.get("classes") or [],
            "protocol": index.get("protocol") or {},
            "counts": index["counts"],
            "asked": portable_recipe(asked.model_dump(mode="json"), scrub),
            "recipe": portable_recipe(index["origin"]["recipe"], scrub),
            "models": models,
            "units": units if has_units else None,
            "annotators": listing.annotators,
            "provenance": index.get("provenance") or {},
            "manifests": {
                name: {"sha256": file["sha256"], "rows": file.get("rows")}
                for name, file in index["files"].items()
                if name.endswith(".parquet")
            },
            "runs": {
                "digests": [] if present is None else sorted(present.digests),
                "division": None if present is None else present.division,
            },
            "files": {},
        }
    )
