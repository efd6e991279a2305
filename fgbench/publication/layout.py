"""Files of a publication, and its index ``published.json``.

::

    README.md               data card, with a YAML header as the Hub reads it
    croissant.json          the same for programs: Croissant 1.0, with the responsible-AI fields
    published.json          index: digest and size of every file, the recipe, versions; written last
    recipe.yaml             the resolved recipe, for people
    entries.parquet         clips as the data set lists them, with labels as they are written there
    votes.parquet           annotators' votes as the data set lists them
    counted_votes.parquet   votes on readable clips: answers, classes, and the labels that the clips got
    action_units.parquet    labels of action units
    files.parquet           path, SHA-256 and size of every file of the data set that is used
    clips/<part>.parquet    usable clips
    faces/<part>.parquet    sampled frames: boxes, landmarks, transforms, poses, statuses, digests of pixels
    images/<part>.parquet   the image set and how its copies were made, with digests of pixels
    rejects.parquet, reannotate.csv, folds/<protocol>.csv

Tables without rows are left out. Nothing is a picture, and no path is absolute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench import records, storage
from fgbench.catalogue.carried_listing import ACTION_UNITS as ACTION_UNITS
from fgbench.catalogue.carried_listing import ENTRIES as ENTRIES
from fgbench.catalogue.carried_listing import LATER, check_types, listed_schema
from fgbench.catalogue.carried_listing import VOTES as VOTES
from fgbench.config import PrepareConfig
from fgbench.config.older_recipes import in_current_form
from fgbench.errors import ManifestError, ResourceError
from fgbench.files.hashing import digest_file
from fgbench.records import SPLITS, UnitSource
from fgbench.workfolders.manifest_index import Digest, Number
from fgbench.workfolders.sealed_json import read_sealed

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "published.json"
PREVIOUS = f"{INDEX}.previous"
"""List of the files of fgbench while the index is being replaced."""
CARD, CROISSANT, RECIPE, FILES, REJECTS, REANNOTATE = (
    "README.md",
    "croissant.json",
    "recipe.yaml",
    "files.parquet",
    "rejects.parquet",
    "reannotate.csv",
)
COUNTED_VOTES = "counted_votes.parquet"
"""The table ``votes`` of the manifests; beside it lie :data:`VOTES` as the data set lists them."""
KIND, FORMAT = "publication of fgbench", 1
PARTED = ("clips", "faces", "images")
"""Tables with one file per part."""
PIXELS = "pixels_sha256"
"""Column with the digest of a face's pixels (:func:`fgbench.publication.pixels.pixel_digest`)."""

_NEVER_EMPTY = frozenset(
    {
        "clip_id",
        "path",
        "sha256",
        "bytes",
        "image_id",
        "id",
        "stage",
        "reason",
        "annotator",
        "round",
        "status",
    }
)
"""Columns without nulls, in whichever tables have them."""

_LATER = LATER | {"soft_label"}
"""Columns that publications of earlier versions lack."""

_NAMES = (
    rf"README\.md|croissant\.json|recipe\.yaml|reannotate\.csv|(entries|votes|counted_votes|action_units|files|rejects)\.parquet|"
    rf"({'|'.join(PARTED)})/({'|'.join(SPLITS)})\.parquet|folds/[A-Za-z0-9_][A-Za-z0-9_.-]*\.csv"
)
_AGAIN = "get the publication again, or publish it again: fgbench publish WORKDIR OUT --without-pixels"


class _Loose(BaseModel):
    """Part of the index; further keys are kept."""

    model_config = ConfigDict(extra="allow", strict=True)


class PublishedFile(_Loose):
    """A file of the publication, or a table of the manifests that it was made of."""

    sha256: Digest
    rows: Number | None = None
    bytes: Number | None = None


class _Units(_Loose):
    """Origin of the labels of action units."""

    pseudo: str = ""
    lines: list[str] = Field(default_factory=list)


class _Runs(_Loose):
    """Marks by which runs of these data are recognised (`fgbench.reports.freshness`)."""

    digests: list[Digest] = Field(default_factory=list)
    division: str | None = None


class Index(_Loose):
    """Content of ``published.json``.

    Attributes:
        asked: The recipe as the user gave it, by which the data set is rebuilt.
        recipe: The recipe with everything that the data decided.
        models: SHA-256 of the model file that the recipe names, by name.
        annotators: Form of the names of annotators (:data:`fgbench.catalogue.pseudonyms.Names`).
        manifests: Tables of the work folder that it was made of.
    """

    kind: str
    format: int
    dataset: str
    synthetic: bool
    scheme: str | None
    classes: list[str]
    protocol: dict[str, Any]
    counts: dict[str, dict[str, Number]]
    asked: dict[str, Any]
    recipe: dict[str, Any]
    models: dict[str, Digest] = Field(default_factory=dict)
    units: _Units | None = None
    annotators: Literal["", "names", "salted", "unsalted"] = "names"
    provenance: dict[str, Any]
    manifests: dict[str, PublishedFile]
    runs: _Runs = Field(default_factory=_Runs)
    files: dict[Annotated[str, Field(pattern=f"^({_NAMES})$")], PublishedFile]

    @property
    def unit_source(self) -> UnitSource | None:
        """Origin of the labels of action units; ``None`` if there are none."""
        units = self.units
        return None if units is None else UnitSource(pseudo=units.pseudo, lines=tuple(units.lines))


