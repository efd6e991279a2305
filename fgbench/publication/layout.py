"""What a publication consists of, and its index ``published.json``.

::

    README.md               data card, with a YAML header as the Hub reads it
    published.json          index: digest and size of every file, the recipe, versions; written last
    recipe.yaml             the resolved recipe, for people
    entries.parquet         clips as the data set lists them, with labels as they are written there
    votes.parquet           annotators' votes
    action_units.parquet    labels of action units
    files.parquet           path, SHA-256 and size of every file of the data set that is used
    clips/<part>.parquet    usable clips
    faces/<part>.parquet    sampled frames: boxes, landmarks, transforms, poses, statuses, digests of pixels
    images/<part>.parquet   the image set and how its copies were made, with digests of pixels
    rejects.parquet, reannotate.csv, folds/<protocol>.csv

A table that would have no row is left out. Nothing of it is a picture, and no path in it is absolute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench import records, storage
from fgbench.catalogue.carried_listing import ACTION_UNITS as ACTION_UNITS
from fgbench.catalogue.carried_listing import ENTRIES as ENTRIES
from fgbench.catalogue.carried_listing import VOTES as VOTES
from fgbench.catalogue.carried_listing import listed_schema
from fgbench.config import PrepareConfig
from fgbench.config.earlier import in_todays_words
from fgbench.errors import ManifestError, ResourceError
from fgbench.files.hashing import digest_file
from fgbench.records import SPLITS, UnitSource
from fgbench.workfolders.manifest_index import Digest, Number
from fgbench.workfolders.sealed_json import read_sealed

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "published.json"
PREVIOUS = f"{INDEX}.previous"
"""List of the files of ours while the index is being replaced."""
CARD, RECIPE, FILES, REJECTS, REANNOTATE = (
    "README.md",
    "recipe.yaml",
    "files.parquet",
    "rejects.parquet",
    "reannotate.csv",
)
KIND, FORMAT = "publication of fgbench", 1
PARTED = ("clips", "faces", "images")
"""Tables that lie in a file for each part."""
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
"""Columns that have a value in every row of the tables that have them."""

_NAMES = (
    rf"README\.md|recipe\.yaml|reannotate\.csv|(entries|votes|action_units|files|rejects)\.parquet|"
    rf"({'|'.join(PARTED)})/({'|'.join(SPLITS)})\.parquet|folds/[A-Za-z0-9_][A-Za-z0-9_.-]*\.csv"
)
_AGAIN = "get the publication again, or publish it again: fgbench publish WORKDIR OUT --without-pixels"


class _Loose(BaseModel):
    """Part of the index; further keys are for other readers."""

    model_config = ConfigDict(extra="allow", strict=True)


class PublishedFile(_Loose):
    """A file of the publication, or a table of the manifests that it was made of."""

    sha256: Digest
    rows: Number | None = None
    bytes: Number | None = None


class _Units(_Loose):
    """How labels of action units were made."""

    pseudo: str = ""
    lines: list[str] = Field(default_factory=list)


class _Runs(_Loose):
    """By what runs of these data are known (`fgbench.reports.freshness`)."""

    digests: list[Digest] = Field(default_factory=list)
    division: str | None = None


class Index(_Loose):
    """Content of ``published.json``.

    Attributes:
        asked: The recipe as it was asked for, by which the data set is made again.
        recipe: The recipe with all that the data decided.
        models: Name of a model file that the recipe names to its SHA-256.
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
    provenance: dict[str, Any]
    manifests: dict[str, PublishedFile]
    runs: _Runs = Field(default_factory=_Runs)
    files: dict[Annotated[str, Field(pattern=f"^({_NAMES})$")], PublishedFile]

    @property
    def unit_source(self) -> UnitSource | None:
        """How labels of action units were made; ``None`` where there are none."""
        if self.units is None:
            return None
        return UnitSource(pseudo=self.units.pseudo, lines=tuple(self.units.lines))


def schema(table: str) -> pa.Schema:
    """Arrow schema of one of the tables :data:`PARTED`: as in the manifests, pixels' digest for the picture.

    Args:
        table: Its name.
    """
    import pyarrow as pa

    whole = records.schema(table)
    fields = [field for field in whole if field.name != "image"]
    return pa.schema([*fields, *([pa.field(PIXELS, pa.string())] if len(fields) < len(whole) else [])])


def files_schema() -> pa.Schema:
    """Arrow schema of ``files.parquet``."""
    import pyarrow as pa

    return pa.schema([("path", pa.string()), ("sha256", pa.string()), ("bytes", pa.int64())])


