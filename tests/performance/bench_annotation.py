"""Import of a large export of Label Studio: 100,000 tasks with five answers each, beside reading it whole.

The baseline reads the same file with ``json.load`` and does nothing with it. Both run in processes of their
own; peak memory is that of the process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from fgbench.annotation.project_file import ClipTask, read_project, write_project
from tests.support.annotated_rounds import FIVE, annotation, exported, write_clips

TASKS = 100_000
_RUNS = {
    "json.load": "import json; json.load(open({path!r}))",
    "import": "import fgbench; assert fgbench.import_votes({path!r}, {root!r}, annotators={people!r})"
    ".n_added == {votes}",
    "import again": "import fgbench; assert fgbench.import_votes({path!r}, {root!r}, annotators={people!r})"
    ".n_same == {votes}",
}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        root, path = Path(name) / "clips", Path(name) / "export.json"
        people = {str(number): who for number, who in enumerate(FIVE, start=1)}
        _write(root, path)
        given = {"path": str(path), "root": str(root), "people": people, "votes": 5 * TASKS}
        measured = {run: _measured(code.format(**given)) for run, code in _RUNS.items()}
        size = path.stat().st_size / 1e6
    base_s, base_mb = measured["json.load"]
    print(f"{TASKS:,} tasks, {5 * TASKS:,} answers, {size:.0f} MB\n")
    print("| Run | s | ratio | peak MB | ratio |\n|---|---|---|---|---|")
    for run, (seconds, peak_mb) in measured.items():
        print(f"| {run} | {seconds:.1f} | {seconds / base_s:.1f} | {peak_mb:.0f} | {peak_mb / base_mb:.2f} |")


def _write(root: Path, path: Path) -> None:
    """Write a round of many tasks, and its export."""
    folder = exported(write_clips(root, ["a"])).folder
    project = read_project(folder)
    assert project is not None
    everyone = tuple(range(len(FIVE)))
    clips = [f"film{number // 100:04d}/shot{number:06d}" for number in range(TASKS)]
    tasks = tuple(
        ClipTask(
            clip=clip,
            path=f"videos/{clip}.mp4",
            sha256="0" * 64,
            n_frames=100,
            fps=25.0,
            annotators=everyone,
        )
        for clip in clips
    )
    write_project(folder, replace(project, tasks=tasks))
    with path.open("w", encoding="utf-8") as file:
        for number, clip in enumerate(clips):
            data = {"clip": clip, "project": project.project, "round": 1, "fps": "25.0"}
            answers = [
                annotation(who, frame=(number + who) % 90, number=5 * number + who) for who in range(1, 6)
            ]
            task = {"id": number, "data": data, "annotations": answers, "drafts": [], "predictions": []}
            file.write(("[" if number == 0 else ",\n") + json.dumps(task))
        file.write("]")


def _measured(code: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of a program."""
    program = f"{code}\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return time.perf_counter() - begin, int(done.stdout) / 1000


if __name__ == "__main__":
    main()
