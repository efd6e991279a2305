"""Stages, buckets and fingerprints: what has to be done, and what is done already.

Clips are hashed into a fixed number of buckets. The outcome of a stage for a bucket is a set of Parquet
files and a *marker*, a small JSON file that is written last and tells their digests. All of them bear a
fingerprint in their names: the hash of the stage's name and version, of the recipe's section that the stage
reads, of its plan for the bucket, and of the digests of its inputs. What exists is never computed again and
never changed, so a run may be killed at any instant and be continued, and one worker and many give the same
bytes.

Layout of a work folder::

    stages/<stage>/<bucket>-<fingerprint>.json              marker, written last
    stages/<stage>/<bucket>-<fingerprint>.<output>.parquet  rows
    stages/<stage>/<bucket>-<fingerprint>.rejects.parquet   items that could not be used, with the reason
    plans/<stage>-<fingerprint>.json                        decisions that need all buckets at once
    manifests/                                              what users read; see fgbench.stages.publish
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import plugins, records, storage
from fgbench.catalogue.stamps import Stamp
from fgbench.config import PrepareConfig, Section
from fgbench.errors import WorkerError
from fgbench.hashing import digest_file, digest_json
from fgbench.records import ClipEntry, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = ("lbp", "dense_trajectories", "optical_flow")
"""Stages of features; a recipe may leave them out. Their tables are published under ``features/``."""

ORDER = ("ingest", "consensus", "split", "sample", "faces", "audit", "augment", *FEATURES)
"""Stages that work bucket by bucket, in their order; ``publish`` follows them."""

ROWS = "rows"
"""Name of the output of a stage that has only one."""

CHANGED = "changed_meanwhile"
"""Reason of an item whose file was exchanged while the stages were at work."""

REJECTS = "rejects"
"""Name of the output that lists what could not be used."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An item that a stage could use, and its rows.

    Attributes:
        item_id: Id of the item (a clip id).
        rows: Rows of the output table; consumed once, as a stream.
        output: Name of the output table.
    """

    item_id: str
    rows: Iterable[Mapping[str, Any]]
    output: str = ROWS


Outcome = Accepted | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All that a worker needs to run one stage on one bucket.

    Attributes:
        stage: Name of the stage.
        bucket: Number of the bucket.
        fingerprint: Identity of the result.
        workdir: The work folder.
        root: Root of the data set.
        dataset: Name of the data set, for the manifests.
        scheme: Name of its label set.
        config: The stage's section of the recipe.
        inputs: Stage name to output name to file.
        entries: Clips of the bucket as the adapter lists them (only for the first stage).
        stamps: States of their files when it was decided to read them, in the same order.
        plan: What :attr:`Stage.plan` decided for this bucket.
    """

    stage: str
    bucket: int
    fingerprint: str
    workdir: Path
    root: Path
    dataset: str
    scheme: str
    config: Section
    inputs: Mapping[str, Mapping[str, Path]]
    entries: tuple[ClipEntry, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    plan: Any = None

    def rows(
        self, stage: str, output: str = ROWS, columns: list[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Rows of an input table of this bucket, streamed in their order."""
        path = self.inputs.get(stage, {}).get(output)
        return storage.read_rows(path, columns) if path is not None else iter(())

    def by_clip(self, stage: str, output: str = ROWS) -> dict[str, dict[str, Any]]:
        """Input table of this bucket with one row per clip, by clip id."""
        return {row["clip_id"]: row for row in self.rows(stage, output)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of ``fgbench prepare``; the module ``fgbench/stages/<name>.py`` holds it as ``STAGE``.

    Attributes:
        name: Name of the stage, of its module and of its section in the recipe.
        version: To be raised when the same input and recipe give other rows than before.
        inputs: Stages whose tables it reads; the clips of the first are the items to accept or reject.
        outputs: Output name to table name in :func:`fgbench.records.schema`.
        run: Computes the outcomes of a bucket, ordered by item id.
        plan: Decides for all buckets at once what each has to do; gets the recipe's section and the input
            files of every bucket, returns a JSON-able value per bucket. ``None`` where buckets are
            independent.
        files: Further files that the result depends on, e.g. model weights named in the recipe.
        width: Length of the vectors of the output table, where it is a choice of the recipe.
        enabled: Whether the recipe wants the stage; ``None`` is always.
    """

    name: str
    version: int
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    run: Callable[[Task], Iterator[Outcome]]
    plan: Callable[[Any, Mapping[int, Mapping[str, Mapping[str, Path]]]], Mapping[int, Any]] | None = None
    files: Callable[[Any], Sequence[Path]] | None = None
    width: Callable[[Any], int] | None = None
    enabled: Callable[[Any], bool] | None = None

    def is_enabled(self, recipe: PrepareConfig) -> bool:
        """Whether the recipe wants this stage."""
        return self.enabled is None or self.enabled(self.config(recipe))

    def config(self, recipe: PrepareConfig) -> Section:
        """The section of the recipe that this stage reads."""
        section: Section = getattr(recipe, self.name)
        return section


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What is known of a finished bucket of a stage, as stored in its JSON file.

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
        """Whether nothing was rejected for what is over when nobody writes to the data set any more."""
        return CHANGED not in self.reasons

    @property
    def identity(self) -> str:
        """The fingerprint; marked where the result is not final, since the final one has the same."""
        return self.fingerprint if self.is_final else f"{self.fingerprint}-{CHANGED}"

    def digests(self) -> dict[str, str]:
        """Output name to digest, rejects left out: what later stages depend on."""
        return {name: str(out["sha256"]) for name, out in sorted(self.outputs.items()) if name != REJECTS}

    def files(self, folder: Path) -> dict[str, Path]:
        """Output name to file, for outputs with rows."""
        return {name: folder / out["file"] for name, out in self.outputs.items() if out["rows"]}


def stages() -> list[Stage]:
    """The stages in their order."""
    return [plugins.load("stages", name).STAGE for name in ORDER]


def stage_folder(workdir: Path, stage: str) -> Path:
    """Folder of a stage's results."""
    return workdir / "stages" / stage


def _stem(bucket: int, fingerprint: str) -> str:
    return f"{bucket:05d}-{fingerprint[:20]}"


def find_marker(workdir: Path, stage: str, bucket: int, fingerprint: str) -> Marker | None:
    """Marker of a finished bucket, or ``None`` if it is not done or some of its files are gone."""
    folder = stage_folder(workdir, stage)
    try:
        raw = storage.read_json(folder / f"{_stem(bucket, fingerprint)}.json")
    except FileNotFoundError:
        return None
    marker = Marker(**raw)
    for output in marker.outputs.values():
        try:
            size = (folder / output["file"]).stat().st_size
        except FileNotFoundError:
            return None
        if size != output["bytes"]:
            return None
    return marker


def forget(workdir: Path, marker: Marker, stage: str) -> None:
    """Make a finished bucket count as not done."""
    marker_files(stage_folder(workdir, stage), marker)[-1].unlink(missing_ok=True)


def marker_files(folder: Path, marker: Marker) -> list[Path]:
    """All files of a finished bucket, its marker among them."""
    names = [str(output["file"]) for output in marker.outputs.values()]
    return [folder / name for name in (*names, f"{_stem(marker.bucket, marker.fingerprint)}.json")]


def fingerprint(
    stage: Stage,
    section: Section,
    inputs: Mapping[str, Mapping[str, str]],
    *,
    source: str = "",
    plan: Any = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """Identity of a stage's result for a bucket (SHA-256, hex).

    Args:
        stage: The stage.
        section: Its section of the recipe.
        inputs: Stage name to digests of its outputs for this bucket.
        source: Digest of what the adapter lists, for the first stage.
        plan: The stage's plan for this bucket.
        files: Digests of further files.
    """
    return digest_json(
        {
            "stage": stage.name,
            "version": stage.version,
            "section": section.model_dump(mode="json"),
            "inputs": {name: dict(digests) for name, digests in inputs.items()},
            "source": source,
            "plan": plan,
            "files": dict(files or {}),
        }
    )


def execute(task: Task) -> Marker:
    """Run one stage on one bucket and write its files; the work of a worker process.

    Raises:
        FgbenchError: As the stage and the file system raise.
        WorkerError: If the stage does not accept or reject each item exactly once.
    """
    stage: Stage = plugins.load("stages", task.stage).STAGE
    folder = stage_folder(task.workdir, task.stage)
    stem = _stem(task.bucket, task.fingerprint)
    tables = {**stage.outputs, REJECTS: "rejects"}
    writers: dict[str, storage.TableWriter] = {}
    accepted: set[str] = set()
    rejected: dict[str, str] = {}
    try:
        for output, table in tables.items():
            path = folder / f"{stem}.{output}.parquet"
            width = stage.width(task.config) if stage.width else 0
            writers[output] = storage.TableWriter(path, records.schema(table, width))
        for outcome in stage.run(task):
            if outcome.item_id in accepted or outcome.item_id in rejected:
                raise WorkerError(
                    f"stage {task.stage} gave {outcome.item_id!r} twice", "this is a fault of fgbench"
                )
            if isinstance(outcome, Rejected):
                rejected[outcome.item_id] = outcome.reason
                row = {"id": outcome.item_id, "stage": task.stage}
                writers[REJECTS].add({**row, "reason": outcome.reason, "detail": outcome.detail})
            else:
                accepted.add(outcome.item_id)
                for item in outcome.rows:
                    writers[outcome.output].add(item)
        missing = _item_ids(task, stage) ^ (accepted | rejected.keys())
        if missing:
            raise WorkerError(
                f"stage {task.stage} neither accepted nor rejected {sorted(missing)[:3]}",
                "this is a fault of fgbench",
            )
        for writer in writers.values():
            writer.close()
    except BaseException:
        for writer in writers.values():
            writer.discard()
        raise
    outputs = {output: _describe(writer) for output, writer in writers.items()}
    marker = Marker(
        bucket=task.bucket,
        fingerprint=task.fingerprint,
        outputs=outputs,
        accepted=len(accepted),
        reasons=dict(sorted(Counter(rejected.values()).items())),
    )
    content = {name: getattr(marker, name) for name in Marker.__dataclass_fields__}
    storage.write_json(folder / f"{stem}.json", content)
    return marker


def _item_ids(task: Task, stage: Stage) -> set[str]:
    if not stage.inputs:
        return {entry.clip_id for entry in task.entries}
    return {row["clip_id"] for row in task.rows(stage.inputs[0], columns=["clip_id"])}


def _describe(writer: storage.TableWriter) -> dict[str, Any]:
    path = writer.path
    return {
        "file": path.name,
        "sha256": digest_file(path),
        "rows": writer.rows,
        "bytes": path.stat().st_size,
    }


def read_table(paths: Iterable[Path], columns: list[str] | None = None) -> pa.Table:
    """Several Parquet files of one schema as one Arrow table, in the order given."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa.concat_tables([pq.read_table(path, columns=columns) for path in paths])