def is_name(name: str) -> bool:
    """Whether a file of a publication may be called so."""
    return re.fullmatch(_NAMES, name) is not None


def is_publication(folder: Path) -> bool:
    """Whether a folder has the index of a publication."""
    return (folder / INDEX).is_file()


def read_index(folder: Path) -> Index:
    """Index of a publication; its files are not looked at.

    Raises:
        ManifestError: If there is none, or it is damaged or of a newer format.
        ResourceError: If it may not be read, or is a link.
    """
    path = folder / INDEX
    _refuse_link(path)
    try:
        told = read_sealed(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(
            f"{folder} is no publication (no {INDEX})",
            "name a folder that fgbench publish has written",
        ) from error
    except ManifestError as error:
        raise ManifestError(error.message, _AGAIN) from error
    try:
        index = Index.model_validate(told)
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
    """Index of a publication whose files all are what it says.

    Raises:
        ManifestError: If there is none, or a file is missing, another, or a link.
        ResourceError: If something may not be read.
    """
    index = read_index(folder)
    for name, told in sorted(index.files.items()):
        path = folder / name
        for place in (path.parent, path):
            _refuse_link(place)
        if not path.is_file():
            raise ManifestError(f"{path} is missing", _AGAIN)
        with storage.readable(path):
            found = digest_file(path)
        if found != told.sha256:
            raise ManifestError(f"{path} is damaged: its content is not that of the index", _AGAIN)
        if path.suffix == ".parquet":
            _check_columns(path, _schema_of(name))
    missing = {ENTRIES, VOTES, FILES, REJECTS} - index.files.keys()
    if missing:
        raise ManifestError(f"{folder / INDEX} lists no {', '.join(sorted(missing))}", _AGAIN)
    return index


def _schema_of(name: str) -> pa.Schema:
    table = name.partition("/")[0]
    if table in PARTED:
        return schema(table)
    if name == FILES:
        return files_schema()
    return records.schema("published_rejects") if name == REJECTS else listed_schema(name)


def _check_columns(path: Path, wanted: pa.Schema) -> None:
    """Raise if a table lacks columns, has them of other types, or rows that do not tell what they are of."""
    with storage.open_table(path, wanted.names, hint=_AGAIN) as file:
        there = file.schema_arrow
    odd = [field.name for field in wanted if there.field(field.name).type != field.type]
    if odd:
        raise ManifestError(f"{path} has columns of other types than expected: {', '.join(odd)}", _AGAIN)
    named = storage.read_table(path, [name for name in wanted.names if name in _NEVER_EMPTY], hint=_AGAIN)
    empty = [name for name in named.column_names if named[name].null_count]
    if "split" in wanted.names:
        parts = set(storage.read_table(path, ["split"], hint=_AGAIN)["split"].to_pylist())
        empty += ["split"] if parts - {*SPLITS, None} else []
    if empty:
        raise ManifestError(
            f"{path} has rows without a value that can be in {', '.join(empty)}, expected one in each", _AGAIN
        )


def recipe_of(index: Index, *, resolved: bool) -> PrepareConfig:
    """The recipe of a publication, without the model file that it names.

    Args:
        index: Its index.
        resolved: Whether with all that the data decided; else as it was asked for.

    Raises:
        ManifestError: If it is none, or names files elsewhere.
    """
    told = dict(index.asked)
    if resolved:  # but for the label set, which stays what was asked for: "found" finds the same again
        told = {**index.recipe, "dataset": index.asked.get("dataset", {})}
    if isinstance(told.get("faces"), Mapping):
        told["faces"] = {**told["faces"], "detector_model": None}
    try:
        config = PrepareConfig.model_validate(in_todays_words(told))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise ManifestError(
            f"the recipe of the publication is not valid ({where}: {first['msg']})", "update fgbench"
        ) from error
    named = config.protocol.fold_file
    if named is not None and Path(named).name != named:
        raise ManifestError(
            f"the recipe of the publication names the fold file {named!r}, expected a name without folders",
            _AGAIN,
        )
    return config


def parts_of(folder: Path, table: str) -> list[Path]:
    """Files of one of the tables :data:`PARTED` that there are, in the order of the parts."""
    paths = (folder / table / f"{part}.parquet" for part in SPLITS)
    return [path for path in paths if path.is_file()]


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise ResourceError(f"{path} is a link, expected a file or folder of a publication", _AGAIN)