def schema(table: str) -> pa.Schema:
    """Return the Arrow schema of one of the tables :data:`PARTED`: pixel digests in place of pictures."""
    import pyarrow as pa

    whole = records.schema(table)
    fields = [field for field in whole if field.name != "image"]
    return pa.schema([*fields, *([pa.field(PIXELS, pa.string())] if len(fields) < len(whole) else [])])


def files_schema() -> pa.Schema:
    """Return the Arrow schema of ``files.parquet``."""
    import pyarrow as pa

    return pa.schema([("path", pa.string()), ("sha256", pa.string()), ("bytes", pa.int64())])


def is_name(name: str) -> bool:
    """Return whether a file of a publication may have this name."""
    return re.fullmatch(_NAMES, name) is not None


def is_publication(folder: Path) -> bool:
    """Return whether a folder has the index of a publication."""
    return (folder / INDEX).is_file()


def read_index(folder: Path) -> Index:
    """Read the index of a publication; its files are not checked.

    Raises:
        ManifestError: If there is none, or it is damaged or of a newer format.
        ResourceError: If it may not be read, or is a link.
    """
    path = folder / INDEX
    _refuse_link(path)
    try:
        content = read_sealed(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(
            f"{folder} is no publication ({f'no {INDEX}' if folder.exists() else 'there is no such folder'})",
            "name a folder that fgbench publish has written",
        ) from error
    except ManifestError as error:
        raise ManifestError(error.message, _AGAIN) from error
    try:
        index = Index.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part)[:80] for part in first["loc"])
        raise ManifestError(
            f"{path} is no index of a publication ({where}: {first['msg']})", _AGAIN
        ) from error
    if index.kind != KIND or index.format > FORMAT:
        raise ManifestError(
            f"{path} is of {index.kind!r} format {index.format}, expected {KIND!r} format {FORMAT}",
            "update fgbench, or publish it again",
        )
    return index


def read_published(folder: Path) -> Index:
    """Read the index of a publication, and check its files against it.

    Raises:
        ManifestError: If there is no index, or a file is missing or not the listed one.
        ResourceError: If something is a link, or may not be read.
    """
    index = read_index(folder)
    for name, listed in sorted(index.files.items()):
        path = folder / name
        _refuse_link(path.parent)
        _refuse_link(path)
        if not path.is_file():
            raise ManifestError(f"{path} is missing", _AGAIN)
        with storage.readable(path):
            sha256 = digest_file(path)
        if sha256 != listed.sha256:
            raise ManifestError(f"{path} is damaged: its content is not that of the index", _AGAIN)
        if path.suffix == ".parquet":
            _check_columns(path, schema_of(name))
    missing = {ENTRIES, VOTES, FILES, REJECTS} - index.files.keys()
    if missing:
        raise ManifestError(f"{folder / INDEX} lists no {', '.join(sorted(missing))}", _AGAIN)
    return index


def schema_of(name: str) -> pa.Schema:
    """Return the Arrow schema of a file of a publication, a Parquet table."""
    table = name.partition("/")[0]
    if table in PARTED:
        return schema(table)
    if name == FILES:
        return files_schema()
    if name == COUNTED_VOTES:
        return records.schema("votes")
    return records.schema("published_rejects") if name == REJECTS else listed_schema(name)


def _check_columns(path: Path, wanted: pa.Schema) -> None:
    """Raise if a table lacks columns, but for those that earlier versions did not write, or has other types
    or nulls in them."""
    import pyarrow as pa

    needed = [name for name in wanted.names if name not in _LATER]
    with storage.open_table(path, needed, hint=_AGAIN) as file:
        there = pa.schema([field for field in wanted if field.name in file.schema_arrow.names])
        check_types(path, file.schema_arrow, there, hint=_AGAIN)
    filled = storage.read_table(path, [name for name in wanted.names if name in _NEVER_EMPTY], hint=_AGAIN)
    empty = [name for name in filled.column_names if filled[name].null_count]
    if "split" in wanted.names:
        parts = set(storage.read_table(path, ["split"], hint=_AGAIN)["split"].to_pylist())
        empty += ["split"] if parts - {*SPLITS, None} else []
    if empty:
        raise ManifestError(
            f"{path} has rows without a value that can be in {', '.join(empty)}, expected one in each", _AGAIN
        )


def recipe_of(index: Index, *, resolved: bool) -> PrepareConfig:
    """Return the recipe of a publication, without the model file that it names.

    Args:
        index: Its index.
        resolved: Whether to take the recipe with everything that the data decided, or as the user gave it.

    Raises:
        ManifestError: If it is not valid, or names files elsewhere.
    """
    recipe = dict(index.asked)
    if resolved:  # but for the label set, which stays as given: "found" finds the same again
        recipe = {**index.recipe, "dataset": index.asked.get("dataset", {})}
    if isinstance(recipe.get("faces"), Mapping):
        recipe["faces"] = {**recipe["faces"], "detector_model": None}
    try:
        config = PrepareConfig.model_validate(in_current_form(recipe))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise ManifestError(
            f"the recipe of the publication is not valid ({where}: {first['msg']})", "update fgbench"
        ) from error
    fold_file = config.protocol.fold_file
    if fold_file is not None and Path(fold_file).name != fold_file:
        raise ManifestError(
            f"the recipe of the publication names the fold file {fold_file!r}, expected a name without "
            "folders",
            _AGAIN,
        )
    return config


def parts_of(folder: Path, table: str) -> list[Path]:
    """Return the existing files of one of the tables :data:`PARTED`, in the order of the parts."""
    paths = (folder / table / f"{part}.parquet" for part in SPLITS)
    return [path for path in paths if path.is_file()]


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise ResourceError(f"{path} is a link, expected a file or folder of a publication", _AGAIN)
