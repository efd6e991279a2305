"""Start-up: CPU time of commands that do no work, against a bare interpreter."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.clip_folders import write_folder

REPEATS = 7
N_CLIPS = 200


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        write_folder(here / "clips", N_CLIPS, n_frames=2)
        (here / "plain.yaml").write_text("name: plain\nfaces: {align: never}\n", encoding="utf-8")
        prepare = ["-m", "fgbench", "prepare", "plain.yaml", "--data-root", "clips"]
        _cpu_s(prepare, here)
        rows = {
            "bare interpreter (baseline)": ["-c", "pass"],
            "`fgbench --help`": ["-m", "fgbench", "--help"],
            f"`fgbench prepare`, nothing to do, {N_CLIPS} clips": prepare,
        }
        medians = {
            label: statistics.median(_cpu_s(arguments, here) for _ in range(REPEATS))
            for label, arguments in rows.items()
        }
    base = next(iter(medians.values()))
    print("| command | CPU seconds | ratio |")
    print("|---|---:|---:|")
    for label, value in medians.items():
        print(f"| {label} | {value:.3f} | {value / base:.1f} |")


def _cpu_s(arguments: list[str], cwd: Path) -> float:
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime
