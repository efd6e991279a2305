"""Peak memory of ``fgbench prepare`` in one process: against the number of clips and their length."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.clip_folders import LABELS, write_plain_clip


def main() -> None:
    """Print peak RSS for 50 and 500 clips, and for clips of 10 s and of 10 minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = _peak_mb(_folder(folder / "a", 50, 25), folder / "wa")
        many = _peak_mb(_folder(folder / "b", 500, 25), folder / "wb")
        short = _peak_mb(_folder(folder / "c", 1, 250), folder / "wc")
        long = _peak_mb(_folder(folder / "d", 1, 15000), folder / "wd")
    print("| prepare, one process, 320x240, faces searched in every frame | peak RSS | ratio |")
    print("|---|---:|---:|")
    print(f"| 50 clips of 1 s (baseline) | {base:.0f} MB | 1.00 |")
    print(f"| 500 clips of 1 s | {many:.0f} MB | {many / base:.2f} |")
    print(f"| one clip of 10 s (baseline) | {short:.0f} MB | 1.00 |")
    print(f"| one clip of 10 minutes | {long:.0f} MB | {long / short:.2f} |")


def _folder(root: Path, n_clips: int, n_frames: int) -> Path:
    """Copies of one clip: what they show does not matter for memory."""
    first = root / "videos" / "c0000.mp4"
    write_plain_clip(first, n_frames, size=(320, 240))
    lines = ["clip,label,key_frame"]
    for number in range(n_clips):
        path = first.with_name(f"c{number:04d}.mp4")
        if path != first:
            os.link(first, path)
        lines.append(f"{path.name},{LABELS[number % 33]},{n_frames // 2}")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def _peak_mb(root: Path, work: Path) -> float:
    command = [sys.executable, "-m", "fgbench", "prepare", "--data-root", str(root), "--workdir", str(work)]
    process = subprocess.Popen(
        [*command, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"prepare ended with {process.returncode}")
    return usage.ru_maxrss / 1024
