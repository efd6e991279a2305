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
    stages/<stage>/<bucket>-<fingerprint>.in-hand           item in work; left by a process that dies
    logs/failed_items.log                                   tracebacks of items that failed
    plans/<stage>-<fingerprint>.json                        decisions that need all buckets at once
    manifests/                                              what users read; see fgbench.stages.publish
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import plugins, records, storage
from fgbench.config import PrepareConfig, Section
from fgbench.errors import WorkerError
from fgbench.failures import TRANSIENT, WORKER_DIED, keep_traceback, reason_and_detail, writable
from fgbench.hashing import digest_file, digest_json
from fgbench.item_tables import ItemTables
from fgbench.records import ClipEntry, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = ("lbp", "dense_trajectories", "optical_flow")
"""Stages of features; a recipe may leave them out. Their tables are published under ``features/``."""

ORDER = ("ingest", "consensus", "split", "sample", "faces", "audit", "augment", *FEATURES)
"""Stages that work bucket by bucket, in their order; ``publish`` follows them."""

ROWS = "rows"
"""Name of the output of a stage that has only one."""

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


@dataclass(frozen=True, slots=True)
class Item:
    """An item that a stage can work on, and how.

    What the work raises, also while the rows of its outcome are made, makes a reject of this item alone
    (`fgbench.failures`).

    Attributes:
        item_id: Id of the item (a clip id).
        work: Works on it; called at once, before the next item is asked for.
    """

    item_id: str
    work: Callable[[], Outcome]


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
        plan: What :attr:`Stage.plan` decided for this bucket.
        fatal: Items at which worker processes died, and how in words; they are rejected without a try.
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
    plan: Any = None
    fatal: Mapping[str, str] = field(default_factory=dict)

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
        run: Lists the items of a bucket, ordered by their ids, each with the work that it takes. Whatever may
            fail for one item alone belongs into its work.
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
    run: Callable[[Task], Iterator[Item]]
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
        FgbenchError: As the stage and the file system raise, where it concerns more than one item.
        WorkerError: If the stage does not list each item exactly once.
    """
    stage: Stage = plugins.load("stages", task.stage).STAGE
    folder = stage_folder(task.workdir, task.stage)
    stem = _stem(task.bucket, task.fingerprint)
    width = stage.width(task.config) if stage.width else 0
    tables = ItemTables(
        {output: folder / f"{stem}.{output}.parquet" for output in stage.outputs},
        {output: records.schema(table, width) for output, table in stage.outputs.items()},
    )
    rejected: dict[str, Rejected | None] = {}
    try:
        with _noted(task) as take_in_hand:
            for item in stage.run(task):
                if item.item_id in rejected:
                    raise WorkerError(
                        f"stage {task.stage} gave {item.item_id!r} twice", "this is a fault of fgbench"
                    )
                take_in_hand(item.item_id)
                rejected[item.item_id] = _work_on(item, task, tables)
        missing = _item_ids(task, stage) ^ rejected.keys()
        if missing:
            raise WorkerError(
                f"stage {task.stage} neither accepted nor rejected {sorted(missing)[:3]}",
                "this is a fault of fgbench",
            )
        writers = tables.close()
        for item_id, error in tables.unwritable.items():
            rejected[item_id] = rejected[item_id] or _failed(item_id, task, error)
    except BaseException:
        tables.discard()
        raise
    left_out = [reject for reject in rejected.values() if reject is not None]
    writers[REJECTS] = _write_rejects(folder / f"{stem}.{REJECTS}.parquet", task.stage, left_out)
    marker = Marker(
        bucket=task.bucket,
        fingerprint=task.fingerprint,
        outputs={output: _describe(writer) for output, writer in writers.items()},
        accepted=len(rejected) - len(left_out),
        reasons=dict(sorted(Counter(reject.reason for reject in left_out).items())),
    )
    content = {name: getattr(marker, name) for name in Marker.__dataclass_fields__}
    storage.write_json(folder / f"{stem}.json", content)
    return marker


def _work_on(item: Item, task: Task, tables: ItemTables) -> Rejected | None:
    """Work on one item and write its rows; returns why it cannot be used, ``None`` if it can."""
    if item.item_id in task.fatal:
        return Rejected(
            item.item_id, WORKER_DIED, f"the process that worked on it {task.fatal[item.item_id]}"
        )
    try:
        outcome = item.work()
        if isinstance(outcome, Rejected):
            return outcome
        for row in outcome.rows:
            tables.add(item.item_id, outcome.output, row)
    except Exception as error:
        tables.drop(item.item_id)
        return _failed(item.item_id, task, error)
    return None


def _failed(item_id: str, task: Task, error: Exception) -> Rejected:
    reason, detail = reason_and_detail(error, [task.workdir, task.root])
    if reason in TRANSIENT:
        keep_traceback(task.workdir, f"{item_id} in stage {task.stage}", error)
    return Rejected(item_id, reason, detail)


def _write_rejects(path: Path, stage: str, left_out: Sequence[Rejected]) -> storage.TableWriter:
    writer = storage.TableWriter(path, records.schema("rejects"))
    try:
        for reject in left_out:
            row = {"id": writable(reject.item_id), "stage": stage, "reason": reject.reason}
            writer.add({**row, "detail": writable(reject.detail)})
        writer.close()
    except BaseException:
        writer.discard()
        raise
    return writer


def _in_hand(task: Task) -> Path:
    """File that names the item that is worked on, so that it is known what killed a process."""
    return stage_folder(task.workdir, task.stage) / f"{_stem(task.bucket, task.fingerprint)}.in-hand"


@contextmanager
def _noted(task: Task) -> Iterator[Callable[[str], None]]:
    """A function that notes which item is worked on; the note stays only if this process dies."""
    path = _in_hand(task)
    with storage.explained(path):
        file = path.open("wb", buffering=0)

    def take_in_hand(item_id: str) -> None:
        with storage.explained(path):
            file.seek(0)
            file.write(item_id.encode("utf-8", "surrogatepass") + b"\0")

    try:
        yield take_in_hand
    finally:
        file.close()
        path.unlink(missing_ok=True)


def was_fatal(task: Task) -> bool:
    """Whether an earlier process died, or was killed, while it worked on this task."""
    return _in_hand(task).is_file()


def without_fatal_item(task: Task, cause: str) -> Task:
    """The task without the item at which a worker process died.

    Args:
        task: The task that the process had, while nothing else was at work.
        cause: How it died, in words.

    Raises:
        WorkerError: If it did not die at an item.
    """
    try:
        item_id = _in_hand(task).read_bytes().partition(b"\0")[0].decode("utf-8", "surrogatepass")
    except FileNotFoundError:
        item_id = ""
    if not item_id or item_id in task.fatal:
        raise WorkerError(
            f"a worker process {cause}, in stage {task.stage} but at no clip of its own",
            "run the same command again: it continues where it was; fewer --jobs need less memory",
        )
    return replace(task, fatal={**task.fatal, item_id: cause})


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
