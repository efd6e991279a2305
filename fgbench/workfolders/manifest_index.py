"""``manifests/index.json``: contents of a work folder's manifests, and digests of the files of a run.

It is written last, so that manifests without it are incomplete, and contains the digest of its own content.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_json
from fgbench.workfolders.layout import INDEX, MANIFESTS
from fgbench.workfolders.sealed_json import SEAL, as_object, opened


def _is_below(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name or "\\" in name:
        raise ValueError("expected the name of a file below the manifests")
    return name


HARD = "sha256_without_soft_labels"
"""Key of the digest of a table of images without the column of soft labels, which most runs do not read."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=0, lt=1 << 62)]


class _Loose(BaseModel):
    """Part of the index; further keys are left to other readers."""

    model_config = ConfigDict(extra="allow", strict=True)


class _File(_Loose):
    """A file of the manifests."""

    sha256: Digest
    rows: Number | None = None
    bytes: Number | None = None


class _Origin(_Loose):
    """Origin of the manifests."""

    recipe: dict[str, Any] = Field(default_factory=dict)
    stages: dict[str, dict[Annotated[str, Field(pattern="^[0-9]{1,9}$")], Digest]] = Field(
        default_factory=dict
    )
    classes: list[str] = Field(default_factory=list)
    left_out: dict[str, Number] = Field(default_factory=dict)


class _Counts(_Loose):
    """Counts of a part."""

    clips: Number
    images: Number
    augmented: Number


class _Index(_Loose):
    """The index."""

    dataset: str
    synthetic: bool
    scheme: str | None = None
    classes: list[str] | None = None
    upper: dict[str, str] = Field(default_factory=dict)
    left_out: dict[str, Number] = Field(default_factory=dict)
    unlike_published: dict[str, Annotated[list[Number], Field(min_length=2, max_length=2)]] = Field(
        default_factory=dict
    )
    protocol: dict[str, Any] | None = None
    counts: dict[str, _Counts] = Field(default_factory=dict)
    alignment: dict[str, Number] | None = None
    files: dict[Annotated[str, AfterValidator(_is_below)], _File]
    origin: _Origin = Field(default_factory=_Origin)
    provenance: dict[str, Any] = Field(default_factory=dict)


NAME_ANOTHER = "name a work folder that is there, or run fgbench prepare --data-root DIR to make one"
"""Advice on a work folder that is not there."""


def missing_manifests(workdir: Path) -> ManifestError:
    """Return the error for a work folder without an index of manifests, or for a folder that is not there."""
    folder = workdir / MANIFESTS
    if not workdir.exists():
        return ManifestError(
            f"no complete manifests in {folder}: there is no folder {workdir}",
            NAME_ANOTHER,
        )
    return ManifestError(
        f"no complete manifests in {folder} (no {INDEX})",
        "run fgbench prepare; it continues where it was",
    )


def read_index(workdir: Path) -> dict[str, Any]:
    """Read the index of the manifests of a work folder.

    An index without a digest of itself is accepted: earlier versions wrote none.

    Raises:
        ManifestError: If the manifests are missing or incomplete, or the index is damaged.
        ResourceError: If it may not be read.
    """
    path = workdir / MANIFESTS / INDEX
    try:
        index = as_object(path, storage.read_json(path))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise missing_manifests(workdir) from error
    if SEAL in index:
        index = opened(path, index)
    try:
        _Index.model_validate(index)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part)[:80] for part in first["loc"])
        raise ManifestError(
            f"{path} is no index of manifests ({where}: {first['msg']})",
            "fgbench check --repair, on its work folder, makes it anew",
        ) from error
    return index


def has_classes(workdir: Path) -> bool:
    """Whether the data set of a work folder has classes, and not action units alone.

    Raises:
        ManifestError: As :func:`read_index`.
        ResourceError: Likewise.
    """
    return bool(read_index(workdir).get("classes", True))


def is_sealed(workdir: Path) -> bool:
    """Whether the index of a work folder contains the digest of its content; see :func:`read_index`."""
    return SEAL in storage.read_json(workdir / MANIFESTS / INDEX)


def content_digest(index: Mapping[str, Any], features: Collection[str] = ()) -> str:
    """Digest of the files of the manifests that a run reads.

    Features that are computed later do not change it. Runs of earlier versions are identified by it; see
    `fgbench.runs.read_digest`.

    Args:
        index: Content of the index.
        features: Tables of features that are read too, e.g. ``{"lbp"}``.
    """
    read = {"clips.parquet", "rejects.parquet"}
    folders = ("faces/", "images/", *(f"features/{name}/" for name in features))
    return digest_json(
        {
            name: described["sha256"]
            for name, described in index.get("files", {}).items()
            if name in read or name.startswith(folders)
        }
    )


def unlike_published_sentence(differences: Mapping[str, Sequence[int]]) -> str:
    """Sentence for the notes of tables that the data are not the published ones.

    Args:
        differences: Part to its number of entries and the published one; at least one part.
    """
    parts = ", ".join(f"{part} has {n:,} of {published:,}" for part, (n, published) in differences.items())
    return f"Not the data as published: {parts} entries."


def is_published(workdir: Path) -> bool:
    """Whether a work folder has complete manifests."""
    return (workdir / MANIFESTS / INDEX).is_file()
