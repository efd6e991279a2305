"""Tables that a publication has of the manifests: clips, faces and images, with digests for pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench import storage
from fgbench.files.parquet_files import open_parquet
from fgbench.preparation.engines.local import Runner
from fgbench.publication import layout
from fgbench.publication.pixels import table_digests
from fgbench.records import SPLITS
from fgbench.workfolders.layout import MANIFESTS

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 4096
"""Rows of a row group; without pictures they are small."""


def write_tables(workdir: Path, target: Path, names: Sequence[str], runner: Runner) -> dict[str, int]:
    """Write clips, faces and images of a work folder without their pictures.

    Args:
        workdir: Work folder with complete manifests.
        target: Folder of the publication.
        names: Files of its manifests, as their index lists them.
        runner: Computes digests of pixels.

    Returns:
        Number of rows by name of each file that has any.

    Raises:
        ManifestError: If the manifests are damaged.
        ResourceError: If the tables cannot be written.
    """
    manifests = workdir / MANIFESTS
    clips = storage.read_table(manifests / "clips.parquet", layout.schema("clips").names)
    part_of = dict(zip(clips["clip_id"].to_pylist(), clips["split"].to_pylist(), strict=True))
    rows = {}
    with _written(target, "clips") as parts:
        parts.add(clips, clips["split"].to_pylist())
    rows.update(parts.rows)
    for table in ("faces", "images"):
        paths = [manifests / name for name in sorted(names) if name.startswith(f"{table}/")]
        digests = dict(runner(table_digests, paths))
        with _written(target, table) as parts:
            for path in paths:
                _copy(path, digests[str(path)], part_of, parts)
        rows.update(parts.rows)
    return rows


class _Parts:
    """Writers of the files of a table, each opened with its first row."""

    def __init__(self, target: Path, table: str) -> None:
        self.rows: dict[str, int] = {}
        self._target = target
        self._table = table
        self._schema = layout.schema(table)
        self._writers: dict[str, storage.TableWriter] = {}

    def add(self, rows: pa.Table, parts: Sequence[str | None]) -> None:
        """Add rows to the files of their parts; those without a part are left out."""
        import pyarrow as pa

        chosen = rows.select(self._schema.names).cast(self._schema)
        for part in SPLITS:
            mask = [one == part for one in parts]
            if any(mask):
                self._writer(part).add_table(chosen.filter(pa.array(mask)))

    def _writer(self, part: str) -> storage.TableWriter:
        if part not in self._writers:
            path = self._target / self._table / f"{part}.parquet"
            self._writers[part] = storage.TableWriter(path, self._schema)
        return self._writers[part]

    def close(self) -> None:
        """Finish the files."""
        for part, writer in self._writers.items():
            writer.close()
            self.rows[f"{self._table}/{part}.parquet"] = writer.rows

    def discard(self) -> None:
        """Discard the files that are not finished."""
        for writer in self._writers.values():
            writer.discard()


@contextmanager
def _written(target: Path, table: str) -> Iterator[_Parts]:
    parts = _Parts(target, table)
    try:
        yield parts
        parts.close()
    except BaseException:
        parts.discard()
        raise


def _copy(path: Path, digests: Sequence[str | None], part_of: Mapping[str, str], parts: _Parts) -> None:
    """Copy the rows of a table without their pictures."""
    import pyarrow as pa

    with storage.parquet_explained(path, storage.AGAIN), open_parquet(path) as file:
        columns = [name for name in file.schema_arrow.names if name != "image"]
        start = 0
        for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=columns):
            rows = pa.Table.from_batches([batch])
            pixels = pa.array(digests[start : start + rows.num_rows], pa.string())
            start += rows.num_rows
            rows = rows.append_column(layout.PIXELS, pixels)
            parts.add(rows, [part_of.get(clip_id) for clip_id in rows["clip_id"].to_pylist()])
