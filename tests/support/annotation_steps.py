"""Steps of the benchmark ``annotation``, measured in the process that calls them."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

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
    table = root.parent / "ingest.parquet"
    n_clips = len(entries)
    write_ingest(table, entries)
    del entries
    annotation = measured("agreement", lambda: read_annotation([table], ()))
    assert annotation.rounds[1].whole.n_votes == imported.n_added
    config = ConsensusConfig(rule=rule)
    settled = measured("settling", lambda: settle_all(table, config))
    assert len(settled) == n_clips
    taken["peak"] = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
    return taken


def settle_all(table: Path, config: Any) -> list[Any]:
    """Outcome of the stage ``consensus`` for each clip of a table of ``ingest``."""
    from fgbench.preparation.pipeline import ROWS, Task
    from fgbench.preparation.stages.consensus import STAGE

    inputs = {"ingest": {ROWS: table}}
    assert STAGE.plan is not None
    task = Task(
        stage=STAGE.name,
        bucket=0,
        fingerprint="0" * 64,
        workdir=table.parent,
        root=table.parent,
        dataset="clips",
        scheme="fg33",
        config=config,
        inputs=inputs,
        plan=STAGE.plan(config, {0: inputs})[0],
    )
    return [item.work() for item in STAGE.run(task)]


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
