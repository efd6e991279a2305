"""``fgbench prepare`` of 1,000 and 10,000 clips, with ``--large`` 100,000: planning, publishing, a rerun.

The clips are links to one of 64 x 64 px and three frames, and what is read from it is read once: so that the
work folder, made by the stages themselves, is there soon, and the rest is what each clip costs the machinery.
Commands run as users run them; CPU seconds depend less than elapsed ones on what else the machine does.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fgbench import plugins
from fgbench.config import load_prepare
from fgbench.media import video
from fgbench.preparation import prepare
from fgbench.preparation.pipeline import Accepted, Item, Outcome, Task
from tests.support.clip_folders import LABELS, write_plain_clip

SIZES = {1_000: 64, 10_000: 64}
LARGE = {100_000: 256}
"""Number of clips to number of buckets."""

LIMITS_S = {10_000: 2.0, 100_000: 10.0}
"""Most CPU seconds of a rerun with nothing to do."""

REPEATS = 3
_MOST_LINKS = 50_000
"""Links to one file; file systems allow some 65,000."""

RECIPE = """
name: many
buckets: {buckets}
dataset: {{adapter: fg_emotions, name: clips}}
sample: {{before: 1, after: 1}}
faces: {{align: never, chip_size: 64}}
augment: {{balance: none}}
lbp: {{enabled: false}}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds of CPU, seconds elapsed, most memory in MB."""

    cpu_s: float
    elapsed_s: float
    peak_mb: float


def main() -> None:
    """Print the table."""
    sizes = {**SIZES, **(LARGE if "--large" in sys.argv else {})}
    print(
        "CPU s, elapsed s and peak memory of each command, the one of three that took least CPU (publishing: "
        "of one). The machine was shared: elapsed times, and CPU times to some degree, are of others too.\n"
    )
    print("| clips | buckets | command | CPU s | ratio | elapsed s | MB | limit, CPU s |")
    print("|---:|---:|---|---:|---:|---:|---:|---:|")
    baseline = _least(["--help"])
    _row("", "", "`fgbench --help` (baseline)", baseline, baseline)
    for n_clips, n_buckets in sizes.items():
        with tempfile.TemporaryDirectory() as name:
            for title, cost, limit in _costs(Path(name), n_clips, n_buckets):
                _row(f"{n_clips:,}", str(n_buckets), title, cost, baseline, limit)


def _costs(folder: Path, n_clips: int, n_buckets: int) -> Iterator[tuple[str, Cost, str]]:
    root, recipe, work = folder / "data", folder / "many.yaml", folder / "work"
    write_links(root, n_clips)
    recipe.write_text(RECIPE.format(buckets=n_buckets), encoding="utf-8")
    begin = ["prepare", str(recipe), "--data-root", str(root), "--jobs", "1", "--workdir"]
    yield "planning (`--dry-run`)", _least([*begin, str(folder / "new"), "--dry-run"]), ""
    with read_once():
        prepare.run(load_prepare(str(recipe)), root, work)
    shutil.rmtree(work / "manifests")
    yield "publishing (all stages done)", _cost([*begin, str(work)]), ""
    limit = LIMITS_S.get(n_clips)
    yield "nothing to do", _least([*begin, str(work)]), "" if limit is None else f"{limit:.0f}"


def write_links(root: Path, n_clips: int) -> None:
    """Write links to one clip, and their annotations."""
    first = root / "videos" / "c000000.mp4"
    write_plain_clip(first, 3, size=(64, 64))
    lines = ["clip,label,key_frame,subject"]
    for number in range(n_clips):
        path = first.with_name(f"c{number:06d}.mp4")
        if number % _MOST_LINKS:
            os.link(first, path)
        elif number:
            first = Path(shutil.copy(first, path))
        lines.append(f"{path.name},{LABELS[number % 33]},1,s{number % 100}")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def read_once() -> Iterator[None]:
    """Context in which the first clip is read, and all others are taken for the same."""
    ingest, faces = (plugins.load("stages", name) for name in ("ingest", "faces"))
    kept, reading = (ingest.STAGE, faces.STAGE), _ReadOnce()
    ingest.STAGE = replace(ingest.STAGE, run=partial(_changed, ingest.STAGE.run, reading.probed))
    faces.STAGE = replace(faces.STAGE, run=partial(_changed, faces.STAGE.run, reading.observed))
    try:
        yield
    finally:
        ingest.STAGE, faces.STAGE = kept


def _changed(
    run: Callable[[Task], Iterator[Item]], work: Callable[[Item], Outcome], task: Task
) -> Iterator[Item]:
    return (Item(item.item_id, partial(work, item)) for item in run(task))


class _ReadOnce:
    """What is read of the first clip, and given for all."""

    def __init__(self) -> None:
        self._open, self._digest = video.open_video, video.media_digest
        self._reader: Any = None
        self._sha256 = ""
        self._faces: list[Mapping[str, Any]] = []

    def probed(self, item: Item) -> Outcome:
        """The row of ``ingest``, with what the list of clips says of this one."""
        video.open_video, video.media_digest = self._opened, self._digested
        try:
            return item.work()
        finally:
            video.open_video, video.media_digest = self._open, self._digest

    def observed(self, item: Item) -> Outcome:
        """The rows of ``faces``."""
        if not self._faces:
            outcome = item.work()
            assert isinstance(outcome, Accepted)
            self._faces.extend(outcome.rows)
        return Accepted(item.item_id, ({**row, "clip_id": item.item_id} for row in self._faces))

    def _opened(self, *args: Any, **options: Any) -> Any:
        if self._reader is None:
            with self._open(*args, **options) as reader:
                self._reader = SimpleNamespace(info=reader.info)
        return nullcontext(self._reader)

    def _digested(self, path: Path, decoder: str) -> str:
        self._sha256 = self._sha256 or self._digest(path, decoder)
        return self._sha256


def _least(arguments: list[str]) -> Cost:
    """The cost of the repetition that took least CPU."""
    return min((_cost(arguments) for _ in range(REPEATS)), key=lambda cost: cost.cpu_s)


def _cost(arguments: list[str]) -> Cost:
    begin = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        os.execv(sys.executable, [sys.executable, "-m", "fgbench", *arguments])
    _, status, used = os.wait4(pid, 0)
    if status:
        sys.exit(f"fgbench {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - begin, used.ru_maxrss / 1024)


def _row(n_clips: str, n_buckets: str, title: str, cost: Cost, baseline: Cost, limit: str = "") -> None:
    ratio = cost.cpu_s / baseline.cpu_s
    print(
        f"| {n_clips} | {n_buckets} | {title} | {cost.cpu_s:.2f} | {ratio:.1f} | {cost.elapsed_s:.1f} | "
        f"{cost.peak_mb:.0f} | {limit} |"
    )
