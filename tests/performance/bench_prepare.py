"""``fgbench prepare`` of 10,000 clips: the first time, with nothing to do, and ``fgbench status``.

The clips are links to one of 64 x 64 px and three frames, so that what is measured is what the machinery
takes for each clip; whole frames stand for faces. Each figure but the first is a median.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.clip_folders import LABELS, write_plain_clip

N_CLIPS = 10_000
REPEATS = 5
RECIPE = """
name: many
dataset: {adapter: fg_emotions, name: clips}
sample: {before: 1, after: 1}
faces: {align: never, chip_size: 64}
"""


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root, work, recipe = _clips(folder / "data"), folder / "work", folder / "many.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")
        again = ["prepare", str(recipe), "--data-root", str(root), "--workdir", str(work), "--jobs", "1"]
        first, _ = _took(again)
        rows = {
            "`fgbench --help` (baseline)": (_median(["--help"]), ""),
            "prepare, nothing to do": (_median(again), "2"),
            "status": (_median(["status", str(work)]), "2"),
            "check (hashes the manifests)": (_median(["check", str(work)]), ""),
        }
        (work / ".verified.json").unlink()
        rows["prepare, nothing to do, notes lost"] = (_took(again), "")
        baseline = next(iter(rows.values()))[0][1]
    print(f"{N_CLIPS:,} clips of 64x64 px and 3 frames; the first prepare took {first:.0f} s.\n")
    print("| command | elapsed s | CPU s | ratio of CPU | limit, s |\n|---|---:|---:|---:|---:|")
    for title, ((seconds, cpu), limit) in rows.items():
        print(f"| {title} | {seconds:.2f} | {cpu:.2f} | {cpu / baseline:.1f} | {limit} |")


def _clips(root: Path) -> Path:
    """Links to one clip, and their annotations."""
    first = root / "videos" / "c00000.mp4"
    write_plain_clip(first, 3, size=(64, 64))
    lines = ["clip,label,key_frame,subject"]
    for number in range(N_CLIPS):
        path = first.with_name(f"c{number:05d}.mp4")
        if path != first:
            os.link(first, path)
        lines.append(f"{path.name},{LABELS[number % 33]},1,s{number % 100}")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def _median(arguments: Sequence[str]) -> tuple[float, float]:
    _took(arguments)
    times = [_took(arguments) for _ in range(REPEATS)]
    return statistics.median(seconds for seconds, _ in times), statistics.median(cpu for _, cpu in times)


def _took(arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds elapsed, and of CPU, which other work on the machine changes less."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "fgbench", *arguments], check=True, capture_output=True)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
