"""The tables of the manifests, written part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import storage
from fgbench.config import PrepareConfig
from fgbench.errors import ResourceError
from fgbench.files.hashing import digest_file
from fgbench.preparation import pipeline
from fgbench.preparation.pipeline import ROWS, stage_folder
from fgbench.preparation.stages import _tables as tables
from fgbench.preparation.stages._hard_digest import hard_digest
from fgbench.preparation.stages._tables import Finished
from fgbench.records import SPLITS
from fgbench.workfolders.layout import MANIFESTS

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
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


def parts_of(config: PrepareConfig, finished: Finished) -> list[Part]:
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
                Part(
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
                Part(stage=name, bucket=0, described=None, schema=schema, name=pattern.format(0))
            ]
    return sorted(parts, key=lambda part: part.name)


def write_parts(
    workdir: Path,
    parts: Sequence[Part],
    dropped: Mapping[int, list[str]],
    earlier: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Link or copy the tables of buckets into the manifests; return name to digest and rows.

    Tables with rows of dropped clips are copied without them; those of ``augment`` have none.

    Args:
        workdir: The work folder.
        parts: The tables.
        dropped: Clips to leave out, by bucket.
        earlier: Files of the index of the earlier manifests.
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
        if part.stage == "augment":
            files[part.name] |= hard_digest(target, sha256, earlier.get(part.name))
    return files
