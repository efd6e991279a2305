"""Steps of the benchmark ``annotation``, measured in the process that calls them."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fgbench.cores import n_cores

_Value = TypeVar("_Value")

_BASELINES = {
    ".json": "import json, sys, time; json.load(open(sys.argv[1]))",
    ".csv": "import csv, sys, time; list(csv.reader(open(sys.argv[1])))",
}


def print_steps(root: str, answers: str, rule: str) -> None:
    """Measure, and print one line of JSON: step to seconds of computing and of the clock, and the peak memory
    of this process in MB, under ``peak``.

    Args:
        root: Root of the data set, without ``votes.csv``.
        answers: The file of answers.
        rule: Rule that settles the votes.
    """
    measured = steps(Path(root), Path(answers), rule)
    print(json.dumps(measured))


def steps(root: Path, answers: Path, rule: str) -> dict[str, list[float]]:
    """Measure; as :func:`print_steps` prints it."""
    taken = {"baseline": _baseline(answers)}

    def measured(step: str, work: Callable[[], _Value]) -> _Value:
        clock, computing = time.perf_counter(), time.process_time()
        value = work()
        took = [time.process_time() - computing, time.perf_counter() - clock]
        taken[step] = [old + new for old, new in zip(taken.get(step, [0.0, 0.0]), took, strict=True)]
        return value

    import fgbench
    from fgbench.config import ConsensusConfig
    from fgbench.datasets import fg_emotions
    from fgbench.preparation.stages._vote_agreement import read_annotation

    imported = measured("import", lambda: fgbench.import_votes(answers, root))
    assert imported.n_added
    assert not imported.rejects
    entries = measured("settling", lambda: fg_emotions.list_clips(root))
    n_clips, n_buckets = len(entries), 2 * n_cores()
    tables = [root.parent / f"ingest-{bucket}.parquet" for bucket in range(n_buckets)]
    for bucket, table in enumerate(tables):
        write_ingest(table, entries[bucket * n_clips // n_buckets : (bucket + 1) * n_clips // n_buckets])
    del entries
    annotation = measured("agreement", lambda: read_annotation(tables, ()))
    assert annotation.rounds[1].whole.n_votes == imported.n_added
    config = ConsensusConfig(rule=rule)
    of_workers = measured("settling", lambda: _settle_in_workers(tables, config))
    assert sum(worker.n_clips for worker in of_workers) == n_clips
    taken["settling"][0] += sum(worker.computing_s for worker in of_workers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken["peak"] = [peak + n_cores() * max(worker.peak_mb for worker in of_workers)]
    return taken


class _OfWorker(NamedTuple):
    """What a worker process tells of a bucket."""

    n_clips: int
    computing_s: float
    peak_mb: float


def _settle_in_workers(tables: Sequence[Path], config: Any) -> list[_OfWorker]:
    """Run the stage ``consensus`` in a process for each core, as ``prepare`` does."""
    from fgbench.preparation.engines import local

    with local.start(n_cores()) as run:
        return list(run(_settle_bucket, _tasks(tables, config)))


def _settle_bucket(task: Any) -> _OfWorker:
    began = time.process_time()
    n_clips = len(_outcomes(task))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return _OfWorker(n_clips, time.process_time() - began, peak_mb)


def settle_all(table: Path, config: Any) -> list[Any]:
    """Outcome of the stage ``consensus`` for each clip of a table of ``ingest``."""
    return _outcomes(*_tasks([table], config))


def _outcomes(task: Any) -> list[Any]:
    from fgbench.preparation.stages.consensus import STAGE

    return [item.work() for item in STAGE.run(task)]


def _tasks(tables: Sequence[Path], config: Any) -> list[Any]:
    """Tasks of the stage ``consensus``: a bucket for each table."""
    from fgbench.preparation.pipeline import ROWS, Task
    from fgbench.preparation.stages.consensus import STAGE

    inputs = {bucket: {"ingest": {ROWS: table}} for bucket, table in enumerate(tables)}
    assert STAGE.plan is not None
    plans = STAGE.plan(config, inputs)
    return [
        Task(
            stage=STAGE.name,
            bucket=bucket,
            fingerprint="0" * 64,
            workdir=table.parent,
            root=table.parent,
            dataset="clips",
            scheme="fg33",
            config=config,
            inputs=inputs[bucket],
            plan=plans[bucket],
        )
        for bucket, table in enumerate(tables)
    ]


def write_ingest(table: Path, entries: list[Any]) -> None:
    """Write the rows of ``ingest`` of clips, as if their videos had been read."""
    from fgbench import records, storage

    schema = records.schema("ingest")
    empty = dict.fromkeys(schema.names)
    writer = storage.TableWriter(table, schema)
    for entry in entries:
        votes = [asdict(vote) for vote in entry.votes]
        writer.add({**empty, "clip_id": entry.clip_id, "scheme": "fg33", "fps": 25.0, "votes": votes})
    writer.close()


def _baseline(answers: Path) -> list[float]:
    """Seconds of a process that reads the file alone; its memory is not that of this one."""
    code = f"{_BASELINES[answers.suffix]}; print(time.process_time())"
    clock = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, str(answers)], check=True, capture_output=True)
    return [float(done.stdout), time.perf_counter() - clock]
