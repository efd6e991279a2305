"""Engines and storages: what each task costs beside its work, clips/s with one and two workers, and the cost
of a million clips.

A task is a bucket of a stage. The first table has data whose work is next to nothing, so that what differs
from one process is the engine. The second has drawn people by the bare recipe, and what they cost: core-hours
and GB of a million such clips are a million times those of one. Figures of the first table are medians.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.synthetic.dataset import SynthOptions, generate
from tests.support.plain_data import write_plain_data
from tests.support.s3_server import Bucket, s3_server

N_PLAIN = 48
BUCKETS = 48
REPEATS = 3
DRAWN = SynthOptions(clips_per_class=1, subjects=8, width=640, height=360, seed=5)
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds elapsed and of CPU of a command, and its report."""

    elapsed_s: float
    cpu_s: float
    report: Mapping[str, Any]


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as name, storage() as bucket:
        folder = Path(name)
        _overheads(folder, bucket)
        print()
        _cost(folder)


@contextmanager
def storage() -> Iterator[Bucket | None]:
    """A bucket of a server on this machine; ``None`` where none can be started."""
    if importlib.util.find_spec("moto") is None:
        yield None
        return
    with s3_server() as address:
        yield Bucket(address)


def _overheads(folder: Path, bucket: Bucket | None) -> None:
    data = write_plain_data(folder / "plain", N_PLAIN)
    changes = [f"buckets={BUCKETS}", "faces.align=never", "lbp.enabled=false", "augment.balance=none"]
    common = ["default", "--data-root", str(data), *(f"--set={change}" for change in changes)]
    here = str(folder / "work")
    rows = {
        "local, one worker (baseline)": (here, ["--jobs", "1"]),
        "local, two workers": (here, ["--jobs", "2"]),
    }
    if importlib.util.find_spec("ray") is not None:
        rows["Ray, started for it, two cores"] = (here, ["--jobs", "2", "--engine", "ray"])
    if bucket is not None:
        rows["local, one worker, work folder in S3"] = (f"s3://{bucket.name}/work", ["--jobs", "1"])
    print(
        "Clips of next to no work; ms per task are those of the first run without a run with nothing to do.\n"
    )
    print("| engine | tasks | first run, s | nothing to do, s | ms per task | ratio |")
    print("|---|---:|---:|---:|---:|---:|")
    base = 0.0
    for at, (title, (begin, options)) in enumerate(rows.items()):
        firsts, agains, tasks = [], [], 0
        for number in range(REPEATS):
            command = [*common, "--workdir", f"{begin}-{at}-{number}", *options]
            first, again = _took(folder, command), _took(folder, command)
            tasks = sum(stage["done"] for stage in first.report["stages"])
            firsts.append(first.elapsed_s)
            agains.append(again.elapsed_s)
        whole, nothing = statistics.median(firsts), statistics.median(agains)
        of_task = (whole - nothing) / tasks * 1e3
        base = base or of_task
        print(f"| {title} | {tasks} | {whole:.1f} | {nothing:.1f} | {of_task:.1f} | {of_task / base:.2f} |")


def _cost(folder: Path) -> None:
    data = folder / "drawn"
    generate(data, DRAWN, jobs=2)
    rows = []
    for jobs in (1, 2):
        work = folder / f"drawn-{jobs}"
        took = _took(
            folder, ["default", "--data-root", str(data), "--workdir", str(work), "--jobs", str(jobs)]
        )
        rows.append((jobs, took.report["clips"], _frames(work), took.elapsed_s, took.cpu_s, _bytes(work)))
    base = rows[0][1] / rows[0][3]
    print(f"Drawn clips of {DRAWN.width}x{DRAWN.height}, by the recipe default; last, a million:\n")
    print("| workers | clips | frames | clips/s | ratio | CPU s per clip | MB per clip | core-hours | TB |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for jobs, n_clips, n_frames, elapsed, cpu, size in rows:
        mb = size / n_clips / 1e6
        of_clip = f"{cpu / n_clips:.2f} | {mb:.2f} | {cpu / n_clips * _MILLION / 3600:.0f}"
        if jobs > 1:  # the system does not count what workers of workers have computed
            of_clip = f" | {mb:.2f} | "
        print(
            f"| {jobs} | {n_clips} | {n_frames:,} | {n_clips / elapsed:.2f} | {n_clips / elapsed / base:.2f} "
            f"| {of_clip} | {mb * _MILLION / 1e6:.2f} |"
        )


def _frames(work: Path) -> int:
    from fgbench.storage import read_rows

    return sum(row["n_frames"] for row in read_rows(work / "manifests" / "clips.parquet", ["n_frames"]))


def _bytes(work: Path) -> int:
    """Bytes of the files of a work folder; names of one file count once."""
    seen = {}
    for path in work.rglob("*"):
        if path.is_file():
            status = path.stat()
            seen[status.st_ino] = status.st_size
    return sum(seen.values())


def _took(folder: Path, arguments: Sequence[str]) -> Took:
    command = [sys.executable, "-m", "fgbench", "prepare", *arguments, "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, cwd=folder, env=os.environ | _HERE)
    elapsed = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(elapsed, cpu, json.loads(done.stdout))


_HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}

if __name__ == "__main__":
    main()
