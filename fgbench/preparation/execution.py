"""Run one task: a stage on a bucket, item by item, so that no item ends a run.

An error raised by an item makes a reject of that item alone; if the process is killed, a note names the item.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench import plugins, records, storage
from fgbench.errors import WorkerError
from fgbench.files.hashing import digest_file
from fgbench.naming import shown
from fgbench.preparation.failures import TRANSIENT, WORKER_DIED, keep_traceback, reason_and_detail
from fgbench.preparation.item_tables import ItemTables
from fgbench.preparation.markers import REJECTS, Marker, stage_folder, stem, write_marker
from fgbench.preparation.pipeline import Item, Stage, Task, schemas
from fgbench.records import Rejected
from fgbench.workfolders.sealed_json import discard

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Flags to open the file that names the item in work: a new file, through no link."""

_LOGGER = logging.getLogger(__name__)


def execute(task: Task) -> Marker:
    """Run one stage on one bucket and write its files; the work of a worker process.

    Raises:
        FgbenchError: As the stage and the file system raise, where it concerns more than one item.
        WorkerError: If the stage does not list each item exactly once.
    """
    began = time.perf_counter()
    stage: Stage = plugins.load("stages", task.stage).STAGE
    folder = stage_folder(task.workdir, task.stage)
    begin = stem(task.bucket, task.fingerprint)
    tables = ItemTables(
        {output: folder / f"{begin}.{output}.parquet" for output in stage.outputs},
        schemas(stage, task.config),
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
    writers[REJECTS] = _write_rejects(folder / f"{begin}.{REJECTS}.parquet", task.stage, left_out)
    marker = Marker(
        bucket=task.bucket,
        fingerprint=task.fingerprint,
        outputs={output: _describe(writer) for output, writer in writers.items()},
        accepted=len(rejected) - len(left_out),
        reasons=dict(sorted(Counter(reject.reason for reject in left_out).items())),
    )
    write_marker(task.workdir, task.stage, marker)
    _LOGGER.debug(
        "%s, bucket %d: %d accepted, %d rejected, %.2f s",
        *(task.stage, task.bucket, marker.accepted, len(left_out), time.perf_counter() - began),
    )
    return marker


def _work_on(item: Item, task: Task, tables: ItemTables) -> Rejected | None:
    """Work on one item and write its rows; return the rejection, ``None`` if the item can be used."""
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
            row = {"id": shown(reject.item_id), "stage": stage, "reason": reject.reason}
            writer.add({**row, "detail": shown(reject.detail)})
        writer.close()
    except BaseException:
        writer.discard()
        raise
    return writer


def _in_hand(task: Task) -> Path:
    """File that names the item in work, to know which item killed a process."""
    return stage_folder(task.workdir, task.stage) / f"{stem(task.bucket, task.fingerprint)}.in-hand"


@contextmanager
def _noted(task: Task) -> Iterator[Callable[[str], None]]:
    """Yield a function that notes the item in work; the note stays only if this process dies."""
    path = _in_hand(task)
    discard(path)  # a link, symbolic or hard, would be written through
    with storage.explained(path):
        file = os.fdopen(os.open(path, _NEW, 0o666), "wb", buffering=0)

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
    """Return whether an earlier process died or was killed during this task; links do not count."""
    path = _in_hand(task)
    return path.is_file() and not path.is_symlink()


def without_fatal_item(task: Task, cause: str) -> Task:
    """Return the task without the item at which a worker process died.

    Args:
        task: The task of the process, while nothing else was at work.
        cause: Cause of its death, in words.

    Raises:
        WorkerError: If it did not die at an item.
    """
    item_id = ""
    if was_fatal(task):
        item_id = _in_hand(task).read_bytes().partition(b"\0")[0].decode("utf-8", "surrogatepass")
    if not item_id or item_id in task.fatal:
        raise WorkerError(
            f"a worker process {cause}, in stage {task.stage} but at no clip of its own",
            "run the same command again: it continues where it was; fewer jobs need less memory",
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
