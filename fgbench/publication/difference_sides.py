"""One of two data sets to compare: a work folder or a publication. Reads tables; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_json
from fgbench.naming import counted
from fgbench.preparation.stages._votes_table import VOTES
from fgbench.publication import layout
from fgbench.publication.face_comparison import COLUMNS
from fgbench.publication.face_rows import FaceRows
from fgbench.records import schema
from fgbench.reports.freshness import Present, read_present
from fgbench.runs.lost_clips import is_lost
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.verification import Verified

CLIP_COLUMNS = (
    "clip_id",
    "path",
    "sha256",
    "n_frames",
    "label",
    "split",
    "key_frame",
    "subject_id",
)
"""Columns of clips that the comparison reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A data set.

    Attributes:
        folder: Its folder.
        is_publication: Whether that is a publication.
        dataset: Its name.
        synthetic: Whether its faces are drawn.
        classes: Its classes.
        recipe: The resolved recipe as plain values.
        provenance: Versions that it was made with.
        clips: Rows of usable clips by id, with :data:`CLIP_COLUMNS`.
        rejects: Stage and reason of the other clips by id.
        faces: Rows of faces.
        votes: Number of votes on each clip by id, with a digest of them, without who cast them; empty for
            data of earlier versions, which do not keep them.
        present: Marks by which runs of these data are recognised; ``None`` if there are none.
    """

    folder: Path
    is_publication: bool
    dataset: str
    synthetic: bool
    classes: tuple[str, ...]
    recipe: Mapping[str, Any]
    provenance: Mapping[str, Any]
    clips: Mapping[str, Mapping[str, Any]]
    rejects: Mapping[str, str]
    faces: FaceRows
    votes: Mapping[str, str]
    present: Present | None


def read_side(folder: Path) -> Side:
    """Read a work folder with complete manifests, or a publication.

    Raises:
        ManifestError: If it is neither, or is damaged.
        ResourceError: If it may not be read.
    """
    if layout.is_publication(folder):
        return published_side(folder, layout.read_published(folder))
    if not (folder / MANIFESTS).is_dir():
        raise ManifestError(
            f"{folder} is neither a work folder with manifests nor a publication "
            f"({f'no {layout.INDEX}' if folder.exists() else 'there is no such folder'})",
            "name a folder that fgbench prepare or fgbench publish has written",
        )
    return _work_side(folder)


def published_side(folder: Path, index: layout.Index) -> Side:
    """Read a publication whose files were checked against its index.

    Args:
        folder: Its folder.
        index: Its index.

    Raises:
        ManifestError: If a table lacks columns.
    """
    clips = {
        row["clip_id"]: row
        for path in layout.parts_of(folder, "clips")
        for row in storage.read_rows(path, list(CLIP_COLUMNS))
    }
    rejects = list(storage.read_rows(folder / layout.REJECTS))
    tested = _tested_labels(index.protocol, clips, rejects)
    return Side(
        folder=folder,
        is_publication=True,
        dataset=index.dataset,
        synthetic=index.synthetic,
        classes=tuple(index.classes),
        recipe=index.recipe,
        provenance=index.provenance,
        clips=clips,
        rejects=_reasons(rejects),
        faces=FaceRows(layout.parts_of(folder, "faces"), COLUMNS),
        votes=_votes(folder / layout.COUNTED_VOTES),
        present=Present(
            digests=frozenset(index.runs.digests),
            labels=tested,
            all_labels={clip_id: row["label"] for clip_id, row in clips.items() if row["label"] is not None},
            division=index.runs.division,
            dataset=index.dataset,
            units=None,
        ),
    )


def made_side(workdir: Path, again: Path) -> Side:
    """Read a work folder, with tables of faces that have digests of pixels instead of pictures.

    Args:
        workdir: The work folder.
        again: Folder of these tables.

    Raises:
        ManifestError: If the manifests or the tables are damaged.
    """
    return replace(_work_side(workdir), faces=FaceRows(layout.parts_of(again, "faces"), COLUMNS))


def _work_side(folder: Path) -> Side:
    index = read_index(folder)
    manifests = folder / MANIFESTS
    verified = Verified(folder)
    tables = [
        name for name in index["files"] if name.endswith(".parquet") and not name.startswith("features/")
    ]
    damaged = verified.damaged(
        verified.claim(f"{MANIFESTS}/{name}", index["files"][name]["sha256"]) for name in tables
    )
    if damaged:
        raise ManifestError(f"{damaged[0].path} is not what its index says", storage.AGAIN)
    faces = sorted(manifests / name for name in tables if name.startswith("faces/"))
    return Side(
        folder=folder,
        is_publication=False,
        dataset=index["dataset"],
        synthetic=index["synthetic"],
        classes=tuple(index.get("classes") or ()),
        recipe=index.get("origin", {}).get("recipe", {}),
        provenance=index.get("provenance") or {},
        clips={
            row["clip_id"]: row for row in storage.read_rows(manifests / "clips.parquet", list(CLIP_COLUMNS))
        },
        rejects=_reasons(storage.read_rows(manifests / "rejects.parquet")),
        faces=FaceRows(faces, COLUMNS),
        votes=_votes(manifests / VOTES),
        present=read_present(folder),
    )


def _votes(path: Path) -> dict[str, str]:
    """Clip to the number and digest of its votes, e.g. ``"5 votes (3f9c0d21)"``; empty without a table."""
    if not path.is_file():
        return {}
    rows = storage.read_rows(path, [name for name in schema("votes").names if name != "annotator"])
    texts = {}
    for clip_id, votes in groupby(rows, itemgetter("clip_id")):
        cast = sorted(digest_json(list(vote.values())) for vote in votes)
        texts[clip_id] = f"{counted(len(cast), 'vote')} ({digest_json(cast)[:8]})"
    return texts


def _reasons(rows: Any) -> dict[str, str]:
    return {row["id"]: f"{row['stage']}: {row['reason']}" for row in rows}


def _tested_labels(
    protocol: Mapping[str, Any], clips: Mapping[str, Mapping[str, Any]], rejects: list[dict[str, Any]]
) -> dict[str, str]:
    """Return the class of each test clip by id, including those that could not be read."""
    is_folded = protocol.get("kind") == "k-fold"
    tested = {*(protocol.get("test") or ("test",))}
    lost = {row["id"]: row for row in rejects if is_lost(row)}
    return {
        clip_id: row["label"]
        for clip_id, row in {**lost, **clips}.items()
        if row["label"] is not None and (is_folded or not row["split"] or row["split"] in tested)
    }
