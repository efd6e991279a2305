"""Markers of finished buckets and plans of stages: the JSON of a work folder that records finished work.

Both are sealed (`fgbench.workfolders.sealed_json`) and checked when they are read; damaged ones count as not
done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from fgbench.errors import ManifestError
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

CHANGED = "changed_meanwhile"
"""Reason of an item whose file changed while the stages were at work."""

REJECTS = "rejects"
"""Name of the output that lists rejected items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A finished bucket of a stage, as stored in its JSON file.

    Attributes:
        bucket: Number of the bucket.
        fingerprint: Identity of the result.
        outputs: Output name (and ``"rejects"``) to ``{"file", "sha256", "rows", "bytes"}``.
        accepted: Number of accepted items.
        reasons: Reject reason to number of items.
    """

    bucket: int
    fingerprint: str
    outputs: Mapping[str, Mapping[str, Any]]
    accepted: int
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """Number of rejected items."""
        return sum(self.reasons.values())

    @property
    def is_final(self) -> bool:
        """Return whether no item was rejected because the data set changed meanwhile."""
        return CHANGED not in self.reasons

    def digests(self) -> dict[str, str]:
        """Output name to digest, without rejects: the digests that later stages depend on."""
        return {name: str(out["sha256"]) for name, out in sorted(self.outputs.items()) if name != REJECTS}

    def files(self, folder: Path) -> dict[str, Path]:
        """Output name to file, for outputs with rows."""
        return {name: folder / out["file"] for name, out in self.outputs.items() if out["rows"]}

    def contents(self, stage: str) -> dict[str, str]:
        """Path of each file from the work folder, with ``/``, to the digest of its content."""
        return {f"stages/{stage}/{out['file']}": str(out["sha256"]) for out in self.outputs.values()}


_Number = Annotated[int, Field(ge=0, lt=1 << 62)]


class _Output(BaseModel):
    """A file of a finished bucket, as its marker describes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    rows: _Number
    bytes: _Number


class _MarkerFile(BaseModel):
    """Content of a marker."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bucket: _Number
    fingerprint: str
    outputs: dict[str, _Output]
    accepted: _Number
    reasons: dict[str, _Number]


def stage_folder(workdir: Path, stage: str) -> Path:
    """Folder of a stage's results."""
    return workdir / "stages" / stage


def stem(bucket: int, fingerprint: str) -> str:
    """Common beginning of the names of all files of a bucket."""
    return f"{bucket:05d}-{fingerprint[:20]}"


def load_marker(workdir: Path, stage: str, bucket: int, fingerprint: str) -> Marker:
    """Load the marker of a finished bucket and check that its files exist in the recorded sizes.

    Raises:
        FileNotFoundError: If the bucket is not done.
        ManifestError: If the marker is damaged or no marker, or a file is missing or has another size.
        ResourceError: If something may not be read.
    """
    folder, begin = stage_folder(workdir, stage), stem(bucket, fingerprint)
    path = folder / f"{begin}.json"
    raw = read_sealed(path)
    again = "run fgbench prepare again: it computes the bucket anew"
    try:
        _MarkerFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part)[:80] for part in first["loc"])
        raise ManifestError(f"{path} is no marker ({where}: {first['msg']})", again) from error
    marker = Marker(**raw)
    names = {name: f"{begin}.{name}.parquet" for name in marker.outputs}
    described = {name: output["file"] for name, output in marker.outputs.items()}
    if (marker.bucket, marker.fingerprint, described) != (bucket, fingerprint, names):
        raise ManifestError(f"{path} is the marker of another bucket", again)
    for output in marker.outputs.values():
        file = folder / output["file"]
        try:
            size = file.stat().st_size
        except FileNotFoundError as error:
            raise ManifestError(f"{file} is missing", again) from error
        if size != output["bytes"]:
            raise ManifestError(f"{file} has {size} bytes, its marker says {output['bytes']}", again)
    return marker


def find_marker(workdir: Path, stage: str, bucket: int, fingerprint: str) -> Marker | None:
    """Marker of a finished bucket, or ``None`` if it is not done or :func:`load_marker` finds a fault."""
    try:
        return load_marker(workdir, stage, bucket, fingerprint)
    except (FileNotFoundError, ManifestError):
        return None


def marker_path(workdir: Path, stage: str, bucket: int, fingerprint: str) -> Path:
    """Path of the marker of a bucket, whether it exists or not."""
    return stage_folder(workdir, stage) / f"{stem(bucket, fingerprint)}.json"


def write_marker(workdir: Path, stage: str, marker: Marker) -> None:
    """Record that a bucket is done.

    Raises:
        ResourceError: If it cannot be written.
    """
    content = {name: getattr(marker, name) for name in Marker.__dataclass_fields__}
    write_sealed(marker_path(workdir, stage, marker.bucket, marker.fingerprint), content)


def marker_files(folder: Path, marker: Marker) -> list[Path]:
    """All files of a finished bucket, its marker included."""
    names = [str(output["file"]) for output in marker.outputs.values()]
    return [folder / name for name in (*names, f"{stem(marker.bucket, marker.fingerprint)}.json")]


def read_plan(path: Path, buckets: Iterable[int], shape: Any) -> dict[int, Any]:
    """Read a stage's plan for some buckets, written by :func:`write_plan`.

    Args:
        path: The file.
        buckets: The buckets.
        shape: Type of the plan of a bucket (:attr:`fgbench.preparation.pipeline.Stage.plan_shape`).

    Raises:
        FileNotFoundError: If it was not made yet.
        ManifestError: If it is damaged, of other buckets or of another shape.
        ResourceError: If it may not be read.
    """
    plans = read_sealed(path).get("plans")
    again = "run fgbench prepare again: it makes it anew"
    if not isinstance(plans, dict) or sorted(plans) != sorted(map(str, buckets)):
        raise ManifestError(f"{path} is not the plan of its buckets", again)
    try:
        TypeAdapter(list[shape]).validate_python(list(plans.values()), strict=True)
    except ValidationError as error:
        raise ManifestError(f"{path} is no plan of its stage", again) from error
    return {int(bucket): plan for bucket, plan in plans.items()}


def write_plan(path: Path, plans: Mapping[int, Any]) -> None:
    """Write a stage's plan, so that an unchanged run need not read the tables that it follows from.

    Raises:
        ResourceError: If it cannot be written.
    """
    write_sealed(path, {"plans": {str(bucket): plan for bucket, plan in plans.items()}})
